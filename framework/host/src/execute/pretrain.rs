//! Pretraining: the cells that others wait for. A worker trains an encoder on a context graph, once for all fits and
//! matches that use it.

use std::{
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_record::{
    encoder::{CorpusUse, ENCODER_SCHEMA, EncoderRecord},
    parts::{Failure, PretrainCost, Reason},
};

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::observer::Observer,
    files::plain::read_plain,
    inputs::corpus,
    job::{self, Job, JobState, JobTask, Output, PretrainJob},
    launch::{self, Ending},
    plan::{planner::Planner, step::PlannedPretrain},
    request::{
        limits::Limits,
        method::{Method, Recipe},
    },
    sandbox::Envelope,
};

/// Largest state of an encoder in bytes.
const STATE_LIMIT: u64 = 8 << 30;
/// How often the cost so far is written down.
const EVERY: Duration = Duration::from_secs(2);

/// Trains, unless that is done, and stores the outcome. Waits while another process trains the same; an interrupted or
/// killed one goes on from the plugin's last checkpoint.
///
/// # Errors
/// [`Error::Interrupted`], and those of the graph and the store. A failure of the plugin is in the record.
pub(crate) fn pretrain(
    planned: &PlannedPretrain,
    arena: &Arena,
    (limits, processors): (Limits, Vec<usize>),
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<EncoderRecord> {
    let store = &arena.encoders;
    if let Some(record) = store.encoder(&planned.key)? {
        return Ok(record);
    }
    let _lock = store.lock_encoder(&planned.key, interrupted)?;
    // Another process may have trained it while this one waited.
    if let Some(record) = store.encoder(&planned.key)? {
        return Ok(record);
    }
    if interrupted.load(Ordering::Relaxed) {
        return Err(Error::Interrupted);
    }
    observer.pretraining(planned, None);
    let folder = tempfile::Builder::new().prefix("job-").tempdir_in(arena.store.work_dir())?;
    let graph = corpus::graph(arena, &planned.corpus.id, &planned.leave_out)?;
    job::corpus::write(&graph, &planned.features, folder.path())?;
    drop(graph);
    let job = job(planned, &store.encoder_work(&planned.key), limits, processors)?;
    let spending = Spending::start(arena, &planned.key, limits.threads)?;
    let ending = launch::run(&arena.launcher, &job, folder.path(), limits.wall, interrupted, &|progress| {
        spending.so_far(progress.cpu_s);
        observer.pretraining(planned, Some(progress));
    });
    if ending.is_err() {
        spending.interrupted()?;
    }
    let ending = ending?;
    let state = judge(folder.path(), &ending);
    let record = EncoderRecord {
        schema: ENCODER_SCHEMA.into(),
        key: planned.key.clone(),
        corpus: CorpusUse::clone(&planned.corpus),
        encoder: planned.used.clone(),
        features: serde_json::to_value(&planned.features).expect("plain data"),
        chemistry: CHEMISTRY_VERSION.into(),
        seed: planned.seed,
        failure: state.as_ref().err().cloned(),
        state_sha256: state.as_ref().ok().map(|state| molarena_data::sha256_hex(state)),
        confined: ending.confined,
        cost: spending.total(&ending),
    };
    store.put_encoder(&record, state.as_deref().ok())?;
    observer.pretrained(planned, &record);
    // Another machine may have been first.
    Ok(store.encoder(&planned.key)?.unwrap_or(record))
}

/// The state of a method's trained encoder where nothing is evaluated: only the molecules of the method's own `leave_out`
/// leave the corpus. It is trained unless the arena's store of encoders has it. `None` for a method whose encoder is used
/// untrained.
///
/// # Errors
/// Those of planning and of [`crate::execute::run()`]; [`Error::MethodFailed`] if the pretraining failed, now or before.
pub fn trained_state(
    method: &Method,
    arena: &Arena,
    limits: Limits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Option<JobState>> {
    let Recipe::Model(model) = &method.recipe else { return Ok(None) };
    let Some(pretraining) = &model.pretraining else { return Ok(None) };
    let mut making = Planner::new(arena, None);
    making.check_encoder(method, model)?;
    let leave_out = making.leave_out(pretraining)?;
    let planned = making.pretrain(method, model, pretraining, leave_out)?;
    let record = pretrain(&planned, arena, (limits, Vec::new()), interrupted, observer)?;
    if let Some(failure) = record.failure_of_dependents() {
        let message = format!("{}: {}", failure.reason, failure.message);
        return Err(Error::MethodFailed { method: method.name.clone(), message });
    }
    Ok(Some(JobState { path: arena.encoders.encoder_state(&record)?, seed: planned.seed }))
}

fn job(planned: &PlannedPretrain, work: &Path, limits: Limits, processors: Vec<usize>) -> Result<Job> {
    if work.to_str().is_none() {
        let message = "the path is not UTF-8, so it cannot be told to a plugin; put the store elsewhere";
        return Err(Error::Store { path: work.to_owned(), message: message.into() });
    }
    Ok(Job {
        envelope: Envelope {
            memory: limits.memory,
            disk: limits.disk,
            processors,
            confine: true,
            readable: vec![planned.encoder.library.clone()],
            writable: vec![work.to_owned()],
            ..Envelope::default()
        },
        task: JobTask::Pretrain(Box::new(PretrainJob {
            encoder: (&planned.encoder).into(),
            folder: work.to_owned(),
            seed: planned.seed,
            threads: limits.threads,
        })),
    })
}

/// The state, or why there is none.
fn judge(folder: &Path, ending: &Ending) -> Result<Vec<u8>, Failure> {
    let failure = |reason, message: String| Failure { reason, message, output: ending.output.clone() };
    match &ending.result {
        Err(error) => Err(failure(error.reason, error.message.clone())),
        Ok(Output::Pretrained) => read_plain(&job::state_file(folder), STATE_LIMIT)
            .map_err(|error| failure(Reason::NoResult, error.to_string())),
        Ok(_) => Err(failure(Reason::NoResult, "the worker answered another question".into())),
    }
}

/// What a pretraining costs, written down as it goes.
struct Spending<'a> {
    arena: &'a Arena,
    key: &'a str,
    before: PretrainCost,
    started: Instant,
    written: Mutex<(Instant, f64)>,
}

impl<'a> Spending<'a> {
    fn start(arena: &'a Arena, key: &'a str, threads: usize) -> Result<Self> {
        let spent = arena.encoders.spent(key);
        let before = PretrainCost { workers: spent.workers + 1, threads, ..spent };
        arena.encoders.put_spent(key, &before)?;
        let started = Instant::now();
        Ok(Self { arena, key, before, started, written: Mutex::new((started, 0.0)) })
    }

    fn with(&self, wall: Duration, cpu_s: f64) -> PretrainCost {
        let rounded = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
        PretrainCost {
            wall_s: rounded(self.before.wall_s + wall.as_secs_f64()),
            cpu_s: rounded(self.before.cpu_s + cpu_s),
            ..self.before
        }
    }

    /// A worker reports.
    fn so_far(&self, cpu_s: f64) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.1 = cpu_s;
        if written.0.elapsed() < EVERY {
            return;
        }
        written.0 = Instant::now();
        // A cost that cannot be written now is written at the end.
        if let Err(error) = self.arena.encoders.put_spent(self.key, &self.with(self.started.elapsed(), cpu_s))
        {
            (self.arena.tell)(&format!("cost of pretraining: {error}"));
        }
    }

    fn interrupted(&self) -> Result<()> {
        let cpu_s = self.written.lock().unwrap_or_else(PoisonError::into_inner).1;
        self.arena.encoders.put_spent(self.key, &self.with(self.started.elapsed(), cpu_s))
    }

    fn total(&self, ending: &Ending) -> PretrainCost {
        let peak = ending.peak_rss as f64 / f64::from(1 << 20);
        let peak_rss_mb = self.before.peak_rss_mb.max((peak * 10.0).round() / 10.0);
        PretrainCost { peak_rss_mb, ..self.with(ending.wall, ending.cpu_s) }
    }
}
