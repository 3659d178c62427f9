//! Assigns processors to workers, so that no two workers share one, even in different runs of this user.
//!
//! A processor is taken by an exclusive lock on a file, which the kernel releases when the holder ends, for
//! whatever reason. A run that waits for several processors keeps those it has. Only one run waits at a time
//! and the others queue behind it, so none starves and no two block each other.

use std::{
    fs::TryLockError,
    hash::{BuildHasher, RandomState},
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use nix::unistd::geteuid;

use crate::error::{Error, Result};

/// How often a waiting run checks for free processors.
const POLL: Duration = Duration::from_millis(50);

/// Processors reserved for as long as this value lives.
#[derive(Debug)]
#[must_use = "the processors are given back when this value is dropped"]
pub(crate) struct Processors {
    numbers: Vec<usize>,
    _locks: Vec<fs_err::File>,
}

impl Processors {
    /// Their numbers, ascending; empty if the worker is not pinned.
    pub(crate) fn numbers(&self) -> &[usize] {
        &self.numbers
    }
}

/// Takes `threads` of the processors that this process may use, and waits until they are free. If this
/// process may use fewer, or the system does not say which, takes none, and the worker is not pinned.
///
/// # Errors
/// [`Error::Interrupted`] if `interrupted` is set meanwhile; [`Error::Io`] if the folder of locks cannot be
/// made or belongs to another user.
pub(crate) fn take(threads: usize, interrupted: &AtomicBool) -> Result<Processors> {
    let allowed = allowed();
    if threads == 0 || allowed.len() < threads {
        return Ok(Processors { numbers: Vec::new(), _locks: Vec::new() });
    }
    take_of(&allowed, threads, &locks_folder()?, interrupted)
}

fn take_of(allowed: &[usize], threads: usize, folder: &Path, interrupted: &AtomicBool) -> Result<Processors> {
    let mut turn = None;
    let mut held: Vec<(usize, fs_err::File)> = Vec::new();
    // Start at a random processor, so that runs do not all compete for the first one.
    let first = RandomState::new().hash_one(()) as usize % allowed.len();
    loop {
        if interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if turn.is_none() {
            turn = lock(&folder.join("queue.lock"))?;
        }
        if turn.is_some() {
            for &number in allowed[first..].iter().chain(&allowed[..first]) {
                if held.len() < threads
                    && !held.iter().any(|(other, _)| *other == number)
                    && let Some(file) = lock(&folder.join(format!("cpu-{number}.lock")))?
                {
                    held.push((number, file));
                }
            }
            if held.len() == threads {
                held.sort_unstable_by_key(|(number, _)| *number);
                let (numbers, locks) = held.into_iter().unzip();
                return Ok(Processors { numbers, _locks: locks });
            }
        }
        thread::sleep(POLL);
    }
}

/// An exclusive lock on the file; `None` if another process holds it.
fn lock(path: &Path) -> Result<Option<fs_err::File>> {
    // Do not follow a link in the file's place, and do not wait for the reader of a FIFO. The file is never removed: a process that had opened it would
    // lock another file than those that come later.
    let mut options = std::fs::OpenOptions::new();
    options
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = fs_err::OpenOptions::from_options(options).open(path)?;
    match file.file().try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(named(path, &error.to_string())),
    }
}

/// The folder of this user's locks, which no other user may write to.
fn locks_folder() -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|folder| folder.is_dir());
    let parent = runtime.unwrap_or_else(std::env::temp_dir);
    let folder = parent.join(format!("molarena-processors-{}", geteuid()));
    own_folder(&folder)?;
    Ok(folder)
}

/// Makes the folder if it is missing, and checks that it is private to this user.
fn own_folder(folder: &Path) -> Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(named(folder, &error.to_string()));
        }
        _ => {}
    }
    let metadata = fs_err::symlink_metadata(folder)?;
    if !metadata.is_dir() {
        return Err(named(folder, "not a folder; remove it"));
    }
    if metadata.uid() != geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        return Err(named(folder, "other users may write to it, or own it; remove it"));
    }
    Ok(())
}

fn named(path: &Path, message: &str) -> Error {
    Error::Io(io::Error::other(format!("{}: {message}", path.display())))
}

#[cfg(target_os = "linux")]
fn allowed() -> Vec<usize> {
    use nix::{sched::CpuSet, sched::sched_getaffinity, unistd::Pid};
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    (0..CpuSet::count()).filter(|&number| set.is_set(number).unwrap_or(false)).collect()
}

#[cfg(not(target_os = "linux"))]
fn allowed() -> Vec<usize> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use nix::{sys::signal, unistd::Pid};
    use std::{
        os::unix::{
            fs::{PermissionsExt, symlink},
            process::CommandExt,
        },
        process::Command,
        time::Instant,
    };

    use super::*;

    static NEVER: AtomicBool = AtomicBool::new(false);

    /// Checks that a take waits until it is interrupted.
    fn in_vain(allowed: &[usize], threads: usize, folder: &Path) {
        let interrupted = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            let taken = scope.spawn(|| take_of(allowed, threads, folder, &interrupted));
            thread::sleep(Duration::from_millis(200));
            assert!(!taken.is_finished());
            interrupted.store(true, Ordering::Relaxed);
            taken.join().unwrap()
        });
        assert!(matches!(result, Err(Error::Interrupted)), "{result:?}");
    }

    #[test]
    fn two_takes_get_different_processors_and_a_third_waits() {
        let folder = tempfile::tempdir().unwrap();
        let one = take_of(&[3, 5, 8, 9], 2, folder.path(), &NEVER).unwrap();
        let two = take_of(&[3, 5, 8, 9], 2, folder.path(), &NEVER).unwrap();
        let mut all = [one.numbers(), two.numbers()].concat();
        all.sort_unstable();
        assert_eq!(all, [3, 5, 8, 9]);
        in_vain(&[3, 5, 8, 9], 1, folder.path());
        let freed = one.numbers().to_vec();
        let third = thread::scope(|scope| {
            let taken = scope.spawn(|| take_of(&[3, 5, 8, 9], 2, folder.path(), &NEVER).unwrap());
            thread::sleep(Duration::from_millis(100));
            drop(one);
            taken.join().unwrap()
        });
        assert_eq!(third.numbers(), freed);
    }

    #[test]
    fn several_that_want_several_all_get_them() {
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for threads in [1, 2, 3, 3, 2, 1] {
                let folder = folder.path();
                scope.spawn(move || {
                    let taken = take_of(&[0, 1, 2], threads, folder, &NEVER).unwrap();
                    thread::sleep(Duration::from_millis(20));
                    assert_eq!(taken.numbers().len(), threads);
                });
            }
        });
    }

    #[test]
    fn a_holder_that_is_killed_gives_its_processors_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cpu-4.lock");
        let mut command = Command::new("flock");
        let mut child = command.arg(&path).args(["sleep", "60"]).process_group(0).spawn().unwrap();
        let started = Instant::now();
        while !path.exists() || lock(&path).unwrap().is_some() {
            assert!(started.elapsed() < Duration::from_secs(20));
            thread::sleep(Duration::from_millis(5));
        }
        in_vain(&[4], 1, folder.path());
        signal::killpg(Pid::from_raw(child.id().cast_signed()), signal::Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        assert_eq!(take_of(&[4], 1, folder.path(), &NEVER).unwrap().numbers(), [4]);
    }

    #[test]
    fn with_too_few_processors_nothing_is_pinned() {
        assert_eq!(take(100_000, &NEVER).unwrap().numbers(), [0; 0]);
    }

    #[test]
    fn the_folder_must_be_this_users_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("locks");
        own_folder(&folder).unwrap();
        own_folder(&folder).unwrap();
        let link = parent.path().join("link");
        symlink(&folder, &link).unwrap();
        assert!(own_folder(&link).is_err());
        fs_err::set_permissions(&folder, PermissionsExt::from_mode(0o770)).unwrap();
        assert!(own_folder(&folder).is_err());
    }
}
