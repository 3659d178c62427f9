//! Watches how much a worker writes.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use crate::files::folder::{Usage, usage};

/// Minimum time between two measurements.
const INTERVAL: Duration = Duration::from_millis(250);
/// Most files and folders that a worker may create.
const MOST_ENTRIES: u64 = 200_000;
/// Most measurements in a row that may fail because the worker moves its folders meanwhile.
const MOST_FAILURES: u64 = 20;

/// How a worker wrote too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// Too many bytes.
    Bytes,
    /// Too many files and folders.
    Entries,
    /// Its folders keep changing and cannot be measured.
    Unknown,
}

impl Excess {
    /// One-line message for people; `limit` is in bytes.
    pub(crate) fn message(self, limit: u64) -> String {
        match self {
            Self::Bytes => format!("over the limit of {} in its folder", bytesize::ByteSize(limit)),
            Self::Entries => format!("over the limit of {MOST_ENTRIES} files in its folder"),
            Self::Unknown => "its folder changes all the time and cannot be measured".into(),
        }
    }
}

/// Measures the folders of a worker on its own thread, because a measurement may take long. Content from
/// before the start does not count.
#[derive(Debug)]
pub(crate) struct DiskWatch {
    folders: Arc<Folders>,
    stopped: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

/// The watched folders and the last measurement.
#[derive(Debug)]
struct Folders {
    /// Each folder with its usage at the start.
    watched: Vec<(PathBuf, Usage)>,
    limit: u64,
    bytes: AtomicU64,
    entries: AtomicU64,
    failures: AtomicU64,
    /// Bytes of deleted files that are still open.
    deleted: AtomicU64,
}

impl DiskWatch {
    /// Starts to watch that the folders together grow by at most `limit` bytes.
    pub(crate) fn start<'a>(folders: impl Iterator<Item = &'a Path>, limit: u64) -> Self {
        let watched = folders
            .map(|folder| (folder.to_owned(), usage(folder, &|_| false).unwrap_or_default()))
            .collect();
        let folders = Arc::new(Folders {
            watched,
            limit,
            bytes: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            deleted: AtomicU64::new(0),
        });
        let stopped = Arc::new(AtomicBool::new(false));
        let (measured, stop) = (Arc::clone(&folders), Arc::clone(&stopped));
        let thread = thread::spawn(move || {
            let mut pause = INTERVAL;
            while !stop.load(Ordering::Relaxed) {
                thread::park_timeout(pause);
                let started = Instant::now();
                measured.measure(&|| stop.load(Ordering::Relaxed));
                pause = INTERVAL.max(started.elapsed() * 3);
            }
        });
        Self { folders, stopped, thread: Some(thread) }
    }

    /// Sets the bytes of deleted files that are still open.
    pub(crate) fn set_deleted(&self, bytes: u64) {
        self.folders.deleted.store(bytes, Ordering::Relaxed);
    }

    /// Whether the worker wrote too much, by the last measurement.
    pub(crate) fn excess(&self) -> Option<Excess> {
        self.folders.excess()
    }

    /// Measures a last time, after all processes of the worker have ended.
    pub(crate) fn end(mut self) -> Option<Excess> {
        self.stop();
        let before = self.excess();
        self.set_deleted(0);
        self.folders.failures.store(0, Ordering::Relaxed);
        self.folders.measure(&|| false);
        before.or_else(|| self.excess())
    }

    fn stop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // The thread does nothing that panics.
            let _ended = thread.join();
        }
    }
}

impl Drop for DiskWatch {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Folders {
    /// Measures until the limit is passed or `stopped`.
    fn measure(&self, stopped: &dyn Fn() -> bool) {
        let mut sum = Usage::default();
        for (folder, first) in &self.watched {
            let grown = |now: Usage| Usage {
                bytes: sum.bytes + now.bytes.saturating_sub(first.bytes),
                entries: sum.entries + now.entries.saturating_sub(first.entries),
            };
            let enough = |now: Usage| {
                let grown = grown(now);
                stopped() || grown.bytes > self.limit || grown.entries > MOST_ENTRIES
            };
            let Ok(now) = usage(folder, &enough) else {
                self.failures.fetch_add(1, Ordering::Relaxed);
                return;
            };
            sum = grown(now);
        }
        if !stopped() {
            self.failures.store(0, Ordering::Relaxed);
            self.bytes.store(sum.bytes, Ordering::Relaxed);
            self.entries.store(sum.entries, Ordering::Relaxed);
        }
    }

    fn excess(&self) -> Option<Excess> {
        let load = |value: &AtomicU64| value.load(Ordering::Relaxed);
        if load(&self.bytes) + load(&self.deleted) > self.limit {
            Some(Excess::Bytes)
        } else if load(&self.entries) > MOST_ENTRIES {
            Some(Excess::Entries)
        } else {
            (load(&self.failures) > MOST_FAILURES).then_some(Excess::Unknown)
        }
    }
}
