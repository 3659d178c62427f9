//! Predictions made elsewhere, from a table of one of two forms: a column for each task, or a row for each molecule and
//! task, with the task's name in the column `task` and the number in the column `prediction`.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::own::{Label, label, smiles_column};
use crate::table::Table;

/// Columns of the long form, as `molarena export predictions` writes them.
const TASK: &str = "task";
const PREDICTION: &str = "prediction";
const ROW: &str = "row";
const DATASET: &str = "dataset";
const METHOD: &str = "method";
const SEED: &str = "seed";

/// A table of predictions to read.
#[derive(Clone, Debug)]
pub struct PredictionTable<'a> {
    /// CSV (plain or gzipped) or Parquet.
    pub path: PathBuf,
    /// The column of SMILES; if `None`, the first usual one that the table has.
    pub smiles: Option<&'a str>,
    /// The column of row numbers in the dataset's table, from 1. A long table has them in `row`.
    pub row: Option<&'a str>,
    /// The dataset, and its tasks.
    pub dataset: (&'a str, &'a [String]),
    /// Seed of the method. A long table may have rows of others, which are ignored.
    pub seed: u64,
}

/// Predictions by molecule, as a table has them.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Row of the table, from 1, at which each molecule stands first.
    pub lines: Vec<usize>,
    /// SMILES of each, as in the table.
    pub smiles: Vec<String>,
    /// Row of each in the dataset's table, from 1, if the table says so.
    pub rows: Option<Vec<usize>>,
    /// `f32[molecules, tasks]`, row-major, NaN where there is none; tasks in the order of the dataset's.
    pub values: Vec<f32>,
}

impl PredictionTable<'_> {
    /// Reads the table.
    ///
    /// # Errors
    /// Those of reading a table; [`Error::NoSmilesColumn`], [`Error::AbsentColumn`], [`Error::WrongCell`],
    /// [`Error::NoPredictions`].
    pub fn load(&self) -> Result<Predictions> {
        let bytes = fs_err::read(&self.path)?;
        let (_, tasks) = self.dataset;
        let mut wanted: Vec<&str> = tasks.iter().map(String::as_str).collect();
        wanted.extend(self.smiles.iter().chain(&self.row));
        let table = Table::parse_with(&self.path, &bytes, &wanted)?;
        let is_wide = tasks.iter().any(|task| table.position(task).is_some());
        if !is_wide && [TASK, PREDICTION].iter().all(|name| table.position(name).is_some()) {
            self.long(&table)
        } else {
            self.wide(&table)
        }
    }

    fn wide(&self, table: &Table) -> Result<Predictions> {
        let (_, tasks) = self.dataset;
        let columns = tasks.iter().map(|task| table.column(task)).collect::<Result<Vec<usize>>>()?;
        let smiles = self.smiles_column(table)?;
        let row = self.row.map(|name| table.column(name)).transpose()?;
        let all = 0..table.rows();
        let values = all.clone().flat_map(|row| columns.iter().map(move |&column| (row, column)));
        Ok(Predictions {
            lines: all.clone().map(|row| row + 1).collect(),
            smiles: all.clone().map(|row| table.text(row, smiles).to_owned()).collect(),
            rows: row.map(|column| all.map(|row| row_number(table, row, column)).collect()).transpose()?,
            values: values.map(|(row, column)| number(table, row, column)).collect::<Result<_>>()?,
        })
    }

    fn long(&self, table: &Table) -> Result<Predictions> {
        let (_, tasks) = self.dataset;
        let (task, prediction) = (table.column(TASK)?, table.column(PREDICTION)?);
        let smiles = self.smiles_column(table)?;
        let number_column = match self.row {
            Some(name) => Some(table.column(name)?),
            None => table.position(ROW),
        };
        let mut found = Predictions {
            lines: Vec::new(),
            smiles: Vec::new(),
            rows: number_column.map(|_| Vec::new()),
            values: Vec::new(),
        };
        // Molecules are told apart by their row in the dataset, else by their SMILES.
        let mut places: HashMap<(Option<usize>, &str), usize> = HashMap::new();
        let mut told: BTreeSet<(usize, usize)> = BTreeSet::new();
        for row in self.kept(table)? {
            let wrong = |column: usize, expected| Error::WrongCell {
                cell: Box::new(table.cell(row, column)),
                value: table.text(row, column).to_owned(),
                expected,
            };
            let of_task = tasks.iter().position(|known| known == table.text(row, task));
            let of_task = of_task.ok_or_else(|| wrong(task, "a task of the dataset"))?;
            let in_dataset = number_column.map(|column| row_number(table, row, column)).transpose()?;
            let molecule = (in_dataset, if in_dataset.is_some() { "" } else { table.text(row, smiles) });
            let place = *places.entry(molecule).or_insert_with(|| {
                found.lines.push(row + 1);
                found.smiles.push(table.text(row, smiles).to_owned());
                found.rows.iter_mut().for_each(|rows| rows.extend(in_dataset));
                found.values.extend(tasks.iter().map(|_| f32::NAN));
                found.lines.len() - 1
            });
            if found.smiles[place] != table.text(row, smiles) {
                return Err(wrong(smiles, "the SMILES that an earlier row has for this row of the dataset"));
            }
            if !told.insert((place, of_task)) {
                return Err(wrong(prediction, "the first prediction of this molecule and task"));
            }
            found.values[place * tasks.len() + of_task] = number(table, row, prediction)?;
        }
        Ok(found)
    }

    /// The rows of a long table that are of the dataset and the seed.
    fn kept(&self, table: &Table) -> Result<Vec<usize>> {
        let (dataset, _) = self.dataset;
        let seed = self.seed.to_string();
        let is = |row: usize, name: &str, wanted: &str| {
            table.position(name).is_none_or(|column| table.text(row, column) == wanted)
        };
        let kept: Vec<usize> =
            (0..table.rows()).filter(|&row| is(row, DATASET, dataset) && is(row, SEED, &seed)).collect();
        let none = |reason: String| Error::NoPredictions { path: self.path.clone(), reason };
        if kept.is_empty() {
            return Err(none(format!("no row is of the dataset {dataset} and the seed {seed}")));
        }
        if let Some(column) = table.position(METHOD) {
            let methods: BTreeSet<&str> = kept.iter().map(|&row| table.text(row, column)).collect();
            if methods.len() > 1 {
                let methods: Vec<&str> = methods.into_iter().collect();
                return Err(none(format!(
                    "its rows are of several methods ({}); keep those of one",
                    methods.join(", ")
                )));
            }
        }
        Ok(kept)
    }

    fn smiles_column(&self, table: &Table) -> Result<usize> {
        match self.smiles {
            Some(name) => table.column(name),
            None => smiles_column(&self.path, table.header(), table.unreadable()),
        }
    }
}

/// A prediction; NaN where there is none.
fn number(table: &Table, row: usize, column: usize) -> Result<f32> {
    match label(table.text(row, column)) {
        Label::Missing => Ok(f32::NAN),
        Label::Number(number) if number.is_finite() => Ok(number),
        Label::Number(_) | Label::Comma | Label::Text => Err(Error::WrongCell {
            cell: Box::new(table.cell(row, column)),
            value: table.text(row, column).to_owned(),
            expected: "a finite number with a decimal point",
        }),
    }
}

/// A row number. Tables of data frames write whole numbers as `3.0` where a cell of the column is empty.
fn row_number(table: &Table, row: usize, column: usize) -> Result<usize> {
    let text = table.text(row, column);
    let number = text.strip_suffix(".0").unwrap_or(text).parse().ok();
    number.filter(|&number: &usize| number > 0).ok_or_else(|| Error::WrongCell {
        cell: Box::new(table.cell(row, column)),
        value: text.to_owned(),
        expected: "a row number from 1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, row: Option<&str>) -> Result<Predictions> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.csv");
        fs_err::write(&path, text).unwrap();
        let tasks = ["a".to_owned(), "b".to_owned()];
        PredictionTable { path, smiles: None, row, dataset: ("toy", &tasks), seed: 1 }.load()
    }

    #[track_caller]
    fn refused(text: &str, said: &str) {
        let error = read(text, None).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }

    #[test]
    fn both_forms_say_the_same() {
        let wide = read("n,smiles,b,a\n7,CC,0.5,NA\n3,C,1,0\n", Some("n")).unwrap();
        let long = "dataset,row,smiles,method,seed,task,prediction\ntoy,7,CC,m,1,b,0.5\ntoy,3,C,m,1,a,0\n\
                    toy,7,CC,m,0,b,0.9\nother,7,CC,m,1,z,0.9\ntoy,3,C,m,1,b,1\n";
        let long = read(long, None).unwrap();
        assert_eq!((&wide.smiles, &wide.rows), (&long.smiles, &long.rows));
        assert_eq!((long.lines.as_slice(), long.rows.as_deref()), (&[1, 2][..], Some(&[7, 3][..])));
        let shown = |values: &[f32]| format!("{values:?}");
        assert_eq!(shown(&wide.values), "[NaN, 0.5, 0.0, 1.0]");
        assert_eq!(shown(&wide.values), shown(&long.values));
    }

    #[test]
    fn without_row_numbers_molecules_are_told_apart_by_their_smiles() {
        let found = read("smiles,task,prediction\nC,a,1\nCC,a,2\nC,b,3\n", None).unwrap();
        assert_eq!((found.rows, found.smiles), (None, vec!["C".to_owned(), "CC".to_owned()]));
        assert_eq!(format!("{:?}", found.values), "[1.0, 3.0, 2.0, NaN]");
    }

    #[test]
    fn what_is_wrong_is_named() {
        refused("smiles,a,b\nC,1,high\n", "row 1 (line 2), column \"b\": \"high\" is not a finite number");
        refused("smiles,a,b\nC,1,inf\n", "is not a finite number");
        refused("smiles,a,c\nC,1,1\n", "no column \"b\"");
        refused("smiles,task,prediction\nC,c,1\n", "\"c\" is not a task of the dataset");
        refused("smiles,task,prediction\nC,a,1\nC,a,1\n", "row 2 (line 3), column \"prediction\"");
        refused("row,smiles,task,prediction\n0,C,a,1\n", "\"0\" is not a row number from 1");
        refused(
            "row,smiles,task,prediction\n1,C,a,1\n1,CC,b,1\n",
            "is not the SMILES that an earlier row has",
        );
        refused("smiles,seed,task,prediction\nC,0,a,1\n", "no row is of the dataset toy and the seed 1");
        refused("smiles,method,task,prediction\nC,x,a,1\nC,y,b,1\n", "several methods (x, y)");
    }
}
