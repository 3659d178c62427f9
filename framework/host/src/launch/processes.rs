//! The processes of a worker's process group.

use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::{Pid, getpgid},
};

use crate::sandbox::memory::kibibytes;

/// How long the processes of a group may take to end after SIGKILL.
const PATIENCE: Duration = Duration::from_secs(5);

/// The processes of a group, zombies included.
pub(crate) fn members(group: u32) -> Vec<i32> {
    let names = numbers(Path::new("/proc"));
    names.filter(|&process| getpgid(Some(Pid::from_raw(process))).is_ok_and(|id| id == of(group))).collect()
}

/// The entries of a folder of `/proc` that are numbers: processes, threads or descriptors.
pub(crate) fn numbers(folder: &Path) -> impl Iterator<Item = i32> + use<> {
    let entries = fs_err::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Sends a signal to all processes of a group. An error is ignored: the group may be gone already.
pub(crate) fn signal(group: u32, signal: Signal) {
    let _gone = killpg(of(group), signal);
}

/// Kills all processes of a group and waits until none of them runs.
pub(crate) fn kill(group: u32) {
    let started = Instant::now();
    loop {
        signal(group, Signal::SIGKILL);
        let running = members(group).into_iter().any(|process| memory_folder(process).is_some());
        if !running || started.elapsed() > PATIENCE {
            return;
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn of(group: u32) -> Pid {
    Pid::from_raw(group.cast_signed())
}

/// The folder of `/proc` that describes the memory of a process: its own, or that of another of its threads
/// if the first one has ended. `None` if the process no longer holds memory.
pub(crate) fn memory_folder(process: i32) -> Option<PathBuf> {
    let has_memory = |folder: &PathBuf| {
        fs_err::read_to_string(folder.join("status")).is_ok_and(|status| status.contains("\nVmSize:"))
    };
    let own = PathBuf::from(format!("/proc/{process}"));
    if has_memory(&own) {
        return Some(own);
    }
    let tasks = own.join("task");
    numbers(&tasks).map(|thread| tasks.join(thread.to_string())).find(has_memory)
}

/// A process as `/proc/PID/status` describes it.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    /// The folder of `/proc` with the rest about its memory.
    pub(crate) folder: PathBuf,
    /// Process id of its parent.
    pub(crate) parent: i32,
    /// Sizes of its address space in bytes, equal for processes that share one.
    pub(crate) sizes: [u64; 3],
    /// Bytes of private pages that are resident or swapped out.
    pub(crate) private: u64,
}

impl Status {
    /// Reads the status; `None` if the process no longer holds memory.
    pub(crate) fn read(process: i32) -> Option<Self> {
        let folder = memory_folder(process)?;
        let text = fs_err::read_to_string(folder.join("status")).ok()?;
        let sizes = ["VmPeak", "VmSize", "VmData"].map(|name| kibibytes(&text, name));
        let private = ["RssAnon", "VmSwap", "HugetlbPages"].map(|name| kibibytes(&text, name));
        let parent = text.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()?;
        Some(Self { folder, parent, sizes, private: private.iter().sum() })
    }
}

/// Ticks in a second, in which Linux counts processor time for programs on every architecture that Rust runs on.
const TICKS: f64 = 100.0;

/// Processor seconds of a process, user and system, with the children that it has waited for; also of one that has
/// ended but is not waited for. 0 if there is no such process, or the system does not say.
pub(crate) fn cpu_seconds(process: i32) -> f64 {
    let stat = fs_err::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    ticks(&stat).unwrap_or(0) as f64 / TICKS
}

/// The sum of `utime`, `stime`, `cutime` and `cstime` of a `/proc/PID/stat`, see proc(5).
fn ticks(stat: &str) -> Option<u64> {
    // The name, in brackets, may have spaces and brackets itself.
    let fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11).take(4);
    fields.map(|field| field.parse::<u64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_bytes() {
        let text = "Name:\tx\nRssAnon:\t     12 kB\nRssAnonymous:\t 7 kB\n";
        assert_eq!(kibibytes(text, "RssAnon"), 12 * 1024);
        assert_eq!(kibibytes(text, "VmSwap"), 0);
    }

    #[test]
    fn processor_time_is_that_of_a_process_and_its_children() {
        let stat = "7 (a) b) R 1 7 7 0 -1 4194304 1 2 3 4 100 20 3 4 20 0 1 0";
        assert_eq!(ticks(stat), Some(127));
        assert_eq!(ticks(""), None);
        assert!(cpu_seconds(i32::MAX) == 0.0);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_a_member_of_its_group() {
        let own = std::process::id().cast_signed();
        let group = getpgid(None).unwrap().as_raw().cast_unsigned();
        assert!(members(group).contains(&own));
        let status = Status::read(own).unwrap();
        assert!(status.private > 0 && status.sizes[1] > status.private, "{status:?}");
    }
}
