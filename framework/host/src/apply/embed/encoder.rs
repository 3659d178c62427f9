//! Runs a plugin's encoder over features chunk by chunk, in one confined worker.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use molarena_features::Features;
use molarena_record::step::Kind;
use molarena_sdk::ComponentKind;

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::{RunOptions, event::Observer, executed},
    files::{folder::Temporary, npy::from_npy, plain::read_plain},
    job::{self, EncodeJob, Job, JobTask},
    launch::{self, Launcher},
    plan::{
        planner::Planner,
        select::{PlanLimits, Selection},
        step::Step,
    },
    request::{
        limits::Limits,
        method::{Method, Recipe},
    },
    store::Store,
};

/// How often the host checks for a chunk's vectors.
const POLL: Duration = Duration::from_millis(2);
/// Largest vector file of a chunk in bytes.
const VECTORS_LIMIT: u64 = 4 << 30;
/// Wall-clock limit of a stream: none, because the stream ends when its input does.
const NO_LIMIT: Duration = Duration::MAX;

/// An encoder that waits for chunks. Its plugin and configuration are checked, and its state exists.
#[derive(Debug)]
pub struct Encoder {
    launcher: Launcher,
    method: String,
    job: Job,
    folder: Temporary,
    /// Keeps the store open: `folder` lies among its temporary files, which are removed when it closes.
    store: Store,
    next: AtomicUsize,
    /// Why the worker ended, once it has; no more chunks are encoded then.
    ended: Mutex<Option<Error>>,
}

impl Encoder {
    /// The encoder of `method`, or `None` if it has none. Runs the pretraining first unless the arena's store
    /// of encoders has it, without the molecules of the method's own `leave_out`.
    ///
    /// # Errors
    /// Errors of planning and execution; [`Error::MethodFailed`] if the pretraining failed, now or earlier.
    pub fn new(
        method: &Method,
        arena: &Arena,
        limits: Limits,
        device: Option<String>,
        interrupted: &AtomicBool,
        observer: &dyn Observer,
    ) -> Result<Option<Self>> {
        let limits = PlanLimits { cells: limits, pretraining: limits };
        let selection = Selection { limits, device, ..Selection::default() };
        let mut planner = Planner::new(arena, &selection, interrupted)?;
        let method = &planner.settled(method.clone())?;
        let Recipe::Model(model) = &method.recipe else { return Ok(None) };
        let Some(spec) = &model.encoder else { return Ok(None) };
        if model.finetune.is_some() {
            let message = format!(
                "method `{}` fine-tunes its encoder on the labels of a dataset, so it has no vectors of its own; name a method that \
                 has this encoder without `finetune`",
                method.name
            );
            return Err(Error::Request(message));
        }
        planner.check_encoder(method, model)?;
        planner.check_configurations()?;
        let component = planner.component(method, ComponentKind::Encoder, spec)?;
        let pretrain = match &model.pretraining {
            Some(pretraining) => {
                let leave_out = planner.leave_out(pretraining)?;
                Some(planner.pretrain(method, model, pretraining, leave_out)?.0)
            }
            None => None,
        };
        let state = match &pretrain {
            Some(step) => Some(trained_state(step, method, arena, limits, interrupted, observer)?),
            None => component.weights.clone(),
        };
        let folder = Temporary::make("job-", &arena.store.work_dir())?;
        let task = JobTask::EncodeStream(EncodeJob {
            encoder: component.in_job(None, folder.path(), &arena.store)?,
            state: state.as_ref().map(|state| job::relative(folder.path(), state)),
            input: model.features.input(),
        });
        let readable: Vec<PathBuf> = component.reads(&arena.store)?.into_iter().chain(state).collect();
        let device = planner.device_of(method);
        let envelope = job::envelope(&limits.cells, &device, folder.path(), &readable, &[]);
        let seed = model.pretraining.as_ref().map_or(0, |pretraining| pretraining.seed);
        Ok(Some(Self {
            launcher: arena.launcher.clone(),
            method: method.name.clone(),
            job: Job { envelope, seed, threads: limits.cells.threads, task },
            folder,
            store: arena.store.clone(),
            next: AtomicUsize::new(0),
            ended: Mutex::new(None),
        }))
    }

    /// Runs the worker until the stream ends, while another thread feeds it chunks.
    pub(super) fn work(&self, interrupted: &AtomicBool) {
        let ending =
            launch::run(&self.launcher, &self.job, self.folder.path(), NO_LIMIT, interrupted, &|_| ());
        let why = match ending.map(|ending| ending.result) {
            Ok(Ok(_)) => self.failed("the worker ended before the stream did".into()),
            Ok(Err(failure)) => self.failed(format!("{}: {}", failure.reason, failure.message)),
            Err(error) => error,
        };
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(why);
    }

    /// Marks the end of the stream.
    pub(super) fn finish(&self) -> Result<()> {
        self.hand_over(self.store.temporary()?, &job::end_of_stream_file(self.folder.path()))
    }

    /// Gives a complete file its name in the job folder. It was written elsewhere: the worker may have put a link to a
    /// file of the host where this one goes, and a renaming replaces a link.
    fn hand_over(&self, file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
        let name = path.file_name().unwrap_or_default().display();
        file.persist(path)
            .map(drop)
            .map_err(|error| self.failed(format!("{name} is in the way: {}", error.error)))
    }

    fn failed(&self, message: String) -> Error {
        Error::MethodFailed { method: self.method.clone(), message }
    }

    /// Encodes the features of one chunk to `f32[molecules, width]`.
    ///
    /// # Errors
    /// [`Error::MethodFailed`] if the plugin or its worker fails; [`Error::Interrupted`] if the user
    /// interrupts it.
    pub(super) fn encode(&self, features: &Features) -> Result<Features> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let folder = self.folder.path();
        let chunk = job::chunk_file(folder, index);
        let unfinished = self.store.temporary()?;
        features.write(unfinished.path())?;
        self.hand_over(unfinished, &chunk)?;
        let path = job::chunk_vectors_file(folder, index);
        while !path.exists() {
            if let Some(error) = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return Err(error);
            }
            thread::sleep(POLL);
        }
        let vectors = self.read(&path, features.rows())?;
        fs_err::remove_file(path)?;
        Ok(vectors)
    }

    fn read(&self, path: &Path, expected: usize) -> Result<Features> {
        let bytes = read_plain(path, VECTORS_LIMIT)?;
        let (rows, columns, values) = from_npy(&bytes).map_err(|message| self.failed(message))?;
        if rows != expected || values.iter().any(|value| !value.is_finite()) {
            return Err(self.failed(format!("{rows} vectors of {expected} molecules, or not finite")));
        }
        Ok(Features::Dense { columns, values, rows })
    }
}

/// The state file of a pretraining, which runs first unless it is stored.
fn trained_state(
    step: &std::sync::Arc<Step>,
    method: &Method,
    arena: &Arena,
    limits: PlanLimits,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<PathBuf> {
    let options = RunOptions { threads: limits.pretraining.threads, slurm: None };
    let record = executed(step, arena, options, interrupted, observer)?;
    let store = arena.store_of(Kind::Pretrain);
    let failed = |message: String| Error::MethodFailed { method: method.name.clone(), message };
    if let Some(failure) = record.failure() {
        return Err(failed(format!("{}: pretraining: {}", failure.reason, failure.message)));
    }
    store.artifact(&record, "state")
}
