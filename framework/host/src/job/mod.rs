//! The job folder: all that crosses between the host and a worker.
//!
//! | file | written by | what |
//! |---|---|---|
//! | `job.json` | host | [`Job`] |
//! | `train.npz`, `valid.npz`, `test.npz` | host | features of each part |
//! | `train-labels.npy`, `valid-labels.npy` | host | `f32[n, tasks]`, NaN where missing; there is no such file for the test part |
//! | `started.json` | worker | [`Started`], before the plugin is opened |
//! | `progress.json` | worker | [`Progress`], replaced as the call goes on |
//! | `test-predictions.npy`, `valid-predictions.npy` | worker | `f32[molecules of the part, tasks]` |
//! | `corpus.json` and its files | host | what an encoder is trained on, see [`crate::job::corpus`] |
//! | `state` | worker | state of a trained encoder |
//! | `candidates-0.npy`, ... | host | `f32[candidates, columns]` of each space that is matched, ordered by their values |
//! | `scores-0.npy`, ... | worker | `f32[queries, candidates]` |
//! | `done.json` | worker | [`Done`], last |

pub mod corpus;

use std::path::{Path, PathBuf};

use molarena_data::TaskType;
use molarena_metrics::Metric;
use molarena_sdk::{InputKind, PluginDescription};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::sandbox::Envelope;
use molarena_record::parts::Search;

/// What a worker is told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What it may use.
    pub envelope: Envelope,
    /// What it does.
    pub task: JobTask,
}

/// What a worker does.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobTask {
    /// Opens a plugin and says what it offers.
    Describe {
        /// The library.
        library: PathBuf,
    },
    /// Fits and predicts.
    Fit(Box<FitJob>),
    /// Turns the features of the test part into vectors, in the place of its predictions.
    Encode(Box<EncodeJob>),
    /// Trains an encoder on the corpus in the folder.
    Pretrain(Box<PretrainJob>),
    /// Scores profiles for the molecules of the test part.
    Match(Box<MatchJob>),
}

/// One matching cell.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MatchJob {
    /// The encoder, where there is one.
    pub encoder: Option<JobComponent>,
    /// The encoder's state, if it was trained.
    pub state: Option<JobState>,
    /// The decoder.
    pub decoder: JobComponent,
    /// Whether the decoder loads the encoder's state.
    pub decoder_loads: bool,
    /// The spaces.
    pub spaces: Vec<MatchJobSpace>,
    /// What the feature file of the queries holds.
    pub input: InputKind,
    /// Seed of every random choice.
    pub seed: u64,
    /// Thread budget.
    pub threads: usize,
}

/// One space of a matching cell. Whose the candidates are is not told.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MatchJobSpace {
    /// Its name.
    pub name: String,
    /// Indices of the queries, in the order of the rows of scores.
    pub queries: Vec<usize>,
}

/// One pretraining.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PretrainJob {
    /// The encoder.
    pub encoder: JobComponent,
    /// The plugin's folder for checkpoints and logs.
    pub folder: PathBuf,
    /// Seed of every random choice.
    pub seed: u64,
    /// Thread budget.
    pub threads: usize,
}

/// The state of a trained encoder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobState {
    /// The file.
    pub path: PathBuf,
    /// Seed of the pretraining, which is that of `encode`, too: no cell's seed changes the vectors.
    pub seed: u64,
}

/// One use of an encoder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EncodeJob {
    /// The encoder.
    pub encoder: JobComponent,
    /// Its state, if it was trained.
    #[serde(default)]
    pub state: Option<JobState>,
    /// What the feature file holds.
    pub input: InputKind,
    /// Thread budget.
    pub threads: usize,
}

/// One fit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FitJob {
    /// The encoder, where there is one.
    pub encoder: Option<JobComponent>,
    /// The encoder's state, if it was trained.
    #[serde(default)]
    pub state: Option<JobState>,
    /// The baseline, under each configuration to choose from; one where there is no choice.
    pub candidates: Vec<JobComponent>,
    /// Decides between the candidates on the validation molecules.
    pub metric: Metric,
    /// What the feature files hold.
    pub input: InputKind,
    /// What the labels are.
    pub task_type: TaskType,
    /// Number of tasks.
    pub tasks: usize,
    /// Seed of every random choice.
    pub seed: u64,
    /// Thread budget.
    pub threads: usize,
}

/// A component to make.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobComponent {
    /// The library.
    pub library: PathBuf,
    /// Component id inside the plugin.
    pub component: String,
    /// Configuration as JSON text.
    pub config: String,
}

impl From<&crate::plan::step::PlannedComponent> for JobComponent {
    fn from(planned: &crate::plan::step::PlannedComponent) -> Self {
        let crate::plan::step::PlannedComponent { library, id, config } = planned.clone();
        Self { library, component: id, config }
    }
}

/// What the worker says before it opens the plugin.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Started {
    /// Whether it is confined.
    pub confined: bool,
}

/// How far the worker is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Share done, 0 to 1.
    pub fraction: f64,
    /// What it does.
    pub message: String,
    /// Processor seconds so far.
    #[serde(default)]
    pub cpu_s: f64,
}

/// How the worker ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// What it made, or why not.
    pub result: Result<Output, WorkerFailure>,
    /// Peak resident memory in bytes.
    pub peak_rss: u64,
    /// Processor seconds.
    #[serde(default)]
    pub cpu_s: f64,
}

/// What a worker made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// The plugin's description.
    Description(PluginDescription),
    /// The vectors are in their file.
    Encoded,
    /// The encoder's state is in its file.
    Pretrained,
    /// Seconds in each step; the predictions are in their file.
    Timings {
        /// Seconds in the encoder.
        encode_s: f64,
        /// Seconds in `fit`, with all of the search where there is one.
        fit_s: f64,
        /// Seconds in `predict` for the test molecules.
        predict_s: f64,
        /// The configurations that were tried, where there was a choice.
        search: Option<Search>,
    },
}

/// Why a worker made nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerFailure {
    /// Kind of the failure.
    pub reason: molarena_record::parts::Reason,
    /// One line for people.
    pub message: String,
}

/// Names of the parts' files.
pub const TRAIN: &str = "train";
/// See [`TRAIN`].
pub const VALID: &str = "valid";
/// See [`TRAIN`].
pub const TEST: &str = "test";

/// Feature file of a part.
pub fn features_file(folder: &Path, part: &str) -> PathBuf {
    folder.join(format!("{part}.npz"))
}

/// Label file of a part.
pub fn labels_file(folder: &Path, part: &str) -> PathBuf {
    folder.join(format!("{part}-labels.npy"))
}

/// Predictions of a part.
pub fn predictions_file(folder: &Path, part: &str) -> PathBuf {
    folder.join(format!("{part}-predictions.npy"))
}

/// Profiles to score, in the order of the job's spaces.
pub fn candidates_file(folder: &Path, space: usize) -> PathBuf {
    folder.join(format!("candidates-{space}.npy"))
}

/// Scores of these profiles.
pub fn scores_file(folder: &Path, space: usize) -> PathBuf {
    folder.join(format!("scores-{space}.npy"))
}

/// State of a trained encoder.
pub fn state_file(folder: &Path) -> PathBuf {
    folder.join("state")
}
