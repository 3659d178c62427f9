//! Names of tasks and their types as a user writes them, where a name may contain a comma.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::error::Result;
use crate::manifest::TaskType;
use crate::table::Table;

/// Task types that the user states; the others are inferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskTypes {
    /// The type of all tasks, if one is stated for all.
    pub all: Option<TaskType>,
    /// Types by task name; they take precedence over `all`.
    pub named: BTreeMap<String, TaskType>,
}

impl TaskTypes {
    /// The types of several statements together.
    ///
    /// # Errors
    /// Names what is stated twice, and differently.
    pub fn together<'a>(statements: impl IntoIterator<Item = &'a Self>) -> Result<Self, String> {
        let mut together = Self::default();
        for stated in statements {
            for (name, kind) in &stated.named {
                together.add(name, *kind)?;
            }
            if let (Some(one), Some(other)) = (together.all, stated.all)
                && one != other
            {
                return Err(format!("all tasks are stated as {one} and as {other}"));
            }
            together.all = together.all.or(stated.all);
        }
        Ok(together)
    }

    fn add(&mut self, name: &str, kind: TaskType) -> Result<(), String> {
        match self.named.insert(name.to_owned(), kind) {
            Some(other) if other != kind => Err(format!("task `{name}` is stated as {other} and as {kind}")),
            _ => Ok(()),
        }
    }
}

impl FromStr for TaskTypes {
    type Err = String;

    /// Reads `auto`, `classification`, `regression`, or `a=regression,b=classification`. An entry ends only after its
    /// type, so a name may contain commas.
    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "auto" {
            return Ok(Self::default());
        }
        if !text.contains('=') {
            return Ok(Self { all: Some(kind(text)?), named: BTreeMap::new() });
        }
        let mut types = Self::default();
        let mut entry = String::new();
        for piece in text.split(',') {
            entry.push_str(piece);
            match entry.rsplit_once('=').map(|(name, word)| (name.trim().to_owned(), kind(word))) {
                Some((name, Ok(kind))) => {
                    types.add(&name, kind)?;
                    entry.clear();
                }
                _ => entry.push(','),
            }
        }
        let rest = entry.trim_end_matches(',');
        match rest.rsplit_once('=') {
            Some((_, word)) => Err(kind(word).err().unwrap_or_default()),
            None if rest.is_empty() => Ok(types),
            None => Err(format!("`{rest}` is not TASK=TYPE; write a=regression,b=classification")),
        }
    }
}

fn kind(word: &str) -> Result<TaskType, String> {
    match word.trim() {
        "classification" => Ok(TaskType::Classification),
        "regression" => Ok(TaskType::Regression),
        other => Err(format!("`{other}` is no type of task; write auto, classification or regression")),
    }
}

/// The columns that a list with commas between names. A name with a comma may stand in double quotes; without them, a piece
/// that is no column is joined with those that follow until it is one.
///
/// # Errors
/// [`Error::AbsentColumn`](crate::Error::AbsentColumn) for the first piece that cannot be made a column.
pub(super) fn columns_in(list: &str, table: &Table) -> Result<Vec<usize>> {
    let pieces = pieces(list);
    let (mut columns, mut first) = (Vec::new(), 0);
    while first < pieces.len() {
        let joined = (first + 1..=pieces.len()).find_map(|end| {
            let column = table.position(pieces[first..end].join(",").trim())?;
            Some((column, end))
        });
        let (column, end) = match joined {
            Some(found) => found,
            None => (table.column(pieces[first].trim())?, first + 1),
        };
        columns.push(column);
        first = end;
    }
    Ok(columns)
}

/// The pieces between the commas of a list; double quotes are read as in CSV.
fn pieces(list: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .trim(csv::Trim::None)
        .from_reader(list.trim().as_bytes());
    match reader.records().next() {
        Some(Ok(record)) => record.iter().map(str::to_owned).collect(),
        _ => vec![list.to_owned()],
    }
}
