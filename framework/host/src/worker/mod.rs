//! The worker's side: confines itself, opens the plugin, performs the job, and writes the outcome.

mod calls;
mod check;
pub(crate) mod choice;
pub(crate) mod conform;
mod encode;
mod fit;
mod predict;
mod pretrain;
mod rank;

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
};

use molarena_record::parts::Reason;
use molarena_sdk::Call;

use crate::{
    error::Result,
    files::json::{read_json, write_json},
    job::{Done, Job, JobTask, Output, WorkerFailure},
    plugin::loader::LoadedPlugin,
    sandbox::{self, report},
    worker::calls::{Reporter, cpu_seconds, opened, peak_rss},
};

/// Runs the job in `folder`, for the hidden command `worker`. The outcome is in `done.json`, or in how the
/// process ends.
///
/// # Errors
/// The job cannot be read, or its outcome cannot be written.
pub fn run(folder: &Path) -> Result<()> {
    let cancelled = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&cancelled))?;
    let job: Job = read_json(folder, "job.json")?;
    let result = prepare(&job, folder).and_then(|()| perform(&job, folder, &cancelled));
    write_json(folder, "done.json", &Done { result, peak_rss: peak_rss(), cpu_s: cpu_seconds() })
}

/// Confines this process and says so to the host. With namespaces, only the worker returns.
fn prepare(job: &Job, folder: &Path) -> Result<(), WorkerFailure> {
    let failed =
        |message: String| WorkerFailure { reason: Reason::NoResult, message: format!("worker: {message}") };
    let confinement = sandbox::confine(&job.envelope, folder).map_err(failed)?;
    report::send(confinement).map_err(failed)
}

/// Runs a job inside this process, unconfined and without limits, for debuggers.
///
/// # Errors
/// As [`run`].
pub fn run_in_process(folder: &Path, cancelled: &AtomicBool) -> Result<()> {
    let job: Job = read_json(folder, "job.json")?;
    let result = perform(&job, folder, cancelled);
    write_json(folder, "done.json", &Done { result, peak_rss: peak_rss(), cpu_s: cpu_seconds() })
}

/// What a task works with.
struct Place<'a> {
    folder: &'a Path,
    call: Call<'a>,
}

fn perform(job: &Job, folder: &Path, cancelled: &AtomicBool) -> Result<Output, WorkerFailure> {
    let reporter = Reporter::new(folder, cancelled);
    let call =
        Call { device: &job.envelope.device, ..Call::new(job.seed, job.threads) }.with_hooks(&reporter);
    let place = Place { folder, call };
    match &job.task {
        JobTask::Describe { library } => {
            let plugin =
                LoadedPlugin::open(&calls::absolute(library, &place)).map_err(|error| opened(&error))?;
            Ok(Output::Description(plugin.description().clone()))
        }
        JobTask::Check(job) => Ok(check::check(job)),
        JobTask::Create(job) => check::create(job, &place),
        JobTask::Conform(job) => conform::conform(job, &place),
        JobTask::Pretrain(job) => pretrain::pretrain(job, &place),
        JobTask::Encode(job) => encode::encode(job, &place),
        JobTask::EncodeStream(job) => encode::stream(job, &place),
        JobTask::Fit(job) => fit::fit(job, &place),
        JobTask::Predict(job) => predict::predict(job, &place),
        JobTask::Rank(job) => rank::rank(job, &place),
    }
}
