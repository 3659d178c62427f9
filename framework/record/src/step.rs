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
    /// Members' predictions become those of an ensemble: the same files.
    Combine,
    /// Query molecules and candidate profiles become ranks: file `ranks.npz`, with `u64[pairs, 2]` of query
    /// nodes and ranks for each space.
    Rank,
}

impl Kind {
    /// Whether records score what the step makes: predictions or ranks.
    pub const fn is_scored(self) -> bool {
        matches!(self, Self::Fit | Self::Combine | Self::Rank)
    }
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
    /// Everything that determines the outcome. Steps of earlier formats have no such field.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub of: Value,
    /// What the step made, or why it made nothing.
    pub outcome: StepOutcome,
    /// The settings that were tried, if the method chooses between several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// The corpus of a pretraining.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corpus: Option<CorpusUse>,
    /// sha256 of the library that the step's last worker opened, by plugin id, for plugins that are
    /// identified by their sources. It tells which build ran and is in no key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub libraries: BTreeMap<String, String>,
    /// Whether every worker was confined, including those of the steps that this one builds on.
    pub confined: bool,
    /// Layers of the confinement that the kernel lacked for this step's worker, each in a few words; none on a
    /// kernel that has all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_layers: Vec<String>,
    /// The device, such as `cuda:0`, if it is not `cpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// When the step finished, in seconds since 1970 (UTC). Steps of earlier formats have no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// Cost of the step.
    pub cost: Cost,
}

/// What a step made, or why it made nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum StepOutcome {
    /// The step made files.
    Made {
        /// sha256 of each file's bytes, by file name; the file is `artifacts/<ab>/<sha256>`.
        files: BTreeMap<String, String>,
    },
    /// The step made nothing, for this reason.
    Failed(Failure),
}

impl StepRecord {
    /// Why the step made nothing, if it failed.
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
