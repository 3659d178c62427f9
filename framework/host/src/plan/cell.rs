//! Cells and plans.

use std::{collections::BTreeSet, sync::Arc};

use molarena_data::Split;
use molarena_metrics::Metric;
use molarena_record::{
    matching::MatchComposition,
    parts::{Composition, SplitInfo},
    shared::Shared,
};

use crate::{
    inputs::{dataset::ArenaDataset, matching::MatchTask},
    plan::step::Step,
    request::method::Method,
};

/// One cell: the outcome of a step, scored for one row of a board.
#[derive(Clone, Debug)]
pub struct Cell {
    /// Hash of everything that determines the record.
    pub key: String,
    /// The step whose outcome is scored.
    pub step: Arc<Step>,
    /// Method of the row.
    pub method: Arc<Method>,
    /// Seed of the row's run.
    pub seed: u64,
    /// What the outcome is scored against.
    pub row: Row,
}

/// What a cell is scored against.
#[derive(Clone, Debug)]
pub enum Row {
    /// Predictions against the labels of a dataset's test part.
    Task(Arc<TaskRow>),
    /// Ranks of the query molecules' own profiles.
    Match(Arc<MatchRow>),
}

/// A prediction task.
#[derive(Clone, Debug)]
pub struct TaskRow {
    /// Dataset with its readable molecules.
    pub dataset: Arc<ArenaDataset>,
    /// Split of the dataset.
    pub split: Arc<Split>,
    /// Metric of the score.
    pub metric: Metric,
    /// Components of the method, as records name them.
    pub composition: Shared<Composition>,
    /// The split as records describe it.
    pub split_info: Shared<SplitInfo>,
    /// Task names, as records hold them.
    pub tasks: Shared<Vec<String>>,
    /// Whether all components declare that equal runs give equal bits.
    pub bitwise: bool,
    /// Corpora that the components declare their weights to be pretrained on.
    pub corpora: BTreeSet<String>,
}

/// A matching task.
#[derive(Clone, Debug)]
pub struct MatchRow {
    /// Molecules and profiles to match.
    pub task: Arc<MatchTask>,
    /// Components of the method, as records name them.
    pub composition: MatchComposition,
    /// Whether all components declare that equal runs give equal bits.
    pub bitwise: bool,
}

impl Cell {
    /// Id of the dataset or the context graph.
    pub fn subject(&self) -> &str {
        match &self.row {
            Row::Task(row) => &row.dataset.dataset.id,
            Row::Match(row) => &row.task.context,
        }
    }

    /// Name of the split's protocol.
    pub fn protocol(&self) -> &str {
        match &self.row {
            Row::Task(row) => &row.split.protocol,
            Row::Match(row) => &row.task.split.protocol,
        }
    }
}

/// Everything to run: cells, and through them steps.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The cells, in the order of the selection.
    pub cells: Vec<Cell>,
}

impl Plan {
    /// The datasets of the plan, each once.
    pub fn datasets(&self) -> Vec<Arc<ArenaDataset>> {
        let mut seen = BTreeSet::new();
        let datasets = self.task_rows().map(|row| &row.dataset);
        datasets.filter(|dataset| seen.insert(dataset.dataset.id.clone())).cloned().collect()
    }

    /// The prediction tasks of the cells, with repeats.
    pub fn task_rows(&self) -> impl Iterator<Item = &TaskRow> {
        self.cells.iter().filter_map(|cell| match &cell.row {
            Row::Task(row) => Some(&**row),
            Row::Match(_) => None,
        })
    }
}
