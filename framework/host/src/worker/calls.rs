//! What the tasks of a worker share: opening components, checking their output, reporting.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use molarena_abi as abi;
use molarena_record::parts::Reason;
use molarena_sdk::{Hooks, Matrix};

use crate::{
    error::Error,
    files::{json::write_json, npy::to_npy},
    job::{JobComponent, JobFineTune, Progress, WorkerFailure},
    plugin::loader::{LoadError, LoadedBaseline, LoadedEncoder, LoadedPlugin},
    sandbox::memory::{noted_peak, peak_rss_of},
    worker::Place,
};

/// Opens the plugin of a component.
pub(super) fn open(component: &JobComponent, place: &Place<'_>) -> Result<LoadedPlugin, WorkerFailure> {
    LoadedPlugin::open_for(&absolute(&component.library, place), place.call.threads)
        .map_err(|error| opened(&error))
}

/// The encoder of a job, with its state if it has one.
pub(super) fn encoder(
    plugin: &LoadedPlugin,
    component: &JobComponent,
    state: Option<&Path>,
    place: &Place<'_>,
) -> Result<LoadedEncoder, WorkerFailure> {
    let encoder = plugin.encoder(&component.component, &component.config);
    let mut encoder = encoder.map_err(|error| called(&error))?;
    if let Some(state) = state {
        encoder.load(&read(state, place)?).map_err(|error| called(&error))?;
    }
    Ok(encoder)
}

/// What predicts: a baseline, or a model that is fine-tuned from an encoder.
pub(super) fn predictor(
    plugin: &LoadedPlugin,
    component: &JobComponent,
    place: &Place<'_>,
) -> Result<LoadedBaseline, WorkerFailure> {
    let made = match &component.finetune {
        Some(JobFineTune { config, state }) => {
            encoder(plugin, component, state.as_deref(), place)?.finetune(config)
        }
        None => plugin.baseline(&component.component, &component.config),
    };
    made.map_err(|error| called(&error))
}

/// A path of the job without `..`, as plugins and messages see it.
pub(super) fn absolute(path: &Path, place: &Place<'_>) -> PathBuf {
    let path = place.folder.join(path);
    fs_err::canonicalize(&path).unwrap_or(path)
}

/// The bytes of a file that the job names.
pub(super) fn read(path: &Path, place: &Place<'_>) -> Result<Vec<u8>, WorkerFailure> {
    fs_err::read(absolute(path, place)).map_err(internal)
}

/// Writes a matrix as a `.npy` file.
pub(super) fn write(path: &Path, matrix: Matrix) -> Result<(), WorkerFailure> {
    fs_err::write(path, to_npy(matrix.rows, matrix.columns, matrix.values)).map_err(internal)
}

pub(super) fn check_finite(matrix: &Matrix) -> Result<(), WorkerFailure> {
    let Some(index) = matrix.values.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    let count = matrix.values.iter().filter(|value| !value.is_finite()).count();
    let (row, column) = (index / matrix.columns, index % matrix.columns);
    let message = format!(
        "{count} of {} values are NaN or infinite, the first at row {row}, column {column}",
        matrix.values.len()
    );
    Err(WorkerFailure { reason: Reason::NotFinite, message })
}

pub(super) fn opened(error: &LoadError) -> WorkerFailure {
    match error {
        LoadError::Call { .. } | LoadError::Ended { .. } => called(error),
        _ => WorkerFailure { reason: Reason::Load, message: error.to_string() },
    }
}

pub(super) fn called(error: &LoadError) -> WorkerFailure {
    let reason = match error {
        LoadError::Shape { .. } => Reason::WrongShape,
        LoadError::Call { status: abi::MOLARENA_ERROR_PANIC, .. } => Reason::Panic,
        LoadError::Call { status: abi::MOLARENA_ERROR_OUT_OF_MEMORY, .. } => Reason::Memory,
        LoadError::Call { .. } | LoadError::Ended { .. } => Reason::Error,
        _ => Reason::Load,
    };
    WorkerFailure { reason, message: error.to_string() }
}

pub(super) fn internal(error: impl Into<Error>) -> WorkerFailure {
    let error: Error = error.into();
    WorkerFailure { reason: Reason::NoResult, message: format!("worker: {error}") }
}

/// Writes progress into the job folder, at most five times a second.
pub(super) struct Reporter<'a> {
    folder: &'a Path,
    cancelled: &'a AtomicBool,
    last: Mutex<Option<Instant>>,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(folder: &'a Path, cancelled: &'a AtomicBool) -> Self {
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

/// Peak resident memory of this process and of the program of a process plugin in bytes; 0 where the system does not say.
pub(super) fn peak_rss() -> u64 {
    peak_rss_of("self").unwrap_or(0) + noted_peak()
}

/// Processor seconds of this process and of its ended children, user and system; 0 where the system does not say.
pub(super) fn cpu_seconds() -> f64 {
    use nix::sys::{resource, resource::UsageWho, time::TimeValLike};
    let of = |who| {
        let used = resource::getrusage(who);
        used.map_or(0.0, |used| (used.user_time() + used.system_time()).num_milliseconds() as f64 / 1000.0)
    };
    of(UsageWho::RUSAGE_SELF) + of(UsageWho::RUSAGE_CHILDREN)
}
