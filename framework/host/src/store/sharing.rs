//! What many records have in common, kept in memory once: a million records would else hold a million compositions.

use std::{collections::HashSet, hash::Hash};

use molarena_record::{
    cell::Record,
    parts::{Composition, SplitInfo},
    shared::Shared,
};

/// The values that records hold together.
#[derive(Debug, Default)]
pub(crate) struct Sharing {
    compositions: HashSet<Shared<Composition>>,
    splits: HashSet<Shared<SplitInfo>>,
    tasks: HashSet<Shared<Vec<String>>>,
}

impl Sharing {
    /// Replaces what the record has in common with earlier ones by theirs.
    pub(crate) fn share(&mut self, record: &mut Record) {
        share(&mut self.compositions, &mut record.composition);
        share(&mut self.splits, &mut record.split);
        share(&mut self.tasks, &mut record.tasks);
    }
}

fn share<T: Eq + Hash>(known: &mut HashSet<Shared<T>>, value: &mut Shared<T>) {
    if let Some(same) = known.get(&*value) {
        *value = same.clone();
    } else {
        known.insert(value.clone());
    }
}
