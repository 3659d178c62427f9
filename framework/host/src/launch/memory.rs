//! Memory of a worker's processes.

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use nix::sys::resource::{UsageWho, getrusage};

use crate::{
    launch::processes::{Status, cpu_seconds, members, numbers},
    sandbox::memory::kibibytes,
};

/// How long a child is not counted while it shares its parent's address space, as between `vfork` and `exec`.
const YOUTH: Duration = Duration::from_millis(200);
/// Minimum time between two scans of open files.
const FILES_EVERY: Duration = Duration::from_millis(100);

/// What the processes of a group hold, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Held {
    /// Memory, as [`Meter`] counts it.
    pub(crate) memory: u64,
    /// Deleted files that are open, on the disks under the disk limit: no folder lists them.
    pub(crate) deleted: u64,
    /// Number of processes.
    pub(crate) processes: usize,
}

/// Measures what the processes of a group hold together.
///
/// Memory is the private pages, resident or swapped out, and the pages of files without a name: memory files
/// (`memfd_create`), shared mappings without a file, and deleted files. Such a file counts once and in full,
/// whether or not it is mapped and by however many processes. Private pages shared since a `fork` count once.
/// Pages of named files do not count: the kernel can drop them, or they count as disk use.
#[derive(Debug)]
pub(crate) struct Meter {
    group: u32,
    disks: Vec<u64>,
    first_seen: HashMap<i32, Instant>,
    files: Held,
    files_due: Instant,
    due: Instant,
    latest: u64,
    held: Held,
    peak: u64,
    cpu_s: f64,
}

impl Meter {
    /// A meter of a process group; a deleted file counts as memory unless it is on the disk of one of
    /// `folders`.
    pub(crate) fn new(group: u32, folders: &[&Path]) -> Self {
        let disks = folders.iter().filter_map(|folder| Some(fs_err::metadata(folder).ok()?.dev()));
        let now = Instant::now();
        Self {
            group,
            disks: disks.collect(),
            first_seen: HashMap::new(),
            files: Held::default(),
            files_due: now,
            due: now,
            latest: 0,
            held: Held::default(),
            peak: 0,
            cpu_s: 0.0,
        }
    }

    /// Peak of the measured memory in bytes.
    pub(crate) fn peak(&self) -> u64 {
        self.peak
    }

    /// Processor seconds of the processes that run and of those that they have waited for, at the last measurement.
    pub(crate) fn cpu_s(&self) -> f64 {
        self.cpu_s
    }

    /// What the group holds: the smaller of the last two measurements, because a process that is just
    /// starting may be counted twice. Measuring takes at most a tenth of the time; in between, the last
    /// result stands.
    ///
    /// If another process than the first is the `worker`, the first and the worker's parent do nothing but wait
    /// for it and are not counted.
    pub(crate) fn measure(&mut self, worker: Option<i32>) -> Held {
        let started = Instant::now();
        if started < self.due {
            return self.held;
        }
        let mut statuses: HashMap<i32, Status> = members(self.group)
            .into_iter()
            .filter_map(|process| Some((process, Status::read(process)?)))
            .collect();
        self.cpu_s = statuses.keys().map(|&process| cpu_seconds(process)).sum();
        let first = self.group.cast_signed();
        if let Some(parent) =
            worker.filter(|&worker| worker != first).and_then(|worker| statuses.get(&worker))
        {
            let parent = parent.parent;
            statuses.retain(|&process, _| process != first && process != parent);
        }
        self.first_seen.retain(|process, _| statuses.contains_key(process));
        for &process in statuses.keys() {
            self.first_seen.entry(process).or_insert(started);
        }
        if started >= self.files_due {
            self.files = nameless_files(&statuses, &self.disks);
            self.files_due = Instant::now() + FILES_EVERY.max(started.elapsed() * 20);
        }
        let mut private: u64 = statuses
            .iter()
            .filter(|(process, status)| !self.may_share(**process, status, &statuses))
            .map(|(_, status)| status.private)
            .sum();
        // This sum counts shared pages more than once. Counting them once takes longer, so it is done only
        // for a new peak.
        if statuses.len() > 1 && private + self.files.memory > self.peak {
            private = self.shared_once(&statuses);
        }
        let memory = private + self.files.memory;
        let (deleted, processes) = (self.files.deleted, statuses.len());
        self.held = Held { memory: memory.min(self.latest), deleted, processes };
        self.latest = memory;
        self.peak = self.peak.max(self.held.memory);
        self.due = Instant::now() + started.elapsed() * 9;
        self.held
    }

    /// Whether a process may share the address space of its parent: it is new, and all sizes are equal.
    fn may_share(&self, process: i32, status: &Status, all: &HashMap<i32, Status>) -> bool {
        let young = self.first_seen.get(&process).is_none_or(|since| since.elapsed() < YOUTH);
        young && all.get(&status.parent).is_some_and(|parent| parent.sizes == status.sizes)
    }

    /// Bytes of the private pages of all processes, each page counted once.
    fn shared_once(&self, statuses: &HashMap<i32, Status>) -> u64 {
        let of_one = |(process, status): (&i32, &Status)| {
            let share = proportional(&status.folder).unwrap_or(status.private);
            // A `fork` divides the pages between parent and child; sharing the address space does not.
            let whole = share * 10 >= status.private * 9;
            if whole && self.may_share(*process, status, statuses) { 0 } else { share }
        };
        statuses.iter().map(of_one).sum()
    }
}

/// The largest peak of any process that this one started and that has ended, in bytes, as the kernel counts it. A peak
/// that a worker reports cannot be larger.
pub(super) fn peak_of_ended() -> Option<u64> {
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    let peak = getrusage(UsageWho::RUSAGE_CHILDREN).ok()?.max_rss();
    u64::try_from(peak).ok().filter(|&peak| peak > 0).map(|peak| peak * unit)
}

/// Bytes of a process's private pages, each page divided by the number of processes that share it.
fn proportional(folder: &Path) -> Option<u64> {
    let text = fs_err::read_to_string(folder.join("smaps_rollup")).ok()?;
    // Linux before 5.9 does not report this for private pages alone.
    text.contains("\nPss_Anon:").then(|| {
        let names = ["Pss_Anon", "SwapPss", "Private_Hugetlb"];
        names.iter().map(|name| kibibytes(&text, name)).sum()
    })
}

/// Bytes of the files without a name that the processes have open or mapped, each file once.
fn nameless_files(statuses: &HashMap<i32, Status>, disks: &[u64]) -> Held {
    let mut files: HashMap<(u64, u64), u64> = HashMap::new();
    let mut add = |path: &Path| {
        let metadata = fs_err::metadata(path)?;
        if metadata.is_file() && metadata.nlink() == 0 {
            files.insert((metadata.dev(), metadata.ino()), metadata.blocks() * 512);
        }
        Ok::<(), std::io::Error>(())
    };
    let mut unseen = Vec::new();
    for (process, status) in statuses {
        // A thread may have descriptors of its own.
        let tasks = Path::new("/proc").join(process.to_string()).join("task");
        for thread in numbers(&tasks) {
            let descriptors = tasks.join(thread.to_string()).join("fd");
            for descriptor in numbers(&descriptors) {
                // It may be closed by now.
                let _closed = add(&descriptors.join(descriptor.to_string()));
            }
        }
        let maps = fs_err::read_to_string(status.folder.join("maps")).unwrap_or_default();
        let deleted = maps.lines().filter(|line| line.ends_with(" (deleted)"));
        let ranges = deleted.filter_map(|line| line.split(' ').next());
        let links = Path::new("/proc").join(process.to_string()).join("map_files");
        if ranges.filter(|range| add(&links.join(range)).is_err()).count() > 0 {
            unseen.push(&status.folder);
        }
    }
    let mut held = Held::default();
    for (&(device, _), &bytes) in &files {
        if disks.contains(&device) {
            held.deleted += bytes;
        } else {
            held.memory += bytes;
        }
    }
    let known = |inode| files.keys().any(|&(_, known)| known == inode);
    held.memory += unseen.into_iter().map(|folder| mapped(folder, known)).sum::<u64>();
    held
}

/// Bytes of the mapped pages of nameless files, each page divided by the number of processes that map it,
/// without `known` files. It is all that a host can count that may not look at the files themselves, which
/// takes `CAP_CHECKPOINT_RESTORE`.
fn mapped(folder: &Path, known: impl Fn(u64) -> bool) -> u64 {
    let smaps = fs_err::read_to_string(folder.join("smaps")).unwrap_or_default();
    let (mut counts, mut sum) = (false, 0);
    for line in smaps.lines() {
        let mut fields = line.split_whitespace();
        match fields.next() {
            Some("Pss:") if counts => sum += kibibytes(line, "Pss"),
            Some(first) if !first.ends_with(':') => {
                let inode = fields.nth(3).and_then(|inode| inode.parse().ok());
                counts = line.ends_with(" (deleted)") && inode.is_some_and(|inode| !known(inode));
            }
            _ => {}
        }
    }
    sum
}
