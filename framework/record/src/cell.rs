//! The scored cell of a prediction task, `records/<key>.json`.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parts::{Composition, Cost, Failure, PretrainCost, Search, SplitInfo};

/// Schema name of [`Record`].
pub const RECORD_SCHEMA: &str = "molarena.record/1";

/// One scored cell: method x dataset x split x seed under a protocol. Stored as `records/<key>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Record {
    /// [`RECORD_SCHEMA`].
    pub schema: String,
    /// Hash of everything that decides the result; also the file's name.
    pub key: String,
    /// Key of the fit whose predictions were scored: `fits/<fit_key>.json` and `.npy`.
    pub fit_key: String,
    /// Name of the method.
    pub method: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Whether the dataset is simulated. Records from before there were such datasets have no such key.
    #[serde(default)]
    pub simulated: bool,
    /// The split.
    pub split: SplitInfo,
    /// Seed of the method.
    pub seed: u64,
    /// What the labels are.
    #[schemars(with = "String")]
    pub task_type: TaskType,
    /// The metric of `scores`.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// How classification predictions were scored.
    #[schemars(with = "String")]
    pub scoring: Scoring,
    /// Whether the training labels were shuffled, as a check that nothing leaks.
    pub shuffled_labels: bool,
    /// Task names, in the order of the predictions' columns.
    pub tasks: Vec<String>,
    /// What the method is made of.
    pub composition: Composition,
    /// Molecules of the dataset that could not be parsed and take part in nothing.
    pub unparsed_molecules: usize,
    /// Whether the worker was confined (no data folder, no store, no network).
    pub confined: bool,
    /// Scores, or why there are none.
    pub outcome: Outcome,
    /// The settings that were tried, where the method leaves a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
    /// What it cost; an ensemble costs what its members cost.
    pub cost: Cost,
    /// What the pretraining of the encoder cost, once for all cells that use it; of an ensemble, those of its members
    /// together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrain_cost: Option<PretrainCost>,
    /// When its step was finished, in seconds since 1970 (UTC). Records of earlier versions do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// Class of the device that it ran on, where that is not the processor, such as `cuda`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The parameters that the suite varies, with the values of this record's method.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub varied: BTreeMap<String, serde_json::Value>,
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
    /// The worker gave no predictions that can be scored.
    Failed(Failure),
}
