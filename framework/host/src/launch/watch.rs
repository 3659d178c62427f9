//! Watches a worker until it ends, and ends it when it exceeds a limit.

use std::{
    path::Path,
    process::{Child, ExitStatus},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use crate::{
    error::{Error, Result},
    job::Progress,
    launch::{
        disk::{DiskWatch, Excess},
        ending::progress,
        memory::Meter,
        processes,
        sentry::Sentry,
    },
    sandbox::memory::peak_rss_of,
};

/// How often a worker is checked.
const POLL: Duration = Duration::from_millis(20);
/// How long a worker may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// Most processes of a worker.
pub(super) const MOST_PROCESSES: usize = 1024;

/// Why a worker was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Timeout,
    Memory,
    Disk(Excess),
    Processes,
    Interrupted,
}

impl Stop {
    /// Whether the worker took too much of something.
    fn takes(self) -> bool {
        matches!(self, Self::Memory | Self::Disk(_) | Self::Processes)
    }
}

/// How a worker ended.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) status: ExitStatus,
    pub(super) stop: Option<Stop>,
    /// Peak memory in bytes of its processes together.
    pub(super) peak: u64,
    /// Processor seconds of its processes together.
    pub(super) cpu_s: f64,
}

/// The limits of a worker, and how the host hears of it.
pub(super) struct Watch<'a> {
    /// Memory limit in bytes, for all its processes together.
    pub(super) memory: u64,
    /// The watch over its folders.
    pub(super) disk: &'a DiskWatch,
    /// Wall-clock limit.
    pub(super) wall: Duration,
    /// The job folder.
    pub(super) folder: &'a Path,
    /// Set when the worker is to end.
    pub(super) interrupted: &'a AtomicBool,
    /// Knows the process that opens the plugin.
    pub(super) sentry: Option<&'a Sentry>,
    /// Called with each new report of progress.
    pub(super) on_progress: &'a dyn Fn(&Progress),
}

impl Watch<'_> {
    /// Waits for the child's end. When a limit is exceeded, asks it to end, then kills it.
    pub(super) fn until_the_end(&self, child: &mut Child) -> Result<Watched> {
        let started = Instant::now();
        let group = child.id();
        let mut meter = Meter::new(group, &[self.folder]);
        let mut stop: Option<(Stop, Instant)> = None;
        let (mut own_peak, mut cpu_s, mut shown) = (0, 0.0, Progress::default());
        loop {
            // What has ended but is not waited for still has its processor time.
            cpu_s = meter.cpu_s().max(processes::cpu_seconds(group.cast_signed())).max(cpu_s);
            if let Some(status) = child.try_wait().map_err(|error| Error::Worker(error.to_string()))? {
                let peak = meter.peak().max(own_peak);
                return Ok(Watched { status, stop: stop.map(|(stop, _)| stop), peak, cpu_s });
            }
            // The kernel keeps the peak of each process, so no peak of the worker itself is missed between two
            // checks.
            let worker = self.sentry.and_then(Sentry::process);
            let process = worker.unwrap_or(group.cast_signed()).to_string();
            own_peak = own_peak.max(peak_rss_of(&process).unwrap_or(0));
            let reached = self.reached(&mut meter, worker, started);
            match (stop, reached) {
                (None, Some(reached)) => {
                    // A worker that takes too much is not asked: it would go on taking.
                    let signal = if reached.takes() { Signal::SIGKILL } else { Signal::SIGTERM };
                    processes::signal(group, signal);
                    if worker.is_none() {
                        // It has just started and may lead no group yet.
                        child.kill().map_err(|error| Error::Worker(error.to_string()))?;
                    }
                    stop = Some((reached, Instant::now()));
                }
                (Some((_, since)), reached)
                    if since.elapsed() > GRACE || reached.is_some_and(Stop::takes) =>
                {
                    processes::signal(group, Signal::SIGKILL);
                }
                _ => {}
            }
            if let Some(progress) = progress(self.folder, cpu_s)
                && (progress.fraction, &progress.message) != (shown.fraction, &shown.message)
            {
                (self.on_progress)(&progress);
                shown = progress;
            }
            thread::sleep(POLL);
        }
    }

    /// The exceeded limit, if any.
    fn reached(&self, meter: &mut Meter, worker: Option<i32>, started: Instant) -> Option<Stop> {
        let held = meter.measure(worker);
        self.disk.set_deleted(held.deleted);
        if held.memory > self.memory {
            Some(Stop::Memory)
        } else if let Some(excess) = self.disk.excess() {
            Some(Stop::Disk(excess))
        } else if held.processes > MOST_PROCESSES {
            Some(Stop::Processes)
        } else if self.interrupted.load(Ordering::Relaxed) {
            Some(Stop::Interrupted)
        } else if started.elapsed() > self.wall {
            Some(Stop::Timeout)
        } else {
            None
        }
    }
}
