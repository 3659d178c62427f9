//! The outcome of a step, `steps/<ab>/<key>.json`: what a worker made, or why it made nothing.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    encoder::CorpusUse,
    parts::{Cost, Failure, Search},
};

/// Schema name of [`StepRecord`].
pub const STEP_SCHEMA: &str = "molarena.step/1";

/// Kind of a step.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Kind {
    /// A corpus becomes the state of an encoder: file `state`.
    Pretrain,
    /// Molecules become vectors: file `vectors.npy`, `f32[molecules, width]`.
    Encode,
    /// Features or vectors and labels become predictions: files `test.npy` and `valid.npy`, `f32[molecules, tasks]`.
    Fit,
    /// Predictions become predictions, as in an ensemble: the same files.
    Combine,
    /// Query molecules and candidate profiles become ranks: file `ranks.npz`, for each space `u64[pairs, 2]` of query
    /// nodes and ranks.
    Rank,
}

/// Outcome of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepRecord {
    /// [`STEP_SCHEMA`].
    #[schemars(extend("const" = STEP_SCHEMA))]
    pub schema: String,
    /// sha256 of the canonical JSON of `of`; also the file's name.
    pub key: String,
    /// Kind of the step.
    pub kind: Kind,
    /// Everything that decides the outcome. Steps of earlier formats do not say.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub of: Value,
    /// What was made, or why nothing was.
    pub outcome: StepOutcome,
    /// The settings that were tried, where the method leaves a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// What an encoder was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusUse>,
    /// Of plugins that are known by their sources, which build it was: sha256 of the library that the step's last worker
    /// opened, by plugin id. In no key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub libraries: BTreeMap<String, String>,
    /// Whether every worker that took part was confined, those of the steps before it too.
    pub confined: bool,
    /// The device, where it is not the processor, such as `cuda:0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// When it was finished, in seconds since 1970 (UTC). Steps of earlier formats do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// What it cost.
    pub cost: Cost,
}

/// What a step made, or why it made nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum StepOutcome {
    /// The files, by name, with the sha256 of their bytes: `artifacts/<ab>/<sha256>`.
    Made {
        /// sha256 by name.
        files: BTreeMap<String, String>,
    },
    /// There is nothing, for this reason.
    Failed(Failure),
}

impl StepRecord {
    /// Why there is nothing, if there is nothing.
    pub fn failure(&self) -> Option<&Failure> {
        match &self.outcome {
            StepOutcome::Made { .. } => None,
            StepOutcome::Failed(failure) => Some(failure),
        }
    }

    /// sha256 of the file called `name`, if it was made.
    pub fn sha256_of(&self, name: &str) -> Option<&str> {
        match &self.outcome {
            StepOutcome::Made { files } => files.get(name).map(String::as_str),
            StepOutcome::Failed(_) => None,
        }
    }
}
