//! The store: records, fits, predictions and the feature cache, one file each, written whole or not at all.

mod encoders;
mod matches;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::files::npy::from_npy;
use crate::{
    error::{Error, Result},
    sandbox::exposed_under,
};
use molarena_record::{
    cell::{RECORD_SCHEMA, Record},
    fit::{FIT_SCHEMA, Fit, PredictionsHash},
};

/// A folder of records.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// Absent in a store that is only read.
    session: Option<Arc<Session>>,
}

/// The molecules that predictions are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The test molecules, which records are scored on.
    Test,
    /// The validation molecules.
    Valid,
}

/// Predictions of a fit as bytes of `.npy` files.
#[derive(Clone, Debug)]
pub(crate) struct Predictions {
    pub(crate) test: Vec<u8>,
    pub(crate) valid: Vec<u8>,
}

impl Predictions {
    pub(crate) fn hashes(&self) -> PredictionsHash {
        PredictionsHash {
            test: molarena_data::sha256_hex(&self.test),
            valid: molarena_data::sha256_hex(&self.valid),
        }
    }
}

/// The temporary files of one process, `work/run-…`. Its file `lock` stays locked as long as the process lives.
#[derive(Debug)]
struct Session {
    folder: tempfile::TempDir,
    _lock: fs_err::File,
}

impl Session {
    fn start(work: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(work)?;
        // Under its name only once it is locked, so that nobody takes it for one that was left behind.
        let unlocked = folder.path().join("lock.new");
        let lock = fs_err::File::create(&unlocked)?;
        lock.file().lock()?;
        fs_err::rename(unlocked, folder.path().join("lock"))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Removes what processes left behind that were killed.
    fn sweep(work: &Path) -> Result<()> {
        for entry in fs_err::read_dir(work)? {
            let folder = entry?.path();
            // Without the file, or with a lock on it, the folder is somebody's.
            let Ok(lock) = fs_err::File::open(folder.join("lock")) else { continue };
            if lock.file().try_lock().is_ok() {
                fs_err::remove_dir_all(folder)?;
            }
        }
        Ok(())
    }
}

impl Store {
    /// Opens or creates the store in `root`; nothing is created where every worker may read.
    pub fn create(root: &Path) -> Result<Self> {
        let absolute = std::path::absolute(root)?;
        let folder = absolute.ancestors().find_map(|folder| fs_err::canonicalize(folder).ok());
        if let Some(exposed) = folder.and_then(|folder| exposed_under(&folder)) {
            return Err(Error::Exposed { what: "store", path: absolute, root: exposed });
        }
        for folder in ["records", "fits", "encoders", "matches", "cache", "work"] {
            fs_err::create_dir_all(root.join(folder))?;
        }
        // Workers get absolute paths.
        let root = fs_err::canonicalize(root)?;
        let work = root.join("work");
        Session::sweep(&work)?;
        Ok(Self { session: Some(Arc::new(Session::start(&work)?)), root })
    }

    /// Opens the store in `root`, which must exist.
    pub fn open(root: &Path) -> Result<Self> {
        if !root.join("records").is_dir() {
            let path = root.display();
            return Err(Error::NothingSelected(format!(
                "no store in {path}; make one with molarena run --store {path}"
            )));
        }
        Ok(Self { root: fs_err::canonicalize(root)?, session: None })
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    fn record_path(&self, key: &str) -> PathBuf {
        self.root.join("records").join(format!("{key}.json"))
    }

    fn fit_path(&self, fit_key: &str) -> PathBuf {
        self.root.join("fits").join(format!("{fit_key}.json"))
    }

    /// Where the predictions of a fit are: `f32[molecules of the part, tasks]`.
    pub fn predictions_path(&self, fit_key: &str, part: Part) -> PathBuf {
        let suffix = match part {
            Part::Test => "",
            Part::Valid => ".valid",
        };
        self.root.join("fits").join(format!("{fit_key}{suffix}.npy"))
    }

    /// Path of a cached file.
    pub fn cache_path(&self, name: &str) -> PathBuf {
        self.root.join("cache").join(name)
    }

    /// Folder for the job folders and temporary files of this process. A store that is only read has none.
    pub fn work_dir(&self) -> PathBuf {
        let session = self.session.as_ref().expect("only a store that was created is written to");
        session.folder.path().to_owned()
    }

    /// The record of `key`, if it is finished.
    pub fn record(&self, key: &str) -> Result<Option<Record>> {
        read_record(&self.record_path(key), RECORD_SCHEMA)
    }

    /// All records, sorted by key.
    pub fn records(&self) -> Result<Vec<Record>> {
        let paths = json_files(&self.root.join("records"))?;
        paths.iter().filter_map(|path| read_record(path, RECORD_SCHEMA).transpose()).collect()
    }

    /// Writes a record; an existing one wins.
    pub fn put_record(&self, record: &Record) -> Result<()> {
        self.publish_json(&self.record_path(&record.key), record)
    }

    /// The outcome of a worker, if it is finished and its predictions are whole.
    pub fn fit(&self, fit_key: &str) -> Result<Option<Fit>> {
        read_record(&self.fit_path(fit_key), FIT_SCHEMA)
    }

    /// Writes the outcome of a worker, predictions first; existing ones win.
    pub(crate) fn put_fit(&self, fit: &Fit, predictions: Option<&Predictions>) -> Result<()> {
        if let Some(Predictions { test, valid }) = predictions {
            self.publish(&self.predictions_path(&fit.fit_key, Part::Test), test)?;
            self.publish(&self.predictions_path(&fit.fit_key, Part::Valid), valid)?;
        }
        self.publish_json(&self.fit_path(&fit.fit_key), fit)
    }

    /// Reads stored predictions and checks them against the fit's hash: `f32[molecules of the part, tasks]`, row-major.
    pub fn predictions(&self, fit: &Fit, part: Part) -> Result<Vec<f32>> {
        let path = self.predictions_path(&fit.fit_key, part);
        let bytes = fs_err::read(&path)?;
        let expected = fit.predictions.as_ref().map(|hashes| match part {
            Part::Test => &hashes.test,
            Part::Valid => &hashes.valid,
        });
        if expected != Some(&molarena_data::sha256_hex(&bytes)) {
            let message = "the predictions are not those of the fit; remove the fit's .json and .npy files and run again";
            return Err(Error::Store { path, message: message.into() });
        }
        from_npy(&bytes).map(|(_, _, values)| values).map_err(|message| Error::Store { path, message })
    }

    /// Removes a failed fit and its records, so that the cells run again.
    pub fn forget_failure(&self, fit_key: &str, keys: &[String]) -> Result<()> {
        for path in keys.iter().map(|key| self.record_path(key)).chain([self.fit_path(fit_key)]) {
            match fs_err::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// A temporary file that others may read once it is published.
    pub(crate) fn temporary(&self) -> Result<tempfile::NamedTempFile> {
        use std::os::unix::fs::PermissionsExt;
        let permissions = std::fs::Permissions::from_mode(0o644);
        Ok(tempfile::Builder::new().prefix("new-").permissions(permissions).tempfile_in(self.work_dir())?)
    }

    pub(crate) fn publish_json(&self, path: &Path, value: &impl Serialize) -> Result<()> {
        let mut text = serde_json::to_string_pretty(value).expect("records are plain data");
        text.push('\n');
        self.publish(path, text.as_bytes())
    }

    /// Writes to a temporary name, syncs, and links into place; the first writer wins.
    pub(crate) fn publish(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(Error::Store { path: path.to_owned(), message: error.error.to_string() }),
        }
    }
}

pub(crate) fn read_record<T: DeserializeOwned>(path: &Path, schema: &str) -> Result<Option<T>> {
    let text = match fs_err::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let failed = |message: String| Error::Store { path: path.to_owned(), message };
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    if value["schema"] != schema {
        return Err(failed(format!("schema is {}, expected \"{schema}\"", value["schema"])));
    }
    serde_json::from_value(value).map(Some).map_err(|error| failed(error.to_string()))
}

/// The `.json` files of a folder, sorted.
pub(crate) fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    Ok(paths)
}

pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::npy::to_npy;
    use molarena_record::parts::Cost;

    fn predictions(test: &[f32]) -> Predictions {
        Predictions { test: to_npy(test.len(), 1, test.to_vec()), valid: to_npy(1, 1, vec![0.125]) }
    }

    fn fit(key: &str, predictions: &Predictions) -> Fit {
        Fit {
            schema: FIT_SCHEMA.into(),
            fit_key: key.into(),
            failure: None,
            predictions: Some(predictions.hashes()),
            search: None,
            confined: true,
            cost: Cost::default(),
        }
    }

    #[test]
    fn the_first_writer_wins_and_nothing_is_left_over() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let (first, second) = (predictions(&[0.25, 0.5]), predictions(&[0.75, 1.0]));
        store.put_fit(&fit("k", &first), Some(&first)).unwrap();
        store.put_fit(&fit("k", &second), Some(&second)).unwrap();
        let stored = store.fit("k").unwrap().unwrap();
        assert_eq!(store.predictions(&stored, Part::Test).unwrap(), [0.25, 0.5]);
        assert_eq!(store.predictions(&stored, Part::Valid).unwrap(), [0.125]);
        assert_eq!(fs_err::read_dir(store.work_dir()).unwrap().count(), 1, "only the lock");
        assert_eq!(store.fit("other").unwrap(), None);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_live_one_has_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let alive = Store::create(folder.path()).unwrap();
        let left = folder.path().join("work/run-killed");
        fs_err::create_dir_all(left.join("job-1")).unwrap();
        fs_err::write(left.join("lock"), "").unwrap();
        let other = Store::create(folder.path()).unwrap();
        assert!(!left.exists());
        assert!(alive.work_dir().exists() && other.work_dir().exists());
        drop((alive, other));
        assert_eq!(fs_err::read_dir(folder.path().join("work")).unwrap().count(), 0);
    }

    #[test]
    fn changed_predictions_and_other_schemas_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(folder.path()).unwrap();
        let made = predictions(&[0.25]);
        store.put_fit(&fit("k", &made), Some(&made)).unwrap();
        fs_err::write(store.predictions_path("k", Part::Test), to_npy(1, 1, vec![0.5])).unwrap();
        let error = store.predictions(&store.fit("k").unwrap().unwrap(), Part::Test).unwrap_err();
        assert!(error.to_string().contains("k.npy: the predictions are not those of the fit"), "{error}");
        fs_err::write(store.fit_path("k"), "{\"schema\":\"molarena.fit/9\"}").unwrap();
        assert!(store.fit("k").unwrap_err().to_string().contains("expected \"molarena.fit/2\""));
        assert!(Store::open(&folder.path().join("none")).is_err());
    }
}
