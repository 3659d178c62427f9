//! Processors of this machine, taken by locks, so that two runs on one machine use different ones.

use std::{
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::error::{Error, Result};

/// How often a free processor is looked for.
const POLL: Duration = Duration::from_millis(20);

/// Processors that are held as long as this lives; a killed process holds none.
#[derive(Debug)]
pub(crate) struct Processors {
    /// Their numbers; empty: all that this process may use, none of them held.
    pub(crate) numbers: Vec<usize>,
    locks: Vec<fs_err::File>,
}

/// Takes `threads` processors of those that this process may use, and waits while others hold too many. Where fewer are
/// allowed, none is taken.
///
/// # Errors
/// [`Error::Interrupted`] when `interrupted` is set meanwhile; the folder of the locks cannot be used.
pub(crate) fn take(threads: usize, interrupted: &AtomicBool) -> Result<Processors> {
    let allowed = allowed();
    if allowed.len() < threads {
        return Ok(Processors { numbers: Vec::new(), locks: Vec::new() });
    }
    take_of(&allowed, &folder()?, threads, interrupted)
}

fn take_of(allowed: &[usize], folder: &Path, threads: usize, interrupted: &AtomicBool) -> Result<Processors> {
    loop {
        // All or none: what is too little is free again when it is dropped.
        let mut taken = Processors { numbers: Vec::new(), locks: Vec::new() };
        for &number in allowed {
            if taken.numbers.len() == threads {
                return Ok(taken);
            }
            let path = folder.join(format!("cpu-{number}.lock"));
            let file = fs_err::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
            match file.file().try_lock() {
                Ok(()) => {
                    taken.numbers.push(number);
                    taken.locks.push(file);
                }
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
            }
        }
        if taken.numbers.len() == threads {
            return Ok(taken);
        }
        drop(taken);
        if interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        thread::sleep(POLL);
    }
}

/// A folder of this user's own, for all of the user's runs on this machine.
fn folder() -> Result<PathBuf> {
    let user = fs_err::metadata("/proc/self")?.uid();
    let parent = std::env::var_os("XDG_RUNTIME_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
    let parent = if parent.is_dir() { parent } else { std::env::temp_dir() };
    let path = parent.join(format!("molarena-processors-{user}"));
    match std::fs::DirBuilder::new().mode(0o700).create(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.into()),
        _ => {}
    }
    let metadata = fs_err::symlink_metadata(&path)?;
    if !metadata.is_dir() || metadata.uid() != user {
        let message = "it is no folder of this user; remove it".into();
        return Err(Error::Store { path, message });
    }
    Ok(path)
}

#[cfg(target_os = "linux")]
fn allowed() -> Vec<usize> {
    use nix::{sched::CpuSet, sched::sched_getaffinity, unistd::Pid};
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    (0..CpuSet::count()).filter(|&processor| set.is_set(processor).unwrap_or(false)).collect()
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Vec<usize> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_processor_is_held_once() {
        let folder = tempfile::tempdir().unwrap();
        let (go_on, stop) = (AtomicBool::new(false), AtomicBool::new(true));
        let take = |threads, interrupted| take_of(&[2, 5, 7], folder.path(), threads, interrupted);
        let one = take(1, &go_on).unwrap();
        let two = take(2, &go_on).unwrap();
        assert_eq!((&one.numbers, &two.numbers), (&vec![2], &vec![5, 7]));
        assert!(matches!(take(1, &stop), Err(Error::Interrupted)), "all are held");
        drop(two);
        assert_eq!(take(1, &stop).unwrap().numbers, [5]);
        assert!(matches!(take(3, &stop), Err(Error::Interrupted)));
        assert!(super::take(usize::MAX, &stop).unwrap().numbers.is_empty(), "there are not as many");
    }
}
