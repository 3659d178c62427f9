//! Jobs that outlive the run that submitted them: their folders, in `jobs/`.

use std::{
    fs::TryLockError,
    io::{Read, Seek, Write},
    path::PathBuf,
};

use crate::{
    error::{Error, Result},
    store::{Store, persist},
};

/// What the names of jobs begin with.
const NAME: &str = "molarena-";

impl Store {
    /// The folder of jobs that outlive the run that submits them.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn jobs(&self) -> Result<PathBuf> {
        let folder = self.root.join("jobs");
        fs_err::create_dir_all(&folder)?;
        Ok(folder)
    }

    /// The exclusive right to submit jobs of this store, for as long as the file is open.
    ///
    /// # Errors
    /// [`Error::Request`] if another process has it.
    pub(crate) fn lock_jobs(&self) -> Result<fs_err::File> {
        let path = self.jobs()?.join("lock");
        let mut options = fs_err::OpenOptions::new();
        let mut file = options.create(true).read(true).write(true).truncate(false).open(path)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                (&mut file).take(256).read_to_string(&mut holder)?;
                return Err(Error::Request(format!(
                    "a run on {} submits the jobs of the store {} already; wait until it ends",
                    holder.trim(),
                    self.root.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let host = nix::unistd::gethostname().unwrap_or_default();
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{} (process {})", host.to_string_lossy(), std::process::id())?;
        Ok(file)
    }

    /// The name that the jobs of this store have in the queue: another one for each store.
    ///
    /// # Errors
    /// It cannot be read or written.
    pub(crate) fn name_of_jobs(&self) -> Result<String> {
        let path = self.jobs()?.join("name");
        if !path.exists() {
            let mut file = self.temporary()?;
            let random = file.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            file.write_all(random.trim_start_matches("new-").as_bytes())?;
            persist(file, &path)?;
        }
        let name = fs_err::read_to_string(path)?;
        Ok(format!("{NAME}{}", name.trim()))
    }

    /// Whether jobs were submitted whose results are not taken in.
    pub(super) fn has_jobs(&self) -> bool {
        let entries = fs_err::read_dir(self.root.join("jobs")).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_submits_and_every_store_has_its_name() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let [store, other] = [&one, &other].map(|folder| Store::create(folder.path()).unwrap());
        let lock = store.lock_jobs().unwrap();
        let refused = store.lock_jobs().unwrap_err().to_string();
        assert!(refused.contains(&format!("(process {})", std::process::id())), "{refused}");
        drop(lock);
        store.lock_jobs().unwrap();
        let name = store.name_of_jobs().unwrap();
        assert!(name.len() > NAME.len() && name == store.name_of_jobs().unwrap(), "{name}");
        assert_ne!(name, other.name_of_jobs().unwrap());
        assert!(!store.has_jobs());
        fs_err::create_dir(store.jobs().unwrap().join("key-1")).unwrap();
        assert!(store.has_jobs());
    }
}
