//! What the store keeps: the outcome of a worker (a fit) and the scored result of a cell (a record).

use std::collections::BTreeMap;

use molarena_data::{Split, TaskType};
use molarena_metrics::{Metric, Scoring};
use serde::{Deserialize, Serialize};

use crate::{
    Tune,
    encoder_record::{PretrainCost, Pretrained},
};

/// Schema name of [`Record`].
pub const RECORD_SCHEMA: &str = "molarena.record/1";
/// Schema name of [`Fit`].
pub const FIT_SCHEMA: &str = "molarena.fit/2";

/// One scored cell: method x dataset x split x seed under a protocol. Stored as `records/<key>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    pub task_type: TaskType,
    /// The metric of `scores`.
    pub metric: Metric,
    /// How classification predictions were scored.
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
    /// The parameters that the suite varies, with the values of this record's method.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub varied: BTreeMap<String, serde_json::Value>,
}

/// The split of a record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitInfo {
    /// Name, such as `infoalign` or `scaffold`.
    pub protocol: String,
    /// Seed of the split, where it has one.
    pub seed: u64,
    /// sha256 of the index lists.
    pub sha256: String,
    /// Training molecules.
    pub train: usize,
    /// Validation molecules.
    pub valid: usize,
    /// Test molecules.
    pub test: usize,
}

impl SplitInfo {
    /// The split as records describe it.
    pub(crate) fn of(split: &Split) -> Self {
        Self {
            protocol: split.protocol.clone(),
            seed: split.seed,
            sha256: split.sha256(),
            train: split.train.len(),
            valid: split.valid.len(),
            test: split.test.len(),
        }
    }
}

/// What a method is made of: data, features, plugins and configurations, by hash; or the members of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composition {
    /// sha256 of the dataset's file.
    pub data_sha256: String,
    /// Features of the molecules, as in the method file, with the sha256 of the files that they come from; null for an
    /// ensemble.
    pub features: serde_json::Value,
    /// Version of the chemistry behind the features.
    pub chemistry: String,
    /// The encoder, where there is one.
    pub encoder: Option<ComponentUse>,
    /// What the encoder was trained on; absent for one that is used untrained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<Pretrained>,
    /// The baseline; none for an ensemble.
    pub baseline: Option<ComponentUse>,
    /// The settings of the baseline to choose from, where there is a choice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tune: Option<Tune>,
    /// The members of an ensemble.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberUse>,
}

/// A member of an ensemble, as used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberUse {
    /// Name of the method.
    pub method: String,
    /// What it is made of.
    pub composition: Composition,
}

/// The settings that were tried on the validation molecules, and the one that was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// All settings, in the order of the grid.
    pub candidates: Vec<Candidate>,
    /// Index of the one that predicted.
    pub chosen: usize,
}

/// A setting that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Configuration of the baseline.
    pub config: serde_json::Value,
    /// Score on the validation molecules by the dataset's metric: mean over the tasks where it is defined.
    pub valid_score: Option<f64>,
    /// Seconds to fit it and to predict the validation molecules.
    pub seconds: f64,
}

/// A component of a plugin, as used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentUse {
    /// Plugin and component, such as `baselines/rf`.
    pub component: String,
    /// Version of the plugin.
    pub version: String,
    /// sha256 of the plugin's file.
    pub sha256: String,
    /// Configuration, canonical JSON.
    pub config: serde_json::Value,
}

/// Scores, or why there are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
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

/// Why there are no predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The kind of failure.
    pub reason: Reason,
    /// One line for people.
    pub message: String,
    /// The end of what the worker printed.
    pub output: String,
}

/// Kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The wall-clock limit passed.
    Timeout,
    /// The memory limit was reached.
    Memory,
    /// The worker died of a signal.
    Signal,
    /// The plugin panicked.
    Panic,
    /// The plugin returned an error.
    Error,
    /// The predictions have another shape than test molecules x tasks.
    WrongShape,
    /// A prediction is NaN or infinite.
    NotFinite,
    /// The plugin's library could not be opened.
    Load,
    /// The worker ended without a result.
    NoResult,
}

impl Reason {
    /// The name in records and on boards.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Signal => "signal",
            Self::Panic => "panic",
            Self::Error => "error",
            Self::WrongShape => "wrong-shape",
            Self::NotFinite => "not-finite",
            Self::Load => "load",
            Self::NoResult => "no-result",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a worker cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Seconds from the worker's start to its end.
    pub wall_s: f64,
    /// Seconds in the encoder; 0 without one.
    pub encode_s: f64,
    /// Seconds in `fit`, with all of the search where there is one.
    pub fit_s: f64,
    /// Seconds in `predict`.
    pub predict_s: f64,
    /// Peak resident memory of the worker in MiB.
    pub peak_rss_mb: f64,
    /// Thread budget.
    pub threads: usize,
}

/// sha256 of the predictions of a fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionsHash {
    /// Of the test molecules: `fits/<fit_key>.npy`.
    pub test: String,
    /// Of the validation molecules: `fits/<fit_key>.valid.npy`. Ensembles make their members comparable by them.
    pub valid: String,
}

/// Outcome of a worker, before scoring. Stored as `fits/<fit_key>.json` beside the predictions' files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fit {
    /// [`FIT_SCHEMA`].
    pub schema: String,
    /// Hash of everything that decides the predictions; also the file's name.
    pub fit_key: String,
    /// Why there are no predictions, if there are none.
    pub failure: Option<Failure>,
    /// sha256 of the predictions' files, if there are any.
    pub predictions: Option<PredictionsHash>,
    /// The settings that were tried, where the method leaves a choice.
    pub search: Option<Search>,
    /// Whether the worker was confined.
    pub confined: bool,
    /// What it cost.
    pub cost: Cost,
}
