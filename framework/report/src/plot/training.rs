//! The curves of a training log.

use std::collections::BTreeMap;

use super::{Axis, Figure, Intervals, Panel, Point, Scale, Series, Shape, Stroke};

/// The column of a log that numbers the epochs.
const EPOCH: &str = "epoch";

/// Why a training log cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Not CSV.
    #[error("not a CSV table: {0}")]
    Csv(#[from] ::csv::Error),
    /// A column is missing.
    #[error("no column `{EPOCH}`; the columns are: {0}")]
    NoEpoch(String),
    /// A column occurs twice.
    #[error("column `{0}` is there twice")]
    Twice(String),
    /// A cell holds no number.
    #[error("line {line}, column `{column}`: `{text}` is no finite number")]
    NoNumber {
        /// Line of the file; the header is line 1.
        line: usize,
        /// Name of the column.
        column: String,
        /// The cell.
        text: String,
    },
    /// There is nothing to draw.
    #[error("no column beside `{EPOCH}` holds a number")]
    Empty,
}

/// A training log as a figure. The log is CSV with the column `epoch`; every other column is a curve, and an
/// empty cell is skipped. Columns whose names begin with `loss` share a panel; the others have one each,
/// labelled with their names.
pub fn training_figure(csv: &str, title: &str) -> Result<Figure, TrainingError> {
    let columns = read(csv)?;
    let mut panels: Vec<(String, Vec<&Column>)> = Vec::new();
    for column in columns.iter().filter(|column| !column.points.is_empty()) {
        let name = if column.name.starts_with("loss") { "loss" } else { &column.name };
        match panels.iter_mut().find(|(panel, _)| panel == name) {
            Some((_, shared)) => shared.push(column),
            None => panels.push((name.to_owned(), vec![column])),
        }
    }
    if panels.is_empty() {
        return Err(TrainingError::Empty);
    }
    let panels = panels.into_iter().map(|(name, columns)| panel(&name, &columns)).collect();
    Ok(Figure { title: title.to_owned(), notes: Vec::new(), panels })
}

struct Column {
    name: String,
    points: Vec<Point>,
}

fn read(csv: &str) -> Result<Vec<Column>, TrainingError> {
    let mut reader = ::csv::ReaderBuilder::new().trim(::csv::Trim::All).from_reader(csv.as_bytes());
    let names: Vec<String> = reader.headers()?.iter().map(str::to_owned).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in &names {
        *counts.entry(name).or_default() += 1;
    }
    if let Some((name, _)) = counts.iter().find(|(_, count)| **count > 1) {
        return Err(TrainingError::Twice((*name).to_owned()));
    }
    let epoch = names
        .iter()
        .position(|name| name == EPOCH)
        .ok_or_else(|| TrainingError::NoEpoch(names.join(", ")))?;
    let mut columns: Vec<Column> =
        names.iter().map(|name| Column { name: name.clone(), points: Vec::new() }).collect();
    for (row, record) in reader.records().enumerate() {
        let record = record?;
        let number = |column: usize| -> Result<f64, TrainingError> {
            let text = &record[column];
            text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                TrainingError::NoNumber {
                    line: row + 2,
                    column: names[column].clone(),
                    text: text.to_owned(),
                }
            })
        };
        let x = number(epoch)?;
        for column in (0..names.len()).filter(|&column| column != epoch && !record[column].is_empty()) {
            columns[column].points.push(Point { x, y: number(column)?, interval: None });
        }
    }
    columns.remove(epoch);
    Ok(columns)
}

fn panel(name: &str, columns: &[&Column]) -> Panel {
    let values = columns.iter().flat_map(|column| &column.points).map(|point| point.y);
    let y = Axis::new(name.replace('_', " "), Scale::fitting(values));
    let series = columns.iter().enumerate().map(|(colour, column)| Series {
        name: column.name.clone(),
        colour,
        shape: Shape::Line {
            points: column.points.clone(),
            stroke: Stroke::Solid,
            markers: column.points.len() < 2,
            intervals: Intervals::Band,
        },
    });
    Panel { x: Axis::new(EPOCH, Scale::Linear), y, series: series.collect() }
}
