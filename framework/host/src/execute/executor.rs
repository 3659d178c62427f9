//! Executors, which run the job in a folder.

use std::{path::Path, sync::atomic::AtomicBool};

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

/// Runs jobs in this process, unconfined and without limits, for debuggers.
pub(crate) struct InProcess;

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
        let started = std::time::Instant::now();
        worker::run_in_process(folder, interrupted)?;
        Ok(launch::ending_in_process(&job.task, folder, started.elapsed()))
    }
}
