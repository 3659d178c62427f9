//! Encoding: molecules become vectors, once for all seeds, heads and datasets that share them.

use std::{path::Path, sync::Arc};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::Part;
use molarena_features::{FeatureSpec, Features};
use molarena_record::{key::encode_material, step::Kind};
use serde_json::Value;

use crate::{
    error::Result,
    inputs::{dataset::ArenaDataset, matching::MatchTask},
    job::{self, EncodeJob, JobTask, Output},
    plan::{
        component::Component,
        device::class_of,
        step::{Context, Judged, Prepared, Work},
        steps::{another_question, matrix, start_of},
    },
    store::Artifact,
};

/// Which molecules are encoded, and by what.
#[derive(Clone, Debug)]
pub(crate) struct EncodeWork {
    pub(crate) encoder: Component,
    /// Key of the pretraining, if the encoder is trained.
    pub(crate) pretraining: Option<String>,
    pub(crate) features: FeatureSpec,
    /// The features as records keep them.
    pub(crate) described: Value,
    pub(crate) molecules: Molecules,
    /// Seed of the calls; 0 if it has no effect.
    pub(crate) seed: u64,
    pub(crate) device: String,
}

/// The molecules to encode.
#[derive(Clone, Debug)]
pub(crate) enum Molecules {
    /// All of a dataset.
    Dataset(Arc<ArenaDataset>),
    /// The queries of a matching task.
    Queries(Arc<MatchTask>),
}

impl Molecules {
    /// Id of the dataset or the context graph.
    pub(crate) fn subject(&self) -> &str {
        match self {
            Self::Dataset(dataset) => &dataset.dataset.id,
            Self::Queries(task) => &task.context,
        }
    }

    /// Identifies these molecules within a plan.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Dataset(dataset) => format!("dataset {}", dataset.dataset.id),
            Self::Queries(task) => format!("queries {} {}", task.context_key, task.split.sha256),
        }
    }

    fn smiles(&self) -> &[String] {
        match self {
            Self::Dataset(dataset) => &dataset.dataset.smiles,
            Self::Queries(task) => &task.queries,
        }
    }

    fn features(&self, context: &Context<'_>, spec: &FeatureSpec) -> Result<Arc<Features>> {
        match self {
            Self::Dataset(dataset) => {
                context.inputs.features(dataset, spec, &context.arena.sources(), &context.arena.store)
            }
            Self::Queries(task) => context.inputs.queries(task, spec),
        }
    }
}

impl Work for EncodeWork {
    fn kind(&self) -> Kind {
        Kind::Encode
    }

    fn of(&self) -> Value {
        let molecules = molarena_data::sha256_hex(self.molecules.smiles().join("\n").as_bytes());
        encode_material(
            &self.encoder.used,
            self.pretraining.as_deref(),
            &self.described,
            CHEMISTRY_VERSION,
            &molecules,
            self.seed,
            class_of(&self.device),
        )
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let store = &context.arena.store;
        let features = self.molecules.features(context, &self.features)?;
        features.write(&job::features_file(context.folder, Part::Test))?;
        let state = start_of(&self.encoder, context)?;
        let task = JobTask::Encode(EncodeJob {
            encoder: self.encoder.in_job(None, context.folder, store)?,
            state: state.as_ref().map(|state| job::relative(context.folder, state)),
            input: self.features.input(),
        });
        let readable = self.encoder.reads(store)?.into_iter().chain(state).collect();
        Ok(Prepared::Job { task, readable, writable: Vec::new() })
    }

    fn weights(&self) -> Option<&Path> {
        self.encoder.weights.as_deref()
    }

    fn components(&self) -> Vec<&Component> {
        vec![&self.encoder]
    }

    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged {
        let Output::Encoded = output else { return Err(another_question()) };
        let path = job::vectors_file(context.folder);
        let (bytes, _) = matrix(&path, self.molecules.smiles().len(), None)?;
        Ok([("vectors.npy", Artifact::Bytes(bytes))].into())
    }
}
