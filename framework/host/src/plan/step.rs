//! What a plan says.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::Split;
use molarena_features::FeatureSpec;
use molarena_metrics::Metric;
use molarena_record::{
    encoder::{CorpusUse, ENCODER_SCHEMA},
    key::key_of,
    parts::{ComponentUse, Composition, Pretrained, SplitInfo},
};
use serde_json::json;

use crate::{
    inputs::{corpus::LeaveOut, dataset::ArenaDataset},
    plan::matching::PlannedMatch,
    request::method::{Method, Pretraining},
};

/// One run of a worker and the cells that are scored from it.
#[derive(Clone, Debug)]
pub struct PlannedFit {
    /// Hash of everything that decides the predictions.
    pub key: String,
    /// The dataset.
    pub dataset: Arc<ArenaDataset>,
    /// The split.
    pub split: Arc<Split>,
    /// The method; cells of other names may share its fit.
    pub method: Method,
    /// Seed of the fit: that of its cells, or 0 where the seed changes nothing.
    pub seed: u64,
    /// What makes the predictions.
    pub work: Work,
    /// What goes into the records.
    pub composition: Composition,
    /// The cells; none where only an ensemble needs the predictions.
    pub cells: Vec<PlannedCell>,
}

/// What makes predictions.
#[derive(Clone, Debug)]
pub enum Work {
    /// A worker.
    Model(Box<PlannedModel>),
    /// The host, from the predictions of other fits of the plan.
    Ensemble(Vec<PlannedMember>),
}

/// What a worker fits.
#[derive(Clone, Debug)]
pub struct PlannedModel {
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// The encoder and its library, where there is one.
    pub encoder: Option<PlannedComponent>,
    /// What trains the encoder before, unless it is used untrained.
    pub pretrain: Option<Arc<PlannedPretrain>>,
    /// The baseline under each configuration to choose from.
    pub candidates: Vec<PlannedComponent>,
}

/// A member of an ensemble.
#[derive(Clone, Debug)]
pub struct PlannedMember {
    /// Name of the method.
    pub method: String,
    /// Key of its fit.
    pub key: String,
}

/// A component and the library that it is in.
#[derive(Clone, Debug)]
pub struct PlannedComponent {
    /// The library.
    pub library: PathBuf,
    /// Component id inside the plugin.
    pub id: String,
    /// Canonical JSON.
    pub config: String,
}

/// One cell: a fit scored under a protocol, for one row of a board.
#[derive(Clone, Debug)]
pub struct PlannedCell {
    /// Hash of everything that decides the record.
    pub key: String,
    /// Seed of the row's run.
    pub seed: u64,
    /// The method.
    pub method: Method,
    /// The metric.
    pub metric: Metric,
}

/// Everything that is to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The fits, in the order of the selection.
    pub fits: Vec<PlannedFit>,
    /// The cells that match molecules and profiles, in the order of the selection.
    pub matches: Vec<PlannedMatch>,
}

impl Plan {
    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.fits.iter().map(|fit| fit.cells.len()).sum::<usize>() + self.matches.len()
    }

    /// The datasets of the plan, each once.
    pub fn datasets(&self) -> Vec<Arc<ArenaDataset>> {
        let mut seen = BTreeSet::new();
        let datasets = self.fits.iter().map(|fit| &fit.dataset);
        datasets.filter(|dataset| seen.insert(dataset.dataset.id.clone())).cloned().collect()
    }
}

impl PlannedFit {
    /// The members, if this is an ensemble.
    pub fn members(&self) -> &[PlannedMember] {
        match &self.work {
            Work::Model(_) => &[],
            Work::Ensemble(members) => members,
        }
    }

    /// The split as records describe it.
    pub fn split_info(&self) -> SplitInfo {
        SplitInfo::of(&self.split)
    }

    /// What trains its encoder before, if anything does.
    pub fn pretrain(&self) -> Option<&Arc<PlannedPretrain>> {
        match &self.work {
            Work::Model(model) => model.pretrain.as_ref(),
            Work::Ensemble(_) => None,
        }
    }
}

/// One pretraining of a plan.
#[derive(Clone, Debug)]
pub struct PlannedPretrain {
    /// Hash of everything that decides the state.
    pub key: String,
    /// Name of the first method that asks for it.
    pub method: String,
    /// What the encoder is trained on.
    pub corpus: Arc<CorpusUse>,
    /// Identity keys of the molecules that leave.
    pub leave_out: Arc<BTreeSet<String>>,
    /// The encoder and its library.
    pub encoder: PlannedComponent,
    /// The encoder as records name it.
    pub used: ComponentUse,
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// Seed of every random choice.
    pub seed: u64,
}

impl PlannedPretrain {
    /// The pretraining of `method`'s encoder on the corpus that it names, without the molecules of `leave_out`.
    pub(crate) fn new(
        method: &Method,
        features: &FeatureSpec,
        (pretraining, encoder, used): (&Pretraining, PlannedComponent, ComponentUse),
        (corpus, leave_out): (Arc<CorpusUse>, LeaveOut),
    ) -> Self {
        let key = key_of(&json!({
            "schema": ENCODER_SCHEMA,
            "corpus": corpus.key,
            "encoder": used,
            "features": features,
            "chemistry": CHEMISTRY_VERSION,
            "seed": pretraining.seed,
        }));
        Self {
            key,
            method: method.name.clone(),
            corpus,
            leave_out: Arc::new(leave_out.identities),
            encoder,
            used,
            features: features.clone(),
            seed: pretraining.seed,
        }
    }

    /// As records of fits and matches describe it.
    pub(crate) fn described(&self) -> Pretrained {
        Pretrained {
            key: self.key.clone(),
            corpus: self.corpus.id.clone(),
            leave_out: self.corpus.leave_out.clone(),
            left_out: self.corpus.left_out,
            seed: self.seed,
        }
    }
}
