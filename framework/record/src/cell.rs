//! The scored cell of a prediction task, `records/<ab>/<key>.json`.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    parts::{Composition, Cost, Failure, PretrainCost, Search, SplitInfo},
    shared::Shared,
};

/// Schema name of [`Record`].
pub const RECORD_SCHEMA: &str = "molarena.record/1";

/// The component of predictions that were made elsewhere and imported.
pub const IMPORTED: &str = "imported/predictions";

/// One scored cell: method x dataset x split x seed under a protocol. Stored as `records/<ab>/<key>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// [`RECORD_SCHEMA`].
    pub schema: String,
    /// Hash of everything that determines the result; also the file's name.
    pub key: String,
    /// Key of the step whose predictions were scored.
    pub fit_key: String,
    /// Name of the method.
    pub method: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Whether the dataset is simulated. Records from before simulated datasets have no such field.
    #[serde(default)]
    pub simulated: bool,
    /// Split of the dataset.
    pub split: Shared<SplitInfo>,
    /// Seed of the method.
    pub seed: u64,
    /// Classification or regression.
    #[schemars(with = "String")]
    pub task_type: TaskType,
    /// The metric of `scores`.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// How classification predictions were scored.
    #[schemars(with = "String")]
    pub scoring: Scoring,
    /// Whether the training and validation labels were shuffled, as a check for leaks.
    pub shuffled_labels: bool,
    /// Task names, in the order of the predictions' columns.
    pub tasks: Shared<Vec<String>>,
    /// Components of the method.
    pub composition: Shared<Composition>,
    /// Number of molecules of the dataset that could not be parsed; they take part in nothing.
    pub unparsed_molecules: usize,
    /// Whether the worker was confined (no data folder, no store, no network).
    pub confined: bool,
    /// Whether all its plugins declare that equal runs give equal bits. Records of earlier versions have no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitwise: Option<bool>,
    /// Corpora that its plugins declare their weights to be pretrained on, by name; empty in records of earlier versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<String>,
    /// Share of the test labels that a member with measured profiles predicts, if some molecules have no profile: the other
    /// members predict the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiled: Option<f64>,
    /// Scores, or why there are none.
    pub outcome: Outcome,
    /// The settings that were tried, if the method chooses between several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// Cost of the step; for an ensemble, the summed cost of its members.
    pub cost: Cost,
    /// Cost of the pretraining of the encoder, once for all cells that use it; for an ensemble, of its
    /// members' together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrain_cost: Option<PretrainCost>,
    /// When its step finished, in seconds since 1970 (UTC). Records of earlier versions have no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// Class of the device, such as `cuda`, if it is not `cpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The parameters that the suite varies, with this method's values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub varied: BTreeMap<String, serde_json::Value>,
}

impl Record {
    /// Whether its predictions were made elsewhere, so that nothing is known of how.
    pub fn is_imported(&self) -> bool {
        self.composition.baseline.as_ref().is_some_and(|baseline| baseline.component == IMPORTED)
    }
}

/// Scores, or why there are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Outcome {
    /// The cell was scored.
    Scored {
        /// Score of each task by name, as a fraction of 1 or in the labels' units; null where undefined.
        scores: BTreeMap<String, Option<f64>>,
        /// Mean over the defined tasks; null when none is defined.
        mean: Option<f64>,
    },
    /// The step failed, so there are no predictions to score.
    Failed(Failure),
}
