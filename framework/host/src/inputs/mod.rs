//! Prepared datasets and corpora: cached on disk by content, and shared in memory between steps.

pub(crate) mod candidates;
pub(crate) mod corpus;
pub(crate) mod dataset;
pub(crate) mod matching;
mod memo;
pub(crate) mod profiles;
pub(crate) mod shuffle;

use std::{collections::BTreeSet, sync::Arc};

use molarena_features::{FeatureSpec, Features};
use molarena_record::{key::key_of, step::StepRecord};

use crate::{
    error::Result,
    inputs::{candidates::Ordered, corpus::Sources, dataset::ArenaDataset, matching::MatchTask, memo::Memo},
    store::Store,
};

/// How many feature matrices, and how many sets of candidates, stay in memory for the next steps.
const KEPT: usize = 2;

/// Inputs that several steps share.
#[derive(Debug)]
pub(crate) struct Inputs {
    features: Memo<Features>,
    candidates: Memo<Vec<Ordered>>,
}

impl Default for Inputs {
    fn default() -> Self {
        Self { features: Memo::new(KEPT), candidates: Memo::new(KEPT) }
    }
}

impl Inputs {
    /// The features of a dataset's molecules.
    pub(crate) fn features(
        &self,
        dataset: &ArenaDataset,
        spec: &FeatureSpec,
        sources: &Sources<'_>,
        store: &Store,
    ) -> Result<Arc<Features>> {
        let key = dataset.features_key(spec, sources)?;
        self.features.get(&key, || dataset.features(spec, sources, store))
    }

    /// The vectors that an encoding made.
    pub(crate) fn vectors(&self, encoding: &StepRecord, store: &Store) -> Result<Arc<Features>> {
        self.features.get(&encoding.key, || {
            let (rows, columns, values) = store.matrix(encoding, "vectors.npy")?;
            Ok(Features::Dense { columns, values, rows })
        })
    }

    /// The features of a matching task's query molecules.
    pub(crate) fn queries(&self, task: &MatchTask, spec: &FeatureSpec) -> Result<Arc<Features>> {
        let key = key_of(&(&task.context_key, &task.nodes, spec));
        self.features.get(&key, || corpus::computed(&task.context, &task.queries, spec))
    }

    /// The candidates of a matching task's spaces, on the scale of the graph with the key `bounds`, which is
    /// the context without the molecules `without`.
    pub(crate) fn candidates(
        &self,
        task: &MatchTask,
        bounds: &str,
        without: &BTreeSet<String>,
        sources: &Sources<'_>,
    ) -> Result<Arc<Vec<Ordered>>> {
        let spaces: Vec<(&str, &[usize])> =
            task.spaces.iter().map(|space| (space.name.as_str(), space.candidates.as_slice())).collect();
        let key = key_of(&(&task.context_key, &spaces, bounds));
        self.candidates.get(&key, || candidates::candidates(sources, &task.context, &spaces, without))
    }
}
