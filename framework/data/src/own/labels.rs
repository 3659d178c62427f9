//! Which columns of a table are tasks, of what type, and their labels.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::OwnTable;
use crate::error::{Error, Result};
use crate::manifest::TaskType;
use crate::table::Table;

/// Words for a missing label, in any case, besides an empty cell.
const MISSING: [&str; 6] = ["na", "nan", "null", "none", "n/a", "<na>"];
/// Names, in any case, of columns that number rows or molecules; they are tasks only if asked for.
const NUMBERING: [&str; 8] = ["", "id", "index", "row", "cid", "sid", "mol_id", "unnamed: 0"];

/// Task types that the user states; the others are inferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskTypes {
    /// The type of all tasks, if one is stated for all.
    pub all: Option<TaskType>,
    /// Types by task name; they take precedence over `all`.
    pub named: BTreeMap<String, TaskType>,
}

impl FromStr for TaskTypes {
    type Err = String;

    /// Reads `auto`, `classification`, `regression`, or `a=regression,b=classification`.
    fn from_str(text: &str) -> Result<Self, String> {
        let kind = |word: &str| match word.trim() {
            "classification" => Ok(TaskType::Classification),
            "regression" => Ok(TaskType::Regression),
            other => Err(format!("`{other}` is no type of task; write auto, classification or regression")),
        };
        if text.trim() == "auto" {
            return Ok(Self::default());
        }
        if !text.contains('=') {
            return Ok(Self { all: Some(kind(text)?), named: BTreeMap::new() });
        }
        let mut named = BTreeMap::new();
        for entry in text.split(',') {
            let Some((name, word)) = entry.rsplit_once('=') else {
                return Err(format!("`{entry}` is not TASK=TYPE; write a=regression,b=classification"));
            };
            named.insert(name.trim().to_owned(), kind(word)?);
        }
        Ok(Self { all: None, named })
    }
}

/// A task of the user's own table.
#[derive(Clone, Debug, PartialEq)]
pub struct OwnTask {
    /// Its column.
    pub name: String,
    /// Its type.
    pub kind: TaskType,
    /// Whether the type was inferred from the labels.
    pub inferred: bool,
    /// Rows with a label.
    pub known: usize,
    /// Rows without one.
    pub missing: usize,
    /// The smallest known label.
    pub least: f32,
    /// The largest known label.
    pub most: f32,
    /// Number of labels equal to 1.
    pub positives: usize,
    /// Index of the column.
    pub(super) column: usize,
}

impl OwnTask {
    /// Why the task cannot be learned or scored, if so.
    pub fn warning(&self) -> Option<String> {
        let name = &self.name;
        match self.kind {
            TaskType::Classification if self.positives == 0 => Some(format!(
                "task \"{name}\" has {} negatives and no positive; it cannot be scored",
                self.known
            )),
            TaskType::Classification if self.positives == self.known => Some(format!(
                "task \"{name}\" has {} positives and no negative; it cannot be scored",
                self.known
            )),
            TaskType::Regression if self.least == self.most => {
                Some(format!("task \"{name}\" is constant: all {} labels are {}", self.known, self.least))
            }
            _ => None,
        }
    }
}

/// A column that is not a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub column: String,
    /// Why.
    pub reason: String,
    /// Whether the user asked for it.
    pub asked_for: bool,
}

/// A label's parsed text.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Label {
    Missing,
    Number(f32),
    Text,
}

fn label(text: &str) -> Label {
    if text.is_empty() || MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Label::Missing;
    }
    if text.eq_ignore_ascii_case("true") {
        return Label::Number(1.0);
    }
    if text.eq_ignore_ascii_case("false") {
        return Label::Number(0.0);
    }
    text.parse().map_or(Label::Text, Label::Number)
}

/// The tasks of `table` and the columns left out; `reserved` columns have another use.
pub(super) fn choose(
    own: &OwnTable,
    table: &Table,
    reserved: &[Option<&str>],
) -> Result<(Vec<OwnTask>, Vec<LeftOut>)> {
    for name in own.types.named.keys() {
        table.column(name)?;
    }
    let (mut tasks, mut left_out) = (Vec::new(), Vec::new());
    let candidates: Vec<(usize, bool)> = if own.tasks.is_empty() {
        let free = |column: &usize| !reserved.contains(&Some(table.header()[*column].as_str()));
        (0..table.header().len()).filter(free).map(|column| (column, false)).collect()
    } else {
        own.tasks.iter().map(|name| Ok((table.column(name)?, true))).collect::<Result<_>>()?
    };
    for (column, asked_for) in candidates {
        match task(own, table, column, asked_for)? {
            Ok(task) => tasks.push(task),
            Err(reason) => {
                left_out.push(LeftOut { column: table.header()[column].clone(), reason, asked_for });
            }
        }
    }
    let unreadable = |(name, what): &(String, &'static str)| LeftOut {
        column: name.clone(),
        reason: (*what).to_owned(),
        asked_for: false,
    };
    left_out.extend(table.unreadable().iter().map(unreadable));
    if tasks.is_empty() {
        let reason = |left: &LeftOut| format!("\"{}\" {}", left.column, left.reason);
        let reasons: Vec<String> = left_out.iter().map(reason).collect();
        let reason =
            if reasons.is_empty() { "there is none but SMILES".to_owned() } else { reasons.join("; ") };
        return Err(Error::NoTasks { path: own.path.clone(), reason });
    }
    Ok((tasks, left_out))
}

/// The task in a column, or why it is not a task.
fn task(own: &OwnTable, table: &Table, column: usize, asked_for: bool) -> Result<Result<OwnTask, String>> {
    let name = &table.header()[column];
    if !asked_for && NUMBERING.iter().any(|known| name.eq_ignore_ascii_case(known)) {
        return Ok(Err("numbers the rows, by its name".to_owned()));
    }
    let labels: Vec<Label> = (0..table.rows()).map(|row| label(table.text(row, column))).collect();
    let texts = labels.iter().filter(|label| **label == Label::Text).count();
    let numbers: Vec<f32> = labels
        .iter()
        .filter_map(|label| if let Label::Number(number) = label { Some(*number) } else { None })
        .collect();
    // A column that is mostly text is not a task; a word among numbers is a mistake to report.
    if !asked_for && texts > numbers.len() {
        return Ok(Err("is text".to_owned()));
    }
    if texts == 0 && numbers.is_empty() {
        return Ok(Err("has no labels".to_owned()));
    }
    let stated = own.types.named.get(name).copied().or(own.types.all);
    let classes = texts == 0 && numbers.iter().all(|&number| number == 0.0 || number == 1.0);
    let inferred = if classes { TaskType::Classification } else { TaskType::Regression };
    let kind = stated.unwrap_or(inferred);
    check_labels(table, column, &labels, kind)?;
    let least = numbers.iter().copied().fold(f32::INFINITY, f32::min);
    let most = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Ok(Ok(OwnTask {
        name: name.clone(),
        kind,
        inferred: stated.is_none(),
        known: numbers.len(),
        missing: table.rows() - numbers.len(),
        least,
        most,
        positives: numbers.iter().filter(|&&number| number == 1.0).count(),
        column,
    }))
}

/// Returns an error for the first label that does not fit the type `kind`.
fn check_labels(table: &Table, column: usize, labels: &[Label], kind: TaskType) -> Result<()> {
    for (row, label) in labels.iter().enumerate() {
        let (cell, value) = (|| Box::new(table.cell(row, column)), || table.text(row, column).to_owned());
        match *label {
            Label::Text => {
                return Err(Error::TextLabel { cell: cell(), value: value(), problem: "not a number" });
            }
            Label::Number(number) if !number.is_finite() => {
                return Err(Error::NotFinite { cell: cell(), value: value() });
            }
            Label::Number(number) if kind == TaskType::Classification && number != 0.0 && number != 1.0 => {
                return Err(Error::TextLabel {
                    cell: cell(),
                    value: value(),
                    problem: "neither 0 nor 1, as labels of a classification are",
                });
            }
            _ => {}
        }
    }
    Ok(())
}

/// The labels `[rows, tasks]` of checked tasks, row-major; NaN where missing.
pub(super) fn read(table: &Table, tasks: &[OwnTask]) -> Vec<f32> {
    let value = |row: usize, column: usize| match label(table.text(row, column)) {
        Label::Number(number) => number,
        Label::Missing | Label::Text => f32::NAN,
    };
    (0..table.rows()).flat_map(|row| tasks.iter().map(move |task| value(row, task.column))).collect()
}
