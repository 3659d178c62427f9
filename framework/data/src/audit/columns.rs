//! Label columns that repeat each other.

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::manifest::TaskType;

/// Rows that both columns must label.
const MIN_ROWS: usize = 10;
/// They are at least this share of the rows that either labels: columns with few common rows are often equal by chance.
const MIN_SHARE: f64 = 0.5;
/// Rows of each class among them: with one positive, columns are often equal by chance.
const MIN_OF_CLASS: usize = 3;
/// How near to 1 a correlation must be: labels are 32-bit numbers.
const TOLERANCE: f64 = 1e-6;

/// Pairs of label columns that repeat each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Columns are compared if at least this many rows have a label in both.
    pub rows_at_least: usize,
    /// And at least this share of the rows with a label in either, from 0 to 1.
    pub share_at_least: f64,
    /// Classification: and at least this many of each class of both among these rows.
    pub of_class_at_least: usize,
    /// Pairs that could be compared.
    pub compared: usize,
    /// Pairs that repeat each other, in the dataset's order.
    pub same: Vec<SameColumns>,
}

/// Two label columns that repeat each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SameColumns {
    /// The tasks.
    pub tasks: [String; 2],
    /// How the labels are related.
    pub relation: ColumnRelation,
    /// Rows that have a label in both.
    pub rows: usize,
    /// Rows that have a label in either.
    pub rows_of_either: usize,
}

/// How the labels of two columns are related on the rows labelled in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ColumnRelation {
    /// They are equal.
    Equal,
    /// Classification: one is 1 where the other is 0.
    Complement,
    /// Regression: their correlation is 1 or -1, as after a change of unit.
    Linear,
}

/// One pair's result.
enum Compared {
    TooFew,
    Different,
    Same(SameColumns),
}

/// Compares all pairs of columns.
pub(super) fn find(dataset: &Dataset) -> Columns {
    let tasks = dataset.tasks.len();
    let results: Vec<Vec<Compared>> = match dataset.task_type {
        TaskType::Classification => {
            let masks: Vec<Masks> = (0..tasks).map(|task| Masks::new(dataset, task)).collect();
            let compare = |one: usize, other: usize| binary(dataset, &masks, one, other);
            (0..tasks)
                .into_par_iter()
                .map(|one| (one + 1..tasks).map(|other| compare(one, other)).collect())
                .collect()
        }
        TaskType::Regression => {
            let columns: Vec<Vec<f32>> = (0..tasks)
                .map(|task| (0..dataset.len()).map(|row| dataset.labels_of(row)[task]).collect())
                .collect();
            let compare = |one: usize, other: usize| numeric(dataset, &columns, one, other);
            (0..tasks)
                .into_par_iter()
                .map(|one| (one + 1..tasks).map(|other| compare(one, other)).collect())
                .collect()
        }
    };
    let (mut compared, mut same) = (0, Vec::new());
    for result in results.into_iter().flatten() {
        match result {
            Compared::TooFew => continue,
            Compared::Different => {}
            Compared::Same(columns) => same.push(columns),
        }
        compared += 1;
    }
    Columns {
        rows_at_least: MIN_ROWS,
        share_at_least: MIN_SHARE,
        of_class_at_least: MIN_OF_CLASS,
        compared,
        same,
    }
}

/// The labels of a classification task as bits: which rows are known, and which are 1.
struct Masks {
    known: Vec<u64>,
    ones: Vec<u64>,
}

impl Masks {
    fn new(dataset: &Dataset, task: usize) -> Self {
        let words = dataset.len().div_ceil(64);
        let mut masks = Self { known: vec![0; words], ones: vec![0; words] };
        for row in 0..dataset.len() {
            if let Some(label) = dataset.label(row, task) {
                masks.known[row / 64] |= 1 << (row % 64);
                masks.ones[row / 64] |= u64::from(label == 1.0) << (row % 64);
            }
        }
        masks
    }
}

fn binary(dataset: &Dataset, masks: &[Masks], one: usize, other: usize) -> Compared {
    let [first, second] = [&masks[one], &masks[other]];
    let count = |bits: &dyn Fn(usize) -> u64| -> usize {
        (0..first.known.len()).map(|word| bits(word).count_ones() as usize).sum()
    };
    let both = |word: usize| first.known[word] & second.known[word];
    let rows = count(&both);
    let rarer = |column: &Masks| {
        let positives = count(&|word| both(word) & column.ones[word]);
        positives.min(rows - positives)
    };
    let rows_of_either = count(&|word| first.known[word] | second.known[word]);
    if too_few(rows, rows_of_either) || rarer(first).min(rarer(second)) < MIN_OF_CLASS {
        return Compared::TooFew;
    }
    let differing = count(&|word| both(word) & (first.ones[word] ^ second.ones[word]));
    let relation = match differing {
        0 => ColumnRelation::Equal,
        _ if differing == rows => ColumnRelation::Complement,
        _ => return Compared::Different,
    };
    let tasks = [one, other].map(|task| dataset.tasks[task].clone());
    Compared::Same(SameColumns { tasks, relation, rows, rows_of_either })
}

fn numeric(dataset: &Dataset, columns: &[Vec<f32>], one: usize, other: usize) -> Compared {
    let pairs = || columns[one].iter().zip(&columns[other]);
    let both =
        || pairs().filter(|(x, y)| !x.is_nan() && !y.is_nan()).map(|(&x, &y)| (f64::from(x), f64::from(y)));
    let rows = both().count();
    let [mut mean_x, mut mean_y] = [0.0; 2];
    both().for_each(|(x, y)| {
        mean_x += x / rows as f64;
        mean_y += y / rows as f64;
    });
    let [mut xx, mut yy, mut xy] = [0.0_f64; 3];
    both().for_each(|(x, y)| {
        let (x, y) = (x - mean_x, y - mean_y);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    });
    let rows_of_either = pairs().filter(|(x, y)| !x.is_nan() || !y.is_nan()).count();
    if too_few(rows, rows_of_either) || xx == 0.0 || yy == 0.0 {
        return Compared::TooFew;
    }
    let relation = if both().all(|(x, y)| x == y) {
        ColumnRelation::Equal
    } else if 1.0 - (xy / (xx * yy).sqrt()).abs() < TOLERANCE {
        ColumnRelation::Linear
    } else {
        return Compared::Different;
    };
    let tasks = [one, other].map(|task| dataset.tasks[task].clone());
    Compared::Same(SameColumns { tasks, relation, rows, rows_of_either })
}

fn too_few(rows: usize, rows_of_either: usize) -> bool {
    rows < MIN_ROWS || super::share(rows, rows_of_either) < MIN_SHARE
}
