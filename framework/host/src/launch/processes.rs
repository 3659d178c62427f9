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
    #[cfg(target_os = "linux")]
    fn this_process_is_a_member_of_its_group() {
        let own = std::process::id().cast_signed();
        let group = getpgid(None).unwrap().as_raw().cast_unsigned();
        assert!(members(group).contains(&own));
        let status = Status::read(own).unwrap();
        assert!(status.private > 0 && status.sizes[1] > status.private, "{status:?}");
    }
}
