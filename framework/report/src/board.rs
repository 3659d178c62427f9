//! The types of boards and their JSON schema.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_evaluate::SeenCorpus;
use molarena_metrics::{Metric, Scoring};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{MatchBoard, PublishedRow, RowPretraining, units::short};

/// Schema name of [`Boards`].
pub const BOARD_SCHEMA: &str = "molarena.board/1";

/// Boards, sorted by dataset, split, task type and metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Boards {
    /// [`BOARD_SCHEMA`].
    #[schemars(extend("const" = BOARD_SCHEMA))]
    pub schema: String,
    /// The boards.
    pub boards: Vec<Board>,
    /// The boards of matching, sorted by context and space; absent where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<MatchBoard>,
}

/// Methods that were scored on the same test labels: same data, split, tasks and metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Board {
    /// Id of the dataset.
    pub dataset: String,
    /// Whether the dataset is simulated, so that the rows say nothing about chemistry.
    #[serde(default)]
    pub simulated: bool,
    /// Whether the data are not one of the arena's own datasets: their labels and companion files are the user's.
    #[serde(default)]
    pub own: bool,
    /// Protocol of the split, such as `infoalign`.
    pub split: String,
    /// Seed of the split.
    pub split_seed: u64,
    /// sha256 of the split's index lists.
    pub split_sha256: String,
    /// Training molecules.
    pub train: usize,
    /// Validation molecules.
    pub valid: usize,
    /// Test molecules.
    pub test: usize,
    /// sha256 of the dataset's file.
    pub data_sha256: String,
    /// What the labels are: `classification` or `regression`.
    #[schemars(with = "String")]
    pub task_type: TaskType,
    /// The metric of the rows, such as `roc_auc`.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// Task names, in the order of the dataset's file.
    pub tasks: Vec<String>,
    /// Tasks without a score in at least one scored record, in the order of `tasks`.
    pub undefined_tasks: Vec<String>,
    /// What sets this board apart from another with the same dataset, split, task type and metric; null where there is
    /// no other.
    pub distinction: Option<String>,
    /// How intervals were measured; absent from boards without them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncertainty: Option<Uncertainty>,
    /// Methods, best first; those without a score last; ties by name.
    pub rows: Vec<Row>,
    /// What papers print for these data, split and metric, best first: not ranked, since there are no predictions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<PublishedRow>,
    /// What a reader must know to read the rows, in whole sentences of plain text.
    pub notes: Vec<String>,
}

/// How the intervals of a board were measured: by the bootstrap over test molecules and seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Uncertainty {
    /// Confidence of the intervals of scores and ranks, and of the tie groups together.
    pub confidence: f64,
    /// Number of resamples.
    pub resamples: usize,
    /// Test molecules with the first block of the `InChIKey` of a training molecule: their twins.
    pub twins: usize,
}

/// One method on a board, summarised over seeds. Scores are fractions of 1, or in the labels' unit for errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// Name of the method; `name@hash` where records of the method differ in composition and so have a row each.
    pub method: String,
    /// 1 and the number of rows that are better; null for a row that is not ranked: without a score, scored on predicted
    /// classes, or trained on shuffled labels. A row with failed seeds is compared on the seeds that it has scored.
    #[serde(default)]
    pub rank: Option<usize>,
    /// Number of scored seeds.
    pub seeds: usize,
    /// Share of the row's cells that were scored.
    #[serde(default = "whole")]
    pub coverage: f64,
    /// Share of the test labels that a member with measured profiles predicts; null unless some molecules have no profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiled: Option<f64>,
    /// Mean over seeds of the mean over defined tasks; null where no seed was scored.
    pub mean: Option<f64>,
    /// Sample standard deviation of the same; null with fewer than two seeds.
    pub std: Option<f64>,
    /// Mean over seeds of the share of defined tasks above 0.80; null unless the metric is ROC-AUC.
    pub gt80: Option<f64>,
    /// Sample standard deviation of the same.
    pub gt80_std: Option<f64>,
    /// Mean over seeds of the share of defined tasks above 0.85; null unless the metric is ROC-AUC.
    pub gt85: Option<f64>,
    /// Sample standard deviation of the same.
    pub gt85_std: Option<f64>,
    /// Mean over seeds of the share of defined tasks above 0.90; null unless the metric is ROC-AUC.
    pub gt90: Option<f64>,
    /// Sample standard deviation of the same.
    pub gt90_std: Option<f64>,
    /// How sure the score and the rank are; absent from boards without intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistics: Option<RowUncertainty>,
    /// What settings were chosen on.
    #[serde(default)]
    pub selected_on: SelectedOn,
    /// Number of settings that were tried for a seed, over all members of an ensemble; 0 where none was chosen.
    #[serde(default)]
    pub settings: usize,
    /// Each task over seeds; empty where no seed was scored.
    pub per_task: BTreeMap<String, TaskScore>,
    /// Number of failed seeds by reason.
    pub failed: BTreeMap<String, usize>,
    /// The failed seeds by message.
    pub failures: Vec<FailureSummary>,
    /// Mean wall-clock seconds of the scored seeds' workers, of the failed ones' where no seed was scored. Absent from
    /// boards without costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_s: Option<f64>,
    /// Largest peak resident memory, in MiB, of the same workers: what a machine must have; 0 if it was not measured
    /// (imported, or run inside the host). Absent from boards without costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_rss_mb: Option<f64>,
    /// What the encoder was trained on before, once for all seeds; absent for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<RowPretraining>,
    /// Whether every worker, of failed seeds too, was confined.
    pub confined: bool,
    /// Class of the device, such as `cuda`; absent where it is the processor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Number of its seeds whose record was made again with equal predictions; absent where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub verified: usize,
    /// Whether its predictions were made elsewhere and imported; absent where they were not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub imported: bool,
    /// Whether the training labels were shuffled: a check for leaks, not a method.
    pub shuffled_labels: bool,
    /// What was scored: `probability`, or `hard` for predicted classes.
    #[schemars(with = "String")]
    pub scoring: Scoring,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(crate) const fn is_zero(count: &usize) -> bool {
    *count == 0
}

const fn whole() -> f64 {
    1.0
}

/// How sure a row's score and rank are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RowUncertainty {
    /// Lower end of the interval of `mean`.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Better end of the interval of `rank`; null for a row that is not ranked.
    pub rank_best: Option<usize>,
    /// Worse end.
    pub rank_worst: Option<usize>,
    /// Tie groups, as letters: rows with a letter in common cannot be told apart. Empty for a row that is not ranked.
    pub ties: Vec<String>,
    /// Mean over seeds of the score on the test molecules without a twin in training; null where no task is defined.
    pub without_twins: Option<f64>,
    /// Sample standard deviation of the same.
    pub without_twins_std: Option<f64>,
    /// The corpora that the encoder was pretrained on, with what they have of the test molecules; absent without any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub corpora: Vec<SeenCorpus>,
}

/// What settings were chosen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SelectedOn {
    /// No setting was chosen.
    #[default]
    None,
    /// On the validation molecules.
    Validation,
}

/// One task over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TaskScore {
    /// Mean over seeds; null where the task is undefined.
    pub mean: Option<f64>,
    /// Sample standard deviation over seeds; null with fewer than two.
    pub std: Option<f64>,
}

/// Seeds that failed with the same message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailureSummary {
    /// Kind of the failure, such as `timeout`.
    pub reason: String,
    /// One line for people.
    pub message: String,
    /// The seeds, ascending.
    pub seeds: Vec<u64>,
    /// The key of each seed's record, for `molarena store show`.
    #[serde(default)]
    pub keys: Vec<String>,
}

impl FailureSummary {
    /// The failure on one line: `morgan-rf, seed 3, panic: index 7 is out of bounds (store show 3f2a9c01)`.
    pub(crate) fn line(&self, method: &str) -> String {
        let seeds: Vec<String> = self.seeds.iter().map(u64::to_string).collect();
        let word = if seeds.len() == 1 { "seed" } else { "seeds" };
        let message = molarena_chem::shorten(&self.message, 300, "…");
        let shown = self.keys.first().map(|key| format!(" (store show {})", short(key)));
        let (seeds, reason, shown) = (seeds.join(", "), &self.reason, shown.unwrap_or_default());
        format!("Failed: {method}, {word} {seeds}, {reason}: {message}{shown}")
    }
}

/// JSON schema of [`Boards`], which [`Format::Json`](crate::Format::Json) writes.
pub fn board_json_schema() -> serde_json::Value {
    schemars::schema_for!(Boards).to_value()
}
