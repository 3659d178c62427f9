//! The worker's side: confines itself, opens the plugin, fits, predicts, and writes what came of it.

mod matching;

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use molarena_abi as abi;
use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_sdk::{Call, Hooks, Labels, Matrix, OwnedLabels, TaskKind};

use crate::files::json::read_json;
use crate::files::json::write_json;
use crate::{
    error::Result,
    files::npy::{from_npy, to_npy},
    job,
    job::corpus::OwnedCorpus,
    job::{
        Done, EncodeJob, FitJob, Job, JobComponent, JobState, JobTask, Output, PretrainJob, Progress,
        Started, TEST, TRAIN, VALID, WorkerFailure,
    },
    plugin::loader::{LoadError, LoadedBaseline, LoadedPlugin},
    sandbox,
    worker::matching::score_candidates,
};
use molarena_features::Features;
use molarena_record::parts::{Candidate, Reason, Search};

/// Runs the job in `folder`; the hidden `worker` verb. Whatever the plugin does is in `done.json`, or in how the process
/// ends.
pub fn run(folder: &Path) -> Result<()> {
    let cancelled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&cancelled))?;
    let job: Job = read_json(folder, "job.json")?;
    let result = prepare(&job, folder).and_then(|confined| {
        write_json(folder, "started.json", &Started { confined }).map_err(internal)?;
        perform(&job.task, folder, &cancelled)
    });
    write_json(folder, "done.json", &Done { result, peak_rss: peak_rss(), cpu_s: cpu_seconds() })
}

fn prepare(job: &Job, folder: &Path) -> Result<bool, WorkerFailure> {
    let failed = |message: String| WorkerFailure { reason: Reason::NoResult, message };
    sandbox::limit(&job.envelope).map_err(failed)?;
    if job.envelope.confine { sandbox::confine(&job.envelope, folder).map_err(failed) } else { Ok(false) }
}

/// Runs a job inside this process, unconfined and without limits, for debuggers.
pub fn run_in_process(folder: &Path, cancelled: &AtomicBool) -> Result<()> {
    let job: Job = read_json(folder, "job.json")?;
    write_json(folder, "started.json", &Started { confined: false })?;
    let result = perform(&job.task, folder, cancelled);
    write_json(folder, "done.json", &Done { result, peak_rss: peak_rss(), cpu_s: cpu_seconds() })
}

fn perform(task: &JobTask, folder: &Path, cancelled: &AtomicBool) -> Result<Output, WorkerFailure> {
    match task {
        JobTask::Describe { library } => {
            let plugin = LoadedPlugin::open(library).map_err(|error| opened(&error))?;
            Ok(Output::Description(plugin.description().clone()))
        }
        JobTask::Fit(job) => fit(job, folder, cancelled),
        JobTask::Encode(job) => encode_only(job, folder, cancelled),
        JobTask::Pretrain(job) => pretrain(job, folder, cancelled),
        JobTask::Match(job) => score_candidates(job, folder, cancelled),
    }
}

fn encode_only(job: &EncodeJob, folder: &Path, cancelled: &AtomicBool) -> Result<Output, WorkerFailure> {
    let features = Features::read(&job::features_file(folder, TEST), job.input).map_err(internal)?;
    let reporter = Reporter::new(folder, cancelled);
    let call = Call::new(0, job.threads).with_hooks(&reporter);
    let [vectors] = encode(&job.encoder, job.state.as_ref(), &[features], &call)?;
    let Features::Dense { columns, values, rows } = vectors else {
        unreachable!("an encoder gives dense vectors");
    };
    let bytes = to_npy(rows, columns, values);
    fs_err::write(job::predictions_file(folder, TEST), bytes).map_err(internal)?;
    Ok(Output::Encoded)
}

fn fit(job: &FitJob, folder: &Path, cancelled: &AtomicBool) -> Result<Output, WorkerFailure> {
    let mut parts = read_features(job, folder).map_err(internal)?;
    let labels = [TRAIN, VALID].map(|part| read_labels(job, folder, part));
    let [train_labels, valid_labels] = labels;
    let (train_labels, valid_labels) = (train_labels.map_err(internal)?, valid_labels.map_err(internal)?);
    let reporter = Reporter::new(folder, cancelled);
    let call = Call::new(job.seed, job.threads).with_hooks(&reporter);

    let mut encode_s = 0.0;
    if let Some(encoder) = &job.encoder {
        let started = Instant::now();
        parts = encode(encoder, job.state.as_ref(), &parts, &call)?;
        encode_s = started.elapsed().as_secs_f64();
    }
    let labels = [&train_labels, &valid_labels];
    let Chosen { mut baseline, valid_predictions, fit_s, search } = choose(job, &parts, labels, &call)?;
    let started = Instant::now();
    let predictions = predict(&mut baseline, &parts[2], job, &call)?;
    let predict_s = started.elapsed().as_secs_f64();
    for (part, predictions) in [(TEST, predictions), (VALID, valid_predictions)] {
        let bytes = to_npy(predictions.rows, job.tasks, predictions.values);
        fs_err::write(job::predictions_file(folder, part), bytes).map_err(internal)?;
    }
    Ok(Output::Timings { encode_s, fit_s, predict_s, search })
}

/// The best candidate, fitted.
struct Chosen {
    baseline: LoadedBaseline,
    valid_predictions: Matrix,
    fit_s: f64,
    search: Option<Search>,
}

/// Fits every candidate and keeps the one that scores best on the validation molecules; of equals the first.
fn choose(
    job: &FitJob,
    parts: &[Features; 3],
    labels: [&OwnedLabels; 2],
    call: &Call<'_>,
) -> Result<Chosen, WorkerFailure> {
    let [train, valid, _] = parts;
    let [train_labels, valid_labels] = labels.map(OwnedLabels::view);
    let mut best: Option<(Option<f64>, LoadedBaseline, Matrix)> = None;
    let (mut candidates, mut chosen, mut fit_s) = (Vec::new(), 0, 0.0);
    for (index, candidate) in job.candidates.iter().enumerate() {
        let started = Instant::now();
        let plugin = LoadedPlugin::open(&candidate.library).map_err(|error| opened(&error))?;
        let mut baseline =
            plugin.baseline(&candidate.component, &candidate.config).map_err(|error| called(&error))?;
        baseline
            .fit(&train.inputs(), &train_labels, &valid.inputs(), &valid_labels, call)
            .map_err(|error| called(&error))?;
        fit_s += started.elapsed().as_secs_f64();
        let valid_predictions = predict(&mut baseline, valid, job, call)?;
        let score = valid_score(job, &valid_labels, &valid_predictions);
        candidates.push(Candidate {
            config: serde_json::from_str(&candidate.config).expect("canonical JSON of the plan"),
            valid_score: score,
            seconds: started.elapsed().as_secs_f64(),
        });
        if best.as_ref().is_none_or(|(best, ..)| is_better(job.metric, score, *best)) {
            best = Some((score, baseline, valid_predictions));
            chosen = index;
        }
    }
    let (_, baseline, valid_predictions) = best.expect("a job has at least one candidate");
    let search = (candidates.len() > 1).then_some(Search { candidates, chosen });
    Ok(Chosen { baseline, valid_predictions, fit_s, search })
}

fn predict(
    baseline: &mut LoadedBaseline,
    part: &Features,
    job: &FitJob,
    call: &Call<'_>,
) -> Result<Matrix, WorkerFailure> {
    if part.rows() == 0 {
        return Ok(Matrix::zeros(0, job.tasks));
    }
    let predictions = baseline.predict(&part.inputs(), job.tasks, call).map_err(|error| called(&error))?;
    check_finite(&predictions.values, job.tasks)?;
    Ok(predictions)
}

fn valid_score(job: &FitJob, labels: &Labels<'_>, predictions: &Matrix) -> Option<f64> {
    let cells = (0..labels.rows).flat_map(|row| (0..labels.tasks).map(move |task| (row, task)));
    let labels: Vec<f32> = cells.map(|(row, task)| labels.get(row, task).unwrap_or(f32::NAN)).collect();
    mean_defined(&score_tasks(job.metric, Scoring::Probability, &labels, &predictions.values, job.tasks))
}

fn is_better(metric: Metric, score: Option<f64>, best: Option<f64>) -> bool {
    match (score, best) {
        (Some(score), Some(best)) if metric.higher_is_better() => score > best,
        (Some(score), Some(best)) => score < best,
        (score, best) => score.is_some() && best.is_none(),
    }
}

/// Trains an encoder on the corpus in the job folder and writes its state.
fn pretrain(job: &PretrainJob, folder: &Path, cancelled: &AtomicBool) -> Result<Output, WorkerFailure> {
    let corpus = OwnedCorpus::read(folder).map_err(internal)?;
    let view = corpus.view().map_err(|error| WorkerFailure {
        reason: Reason::NoResult,
        message: format!("worker: corpus: {error}"),
    })?;
    let plugin = LoadedPlugin::open(&job.encoder.library).map_err(|error| opened(&error))?;
    let encoder = plugin.encoder(&job.encoder.component, &job.encoder.config);
    let mut encoder = encoder.map_err(|error| called(&error))?;
    let reporter = Reporter::new(folder, cancelled);
    let call = Call::new(job.seed, job.threads).with_hooks(&reporter).with_folder(&job.folder);
    encoder.fit(&view, &call).map_err(|error| called(&error))?;
    let state = encoder.save().map_err(|error| called(&error))?;
    fs_err::write(job::state_file(folder), state).map_err(internal)?;
    Ok(Output::Pretrained)
}

/// Vectors of all parts, by the encoder with its trained state, if it has one: then with the seed of its pretraining.
pub(crate) fn encode<const PARTS: usize>(
    encoder: &JobComponent,
    state: Option<&JobState>,
    parts: &[Features; PARTS],
    call: &Call<'_>,
) -> Result<[Features; PARTS], WorkerFailure> {
    let plugin = LoadedPlugin::open(&encoder.library).map_err(|error| opened(&error))?;
    let mut instance = plugin.encoder(&encoder.component, &encoder.config).map_err(|error| called(&error))?;
    let call = &Call { seed: state.map_or(call.seed, |state| state.seed), ..*call };
    if let Some(state) = state {
        let bytes = fs_err::read(&state.path).map_err(internal)?;
        instance.load(&bytes).map_err(|error| called(&error))?;
    }
    let mut vectors_of_parts = Vec::with_capacity(parts.len());
    for part in parts {
        let vectors = instance.encode(&part.inputs(), call).map_err(|error| called(&error))?;
        check_finite(&vectors.values, vectors.columns)?;
        vectors_of_parts.push(Features::Dense {
            columns: vectors.columns,
            rows: vectors.rows,
            values: vectors.values,
        });
    }
    Ok(vectors_of_parts.try_into().expect("as many parts out as in"))
}

fn read_features(job: &FitJob, folder: &Path) -> Result<[Features; 3]> {
    let read = |part| Features::read(&job::features_file(folder, part), job.input);
    Ok([read(TRAIN)?, read(VALID)?, read(TEST)?])
}

fn read_labels(job: &FitJob, folder: &Path, part: &str) -> Result<OwnedLabels> {
    let path = job::labels_file(folder, part);
    let failed = |message: String| crate::error::Error::Store { path: path.clone(), message };
    let (rows, tasks, values) = from_npy(&fs_err::read(&path)?).map_err(failed)?;
    let kind = match job.task_type {
        TaskType::Classification => TaskKind::Classification,
        TaskType::Regression => TaskKind::Regression,
    };
    OwnedLabels::from_nan(kind, rows, tasks, values).map_err(|error| failed(error.to_string()))
}

pub(crate) fn check_finite(values: &[f32], columns: usize) -> Result<(), WorkerFailure> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(index) => {
            let count = values.iter().filter(|value| !value.is_finite()).count();
            let (row, column) = (index / columns, index % columns);
            let message = format!(
                "{count} of {} values are NaN or infinite, the first at row {row}, column {column}",
                values.len()
            );
            Err(WorkerFailure { reason: Reason::NotFinite, message })
        }
    }
}

pub(crate) fn opened(error: &LoadError) -> WorkerFailure {
    match error {
        LoadError::Call { .. } => called(error),
        _ => WorkerFailure { reason: Reason::Load, message: error.to_string() },
    }
}

pub(crate) fn called(error: &LoadError) -> WorkerFailure {
    let reason = match error {
        LoadError::Shape { .. } => Reason::WrongShape,
        LoadError::Call { status: abi::MOLARENA_ERROR_PANIC, .. } => Reason::Panic,
        LoadError::Call { status: abi::MOLARENA_ERROR_OUT_OF_MEMORY, .. } => Reason::Memory,
        LoadError::Call { .. } => Reason::Error,
        _ => Reason::Load,
    };
    WorkerFailure { reason, message: error.to_string() }
}

pub(crate) fn internal(error: impl Into<crate::error::Error>) -> WorkerFailure {
    let error: crate::error::Error = error.into();
    WorkerFailure { reason: Reason::NoResult, message: format!("worker: {error}") }
}

/// Writes progress into the job folder, at most five times a second.
pub(crate) struct Reporter<'a> {
    folder: &'a Path,
    cancelled: &'a AtomicBool,
    last: Mutex<Option<Instant>>,
}

impl<'a> Reporter<'a> {
    pub(crate) fn new(folder: &'a Path, cancelled: &'a AtomicBool) -> Self {
        Self { folder, cancelled, last: Mutex::new(None) }
    }
}

impl Hooks for Reporter<'_> {
    fn progress(&self, fraction: f64, message: &str) {
        // A plugin's threads need not wait for each other's reports.
        let Ok(mut last) = self.last.try_lock() else { return };
        if last.is_some_and(|last| last.elapsed() < Duration::from_millis(200)) {
            return;
        }
        *last = Some(Instant::now());
        let message = message.chars().take(200).collect();
        let progress = Progress { fraction: fraction.clamp(0.0, 1.0), message, cpu_s: cpu_seconds() };
        if let Err(error) = write_json(self.folder, "progress.json", &progress) {
            eprintln!("molarena worker: progress: {error}");
        }
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// Peak resident memory of this process in bytes; 0 where the system does not say.
fn peak_rss() -> u64 {
    crate::launch::memory::peak_rss_of("self").unwrap_or(0)
}

/// Processor seconds of this process, user and system; 0 where the system does not say.
fn cpu_seconds() -> f64 {
    use nix::sys::{resource, time::TimeValLike};
    let used = resource::getrusage(resource::UsageWho::RUSAGE_SELF);
    used.map_or(0.0, |used| (used.user_time() + used.system_time()).num_milliseconds() as f64 / 1000.0)
}
