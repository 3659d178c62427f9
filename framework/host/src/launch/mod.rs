//! Starts a worker, watches its limits, and reports how it ended.

mod capture;
mod disk;
mod ending;
pub mod group;
pub mod memory;
pub(crate) mod processes;
pub(crate) mod processors;
mod sentry;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod watch;

use std::{
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt},
    },
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus},
    sync::atomic::AtomicBool,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    files::{folder::remove_subfolders, json::write_json},
    job::{Job, Progress, WorkerFailure},
    launch::{
        capture::Capture,
        disk::DiskWatch,
        ending::{Measured, ending, failure},
        group::Group,
        sentry::Sentry,
        watch::{MOST_PROCESSES, Stop, Watch},
    },
    sandbox::{self, Envelope},
};
use molarena_record::parts::Reason;

pub(crate) use ending::kept;
pub use ending::{Ending, ending_in_process, progress as read_progress};

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Path of the molarena binary.
    pub program: PathBuf,
    /// Whether jobs run inside this process instead, for debuggers.
    pub in_process: bool,
    /// The host's resource limits from before it started any worker: see [`Envelope::inherited`].
    limits: Vec<(String, u64, u64)>,
}

impl Launcher {
    /// A launcher of this binary.
    pub fn of_this_binary() -> Result<Self> {
        let program = std::env::current_exe()
            .map_err(|error| Error::Worker(format!("the path of this program is unknown: {error}")))?;
        Ok(Self { program, in_process: false, limits: sandbox::limits_of_this_process() })
    }
}

/// Runs `job` in `folder` to its end, whatever that is.
///
/// # Errors
/// The worker cannot be started; [`Error::Interrupted`] if `interrupted` was set, which says nothing about
/// the plugin.
pub fn run(
    launcher: &Launcher,
    job: &Job,
    folder: &Path,
    wall_limit: Duration,
    interrupted: &AtomicBool,
    on_progress: &dyn Fn(&Progress),
) -> Result<Ending> {
    let memory = job.envelope.memory;
    let group = Group::create(memory);
    let cgroup = group.as_ref().map(|group| group.folder().to_owned());
    let envelope = Envelope { cgroup, inherited: launcher.limits.clone(), ..job.envelope.clone() };
    write_json(folder, "job.json", &Job { envelope, ..job.clone() })?;
    let written: Vec<PathBuf> = job.envelope.writable.iter().map(|path| folder.join(path)).collect();
    let written = written.iter().map(PathBuf::as_path).chain([folder]);
    let disk = DiskWatch::start(written, job.envelope.disk);
    let started = Instant::now();
    let Running { mut child, output, sentry } = start(launcher, folder, memory)?;
    let watch = Watch {
        memory,
        disk: &disk,
        wall: wall_limit,
        folder,
        interrupted,
        on_progress,
        sentry: Some(&sentry),
    };
    let watched = watch.until_the_end(&mut child);
    let wall = started.elapsed();
    // End whatever the worker started in its process group.
    processes::kill(child.id());
    let excess = disk.end().map(Stop::Disk);
    // Nothing in the subfolders is read, and the caller may not be able to remove them. If some remain, they
    // are left to the caller.
    let _left = remove_subfolders(folder);
    let heard = sentry.end();
    let watched = watched?;
    if watched.stop == Some(Stop::Interrupted) {
        return Err(Error::Interrupted);
    }
    let peak = watched.peak.max(group.as_ref().map_or(0, Group::peak));
    let cpu_s = watched.cpu_s.max(group.as_ref().map_or(0.0, Group::cpu_s));
    let peak_limit = memory::peak_of_ended().unwrap_or(memory).min(memory);
    let measured = Measured { wall, peak, peak_limit, cpu_s: Some(cpu_s) };
    // The kernel kills before the host notices.
    let ran_out = group.filter(Group::ran_out).map(|_| Stop::Memory);
    let stop = ran_out.or(watched.stop).or(excess);
    let printed = output.tail();
    let result = match stop {
        Some(Stop::Timeout) => Some(failure(
            Reason::Timeout,
            format!("over the limit of {}", humantime::format_duration(wall_limit)),
        )),
        Some(Stop::Memory) => Some(failure(Reason::Memory, over_memory(memory))),
        Some(Stop::Disk(excess)) => Some(failure(Reason::Disk, excess.message(job.envelope.disk))),
        Some(Stop::Processes) => {
            Some(failure(Reason::Processes, format!("over the limit of {MOST_PROCESSES} processes")))
        }
        _ => None,
    };
    let died = || died(watched.status, &printed, memory);
    let mut ending = ending(&job.task, folder, &measured, result, &died);
    ending.result = ending.result.map_err(|error| failure(error.reason, heard.name_refused(error.message)));
    ending.refused = heard.refused.into_iter().collect();
    let report = heard.report.unwrap_or_default();
    (ending.confined, ending.missing_layers) = (report.confined, report.missing);
    ending.output = printed;
    Ok(ending)
}

fn over_memory(memory: u64) -> String {
    format!("over the limit of {}", bytesize::ByteSize(memory))
}

/// Why a process ended without a result.
fn died(status: ExitStatus, output: &str, memory: u64) -> WorkerFailure {
    let out_of_memory = output.contains("memory allocation of") || output.contains("std::bad_alloc");
    match status.signal() {
        Some(_) if out_of_memory => failure(Reason::Memory, over_memory(memory)),
        Some(signal) => failure(Reason::Signal, format!("died of signal {signal} ({})", signal_name(signal))),
        None => failure(
            Reason::NoResult,
            format!("ended with exit code {} and no result", status.code().unwrap_or(-1)),
        ),
    }
}

fn signal_name(signal: i32) -> &'static str {
    signal_hook::low_level::signal_name(signal).unwrap_or("unknown")
}

/// A worker that was started.
struct Running {
    child: Child,
    output: Capture,
    sentry: Sentry,
}

/// Starts a worker with a memory limit in bytes.
fn start(launcher: &Launcher, folder: &Path, memory: u64) -> Result<Running> {
    let failed = |error: std::io::Error| Error::Worker(format!("{}: {error}", launcher.program.display()));
    let (reader, writer) = std::io::pipe().map_err(failed)?;
    let mut command = Command::new(&launcher.program);
    command.arg("worker").arg(folder).current_dir(folder).env_clear();
    // A worker's environment names no folder of the arena.
    for name in ["PATH", "LD_LIBRARY_PATH", "LANG", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // glibc would give memory back to the kernel and ask for it again in every step of a training (mallopt(3)).
    command.env("MALLOC_MMAP_THRESHOLD_", "33554432").env("MALLOC_TRIM_THRESHOLD_", "134217728");
    // Its report comes over its standard input; then it has none.
    let (ours, theirs) = UnixStream::pair().map_err(failed)?;
    command.env("HOME", folder).env("TMPDIR", folder).stdin(OwnedFd::from(theirs));
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let child = command.spawn().map_err(failed)?;
    // Its ends of the pipe and of the pair are the worker's alone now.
    drop(command);
    let sentry = Sentry::start(ours, memory).map_err(failed)?;
    Ok(Running { child, output: Capture::start(reader), sentry })
}
