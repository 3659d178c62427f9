//! Parts that records of all kinds share: the composition of a method, how a step ended, and its cost.

use std::collections::BTreeMap;

use molarena_data::Split;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The split of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct SplitInfo {
    /// Name of the protocol, such as `infoalign` or `scaffold`.
    pub protocol: String,
    /// Seed of the split; 0 if it takes none.
    pub seed: u64,
    /// sha256 of the index lists.
    pub sha256: String,
    /// Number of training molecules.
    pub train: usize,
    /// Number of validation molecules.
    pub valid: usize,
    /// Number of test molecules.
    pub test: usize,
}

impl SplitInfo {
    /// The split as records describe it.
    pub fn of(split: &Split) -> Self {
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

/// Components of a method by hash: data, features, plugins and configurations; or the members of an ensemble.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Composition {
    /// sha256 of the dataset's file.
    pub data_sha256: String,
    /// Features of the molecules, as in the method file, with the sha256 of the companion files that they
    /// read; null for an ensemble.
    pub features: serde_json::Value,
    /// Chemistry version that computed the features.
    pub chemistry: String,
    /// The encoder; null without one.
    pub encoder: Option<ComponentUse>,
    /// The pretraining of the encoder; absent if it is untrained.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<Pretrained>,
    /// What stands beside the encoder's vectors, as in the method file: features with the sha256 of companion files, or
    /// `{ features, encoder }` with a [`ComponentUse`]; several as a list; absent without any.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub join: Value,
    /// Configuration of the head and the training by which the encoder is fine-tuned, in place of a baseline; absent for a
    /// fixed encoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finetune: Option<Value>,
    /// The baseline; null for an ensemble and for a fine-tuned encoder.
    pub baseline: Option<ComponentUse>,
    /// The settings of the baseline or the fine-tuning to choose from; absent without tuning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tune: Option<Tune>,
    /// The members of an ensemble.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberUse>,
    /// How the members' predictions become one; absent for the mean.
    #[serde(default, skip_serializing_if = "Rule::is_mean")]
    pub rule: Rule,
}

/// Number of additions of [`Rule::Greedy`].
pub const GREEDY_ROUNDS: usize = 25;

/// How the predictions of the members of an ensemble become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The mean of the members that predict, on a common scale.
    #[default]
    Mean,
    /// The prediction of the first member that predicts, as it is.
    First,
    /// As the mean, but a member counts as often as it was chosen to be added to it, one after the other, each time the one with
    /// which the validation molecules are predicted best (Caruana et al. 2004, 10.1145/1015330.1015432).
    Greedy,
}

impl Rule {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_mean(&self) -> bool {
        *self == Self::Mean
    }

    /// Number of means that are scored on the validation molecules to combine `members`; 0 if none is.
    pub const fn tried(self, members: usize) -> usize {
        match self {
            Self::Mean | Self::First => 0,
            Self::Greedy => GREEDY_ROUNDS * members,
        }
    }
}

impl Composition {
    /// The encoders whose vectors are joined to those of the first.
    pub fn joined_encoders(&self) -> Vec<ComponentUse> {
        let parts = self.join.as_array().map_or(std::slice::from_ref(&self.join), Vec::as_slice);
        parts.iter().filter_map(|part| ComponentUse::deserialize(part.get("encoder")?).ok()).collect()
    }

    /// The pretraining of the encoder, or those of the encoders of the members.
    pub fn pretrainings(&self) -> impl Iterator<Item = &Pretrained> {
        let members = self.members.iter().filter_map(|member| member.composition.pretraining.as_ref());
        self.pretraining.iter().chain(members)
    }
}

/// A member of an ensemble, as used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct MemberUse {
    /// Name of the method.
    pub method: String,
    /// Components of the member.
    pub composition: Composition,
}

/// The settings that were tried on the validation molecules, and the chosen one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Search {
    /// All settings, in the order of the grid.
    pub candidates: Vec<Candidate>,
    /// Index of the chosen setting, which made the predictions.
    pub chosen: usize,
}

/// A setting that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// Configuration of the baseline or the fine-tuning.
    pub config: serde_json::Value,
    /// Score on the validation molecules by the dataset's metric: mean over the tasks where it is defined.
    pub valid_score: Option<f64>,
    /// Seconds to fit it and to predict the validation molecules.
    pub seconds: f64,
}

/// A component of a plugin, as used.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ComponentUse {
    /// Plugin and component, such as `baselines/rf`.
    pub component: String,
    /// Version of the plugin.
    pub version: String,
    /// Identity of the plugin: a hash of its sources and locked dependencies if it is one of the arena's own,
    /// else the sha256 of its file.
    pub sha256: String,
    /// Configuration.
    pub config: serde_json::Value,
    /// Weights that an encoder loads before anything else; absent without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsUse>,
}

/// A file of weights, as a method names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WeightsUse {
    /// Path relative to the method file, or else to the data folder.
    pub file: String,
    /// sha256 of its bytes, as 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// Corpora that they were pretrained on, for the column that says what share of the test molecules they may have seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<String>,
}

/// Why a step made nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The kind of failure.
    pub reason: Reason,
    /// One-line message for people.
    pub message: String,
    /// The last part of the worker's output.
    pub output: String,
}

/// Kind of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The worker exceeded its wall-clock limit.
    Timeout,
    /// The worker exceeded its memory limit.
    Memory,
    /// A signal killed the worker.
    Signal,
    /// The plugin panicked.
    Panic,
    /// The plugin returned an error.
    Error,
    /// The output has the wrong shape.
    WrongShape,
    /// An output value is NaN or infinite.
    NotFinite,
    /// A prediction of a class is no probability between 0 and 1.
    NotProbability,
    /// The plugin's library could not be opened.
    Load,
    /// The worker ended without a result.
    NoResult,
    /// The worker exceeded its disk limit.
    Disk,
    /// The worker started too many processes.
    Processes,
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
            Self::NotProbability => "not-probability",
            Self::Load => "load",
            Self::NoResult => "no-result",
            Self::Disk => "disk",
            Self::Processes => "processes",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Cost of a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Seconds from the worker's start to its end, including those of the encoding that the step uses.
    pub wall_s: f64,
    /// Seconds in the encoder; 0 without one.
    pub encode_s: f64,
    /// Seconds in `fit`, summed over all settings that were tried.
    pub fit_s: f64,
    /// Seconds in `predict`, or in the decoder.
    pub predict_s: f64,
    /// Largest peak resident memory of a worker in MiB.
    pub peak_rss_mb: f64,
    /// Thread budget.
    pub threads: usize,
    /// Processor seconds. Records of earlier formats have no such field.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cpu_s: f64,
    /// Number of workers of a pretraining, which another worker resumes if one is killed; absent for other
    /// steps.
    #[serde(default, skip_serializing_if = "is_zero_count")]
    pub workers: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero_count(value: &usize) -> bool {
    *value == 0
}

impl Cost {
    /// The cost of two steps, one after the other: times add up, and the larger memory counts.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        Self {
            wall_s: self.wall_s + next.wall_s,
            encode_s: self.encode_s + next.encode_s,
            fit_s: self.fit_s + next.fit_s,
            predict_s: self.predict_s + next.predict_s,
            peak_rss_mb: self.peak_rss_mb.max(next.peak_rss_mb),
            threads: self.threads.max(next.threads),
            cpu_s: self.cpu_s + next.cpu_s,
            workers: self.workers + next.workers,
        }
    }
}

impl From<Cost> for PretrainCost {
    fn from(cost: Cost) -> Self {
        let Cost { wall_s, cpu_s, peak_rss_mb, threads, workers, .. } = cost;
        Self { wall_s, cpu_s, peak_rss_mb, threads, workers }
    }
}

impl From<PretrainCost> for Cost {
    fn from(cost: PretrainCost) -> Self {
        let PretrainCost { wall_s, cpu_s, peak_rss_mb, threads, workers } = cost;
        Self { wall_s, peak_rss_mb, threads, cpu_s, workers, ..Self::default() }
    }
}

/// Cost of a pretraining over all its workers: if one is killed, another resumes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PretrainCost {
    /// Seconds of all workers together. A worker that was killed with the host counts up to its last report
    /// of progress.
    pub wall_s: f64,
    /// Processor seconds of all workers together, counted likewise.
    pub cpu_s: f64,
    /// Largest peak resident memory of a worker in MiB.
    pub peak_rss_mb: f64,
    /// Thread budget.
    pub threads: usize,
    /// Number of workers that were started.
    pub workers: usize,
}

/// The pretraining of a record's encoder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Pretrained {
    /// Key of the pretraining's step.
    pub key: String,
    /// Id of the context graph.
    pub corpus: String,
    /// Whose molecules to leave out: ids of datasets, and the queries of a matching task.
    pub leave_out: Vec<String>,
    /// Number of distinct molecules of the context that were left out.
    pub left_out: usize,
    /// Seed of the pretraining. One pretraining serves all seeds of cells.
    pub seed: u64,
}

/// `[tune]` of a method file: values to try for keys of the configuration of the baseline or the fine-tuning.
///
/// Each combination is fitted to the training molecules and scored on the validation molecules by the
/// dataset's metric (mean over the tasks where it is defined). The best one, or the first of equals, predicts
/// the test molecules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Tune {
    /// Values to try by key.
    pub grid: BTreeMap<String, Vec<Value>>,
}
