//! A row of a board, as evaluations take it.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_host::Store;
use molarena_metrics::Scoring;
use molarena_record::{
    cell::{Outcome, Record},
    step::StepRecord,
};

use crate::labels::TestPart;

/// A row of a board.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Its name on the board.
    pub name: String,
    /// Its records, at least one, at most one for each seed.
    pub records: Vec<&'a Record>,
    /// The store that has their predictions.
    pub store: &'a Store,
}

impl<'a> Row<'a> {
    /// Whether another row is of the same board, or of the same board in another store.
    pub fn is_beside(&self, other: &Row<'_>) -> bool {
        difference(self.records[0], other.records[0]).is_none()
    }

    /// The scored records, by seed.
    pub(crate) fn scored(&self) -> BTreeMap<u64, &'a Record> {
        let scored = self.records.iter().filter(|record| matches!(record.outcome, Outcome::Scored { .. }));
        scored.map(|record| (record.seed, *record)).collect()
    }

    /// The stored predictions of one of its records for the molecules and tasks of `test`.
    pub(crate) fn predictions(&self, record: &Record, test: &TestPart) -> Result<Vec<f32>, String> {
        let read = || test.predictions(predictions(self.store, &step_of(self.store, record)?)?);
        read().map_err(|why| format!("{}, seed {}: {why}", self.name, record.seed))
    }
}

/// The step whose predictions a record scores.
pub(crate) fn step_of(store: &Store, record: &Record) -> Result<StepRecord, String> {
    let step = store.step(&record.fit_key).map_err(|error| error.to_string())?;
    step.ok_or_else(|| format!("its step {} is not in the store", record.fit_key))
}

/// The predictions of the test molecules that a step made.
pub(crate) fn predictions(store: &Store, step: &StepRecord) -> Result<Vec<f32>, String> {
    let (_, _, predictions) = store.matrix(step, "test.npy").map_err(|error| error.to_string())?;
    Ok(predictions)
}

/// Refuses predictions that are not one for each label.
pub(crate) fn check_count(predictions: &[f32], labels: usize) -> Result<(), String> {
    if predictions.len() == labels {
        return Ok(());
    }
    Err(format!("{} predictions for {labels} labels", predictions.len()))
}

/// Whether a record is ranked with others: not if its labels were shuffled, or if it was scored on predicted classes.
pub fn is_ranked(record: &Record) -> bool {
    !record.shuffled_labels && !scored_on_classes(record.task_type, record.scoring)
}

/// Whether predicted classes were scored, not probabilities. Regression has no classes, so hard scoring changes nothing.
pub fn scored_on_classes(task_type: TaskType, scoring: Scoring) -> bool {
    task_type == TaskType::Classification && scoring == Scoring::Hard
}

/// What keeps two records from being on one board.
pub(crate) fn difference(one: &Record, other: &Record) -> Option<&'static str> {
    if one.composition.data_sha256 != other.composition.data_sha256 {
        Some("data")
    } else if one.split.sha256 != other.split.sha256 {
        Some("splits")
    } else if one.tasks != other.tasks {
        Some("tasks")
    } else if one.metric != other.metric {
        Some("metrics")
    } else {
        None
    }
}
