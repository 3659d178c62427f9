//! Datasets from the user's own table: CSV or Parquet, without a manifest file.
//!
//! [`OwnTable::load`] finds the column of SMILES, the tasks and their types, groups rows of one molecule, and
//! returns one dataset per type of task with a manifest in memory, for
//! [`Catalog::insert_own`](crate::Catalog::insert_own).

mod labels;
mod names;
mod numbering;
mod parts;
mod repeats;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use molarena_metrics::Metric;

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::hash::sha256_hex;
use crate::manifest::{
    FileSpec, Manifest, ProtocolSpec, Role, SCHEMA, TableSpec, TaskColumns, TaskSpec, TaskType,
};
use crate::split::Protocol;
use crate::table::{Table, present};

pub(crate) use labels::{Label, label};
pub use labels::{LeftOut, OwnTask};
pub use names::TaskTypes;
pub use parts::Parts;
pub use repeats::{DuplicatePolicy, MixtureRow, Repeat};

/// Usual names of a column of SMILES, in order of preference and in any case.
pub const SMILES_COLUMNS: [&str; 7] =
    ["smiles", "canonical_smiles", "isomeric_smiles", "smi", "structure", "molecule", "mol"];

/// How to read the user's own table.
#[derive(Clone, Debug, Default)]
pub struct OwnTable {
    /// CSV (plain or gzipped) or Parquet.
    pub path: PathBuf,
    /// The column of SMILES; if `None`, the first of [`SMILES_COLUMNS`] that the table has.
    pub smiles: Option<String>,
    /// Names of task columns, exactly; if these and `task_lists` are empty, all columns of numbers are tasks.
    pub tasks: Vec<String>,
    /// Lists of task columns with commas between the names. A name that contains a comma may stand in double quotes.
    pub task_lists: Vec<String>,
    /// Stated task types; the others are inferred.
    pub types: TaskTypes,
    /// What happens to rows that repeat a molecule.
    pub duplicates: DuplicatePolicy,
    /// The column that says which part of the split a row is in.
    pub parts: Option<String>,
}

/// The datasets of a table and what the user should know about it.
#[derive(Clone, Debug)]
pub struct OwnData {
    /// One dataset, or one of classification and one of regression tasks.
    pub datasets: Vec<OwnDataset>,
    /// The table.
    pub path: PathBuf,
    /// Rows of the table.
    pub rows: usize,
    /// The column of SMILES.
    pub smiles: String,
    /// The tasks, in the order of the datasets' tasks.
    pub tasks: Vec<OwnTask>,
    /// Columns that are not tasks, and why.
    pub left_out: Vec<LeftOut>,
    /// Molecules in several rows, before the policy was applied.
    pub repeats: Vec<Repeat>,
    /// Rows of several fragments.
    pub mixtures: Vec<MixtureRow>,
}

/// One dataset of a table.
#[derive(Clone, Debug)]
pub struct OwnDataset {
    /// A manifest without a file.
    pub manifest: Manifest,
    /// SMILES and labels.
    pub dataset: Dataset,
    /// The split stated in a column of the table, if any.
    pub parts: Option<Parts>,
    /// Canonical path of the table's file.
    pub file: PathBuf,
}

impl OwnTable {
    /// Reads the table.
    ///
    /// # Errors
    /// Those of reading a table; [`Error::NoSmilesColumn`], [`Error::AbsentColumn`], [`Error::TextLabel`],
    /// [`Error::NotFinite`], [`Error::NoTasks`], [`Error::WrongPart`].
    pub fn load(&self) -> Result<OwnData> {
        let file = fs_err::canonicalize(&self.path)?;
        let bytes = fs_err::read(&self.path)?;
        let named = self.tasks.iter().chain(&self.smiles).chain(&self.parts).chain(self.types.named.keys());
        let table = Table::parse_with(&self.path, &bytes, &named.map(String::as_str).collect::<Vec<_>>())?;
        let smiles = self.smiles_column(&table)?;
        let parts = self.parts.as_deref().map(|column| Parts::read(&table, column)).transpose()?;
        let reserved = [Some(table.header()[smiles].as_str()), self.parts.as_deref()];
        let (mut tasks, left_out) = labels::choose(self, &table, &reserved)?;
        // Tasks of one type stand together, in the order of the datasets' tasks.
        tasks.sort_by_key(|task| task.kind == TaskType::Regression);
        let texts: Vec<String> = (0..table.rows()).map(|row| table.text(row, smiles).to_owned()).collect();
        let values = labels::read(&table, &tasks);
        let (repeats, mixtures) = repeats::find(&texts, &values, tasks.len());
        let mut kept = repeats::apply(self.duplicates, &repeats, &tasks, texts, values);
        kept.sha256 = self.sha256(&table, smiles, &bytes);
        let smiles = table.header()[smiles].clone();
        let datasets = self.datasets(&kept, &tasks, &smiles, &file, parts.as_ref());
        Ok(OwnData {
            datasets,
            path: self.path.clone(),
            rows: table.rows(),
            smiles,
            tasks,
            left_out,
            repeats,
            mixtures,
        })
    }

    /// Whether the user named the tasks.
    fn names_tasks(&self) -> bool {
        !self.tasks.is_empty() || !self.task_lists.is_empty()
    }

    fn smiles_column(&self, table: &Table) -> Result<usize> {
        match &self.smiles {
            Some(name) => table.column(name),
            None => smiles_column(&self.path, table.header(), table.unreadable()),
        }
    }

    /// The sha256 of the file, or a hash of it and of the choices that make other data of it.
    fn sha256(&self, table: &Table, smiles: usize, bytes: &[u8]) -> String {
        let mut sha256 = sha256_hex(bytes);
        let usual = smiles_column(&self.path, table.header(), table.unreadable());
        if usual.ok() != Some(smiles) {
            sha256 = sha256_hex(format!("{sha256}\nsmiles {}\n", table.header()[smiles]).as_bytes());
        }
        match self.duplicates {
            DuplicatePolicy::Keep => sha256,
            policy => sha256_hex(format!("{sha256}\n{policy}\n").as_bytes()),
        }
    }

    fn datasets(
        &self,
        rows: &repeats::Kept,
        tasks: &[OwnTask],
        smiles: &str,
        file: &Path,
        parts: Option<&Parts>,
    ) -> Vec<OwnDataset> {
        let kinds = [TaskType::Classification, TaskType::Regression];
        let of_kind = |kind: TaskType| {
            (0..tasks.len()).filter(|&task| tasks[task].kind == kind).collect::<Vec<usize>>()
        };
        let mixed = kinds.iter().all(|&kind| !of_kind(kind).is_empty());
        let make = |kind: TaskType| {
            let chosen = of_kind(kind);
            let id = id_of(&self.path);
            let id = if mixed { format!("{id}-{kind}") } else { id };
            let names: Vec<String> = chosen.iter().map(|&task| tasks[task].name.clone()).collect();
            let manifest = self.manifest(id, kind, &names, smiles, rows);
            let labels = rows.values.chunks(tasks.len()).flat_map(|row| chosen.iter().map(|&task| row[task]));
            let dataset = Dataset {
                id: manifest.id.clone(),
                title: manifest.title.clone(),
                smiles: rows.smiles.clone(),
                units: names.iter().map(|name| manifest.unit(name).map(str::to_owned)).collect(),
                tasks: names,
                task_type: kind,
                labels: labels.collect(),
                sha256: rows.sha256.clone(),
                rows: rows.rows.clone(),
            };
            OwnDataset { manifest, dataset, parts: parts.cloned(), file: file.to_owned() }
        };
        kinds.into_iter().filter(|&kind| !of_kind(kind).is_empty()).map(make).collect()
    }

    fn manifest(
        &self,
        id: String,
        kind: TaskType,
        tasks: &[String],
        smiles: &str,
        rows: &repeats::Kept,
    ) -> Manifest {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let regression = kind == TaskType::Regression;
        // The user's own table states no units.
        let units: BTreeMap<String, String> =
            tasks.iter().filter(|_| regression).map(|task| (task.clone(), "1".to_owned())).collect();
        Manifest {
            schema: SCHEMA.to_owned(),
            id,
            title: name.clone(),
            description: format!("A table of the user's own: {}", self.path.display()),
            simulated: false,
            licence: "the user's own".to_owned(),
            citation: Vec::new(),
            source: None,
            table: TableSpec { smiles: smiles.to_owned(), rows: rows.rows.len() },
            tasks: TaskSpec {
                kind,
                count: tasks.len(),
                columns: TaskColumns::Named(tasks.to_vec()),
                ignore: Vec::new(),
                units,
                groups: BTreeMap::new(),
                names: BTreeMap::new(),
            },
            protocol: ProtocolSpec {
                split: Protocol::Scaffold,
                metric: if regression { Metric::Mae } else { Metric::RocAuc },
                seeds: None,
            },
            files: vec![FileSpec {
                path: name,
                role: Role::Assays,
                description: String::new(),
                url: None,
                sha256: rows.sha256.clone(),
                bytes: None,
            }],
            origin: self.path.clone(),
        }
    }
}

/// The column of SMILES by its name, the first of [`SMILES_COLUMNS`] that the header has.
///
/// # Errors
/// [`Error::NoSmilesColumn`]; [`Error::TwoSmilesColumns`] if two columns have the name in different case.
pub(crate) fn smiles_column(
    path: &Path,
    header: &[String],
    unreadable: &[(String, &'static str)],
) -> Result<usize> {
    for name in SMILES_COLUMNS {
        let mut found = (0..header.len()).filter(|&column| header[column].eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some(one), Some(other)) => {
                let (one, other) = (header[one].clone(), header[other].clone());
                return Err(Error::TwoSmilesColumns { path: path.to_owned(), one, other });
            }
            (Some(column), None) => return Ok(column),
            (None, _) => {}
        }
    }
    Err(Error::NoSmilesColumn { path: path.to_owned(), present: present(header, unreadable) })
}

/// A dataset's id from a file's name: its stem in lower case, with `-` for other characters.
fn id_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut stem = name.as_str();
    for suffix in [".gz", ".csv", ".tsv", ".txt", ".parquet"] {
        stem = stem.strip_suffix(suffix).unwrap_or(stem);
    }
    let letter = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
    let id: String = stem.chars().map(letter).collect();
    let id = id.trim_matches('-');
    if id.is_empty() { "own".to_owned() } else { id.to_owned() }
}

#[cfg(test)]
mod tests;
