//! Recomputes every score, from what steps made and from labels.

use molarena_host::{Result, Store};
use molarena_metrics::Metric;
use molarena_record::{
    cell::{Outcome, Record},
    matching::{MatchOutcome, MatchRecord},
};

use crate::{
    labels::Labels,
    row::{predictions, step_of},
    score::{outcome_of_predictions, outcome_of_ranks},
};

/// Key of a record, and the reason why it cannot be scored here.
pub type Skipped = (String, String);

/// The result of [`replay`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Number of records that come out with the same bytes.
    pub same: usize,
    /// Keys of records that come out different, with what differs.
    pub different: Vec<(String, String)>,
    /// Keys of records that cannot be recomputed here, with the reason.
    pub skipped: Vec<Skipped>,
    /// The recomputed records, in the order of the store; skipped ones are as stored.
    pub records: Vec<Record>,
    /// The same for records of matching cells.
    pub matches: Vec<MatchRecord>,
}

/// Recomputes the scores of all records of a store.
///
/// # Errors
/// The store cannot be read. Problems of single records are in the result.
pub fn replay(store: &Store, labels: &mut Labels<'_>) -> Result<Replayed> {
    let mut replayed = Replayed::default();
    for record in store.records()? {
        let again = rescored(store, labels, &record, record.metric);
        let again = replayed.note(&record.key, &record, again);
        replayed.records.push(again);
    }
    for record in store.match_records()? {
        let again = matched_again(store, &record);
        let again = replayed.note(&record.key, &record, again);
        replayed.matches.push(again);
    }
    Ok(replayed)
}

impl Replayed {
    fn note<R: serde::Serialize + Clone>(&mut self, key: &str, stored: &R, again: Result<R, String>) -> R {
        match again {
            Ok(again) => {
                let text = |record: &R| serde_json::to_string_pretty(record).expect("plain data");
                if text(stored) == text(&again) {
                    self.same += 1;
                } else {
                    self.different.push((key.to_owned(), "its scores".to_owned()));
                }
                again
            }
            Err(why) => {
                self.skipped.push((key.to_owned(), why));
                stored.clone()
            }
        }
    }
}

/// The records scored from stored predictions, by another metric or on the molecules that `labels` has, and the keys of those
/// that cannot be, with the reason. Records whose task type the metric does not fit are left out.
///
/// # Errors
/// The store cannot be read.
pub fn scored_again(
    store: &Store,
    labels: &mut Labels<'_>,
    records: Vec<Record>,
    metric: Option<Metric>,
) -> Result<(Vec<Record>, Vec<Skipped>)> {
    let mut scored = Vec::new();
    let mut skipped = Vec::new();
    for record in records {
        let classification = record.task_type == molarena_data::TaskType::Classification;
        if metric.is_some_and(|metric| metric.is_classification() != classification) {
            continue;
        }
        match rescored(store, labels, &record, metric.unwrap_or(record.metric)) {
            Ok(record) => scored.push(record),
            Err(why) => skipped.push((record.key.clone(), why)),
        }
    }
    Ok((scored, skipped))
}

fn rescored(
    store: &Store,
    labels: &mut Labels<'_>,
    record: &Record,
    metric: Metric,
) -> Result<Record, String> {
    let step = step_of(store, record)?;
    let outcome = if let Some(failure) = step.failure() {
        Outcome::Failed(failure.clone())
    } else {
        let predictions = predictions(store, &step)?;
        let test = labels.test(record)?;
        let predictions = test.predictions(predictions)?;
        outcome_of_predictions(metric, record.scoring, &record.tasks, &test.labels, &predictions)
    };
    Ok(Record { metric, outcome, ..record.clone() })
}

fn matched_again(store: &Store, record: &MatchRecord) -> Result<MatchRecord, String> {
    let step = store.step(&record.key).map_err(|error| error.to_string())?;
    let step = step.ok_or_else(|| "its step is not in the store".to_owned())?;
    let outcome = match (step.failure(), &record.outcome) {
        (Some(failure), _) => MatchOutcome::Failed(failure.clone()),
        (None, MatchOutcome::Failed(_)) => {
            return Err("its step made ranks, and the record says that it failed".into());
        }
        (None, MatchOutcome::Scored { spaces, .. }) => {
            let spaces: Vec<(String, usize)> =
                spaces.iter().map(|space| (space.space.clone(), space.candidates)).collect();
            outcome_of_ranks(store, &step, &spaces).map_err(|error| error.to_string())?
        }
    };
    Ok(MatchRecord { outcome, ..record.clone() })
}
