//! Which columns of a table are tasks, of what type, and their labels.

use std::collections::HashSet;

use super::{OwnTable, names, numbering};
use crate::error::{Error, Result};
use crate::manifest::TaskType;
use crate::table::Table;

/// Words for a missing label, in any case, besides an empty cell.
const MISSING: [&str; 6] = ["na", "nan", "null", "none", "n/a", "<na>"];
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
            TaskType::Regression if self.least == self.most => Some(format!(
                "task \"{name}\" is constant: all {} labels are {}; there is nothing to learn",
                self.known, self.least
            )),
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
pub(crate) enum Label {
    Missing,
    Number(f32),
    /// A number with a decimal comma, or with commas between thousands.
    Comma,
    Text,
}

pub(crate) fn label(text: &str) -> Label {
    if text.is_empty() || MISSING.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Label::Missing;
    }
    if text.eq_ignore_ascii_case("true") {
        return Label::Number(1.0);
    }
    if text.eq_ignore_ascii_case("false") {
        return Label::Number(0.0);
    }
    match text.parse() {
        Ok(number) => Label::Number(number),
        Err(_) if has_commas(text) => Label::Comma,
        Err(_) => Label::Text,
    }
}

/// Whether a text is a number but for one comma, or for commas between groups of three digits.
fn has_commas(text: &str) -> bool {
    let mut groups = text.split(',').skip(1);
    let three = |group: &str| group.chars().take_while(char::is_ascii_digit).count() == 3;
    let commas = text.matches(',').count();
    let placed = commas == 1 || (commas > 1 && groups.all(three));
    placed && text.starts_with(|c: char| c.is_ascii_digit() || "+-,".contains(c)) && {
        // With points between thousands and a comma before the decimals, or the other way round.
        let digits: String = text.chars().filter(|c| !matches!(c, ',' | '.')).collect();
        digits.parse::<f64>().is_ok_and(f64::is_finite)
    }
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
    for (column, asked_for) in candidates(own, table, reserved)? {
        match task(own, table, column, asked_for)? {
            Ok(task) => tasks.push(task),
            Err(reason) => {
                let name = table.header()[column].clone();
                let asked_for = asked_for || own.types.named.contains_key(&name);
                left_out.push(LeftOut { column: name, reason, asked_for });
            }
        }
    }
    if !own.names_tasks() {
        let unreadable = |(name, what): &(String, &'static str)| LeftOut {
            column: name.clone(),
            reason: format!("is {what}"),
            asked_for: false,
        };
        left_out.extend(table.unreadable().iter().map(unreadable));
    }
    if tasks.is_empty() {
        let reason = |left: &LeftOut| format!("\"{}\" {}", left.column, left.reason);
        let reasons: Vec<String> = left_out.iter().map(reason).collect();
        let reason =
            if reasons.is_empty() { "there is none but SMILES".to_owned() } else { reasons.join("; ") };
        return Err(Error::NoTasks { path: own.path.clone(), reason });
    }
    Ok((tasks, left_out))
}

/// Columns that may be tasks, each once, and whether the user named them: those named, or all but the `reserved`.
fn candidates(own: &OwnTable, table: &Table, reserved: &[Option<&str>]) -> Result<Vec<(usize, bool)>> {
    if !own.names_tasks() {
        let free = |column: &usize| !reserved.contains(&Some(table.header()[*column].as_str()));
        return Ok((0..table.header().len()).filter(free).map(|column| (column, false)).collect());
    }
    let mut columns = Vec::new();
    for list in &own.task_lists {
        columns.extend(names::columns_in(list, table)?);
    }
    for name in &own.tasks {
        columns.push(table.column(name)?);
    }
    let mut seen = HashSet::new();
    columns.retain(|column| seen.insert(*column));
    Ok(columns.into_iter().map(|column| (column, true)).collect())
}

/// The task in a column, or why it is not a task.
fn task(own: &OwnTable, table: &Table, column: usize, asked_for: bool) -> Result<Result<OwnTask, String>> {
    let name = &table.header()[column];
    if !asked_for && table.is_index(column) {
        return Ok(Err("is the index of the data frame that was written".to_owned()));
    }
    if !asked_for && numbering::is_by_name(name) {
        return Ok(Err("numbers the rows, by its name".to_owned()));
    }
    let labels: Vec<Label> = (0..table.rows()).map(|row| label(table.text(row, column))).collect();
    let count = |wanted: Label| labels.iter().filter(|label| **label == wanted).count();
    let commas = count(Label::Comma);
    let numbers: Vec<f32> = labels
        .iter()
        .filter_map(|label| if let Label::Number(number) = label { Some(*number) } else { None })
        .collect();
    let texts = count(Label::Text);
    let reads_as_numbers = texts == 0 && commas > 0;
    if !asked_for
        && !reads_as_numbers
        && let Some(reason) = no_task(table, column, texts + commas, numbers.len())
    {
        return Ok(Err(reason));
    }
    if texts + commas == 0 && numbers.is_empty() {
        return Ok(Err("has no labels".to_owned()));
    }
    let stated = own.types.named.get(name).copied().or(own.types.all);
    let classes = texts + commas == 0 && numbers.iter().all(|&number| number == 0.0 || number == 1.0);
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

/// Why a column that nobody asked for is no task, by its `texts` and `numbers`.
fn no_task(table: &Table, column: usize, texts: usize, numbers: usize) -> Option<String> {
    let name = &table.header()[column];
    let cells = || (0..table.rows()).map(|row| table.text(row, column));
    let known = || cells().filter(|text| label(text) != Label::Missing);
    // A column that is mostly text is not a task; a word among numbers is a mistake to report.
    if texts > numbers {
        let times = known().all(numbering::is_time);
        return Some(if times { "holds dates, times or durations" } else { "is text" }.to_owned());
    }
    if texts > 0 || numbers == 0 {
        return None;
    }
    if numbering::is_date(name, known()) {
        return Some("holds dates".to_owned());
    }
    let whole: Vec<f64> = cells().filter_map(|text| text.parse().ok()).collect();
    let numbered = (whole.len() == table.rows()).then(|| numbering::by_numbers(name, column, &whole));
    numbered.flatten().map(str::to_owned)
}

/// Returns an error for the first label that does not fit the type `kind`.
fn check_labels(table: &Table, column: usize, labels: &[Label], kind: TaskType) -> Result<()> {
    for (row, label) in labels.iter().enumerate() {
        let (cell, value) = (|| Box::new(table.cell(row, column)), || table.text(row, column).to_owned());
        match *label {
            Label::Text => {
                let times = numbering::is_time(table.text(row, column));
                let problem =
                    if times { "a date, a time or a duration, not a number" } else { "not a number" };
                return Err(Error::TextLabel { cell: cell(), value: value(), problem });
            }
            Label::Comma => {
                let problem = "a number with a comma; write a decimal point and no separator of thousands";
                return Err(Error::TextLabel { cell: cell(), value: value(), problem });
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
        Label::Missing | Label::Comma | Label::Text => f32::NAN,
    };
    (0..table.rows()).flat_map(|row| tasks.iter().map(move |task| value(row, task.column))).collect()
}
