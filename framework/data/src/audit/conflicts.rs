//! Labels of one molecule that contradict each other.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::EXAMPLES;
use super::groups::repeated;
use crate::dataset::Dataset;
use crate::info::mean_and_deviation;
use crate::manifest::TaskType;

/// Regression labels of one molecule conflict if they differ by more than this share of the task's standard deviation.
const SPREAD: f64 = 0.5;

/// Labels of one molecule (rows of one identity key) that contradict each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Conflicts {
    /// Regression: labels conflict if they differ by more than this many standard deviations (n - 1) of the task's
    /// labels. Classification: 0 and 1 conflict.
    pub threshold_in_deviations: f64,
    /// Molecules with a conflict in any task.
    pub molecules: usize,
    /// At most this many examples are listed of each task.
    pub examples_at_most: usize,
    /// The tasks with conflicts, in the dataset's order.
    pub tasks: Vec<TaskConflicts>,
}

/// Conflicts of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskConflicts {
    /// The task.
    pub task: String,
    /// Molecules that have a label in several rows.
    pub repeated: usize,
    /// Those whose labels conflict.
    pub conflicting: usize,
    /// The molecules with the largest differences.
    pub examples: Vec<ConflictExample>,
}

/// One molecule with conflicting labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictExample {
    /// The row with the smallest label and the one with the largest, from 1.
    pub rows: [usize; 2],
    /// Their labels, in the task's unit.
    pub labels: [f32; 2],
}

/// Finds conflicts; `identities` numbers the molecules.
pub(super) fn find(dataset: &Dataset, identities: &[usize]) -> Conflicts {
    let groups = repeated(identities);
    let mut conflicting = vec![false; groups.len()];
    let mut tasks = Vec::new();
    for task in 0..dataset.tasks.len() {
        let limit = limit(dataset, task);
        let (mut several, mut examples) = (0, Vec::new());
        for (group, rows) in groups.iter().enumerate() {
            let labels: Vec<(usize, f32)> =
                rows.iter().filter_map(|&row| Some((row, dataset.label(row, task)?))).collect();
            if labels.len() < 2 {
                continue;
            }
            several += 1;
            let by_label = |one: &&(usize, f32), other: &&(usize, f32)| one.1.total_cmp(&other.1);
            // Of equals the first row is taken.
            let least = labels.iter().min_by(by_label).expect("two labels");
            let most = labels.iter().rev().max_by(by_label).expect("two labels");
            if f64::from(most.1) - f64::from(least.1) > limit {
                conflicting[group] = true;
                let rows = [least.0, most.0].map(|row| dataset.rows[row]);
                examples.push(ConflictExample { rows, labels: [least.1, most.1] });
            }
        }
        if !examples.is_empty() {
            let count = examples.len();
            examples.sort_by(|one, other| spread(other).total_cmp(&spread(one)));
            examples.truncate(EXAMPLES);
            let task = dataset.tasks[task].clone();
            tasks.push(TaskConflicts { task, repeated: several, conflicting: count, examples });
        }
    }
    Conflicts {
        threshold_in_deviations: SPREAD,
        molecules: conflicting.iter().filter(|conflicting| **conflicting).count(),
        examples_at_most: EXAMPLES,
        tasks,
    }
}

fn spread(example: &ConflictExample) -> f32 {
    example.labels[1] - example.labels[0]
}

/// The largest difference that is no conflict. One label has no deviation, and nothing to conflict with.
fn limit(dataset: &Dataset, task: usize) -> f64 {
    match dataset.task_type {
        TaskType::Classification => 0.0,
        TaskType::Regression => {
            let labels: Vec<f32> = (0..dataset.len()).filter_map(|row| dataset.label(row, task)).collect();
            SPREAD * mean_and_deviation(&labels).1
        }
    }
}
