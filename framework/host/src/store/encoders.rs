//! The store's trained encoders: `encoders/<key>/` with `record.json`, `state` and the plugin's folder `work`.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use crate::files::json::{read_json, write_json};
use crate::store::remove;
use crate::{
    error::{Error, Result},
    store::{Store, read_record},
};
use molarena_record::{
    encoder::{ENCODER_SCHEMA, EncoderRecord},
    parts::PretrainCost,
};

const RECORD: &str = "record.json";
const SPENT: &str = "spent.json";
/// How often a held lock is asked for again.
const POLL: Duration = Duration::from_millis(200);

/// The right to pretrain one key, as long as it lives.
#[derive(Debug)]
pub(crate) struct EncoderLock(#[expect(dead_code, reason = "holds the lock")] fs_err::File);

impl Store {
    /// Folder of a trained encoder.
    pub fn encoder_folder(&self, key: &str) -> PathBuf {
        self.root().join("encoders").join(key)
    }

    /// The folder that outlives the workers, for the plugin's checkpoints and logs.
    pub fn encoder_work(&self, key: &str) -> PathBuf {
        self.encoder_folder(key).join("work")
    }

    /// The outcome of a pretraining, if it is finished.
    ///
    /// # Errors
    /// The record cannot be read.
    pub fn encoder(&self, key: &str) -> Result<Option<EncoderRecord>> {
        read_record(&self.encoder_folder(key).join(RECORD), ENCODER_SCHEMA)
    }

    /// The state of a trained encoder, whose bytes are those that the record says.
    ///
    /// # Errors
    /// The file is missing, or its bytes are others.
    pub fn encoder_state(&self, record: &EncoderRecord) -> Result<PathBuf> {
        let path = self.encoder_folder(&record.key).join("state");
        if record.state_sha256.as_ref() != Some(&molarena_data::sha256_file(&path)?) {
            let message = "the state is not that of the record; remove the folder's record.json and state and run again";
            return Err(Error::Store { path, message: message.into() });
        }
        Ok(path)
    }

    /// Writes the outcome of a pretraining, the state first; existing ones win.
    pub(crate) fn put_encoder(&self, record: &EncoderRecord, state: Option<&[u8]>) -> Result<()> {
        let folder = self.encoder_folder(&record.key);
        if let Some(state) = state {
            self.publish(&folder.join("state"), state)?;
        }
        self.publish_json(&folder.join(RECORD), record)?;
        remove(&folder.join(SPENT))
    }

    /// Waits until no other process pretrains `key`. Its folder is made.
    ///
    /// # Errors
    /// [`Error::Interrupted`] when `interrupted` is set meanwhile.
    pub(crate) fn lock_encoder(&self, key: &str, interrupted: &AtomicBool) -> Result<EncoderLock> {
        let folder = self.encoder_work(key);
        fs_err::create_dir_all(&folder)?;
        let path = self.encoder_folder(key).join("lock");
        let file = fs_err::OpenOptions::new().create(true).write(true).truncate(false).open(&path)?;
        loop {
            match file.file().try_lock() {
                Ok(()) => return Ok(EncoderLock(file)),
                Err(std::fs::TryLockError::WouldBlock) => {}
                Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
            }
            if interrupted.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            thread::sleep(POLL);
        }
    }

    /// What earlier workers of an unfinished pretraining cost.
    pub(crate) fn spent(&self, key: &str) -> PretrainCost {
        // Without the file nothing was spent; a damaged one says as little.
        read_json(&self.encoder_folder(key), SPENT).unwrap_or_default()
    }

    /// Remembers what an unfinished pretraining has cost so far.
    pub(crate) fn put_spent(&self, key: &str, cost: &PretrainCost) -> Result<()> {
        write_json(&self.encoder_folder(key), SPENT, cost)
    }

    /// Removes the record of a failed pretraining, so that it runs again, from its last checkpoint.
    pub(crate) fn forget_encoder_failure(&self, key: &str) -> Result<()> {
        match self.encoder(key)? {
            Some(record) if record.failure.is_some() => {
                self.put_spent(key, &record.cost)?;
                remove(&self.encoder_folder(key).join(RECORD))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_pretrains_a_key() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let (free, stopped) = (AtomicBool::new(false), AtomicBool::new(true));
        let first = store.lock_encoder("k", &free).unwrap();
        assert!(matches!(store.lock_encoder("k", &stopped), Err(Error::Interrupted)));
        store.lock_encoder("other", &stopped).unwrap();
        drop(first);
        store.lock_encoder("k", &stopped).unwrap();
        assert!(store.encoder_work("k").is_dir());
    }

    #[test]
    fn what_was_spent_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let _lock = store.lock_encoder("k", &AtomicBool::new(false)).unwrap();
        assert_eq!(store.spent("k"), PretrainCost::default());
        let cost = PretrainCost { wall_s: 2.5, workers: 1, ..PretrainCost::default() };
        store.put_spent("k", &cost).unwrap();
        assert_eq!(store.spent("k"), cost);
    }
}
