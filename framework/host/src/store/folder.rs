//! Folders that outlive the workers of a step: a pretraining's checkpoints and logs, in `encoders/<key>/work`.

use std::{
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use molarena_record::parts::Cost;

use crate::{
    error::{Error, Result},
    files::json::{read_json, write_json},
    store::{Store, remove},
};

const SPENT: &str = "spent.json";
/// How often a waiting process tries the lock again.
const POLL: Duration = Duration::from_millis(200);

/// The exclusive right to work on one step, for as long as this value lives.
#[derive(Debug)]
pub(crate) struct StepLock(#[expect(dead_code, reason = "holds the lock")] fs_err::File);

impl Store {
    /// Folder of a step that keeps one.
    pub fn step_folder(&self, key: &str) -> PathBuf {
        self.root().join("encoders").join(key)
    }

    /// The folder that outlives the workers, for the plugin's checkpoints and logs.
    pub fn step_work(&self, key: &str) -> PathBuf {
        self.step_folder(key).join("work")
    }

    /// Creates the folder of the step `key` and waits until no other process works on it.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if `interrupted` is set meanwhile.
    pub(crate) fn lock_step(&self, key: &str, interrupted: &AtomicBool) -> Result<StepLock> {
        let folder = self.step_work(key);
        fs_err::create_dir_all(&folder)?;
        let path = self.step_folder(key).join("lock");
        let mut options = std::fs::OpenOptions::new();
        options.create(true).write(true).truncate(false).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
        let file = fs_err::OpenOptions::from_options(options).open(&path)?;
        loop {
            match file.file().try_lock() {
                Ok(()) => return Ok(StepLock(file)),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
            }
            if interrupted.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            thread::sleep(POLL);
        }
    }

    /// The cost of the earlier workers of an unfinished step.
    pub(crate) fn spent(&self, key: &str) -> Cost {
        // A missing or damaged file counts as no cost.
        read_json(&self.step_folder(key), SPENT).unwrap_or_default()
    }

    /// Saves what an unfinished step has cost so far.
    pub(crate) fn put_spent(&self, key: &str, cost: &Cost) -> Result<()> {
        write_json(&self.step_folder(key), SPENT, cost)
    }

    /// Removes the saved cost, which the step's record now has.
    pub(crate) fn forget_spent(&self, key: &str) -> Result<()> {
        remove(&self.step_folder(key).join(SPENT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_at_a_time_works_on_a_step() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let (free, stopped) = (AtomicBool::new(false), AtomicBool::new(true));
        let first = store.lock_step("k", &free).unwrap();
        assert!(matches!(store.lock_step("k", &stopped), Err(Error::Interrupted)));
        store.lock_step("other", &stopped).unwrap();
        drop(first);
        store.lock_step("k", &stopped).unwrap();
        assert!(store.step_work("k").is_dir());
    }

    #[test]
    fn what_was_spent_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let _lock = store.lock_step("k", &AtomicBool::new(false)).unwrap();
        assert_eq!(store.spent("k"), Cost::default());
        let cost = Cost { wall_s: 2.5, workers: 1, ..Cost::default() };
        store.put_spent("k", &cost).unwrap();
        assert_eq!(store.spent("k"), cost);
    }
}
