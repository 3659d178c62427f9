//! A dataset as its file states it: SMILES and labels, before any chemistry.

use std::io::ErrorKind;
use std::path::Path;

use crate::error::{Error, Result};
use crate::hash::sha256_hex;
use crate::manifest::{FileSpec, Manifest, TaskColumns, TaskType};
use crate::table::Table;

/// SMILES and labels of `n` molecules and `t` tasks.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The manifest's id.
    pub id: String,
    /// The manifest's title.
    pub title: String,
    /// `[n]`: SMILES as in the file, trimmed.
    pub smiles: Vec<String>,
    /// `[t]`: names of the tasks, as in the file.
    pub tasks: Vec<String>,
    /// `[t]`: units of the tasks, where the manifest names them.
    pub units: Vec<Option<String>>,
    /// The kind of label.
    pub task_type: TaskType,
    /// `[n, t]`, row-major. NaN is a missing label. Classification: 0 or 1. Regression: finite, in the task's unit.
    pub labels: Vec<f32>,
    /// SHA-256 of the file's bytes (of the gzip file, if it is one).
    pub sha256: String,
    /// `[n]`: data row of the file, from 1, that each molecule comes from.
    pub rows: Vec<usize>,
}

impl Dataset {
    /// Reads the table of SMILES and labels from the data folder, after checking its bytes against the manifest.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::WrongSha256`], [`Error::BadGzip`], [`Error::BadCsv`], [`Error::Empty`],
    /// [`Error::DuplicateColumn`], [`Error::AbsentColumn`], [`Error::WrongCount`], [`Error::NotANumber`],
    /// [`Error::NotAClass`], [`Error::NotFinite`].
    pub fn load(manifest: &Manifest, data_dir: &Path) -> Result<Self> {
        let file = manifest.assays();
        let path = file.locate(data_dir);
        let bytes = read_verified(manifest, file, data_dir)?;
        let table = Table::parse(&path, &bytes)?;
        let smiles_column = table.column(&manifest.table.smiles)?;
        let (tasks, columns) = task_columns(manifest, &table)?;
        check_count(manifest, &path, "task columns", manifest.tasks.count, tasks.len())?;
        check_count(manifest, &path, "rows", manifest.table.rows, table.rows())?;
        let mut labels = Vec::with_capacity(table.rows() * columns.len());
        for row in 0..table.rows() {
            for &column in &columns {
                labels.push(label(&table, row, column, manifest.tasks.kind)?);
            }
        }
        Ok(Self {
            id: manifest.id.clone(),
            title: manifest.title.clone(),
            smiles: (0..table.rows()).map(|row| table.text(row, smiles_column).to_owned()).collect(),
            units: tasks.iter().map(|task| manifest.unit(task).map(str::to_owned)).collect(),
            tasks,
            task_type: manifest.tasks.kind,
            labels,
            sha256: file.sha256.clone(),
            rows: (1..=table.rows()).collect(),
        })
    }

    /// `n`, the number of molecules.
    pub fn len(&self) -> usize {
        self.smiles.len()
    }

    /// Whether there are no molecules; a loaded dataset has at least one.
    pub fn is_empty(&self) -> bool {
        self.smiles.is_empty()
    }

    /// `[t]`: the labels of a molecule; NaN is missing.
    pub fn labels_of(&self, molecule: usize) -> &[f32] {
        let width = self.tasks.len();
        &self.labels[molecule * width..(molecule + 1) * width]
    }

    /// The label of a molecule in a task, if it is known.
    pub fn label(&self, molecule: usize, task: usize) -> Option<f32> {
        Some(self.labels_of(molecule)[task]).filter(|label| !label.is_nan())
    }

    /// The dataset restricted to these molecules, in this order.
    #[must_use]
    pub fn select(&self, molecules: &[usize]) -> Self {
        Self {
            id: self.id.clone(),
            title: self.title.clone(),
            smiles: molecules.iter().map(|&molecule| self.smiles[molecule].clone()).collect(),
            tasks: self.tasks.clone(),
            units: self.units.clone(),
            task_type: self.task_type,
            labels: molecules.iter().flat_map(|&molecule| self.labels_of(molecule)).copied().collect(),
            sha256: self.sha256.clone(),
            rows: molecules.iter().map(|&molecule| self.rows[molecule]).collect(),
        }
    }
}

/// The bytes of a dataset's file, checked against the manifest's digest.
///
/// # Errors
/// [`Error::MissingFile`], [`Error::WrongSha256`].
pub fn read_verified(manifest: &Manifest, file: &FileSpec, data_dir: &Path) -> Result<Vec<u8>> {
    let path = file.locate(data_dir);
    let bytes = fs_err::read(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            Error::MissingFile { path: path.clone(), id: manifest.id.clone(), data_dir: data_dir.to_owned() }
        }
        _ => Error::Io(error),
    })?;
    let got = sha256_hex(&bytes);
    if got == file.sha256 {
        return Ok(bytes);
    }
    let (id, expected) = (manifest.id.clone(), file.sha256.clone());
    Err(Error::WrongSha256 { path, id, data_dir: data_dir.to_owned(), expected, got })
}

/// Names and column indices of the tasks.
fn task_columns(manifest: &Manifest, table: &Table) -> Result<(Vec<String>, Vec<usize>)> {
    let spec = &manifest.tasks;
    let names: Vec<String> = match &spec.columns {
        TaskColumns::Named(names) => names.clone(),
        TaskColumns::Rest(_) => {
            for name in &spec.ignore {
                table.column(name)?;
            }
            let other = |name: &&String| **name == manifest.table.smiles || spec.ignore.contains(name);
            table.header().iter().filter(|name| !other(name)).cloned().collect()
        }
    };
    let columns = names.iter().map(|name| table.column(name)).collect::<Result<_>>()?;
    Ok((names, columns))
}

fn check_count(
    manifest: &Manifest,
    path: &Path,
    what: &'static str,
    expected: usize,
    got: usize,
) -> Result<()> {
    if expected == got {
        return Ok(());
    }
    Err(Error::WrongCount { path: path.to_owned(), id: manifest.id.clone(), what, expected, got })
}

/// One label; NaN for an empty cell.
fn label(table: &Table, row: usize, column: usize, kind: TaskType) -> Result<f32> {
    let text = table.text(row, column);
    if text.is_empty() {
        return Ok(f32::NAN);
    }
    let cell = || Box::new(table.cell(row, column));
    match text.parse::<f32>() {
        Ok(number) if number.is_infinite() => Err(Error::NotFinite { cell: cell(), value: text.to_owned() }),
        Ok(number) if number.is_nan() => Err(Error::NotANumber { cell: cell(), value: text.to_owned() }),
        Ok(number) if kind == TaskType::Classification && number != 0.0 && number != 1.0 => {
            Err(Error::NotAClass { cell: cell(), value: text.to_owned() })
        }
        Ok(number) => Ok(number),
        Err(_) => Err(Error::NotANumber { cell: cell(), value: text.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use molarena_metrics::Metric;

    use crate::manifest::Rest;
    use crate::testing::made_up;

    fn load(assays: impl AsRef<[u8]>, edit: impl FnOnce(&mut Manifest)) -> Result<Dataset> {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), assays, edit);
        Dataset::load(&manifest, folder.path())
    }

    /// Code and text of the error that `assays` causes.
    fn refused(assays: impl AsRef<[u8]>, edit: impl FnOnce(&mut Manifest)) -> (&'static str, String) {
        let error = load(assays, edit).unwrap_err();
        (error.code(), error.to_string())
    }

    fn regression(manifest: &mut Manifest) {
        manifest.tasks.kind = TaskType::Regression;
        manifest.protocol.metric = Metric::Mae;
    }

    #[test]
    fn reads_labels_and_missing_ones() {
        let dataset = load("smiles,name,t1,t2\r\nCC,ethane,1.0,\r\n C ,methane, ,0\r\n", |_| ()).unwrap();
        assert_eq!(dataset.smiles, ["CC", "C"]);
        assert_eq!(dataset.rows, [1, 2]);
        assert_eq!((dataset.label(0, 0), dataset.label(0, 1)), (Some(1.0), None));
        assert_eq!((dataset.label(1, 0), dataset.label(1, 1)), (None, Some(0.0)));
        let second = dataset.select(&[1]);
        assert_eq!((second.len(), second.rows[0], second.labels_of(0)[1]), (1, 2, 0.0));
    }

    #[test]
    fn takes_the_rest_of_the_columns() {
        let rest = |manifest: &mut Manifest| {
            manifest.tasks.columns = TaskColumns::Rest(Rest::Rest);
            manifest.tasks.ignore = vec!["name".to_owned()];
        };
        let table = "name,b,smiles,a\nx,1,C,0\ny,0,CC,1\n";
        assert_eq!(load(table, rest).unwrap().tasks, ["b", "a"]);
        let (code, text) = refused("name,b,smiles\nx,1,C\ny,0,CC\n", rest);
        assert_eq!(code, "E-DATA-015");
        assert!(text.contains("1 task columns, the manifest of made-up says 2"), "{text}");
        let (code, text) = refused("b,smiles,a\n1,C,0\n0,CC,1\n", rest);
        assert_eq!(code, "E-DATA-007");
        assert!(text.contains("no column \"name\""), "{text}");
    }

    #[test]
    fn a_missing_file_says_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), "x", |_| ());
        fs_err::remove_file(manifest.assays().locate(folder.path())).unwrap();
        let error = Dataset::load(&manifest, folder.path()).unwrap_err();
        assert_eq!(error.code(), "E-DATA-005");
        let text = error.to_string();
        assert!(text.contains("assays.csv is missing"), "{text}");
        assert!(text.contains("molarena data fetch made-up --data-dir "), "{text}");
    }

    #[test]
    fn other_bytes_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), "smiles,t1,t2\nC,0,1\nCC,1,0\n", |_| ());
        fs_err::write(manifest.assays().locate(folder.path()), "smiles,t1,t2\nC,1,1\nCC,1,0\n").unwrap();
        let error = Dataset::load(&manifest, folder.path()).unwrap_err();
        assert_eq!(error.code(), "E-DATA-006");
        assert!(error.to_string().contains(&manifest.assays().sha256), "{error}");
    }

    #[test]
    fn wrong_cells_are_named() {
        let cases = [
            ("yes", false, "E-DATA-009"),
            ("nan", false, "E-DATA-009"),
            ("2", false, "E-DATA-010"),
            ("0.5", false, "E-DATA-010"),
            ("-inf", false, "E-DATA-011"),
            ("yes", true, "E-DATA-009"),
            ("NaN", true, "E-DATA-009"),
            ("inf", true, "E-DATA-011"),
            ("1e39", true, "E-DATA-011"),
        ];
        for (value, is_regression, expected) in cases {
            let edit = |manifest: &mut Manifest| {
                if is_regression {
                    regression(manifest);
                }
            };
            let (code, text) = refused(format!("smiles,t1,t2\nC,0,1\nCC,1,{value}\n"), edit);
            assert_eq!(code, expected, "{text}");
            let place = format!("assays.csv: row 2 (line 3), column \"t2\": \"{value}\"");
            assert!(text.contains(&place), "{text}");
        }
    }

    #[test]
    fn wrong_tables_are_refused() {
        assert_eq!(refused("", |_| ()).0, "E-DATA-012");
        assert_eq!(refused("smiles,t1,t2\n", |_| ()).0, "E-DATA-012");
        assert_eq!(refused(b"\x1f\x8b\x08\x00", |_| ()).0, "E-DATA-013");
        assert_eq!(refused("smiles,t1,t2\nC,0\n", |_| ()).0, "E-DATA-014");
        let (code, text) = refused("SMILES,t1,t2\nC,0,1\nCC,1,1\n", |_| ());
        assert_eq!(code, "E-DATA-007");
        assert!(
            text.contains("no column \"smiles\" (is \"SMILES\" meant?); the file has: \"SMILES\""),
            "{text}"
        );
        let (code, text) = refused("smiles,t1,t2\nC,0,1\n", |_| ());
        assert_eq!(code, "E-DATA-015");
        assert!(text.contains("1 rows, the manifest of made-up says 2"), "{text}");
    }

    #[test]
    fn units_follow_their_tasks() {
        let dataset = load("smiles,t2,t1\nC,-0.5,1\nCC,1e3,\n", |manifest| {
            regression(manifest);
            manifest.tasks.units.insert("t2".to_owned(), "log10(mL/min/kg)".to_owned());
        })
        .unwrap();
        assert_eq!(dataset.units, [None, Some("log10(mL/min/kg)".to_owned())]);
        assert_eq!(dataset.labels_of(0), [1.0, -0.5], "the manifest's order of tasks holds");
    }
}
