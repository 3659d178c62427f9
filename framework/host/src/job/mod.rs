//! The job folder: everything that passes between the host and a worker.
//!
//! Paths in it are relative to it, so that another machine that shares the store's file system can run the job.
//!
//! | file | written by | what |
//! |---|---|---|
//! | `job.json` | host | [`Job`] |
//! | `train.npz`, `valid.npz`, `test.npz` | host | features of each part |
//! | `train-labels.npy`, `valid-labels.npy` | host | `f32[n, tasks]`, NaN where missing; there is no such file for the test part |
//! | `progress.json` | worker | [`Progress`], replaced as the call goes on |
//! | `test-predictions.npy`, `valid-predictions.npy` | worker | `f32[molecules of the part, tasks]` |
//! | `vectors.npy` | worker | `f32[molecules, width]`, what an encoder made of `test.npz` |
//! | `corpus.json` and its files | host | what an encoder is trained on, see [`corpus`] |
//! | `state` | worker | state of a trained encoder, a fitted baseline or a fine-tuned model |
//! | `candidates-0.npy`, ... | host | `f32[candidates, columns]` of each space that is matched, ordered by their values |
//! | `scores-0.npy`, ... | worker | `f32[queries, candidates]` |
//! | `chunk-0.npz`, ... and `end` | host | features of a stream of molecules, and the stream's end |
//! | `chunk-0.npy`, ... | worker | `f32[molecules of the chunk, width]` |
//! | `done.json` | worker | [`Done`], last |
//!
//! What the worker says of its confinement is no file, because the plugin could change one later: it goes over a pair of
//! sockets that is closed before the plugin is opened.

pub mod corpus;

use std::path::{Path, PathBuf};

use molarena_data::{Part, TaskType};
use molarena_metrics::Metric;
use molarena_record::parts::Search;
use molarena_sdk::{ComponentKind, InputKind, PluginDescription};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    request::limits::Limits,
    sandbox::{Envelope, library_folders},
};

/// The instructions of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// What the worker may use.
    pub envelope: Envelope,
    /// Seed of every random choice.
    pub seed: u64,
    /// Thread budget.
    pub threads: usize,
    /// The task to perform.
    pub task: JobTask,
}

/// The task of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobTask {
    /// Opens a plugin and returns its description.
    Describe {
        /// The library.
        library: PathBuf,
    },
    /// Checks configurations against the schemas of plugins, and opens no plugin.
    Check(CheckJob),
    /// Creates components under their configurations, and nothing else.
    Create(CreateJob),
    /// Runs a case of the conformance suite on a component.
    Conform(ConformJob),
    /// Trains an encoder on the corpus in the folder.
    Pretrain(PretrainJob),
    /// Turns the features in `test.npz` into vectors.
    Encode(EncodeJob),
    /// Turns features into vectors chunk by chunk, until the stream ends.
    EncodeStream(EncodeJob),
    /// Fits a baseline or fine-tunes an encoder, and predicts.
    Fit(FitJob),
    /// Predicts the molecules in `test.npz` with a fitted baseline.
    Predict(PredictJob),
    /// Scores profiles for the molecules in `test.npz`.
    Rank(RankJob),
}

impl JobTask {
    /// Whether the output is of the kind that the task asks for.
    pub(crate) fn is_answered_by(&self, output: &Output) -> bool {
        match (self, output) {
            (Self::Describe { .. }, Output::Description(_))
            | (Self::Conform(_), Output::Conformed(_))
            | (Self::Pretrain(_), Output::Pretrained)
            | (Self::Encode(_) | Self::EncodeStream(_), Output::Encoded)
            | (Self::Fit(_) | Self::Predict(_) | Self::Rank(_), Output::Timings { .. }) => true,
            (Self::Check(job), Output::Checked(found)) => found.len() == job.checks.len(),
            (Self::Create(job), Output::Checked(found)) => found.len() == job.components.len(),
            _ => false,
        }
    }
}

/// Configurations to check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckJob {
    /// JSON Schemas, each as JSON text: a plugin's schema may be nested too deep to be part of another document.
    pub schemas: Vec<String>,
    /// The index of a schema, and a configuration.
    pub checks: Vec<(usize, Value)>,
}

/// Components of one plugin to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CreateJob {
    /// The components with their kinds.
    pub components: Vec<(ComponentKind, JobComponent)>,
}

/// A case of the conformance suite.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConformJob {
    /// The component, under its configuration.
    pub component: JobComponent,
    /// Its kind.
    pub kind: ComponentKind,
    /// Name of the case.
    pub case: String,
    /// Configuration of the encoder of a decoder's id, whose state the decoder loads.
    pub encoder: Option<String>,
    /// Weights that the encoder loads first.
    pub weights: Option<PathBuf>,
    /// Whether the plugin is a folder, whose memory may be that of a program.
    pub is_program: bool,
}

/// What a case of the conformance suite says of a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does what it must.
    Passed,
    /// It does, but not well.
    Warning(String),
    /// It does not: why, and what to do.
    Failed(String),
    /// The case does not apply, and why.
    Skipped(String),
}

/// One pretraining.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PretrainJob {
    /// The encoder.
    pub encoder: JobComponent,
    /// Weights that the encoder starts from, if any.
    pub weights: Option<PathBuf>,
    /// The plugin's folder for checkpoints and logs.
    pub folder: PathBuf,
}

/// One use of an encoder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EncodeJob {
    /// The encoder.
    pub encoder: JobComponent,
    /// Its state file, if it was trained.
    pub state: Option<PathBuf>,
    /// Input kind of the feature files.
    pub input: InputKind,
}

/// One fit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FitJob {
    /// The baseline or the fine-tuning under each configuration to choose from; a single one without tuning.
    pub candidates: Vec<JobComponent>,
    /// Metric that chooses between the candidates on the validation molecules.
    pub metric: Metric,
    /// Input kind of the feature files.
    pub input: InputKind,
    /// Classification or regression.
    pub task_type: TaskType,
    /// Number of tasks.
    pub tasks: usize,
    /// Whether to save the fitted state.
    pub keep: bool,
}

/// One use of a fitted baseline or fine-tuned model.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PredictJob {
    /// The baseline, or the encoder and its fine-tuning.
    pub baseline: JobComponent,
    /// Its state file.
    pub state: PathBuf,
    /// Input kind of the feature file.
    pub input: InputKind,
    /// Number of tasks.
    pub tasks: usize,
}

/// One ranking.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RankJob {
    /// The decoder.
    pub decoder: JobComponent,
    /// State file of the encoder, if the decoder loads it.
    pub state: Option<PathBuf>,
    /// The spaces to rank.
    pub spaces: Vec<RankSpace>,
    /// Input kind of the queries' feature file.
    pub input: InputKind,
}

/// One space of a ranking. The worker is not told which molecules the candidates belong to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RankSpace {
    /// Name of the space.
    pub name: String,
    /// Indices of the queries, one for each row of the scores.
    pub queries: Vec<usize>,
}

/// A component to create.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobComponent {
    /// The library.
    pub library: PathBuf,
    /// Component id inside the plugin.
    pub component: String,
    /// Configuration as JSON text.
    pub config: String,
    /// If given, the component is an encoder, and what is created is a model that is fine-tuned from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finetune: Option<JobFineTune>,
}

/// The fine-tuning of an encoder.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobFineTune {
    /// Configuration of head and training as JSON text.
    pub config: String,
    /// The encoder's state file, if it starts from one.
    pub state: Option<PathBuf>,
}

impl JobComponent {
    /// The configuration of what is created: that of the fine-tuning, or its own.
    pub(crate) fn chosen_config(&self) -> &str {
        self.finetune.as_ref().map_or(&self.config, |finetune| &finetune.config)
    }
}

/// Progress of the worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Fraction done, 0 to 1.
    pub fraction: f64,
    /// What the worker is doing.
    pub message: String,
    /// Processor seconds so far.
    #[serde(default)]
    pub cpu_s: f64,
}

/// How the worker ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// The output, or why there is none.
    pub result: Result<Output, WorkerFailure>,
    /// Peak resident memory in bytes.
    pub peak_rss: u64,
    /// Processor seconds.
    #[serde(default)]
    pub cpu_s: f64,
}

/// The output of a worker.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// The plugin's description.
    Description(PluginDescription),
    /// For each configuration, what is wrong with it.
    Checked(Vec<Option<String>>),
    /// What a case of the conformance suite says.
    Conformed(Verdict),
    /// The vectors are in their file.
    Encoded,
    /// The encoder's state is in its file.
    Pretrained,
    /// Seconds in each call; predictions or scores are in their files.
    Timings {
        /// Seconds in `fit`, summed over all candidates.
        fit_s: f64,
        /// Seconds in `predict` for the test molecules, or in the decoder.
        predict_s: f64,
        /// The configurations that were tried, if there were several.
        search: Option<Search>,
    },
}

/// Why a worker made nothing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WorkerFailure {
    /// Kind of the failure.
    pub reason: molarena_record::parts::Reason,
    /// One-line message for people.
    pub message: String,
}

/// Feature file of a part.
pub fn features_file(folder: &Path, part: Part) -> PathBuf {
    folder.join(format!("{part}.npz"))
}

/// Label file of a part.
pub fn labels_file(folder: &Path, part: Part) -> PathBuf {
    folder.join(format!("{part}-labels.npy"))
}

/// Predictions of a part.
pub fn predictions_file(folder: &Path, part: Part) -> PathBuf {
    folder.join(format!("{part}-predictions.npy"))
}

/// Candidate file of a space, by its index among the job's spaces.
pub fn candidates_file(folder: &Path, space: usize) -> PathBuf {
    folder.join(format!("candidates-{space}.npy"))
}

/// Score file of a space, by its index among the job's spaces.
pub fn scores_file(folder: &Path, space: usize) -> PathBuf {
    folder.join(format!("scores-{space}.npy"))
}

/// State file of a trained encoder or fitted baseline.
pub fn state_file(folder: &Path) -> PathBuf {
    folder.join("state")
}

/// Vector file of the encoded molecules.
pub fn vectors_file(folder: &Path) -> PathBuf {
    folder.join("vectors.npy")
}

/// Feature file of chunk `index` of a stream.
pub fn chunk_file(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("chunk-{index}.npz"))
}

/// Vector file of chunk `index` of a stream.
pub fn chunk_vectors_file(folder: &Path, index: usize) -> PathBuf {
    folder.join(format!("chunk-{index}.npy"))
}

/// File that marks the end of a stream: the worker ends once it exists and no chunk is left.
pub fn end_of_stream_file(folder: &Path) -> PathBuf {
    folder.join("end")
}

/// The envelope of a worker in `folder`: limits, device, and files and folders with paths relative to it.
pub(crate) fn envelope(
    limits: &Limits,
    device: &str,
    folder: &Path,
    readable: &[PathBuf],
    writable: &[PathBuf],
) -> Envelope {
    let from_here = |paths: &[PathBuf]| paths.iter().map(|path| relative(folder, path)).collect();
    let readable = [readable, &library_folders()].concat();
    Envelope {
        memory: limits.memory,
        disk: limits.disk,
        device: device.to_owned(),
        readable: from_here(&readable),
        writable: from_here(writable),
        ..Envelope::default()
    }
}

/// `path` relative to the job folder, so that any machine that shares the file system can run the job.
pub fn relative(folder: &Path, path: &Path) -> PathBuf {
    pathdiff::diff_paths(path, folder).unwrap_or_else(|| path.to_owned())
}
