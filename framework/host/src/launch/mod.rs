//! Starts a worker, watches its limits, and reports how it ended.

mod disk;
pub mod group;
pub mod memory;
pub(crate) mod processes;
pub(crate) mod processors;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod watch;

use std::{
    io::Read,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::AtomicBool,
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::{
    error::{Error, Result},
    files::{
        folder::remove_subfolders,
        json::{read_json, write_json},
    },
    job::{Done, Job, Output, Progress, Started, WorkerFailure},
    launch::{
        disk::DiskWatch,
        group::Group,
        watch::{Stop, Watch},
    },
    sandbox::Envelope,
};
use molarena_record::parts::Reason;

/// Bytes kept of a worker's output: the last ones.
const OUTPUT_KEPT: usize = 4096;
/// Characters kept of a plugin's message: the first ones.
const MESSAGE_KEPT: usize = 16_000;

/// How workers are started.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Path of the molarena binary.
    pub program: PathBuf,
    /// Whether jobs run inside this process instead, for debuggers.
    pub in_process: bool,
}

impl Launcher {
    /// A launcher of this binary.
    pub fn of_this_binary() -> Result<Self> {
        let program = std::env::current_exe()
            .map_err(|error| Error::Worker(format!("the path of this program is unknown: {error}")))?;
        Ok(Self { program, in_process: false })
    }
}

/// How a worker ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The output, or why there is none.
    pub result: Result<Output, WorkerFailure>,
    /// Whether it was confined.
    pub confined: bool,
    /// The last part of its output.
    pub output: String,
    /// Wall-clock time from start to end.
    pub wall: Duration,
    /// Peak memory in bytes of all processes of the worker together.
    pub peak_rss: u64,
    /// Processor seconds; if the worker did not end by itself, up to its last report of progress.
    pub cpu_s: f64,
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
    let envelope = Envelope { cgroup, ..job.envelope.clone() };
    write_json(folder, "job.json", &Job { envelope, ..job.clone() })?;
    let written: Vec<PathBuf> = job.envelope.writable.iter().map(|path| folder.join(path)).collect();
    let written = written.iter().map(PathBuf::as_path).chain([folder]);
    let disk = DiskWatch::start(written, job.envelope.disk);
    let started = Instant::now();
    let (mut child, output) = start(launcher, folder)?;
    let watch = Watch { memory, disk: &disk, wall: wall_limit, folder, interrupted, on_progress };
    let watched = watch.until_the_end(&mut child);
    let wall = started.elapsed();
    // End whatever the worker started in its process group.
    processes::kill(child.id());
    let excess = disk.end().map(Stop::Disk);
    // Nothing in the subfolders is read, and the caller may not be able to remove them. If some remain, they
    // are left to the caller.
    let _left = remove_subfolders(folder);
    let watched = watched?;
    if watched.stop == Some(Stop::Interrupted) {
        return Err(Error::Interrupted);
    }
    let peak_rss = watched.peak.max(group.as_ref().map_or(0, Group::peak));
    // The kernel kills before the host notices.
    let ran_out = group.filter(Group::ran_out).map(|_| Stop::Memory);
    let stop = ran_out.or(watched.stop).or(excess);
    let output = output.tail();
    Ok(ending(folder, wall, peak_rss, output.clone(), |finished| match stop {
        Some(Stop::Timeout) => Some(failure(
            Reason::Timeout,
            format!("over the limit of {}", humantime::format_duration(wall_limit)),
        )),
        Some(Stop::Memory) => Some(failure(Reason::Memory, over_memory(memory))),
        Some(Stop::Disk(excess)) => Some(failure(Reason::Disk, excess.message(job.envelope.disk))),
        _ if finished => None,
        _ => Some(died(watched.status, &output, memory)),
    }))
}

/// The ending of a job that ran inside this process.
pub fn ending_in_process(folder: &Path, wall: Duration) -> Ending {
    ending(folder, wall, 0, String::new(), |_| None)
}

fn failure(reason: Reason, message: String) -> WorkerFailure {
    WorkerFailure { reason, message }
}

fn over_memory(memory: u64) -> String {
    format!("over the limit of {}", bytesize::ByteSize(memory))
}

/// Reads the outcome from the worker's folder. `overrule` learns whether the worker finished, and may replace
/// the outcome by a failure that the end of the process shows.
fn ending(
    folder: &Path,
    wall: Duration,
    peak_rss: u64,
    output: String,
    overrule: impl FnOnce(bool) -> Option<WorkerFailure>,
) -> Ending {
    let started: Option<Started> = read_json(folder, "started.json").ok();
    let done: Option<Done> = read_json(folder, "done.json").ok();
    let peak_rss = peak_rss.max(done.as_ref().map_or(0, |done| done.peak_rss));
    let reported = || read_json::<Progress>(folder, "progress.json").map_or(0.0, |progress| progress.cpu_s);
    let cpu_s = done.as_ref().map_or_else(reported, |done| done.cpu_s);
    let result = match (overrule(done.is_some()), done) {
        (Some(failure), _) => Err(failure),
        (None, Some(done)) => done.result,
        (None, None) => Err(failure(Reason::NoResult, "the worker left no result".into())),
    };
    let result = result.map_err(|WorkerFailure { reason, message }| WorkerFailure {
        reason,
        message: molarena_chem::shorten(&message, MESSAGE_KEPT, "…").into_owned(),
    });
    let confined = started.is_some_and(|started| started.confined);
    Ending { result, confined, output, wall, peak_rss, cpu_s }
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

fn start(launcher: &Launcher, folder: &Path) -> Result<(Child, Capture)> {
    let failed = |error: std::io::Error| Error::Worker(format!("{}: {error}", launcher.program.display()));
    let (reader, writer) = std::io::pipe().map_err(failed)?;
    let mut command = Command::new(&launcher.program);
    command.arg("worker").arg(folder).current_dir(folder).process_group(0).env_clear();
    // A worker's environment names no folder of the arena.
    for name in ["PATH", "LD_LIBRARY_PATH", "LANG", "RUST_BACKTRACE"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    // glibc would give memory back to the kernel and ask for it again in every step of a training (mallopt(3)).
    command.env("MALLOC_MMAP_THRESHOLD_", "33554432").env("MALLOC_TRIM_THRESHOLD_", "134217728");
    command.env("HOME", folder).env("TMPDIR", folder).stdin(Stdio::null());
    command.stdout(writer.try_clone().map_err(failed)?).stderr(writer);
    let child = command.spawn().map_err(failed)?;
    Ok((child, Capture::start(reader)))
}

/// Keeps the last part of a worker's output.
struct Capture {
    kept: Arc<Mutex<Vec<u8>>>,
    thread: thread::JoinHandle<()>,
}

impl Capture {
    fn start(mut reader: std::io::PipeReader) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::clone(&kept);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                let mut kept = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..count]);
                let surplus = kept.len().saturating_sub(OUTPUT_KEPT);
                kept.drain(..surplus);
            }
        });
        Self { kept, thread }
    }

    /// The last part of the output. Waits half a second at most, because a process that left the group may
    /// hold the pipe open.
    fn tail(self) -> String {
        let deadline = Instant::now() + Duration::from_millis(500);
        while !self.thread.is_finished() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(5));
        }
        let kept = self.kept.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        String::from_utf8_lossy(&kept).trim().to_owned()
    }
}
