//! Runs steps as jobs of Slurm.
//!
//! A job's folder is in the store (`jobs/<key>-…`), which all nodes share, and outlives the run. What is ready is
//! submitted as arrays of jobs that ask for the same ([`array`]); each job runs the same binary on its node ([`node`]),
//! which starts the confined worker and writes how it ended beside the worker's folder. One thread ([`broker`]) submits,
//! asks the controller about all jobs at once, and reads the endings of those that left the queue. What an earlier run
//! left in the queue is taken over ([`left`]).

mod array;
mod broker;
mod client;
mod left;
pub(crate) mod node;
mod queue;
mod verdict;

pub use left::Queued;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Instant,
};

use crate::{
    error::{Error, Result},
    execute::{
        executor::{Executor, JobFolder, Outcome},
        slurm::{
            array::Resources,
            left::Left,
            node::{End, JOB},
        },
    },
    files::folder::Temporary,
    job::{Job, Progress},
    request::{executor::SlurmOptions, limits::Limits},
    store::Store,
};

/// Submits jobs to Slurm, and knows those that earlier runs on the same store submitted.
pub struct Slurm {
    options: SlurmOptions,
    /// The binary on the nodes.
    program: PathBuf,
    /// Folder of the jobs.
    folder: PathBuf,
    /// Name of the jobs of this store.
    name: String,
    /// Most jobs of an array.
    most: usize,
    /// Whether it only takes in what is finished.
    collects: bool,
    /// Jobs of earlier runs, by the key of their step.
    left: Mutex<BTreeMap<String, Left>>,
    tasks: Mutex<Tasks>,
    changed: Condvar,
    /// Held as long as this process submits jobs of the store.
    _lock: fs_err::File,
}

/// The jobs that somebody waits for.
#[derive(Debug, Default)]
struct Tasks {
    next: u64,
    by_id: BTreeMap<u64, Task>,
    /// Why all waiting ends.
    over: Option<Over>,
    /// Jobs that were still in the queue when the waiting ended, and their folders.
    unfinished: Vec<(Place, PathBuf)>,
    /// Whether the run is done.
    closed: bool,
}

/// One job.
#[derive(Debug)]
struct Task {
    folder: PathBuf,
    resources: Resources,
    phase: Phase,
    progress: Option<Progress>,
}

/// How far a job is.
#[derive(Debug)]
enum Phase {
    /// It waits to be submitted, since then.
    Ready(Instant),
    /// It was submitted.
    Queued(Place),
    /// It came to an end.
    Out(Result<Outcome>),
}

/// Where a submitted job is.
#[derive(Clone, Debug)]
struct Place {
    /// Name of its array.
    array: String,
    /// Its place there.
    index: usize,
    /// Its id for Slurm's programs, once it is known.
    job: Option<String>,
    /// Whether it ran when an earlier run's jobs were looked up.
    runs: bool,
    /// Since when the queue says that it ended, but its ending cannot be seen.
    missing: Option<Instant>,
}

impl Place {
    /// The job for messages.
    fn title(&self) -> String {
        self.job.as_ref().map_or_else(|| "a job".to_owned(), |job| format!("job {job}"))
    }
}

/// Why all waiting ends.
#[derive(Clone, Debug)]
enum Over {
    Interrupted,
    /// The user has to change something.
    Refused(String),
    /// Slurm does not do what it should.
    Failed(String),
}

impl Over {
    fn error(&self) -> Error {
        match self {
            Self::Interrupted => Error::Interrupted,
            Self::Refused(message) => Error::Request(message.clone()),
            Self::Failed(message) => Error::Slurm(message.clone()),
        }
    }
}

impl fmt::Debug for Slurm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Slurm").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Slurm {
    /// Whether it only takes in what is finished.
    pub fn collects(&self) -> bool {
        self.collects
    }

    /// The name of all jobs of the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether an earlier run's job of the step `key` has ended.
    pub(super) fn has_ended(&self, key: &str) -> bool {
        self.lock_left().get(key).is_some_and(|left| left.ended)
    }

    /// Steps whose results this process may prepare, judge and store at a time.
    pub(super) fn turns() -> usize {
        std::thread::available_parallelism().map_or(1, Into::into)
    }

    /// Most jobs in the queue at a time.
    pub(super) fn budget(&self) -> usize {
        self.options.max_jobs
    }

    fn lock_left(&self) -> MutexGuard<'_, BTreeMap<String, Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_tasks(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the broker has an outcome for the task.
    fn wait(&self, id: u64, on_progress: &dyn Fn(&Progress)) -> (Result<Outcome>, bool) {
        let mut tasks = self.lock_tasks();
        loop {
            let over = tasks.over.as_ref().map(Over::error);
            let task = tasks.by_id.get_mut(&id).expect("only this thread removes it");
            match (&task.phase, over) {
                (Phase::Out(_), _) => {
                    let task = tasks.by_id.remove(&id).expect("it was just there");
                    let Phase::Out(outcome) = task.phase else { unreachable!("it was just out") };
                    let keep = outcome.is_err();
                    return (outcome, keep);
                }
                (phase, Some(error)) => {
                    let place = if let Phase::Queued(place) = phase { Some(place.clone()) } else { None };
                    let unfinished = place.map(|place| (place, task.folder.clone()));
                    let queued = unfinished.is_some();
                    tasks.by_id.remove(&id);
                    tasks.unfinished.extend(unfinished);
                    return (Err(error), queued);
                }
                (_, None) => {}
            }
            if let Some(progress) = task.progress.take() {
                drop(tasks);
                on_progress(&progress);
                tasks = self.lock_tasks();
            } else {
                tasks = self.changed.wait(tasks).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn add(&self, folder: PathBuf, resources: Resources, phase: Phase) -> u64 {
        let mut tasks = self.lock_tasks();
        let id = tasks.next;
        tasks.next += 1;
        tasks.by_id.insert(id, Task { folder, resources, phase, progress: None });
        id
    }
}

impl Executor for Slurm {
    fn folder(&self, key: &str, _store: &Store) -> Result<JobFolder> {
        let whole = Temporary::make(&format!("{key}-"), &self.folder)?;
        let folder = JobFolder::with_inner(whole, JOB);
        fs_err::create_dir(folder.path())?;
        Ok(folder)
    }

    fn left(&self, key: &str) -> Option<JobFolder> {
        let folder = self.lock_left().get(key)?.folder.clone();
        Some(JobFolder::with_inner(Temporary::of(folder), JOB))
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn retries(&self) -> usize {
        self.options.retries
    }

    fn share(&self, _limits: &Limits) -> usize {
        1
    }

    fn run(
        &self,
        job: Option<Job>,
        folder: &mut JobFolder,
        limits: &Limits,
        _interrupted: &AtomicBool,
        on_progress: &dyn Fn(&Progress),
    ) -> Result<Outcome> {
        let path = folder.whole.path().to_owned();
        let id = if let Some(job) = job {
            let resources = Resources::of(limits, &job.envelope.device);
            node::order(&path, job, limits.wall)?;
            self.add(path, resources, Phase::Ready(Instant::now()))
        } else {
            if let Some(end) = node::end_of(&path) {
                return outcome(end, &path, folder);
            }
            let place = self.take_left(&path);
            self.add(path, Resources::of(limits, crate::plan::device::CPU), Phase::Queued(place))
        };
        let (outcome, keep) = self.wait(id, on_progress);
        folder.whole.keep(keep);
        outcome
    }
}

/// The outcome of a job that ended; its folder stays if the node could not start a worker.
fn outcome(end: End, path: &Path, folder: &mut JobFolder) -> Result<Outcome> {
    let outcome = outcome_of(end, path);
    folder.whole.keep(outcome.is_err());
    outcome
}

fn outcome_of(end: End, path: &Path) -> Result<Outcome> {
    let End { node, result } = end;
    result
        .map(|ending| Outcome::Ended(Box::new(ending)))
        .map_err(|message| Error::Slurm(format!("node {node} cannot run {}: {message}", path.display())))
}
