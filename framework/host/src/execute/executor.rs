//! Executors, which run the job in a folder.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::AtomicBool},
    time::Duration,
};

use crate::{
    error::Result,
    files::{folder::Temporary, json::write_json},
    job::{Job, Progress},
    launch::{self, Ending, Launcher, processors},
    request::limits::Limits,
    sandbox::Envelope,
    store::Store,
    worker,
};

/// Runs jobs in their folders, under limits.
pub(crate) trait Executor: Sync {
    /// A new folder for a job of the step `key`.
    ///
    /// # Errors
    /// The folder cannot be made.
    fn folder(&self, _key: &str, store: &Store) -> Result<JobFolder> {
        JobFolder::of_session(store)
    }

    /// The folder of the job of the step `key` that an earlier run started and that goes on without it.
    fn left(&self, _key: &str) -> Option<JobFolder> {
        None
    }

    /// Whether jobs run elsewhere and go on when this process ends.
    fn is_remote(&self) -> bool {
        false
    }

    /// How often a lost job is started again.
    fn retries(&self) -> usize {
        0
    }

    /// What a running step takes of the budget of the run.
    fn share(&self, limits: &Limits) -> usize {
        limits.threads
    }

    /// Runs `job` to its end in `folder`, which holds its inputs; without `job`, waits for the job that the folder was
    /// [left](Self::left) with.
    ///
    /// # Errors
    /// The worker cannot be started, or [`Error::Interrupted`](crate::error::Error::Interrupted).
    fn run(
        &self,
        job: Option<Job>,
        folder: &mut JobFolder,
        limits: &Limits,
        interrupted: &AtomicBool,
        on_progress: &dyn Fn(&Progress),
    ) -> Result<Outcome>;
}

/// What became of a job.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Its worker ended.
    Ended(Box<Ending>),
    /// The machine was lost before the worker ended, which says nothing about the plugin.
    Lost {
        /// What was lost, in a few words.
        what: String,
        /// How long the job ran.
        ran: Duration,
    },
}

/// The folder of one job, removed when this value is dropped unless an executor keeps it.
#[derive(Debug)]
pub(crate) struct JobFolder {
    /// What is removed.
    pub(crate) whole: Temporary,
    /// Where the worker works; it may write there and nowhere else in `whole`.
    job: PathBuf,
}

impl JobFolder {
    /// A folder among the temporary files of this process.
    fn of_session(store: &Store) -> Result<Self> {
        let whole = Temporary::make("job-", &store.work_dir())?;
        let job = whole.path().to_owned();
        Ok(Self { whole, job })
    }

    /// The folder whose worker works in the subfolder `name`.
    pub(crate) fn with_inner(whole: Temporary, name: &str) -> Self {
        let job = whole.path().join(name);
        Self { whole, job }
    }

    /// Where the worker works.
    pub(crate) fn path(&self) -> &Path {
        &self.job
    }
}

/// A worker process on this machine, pinned to processors that no other run uses.
pub(crate) struct Local<'a> {
    pub(crate) launcher: &'a Launcher,
}

impl Local<'_> {
    /// Runs `job` in the folder `path`.
    ///
    /// # Errors
    /// As [`Executor::run`].
    pub(crate) fn run_in(
        &self,
        job: Job,
        path: &Path,
        wall: Duration,
        interrupted: &AtomicBool,
        on_progress: &dyn Fn(&Progress),
    ) -> Result<Ending> {
        // Held until the worker has ended.
        let processors = processors::take(job.threads, interrupted)?;
        let envelope = Envelope { processors: processors.numbers().to_vec(), ..job.envelope };
        let job = Job { envelope, ..job };
        launch::run(self.launcher, &job, path, wall, interrupted, on_progress)
    }
}

impl Executor for Local<'_> {
    fn run(
        &self,
        job: Option<Job>,
        folder: &mut JobFolder,
        limits: &Limits,
        interrupted: &AtomicBool,
        on_progress: &dyn Fn(&Progress),
    ) -> Result<Outcome> {
        let job = job.expect("no job outlives the run that started it");
        let ending = self.run_in(job, folder.path(), limits.wall, interrupted, on_progress)?;
        Ok(Outcome::Ended(Box::new(ending)))
    }
}

/// Runs jobs in this process, unconfined and without limits, for debuggers: one at a time, because the job's folder is
/// the working folder of all.
pub(crate) struct InProcess;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// The process works in another folder until this is dropped.
struct Elsewhere {
    home: PathBuf,
}

impl Elsewhere {
    fn go(folder: &Path) -> Result<Self> {
        let home = std::env::current_dir()?;
        std::env::set_current_dir(folder)?;
        Ok(Self { home })
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        // Paths of the run are absolute; what a later job needs is its own folder.
        let _back = std::env::set_current_dir(&self.home);
    }
}

impl Executor for InProcess {
    fn run(
        &self,
        job: Option<Job>,
        folder: &mut JobFolder,
        _limits: &Limits,
        interrupted: &AtomicBool,
        _on_progress: &dyn Fn(&Progress),
    ) -> Result<Outcome> {
        let job = job.expect("no job outlives the run that started it");
        let folder = folder.path();
        write_json(folder, "job.json", &job)?;
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let _elsewhere = Elsewhere::go(folder)?;
        let started = std::time::Instant::now();
        worker::run_in_process(folder, interrupted)?;
        Ok(Outcome::Ended(Box::new(launch::ending_in_process(&job.task, folder, started.elapsed()))))
    }
}
