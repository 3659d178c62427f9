//! Tasks with too few labels in the test part to rank methods by.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::manifest::TaskType;

/// Classification: test rows of the rarer class that a task needs.
const MIN_OF_CLASS: usize = 5;
/// Regression: labelled test rows that a task needs.
const MIN_LABELS: usize = 10;

/// Tasks with too few labels in the test part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThinTasks {
    /// A task is thin with fewer than this many test rows of its rarer class (classification) or with a label
    /// (regression).
    pub rows_below: usize,
    /// All thin tasks, in the dataset's order.
    pub tasks: Vec<ThinTask>,
    /// How many of them cannot be scored at all: a class (classification) or any label (regression) is missing.
    pub without_score: usize,
}

/// A task with too few labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ThinTask {
    /// The task.
    pub task: String,
    /// Labelled test rows.
    pub labels: usize,
    /// Classification: test rows of the rarer class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rarer_class: Option<usize>,
}

impl ThinTask {
    /// The number that is too small.
    fn rows(&self) -> usize {
        self.rarer_class.unwrap_or(self.labels)
    }
}

/// Finds thin tasks of the test part.
pub(super) fn find(dataset: &Dataset, test: &[usize]) -> ThinTasks {
    let rows_below = match dataset.task_type {
        TaskType::Classification => MIN_OF_CLASS,
        TaskType::Regression => MIN_LABELS,
    };
    let count = |(task, name): (usize, &String)| {
        let labels: Vec<f32> = test.iter().filter_map(|&row| dataset.label(row, task)).collect();
        let positives = labels.iter().filter(|label| **label == 1.0).count();
        let rarer = positives.min(labels.len() - positives);
        let rarer_class = (dataset.task_type == TaskType::Classification).then_some(rarer);
        ThinTask { task: name.clone(), labels: labels.len(), rarer_class }
    };
    let tasks: Vec<ThinTask> =
        dataset.tasks.iter().enumerate().map(count).filter(|task| task.rows() < rows_below).collect();
    ThinTasks { rows_below, without_score: tasks.iter().filter(|task| task.rows() == 0).count(), tasks }
}
