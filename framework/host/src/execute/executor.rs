//! Executors, which run the job in a folder.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::AtomicBool},
};

use crate::{
    error::Result,
    files::json::write_json,
    job::{Job, Progress},
    launch::{self, Ending, Launcher, processors},
    request::limits::Limits,
    sandbox::Envelope,
    worker,
};

/// Runs jobs in their folders, under limits.
pub(crate) trait Executor: Sync {
    /// Runs `job` to its end in `folder`, which holds its inputs.
    ///
    /// # Errors
    /// The worker cannot be started, or [`Error::Interrupted`](crate::error::Error::Interrupted).
    fn run(
        &self,
        job: Job,
        folder: &Path,
        limits: &Limits,
        interrupted: &AtomicBool,
        on_progress: &dyn Fn(&Progress),
    ) -> Result<Ending>;
}

/// A worker process on this machine, pinned to processors that no other run uses.
pub(crate) struct Local<'a> {
    pub(crate) launcher: &'a Launcher,
}

impl Executor for Local<'_> {
    fn run(
        &self,
        job: Job,
        folder: &Path,
        limits: &Limits,
        interrupted: &AtomicBool,
        on_progress: &dyn Fn(&Progress),
    ) -> Result<Ending> {
        // Held until the worker has ended.
        let processors = processors::take(job.threads, interrupted)?;
        let envelope = Envelope { processors: processors.numbers().to_vec(), ..job.envelope };
        let job = Job { envelope, ..job };
        launch::run(self.launcher, &job, folder, limits.wall, interrupted, on_progress)
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
        job: Job,
        folder: &Path,
        _limits: &Limits,
        interrupted: &AtomicBool,
        _on_progress: &dyn Fn(&Progress),
    ) -> Result<Ending> {
        write_json(folder, "job.json", &job)?;
        let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let _elsewhere = Elsewhere::go(folder)?;
        let started = std::time::Instant::now();
        worker::run_in_process(folder, interrupted)?;
        Ok(launch::ending_in_process(&job.task, folder, started.elapsed()))
    }
}
