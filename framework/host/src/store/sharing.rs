//! What many records have in common, kept in memory once: a million records would else hold a million compositions.

use std::{
    collections::HashSet,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use molarena_record::{
    cell::Record,
    parts::{Composition, SplitInfo},
    shared::Shared,
};

/// The values that records hold together.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    compositions: Known<Composition>,
    splits: Known<SplitInfo>,
    tasks: Known<Vec<String>>,
}

impl Sharing {
    /// Replaces what the record has in common with earlier ones by theirs.
    pub(crate) fn share(&self, record: &mut Record) {
        share(&self.compositions, &mut record.composition);
        share(&self.splits, &mut record.split);
        share(&self.tasks, &mut record.tasks);
    }
}

type Known<T> = Mutex<HashSet<Shared<T>>>;

fn share<T: Eq + Hash>(known: &Known<T>, value: &mut Shared<T>) {
    let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(same) = known.get(&*value) {
        *value = same.clone();
    } else {
        known.insert(value.clone());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(seed: u64, features: &str) -> Record {
        serde_json::from_value(json!({
            "schema": "molarena.record/1", "key": "k", "fit_key": "f", "method": "m", "dataset": "d", "seed": seed,
            "split": {"protocol": "scaffold", "seed": 0, "sha256": "s", "train": 6, "valid": 2, "test": 2},
            "task_type": "classification", "metric": "roc_auc", "scoring": "probability", "shuffled_labels": false,
            "tasks": ["a", "b"],
            "composition": {"data_sha256": "d", "features": features, "chemistry": "1", "encoder": null, "baseline": null},
            "unparsed_molecules": 0, "confined": true,
            "outcome": {"status": "scored", "scores": {"a": 0.5, "b": null}, "mean": 0.5},
            "cost": {
                "wall_s": 1.0, "encode_s": 0.0, "fit_s": 1.0, "predict_s": 0.0, "peak_rss_mb": 20.0, "threads": 1
            },
        }))
        .unwrap()
    }

    #[test]
    fn what_is_equal_is_held_once() {
        let sharing = Sharing::default();
        let [mut one, mut other, mut third] = [record(0, "x"), record(1, "x"), record(2, "y")];
        let before = other.clone();
        for record in [&mut one, &mut other, &mut third] {
            sharing.share(record);
        }
        assert_eq!(other, before);
        assert_eq!(one.composition.place(), other.composition.place());
        assert_ne!(one.composition.place(), third.composition.place());
        assert_eq!(one.tasks.place(), third.tasks.place());
        assert_eq!(one.split.place(), third.split.place());
    }
}
