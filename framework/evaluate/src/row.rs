//! A row of a board, as evaluations take it.

use std::collections::BTreeMap;

use molarena_host::Store;
use molarena_record::cell::{Outcome, Record};

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

    /// The stored predictions of one of its records, `count` numbers.
    pub(crate) fn predictions(&self, record: &Record, count: usize) -> Result<Vec<f32>, String> {
        let said = |error: molarena_host::Error| format!("{}, seed {}: {error}", self.name, record.seed);
        let step = self.store.step(&record.fit_key).map_err(said)?;
        let step = step.ok_or_else(|| {
            format!("{}, seed {}: its step {} is not in the store", self.name, record.seed, record.fit_key)
        })?;
        let (_, _, predictions) = self.store.matrix(&step, "test.npy").map_err(said)?;
        if predictions.len() == count {
            Ok(predictions)
        } else {
            let found = predictions.len();
            Err(format!("{}, seed {}: {found} predictions for {count} labels", self.name, record.seed))
        }
    }
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
