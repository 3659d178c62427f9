//! The store: a folder of records and of what steps made, one file each, written atomically.
//!
//! | path | what |
//! |---|---|
//! | `steps/<ab>/<key>.json` | outcome of a step, [`StepRecord`](molarena_record::step::StepRecord) |
//! | `artifacts/<ab>/<sha256>` | what a step made, under the hash of its bytes |
//! | `records/<ab>/<key>.json` | a scored cell, [`Record`](molarena_record::cell::Record) |
//! | `matches/<ab>/<key>.json` | a scored matching cell, [`MatchRecord`](molarena_record::matching::MatchRecord) |
//! | `reproductions/<ab>/<key>.json` | what came of making a record again, [`Reproduction`](molarena_record::reproduction::Reproduction) |
//! | `encoders/<key>/work` | a pretraining's checkpoints and logs, which outlive its workers |
//! | `jobs/` | jobs that were submitted to a cluster: their folders, lists and scripts |
//! | `cache/` | what can be computed again: features, molecules, copies of plugin libraries |
//! | `work/run-*` | temporary files of running processes |
//!
//! `<ab>` is the first two digits of the name, so that no folder grows too large. An artifact is written
//! before the record that names it, and only a replay replaces records: whenever a process is killed, every
//! recorded artifact is on disk. Stores of earlier versions have their records without `<ab>`, and their
//! steps in `fits/`, `encoders/` and `matches/`; they are read in place.

mod cells;
mod folder;
mod jobs;
mod manage;
mod pack;
pub(crate) mod present;
mod ranks;
mod read;
#[cfg(feature = "object-store")]
mod remote;
mod reproductions;
mod sharing;
mod steps;
mod verify;

use std::{
    collections::BTreeSet,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use molarena_record::text::visible_json;
use serde::Serialize;

use crate::{
    error::{Error, Result},
    files::{
        folder::{Temporary, remove_subfolders, remove_tree, warn_of},
        library::library_bytes,
        plain::{copy_plain, hash_stored, open_plain, open_stored},
    },
    plugin::manifest::{Entry, PluginManifest, is_plugin_folder},
    sandbox::exposed_under,
};
pub use manage::{Garbage, Merged, Removed};
pub use pack::Packed;
pub use ranks::Ranks;
#[cfg(feature = "object-store")]
pub use remote::{Pulled, Pushed, TransferProgress, Watch};
pub(crate) use steps::{Artifact, Made};
pub use verify::Verified;

/// A folder of records and of what steps made.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
    /// `None` in a read-only store.
    session: Option<Arc<Session>>,
    /// Whether an earlier version wrote records here. Where none did, nobody looks for them.
    has_earlier: bool,
    /// What is wrong with the files read so far, each once.
    warnings: Arc<Mutex<BTreeSet<String>>>,
}

/// The temporary files of one process, `work/run-…`. Its file `lock` stays locked as long as the process lives.
#[derive(Debug)]
struct Session {
    folder: PathBuf,
    _lock: fs_err::File,
}

/// File of a session's folder that its process holds locked.
const LOCK: &str = "lock";
/// How old a session's folder without a lock must be to be abandoned: its process was killed as it made the folder.
const ABANDONED_AFTER: Duration = Duration::from_mins(10);

impl Session {
    fn start(work: &Path) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("run-").tempdir_in(work)?.keep();
        // The file gets its name once it is locked, so that no process takes the folder for an abandoned one.
        let unlocked = folder.join("lock.new");
        let lock = fs_err::File::create(&unlocked)?;
        lock.file().lock()?;
        fs_err::rename(unlocked, folder.join(LOCK))?;
        Ok(Self { folder, _lock: lock })
    }

    /// Removes the folders of killed processes, with the labels that may be in them. What cannot be removed is named
    /// in a warning, unless this user may not: another one may read a store too.
    fn sweep(work: &Path) {
        for entry in fs_err::read_dir(work).into_iter().flatten().flatten() {
            let folder = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir())
                && is_abandoned(&folder)
                && let Err(error) = remove_session(&folder)
                && !matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
            {
                warn_of(&error);
            }
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Err(error) = remove_session(&self.folder) {
            warn_of(&error);
        }
    }
}

/// Whether the process of a session's folder has ended.
fn is_abandoned(folder: &Path) -> bool {
    match open_plain(&folder.join(LOCK)) {
        Ok(lock) => lock.file().try_lock().is_ok(),
        Err(Error::Io(error)) if error.kind() == ErrorKind::NotFound => {
            let changed = fs_err::metadata(folder).and_then(|metadata| metadata.modified());
            changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > ABANDONED_AFTER))
        }
        Err(_) => false,
    }
}

/// Removes the folder of a session, its lock last: without the lock no later process would take the rest for
/// abandoned.
fn remove_session(folder: &Path) -> std::io::Result<()> {
    remove_subfolders(folder)?;
    remove_tree(folder)
}

impl Store {
    /// Opens or creates the store in `root`; nothing is created where every worker may read.
    ///
    /// # Errors
    /// [`Error::Exposed`] if workers may read `root`; [`Error::Io`] if the folder cannot be made.
    pub fn create(root: &Path) -> Result<Self> {
        let absolute = std::path::absolute(root)?;
        let folder = absolute.ancestors().find_map(|folder| fs_err::canonicalize(folder).ok());
        if let Some(exposed) = folder.and_then(|folder| exposed_under(&folder)) {
            return Err(Error::Exposed { what: "store", path: absolute, root: exposed });
        }
        for folder in ["records", "steps", "artifacts", "encoders", "matches", "cache", "work"] {
            fs_err::create_dir_all(root.join(folder))?;
        }
        let root = fs_err::canonicalize(root)?;
        let work = root.join("work");
        Session::sweep(&work);
        let has_earlier = has_earlier(&root)?;
        let session = Some(Arc::new(Session::start(&work)?));
        Ok(Self { root, session, has_earlier, warnings: Arc::default() })
    }

    /// Opens the store in `root`, which must exist, read-only. Temporary files of killed runs are removed if this user
    /// may.
    ///
    /// # Errors
    /// [`Error::NothingSelected`] if there is none.
    pub fn open(root: &Path) -> Result<Self> {
        if !root.join("records").is_dir() {
            let path = root.display();
            return Err(Error::NothingSelected(format!(
                "no store in {path}; make one with molarena run --store {path}"
            )));
        }
        // Labels of a killed run do not wait for the next run.
        Session::sweep(&root.join("work"));
        let root = fs_err::canonicalize(root)?;
        Ok(Self { has_earlier: has_earlier(&root)?, root, session: None, warnings: Arc::default() })
    }

    /// Absolute path of the store's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is wrong with the files read so far, each once, sorted.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn warn(&self, warning: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).insert(warning);
    }

    /// Path of a cached file.
    pub fn cache_path(&self, name: &str) -> PathBuf {
        self.root.join("cache").join(name)
    }

    /// Folder for the job folders and temporary files of this process.
    ///
    /// # Panics
    /// In a read-only store.
    pub fn work_dir(&self) -> PathBuf {
        let session = self.session.as_ref().expect("only a store that was created is written to");
        session.folder.clone()
    }

    /// A copy of a plugin's library, or of a folder with one, under the hash of its bytes, so that a job opens the bytes
    /// that the plan saw, even if a file changes. A folder with a command is opened in place, as it was seen.
    ///
    /// # Errors
    /// The plugin cannot be read, or has other bytes than `sha256`.
    pub fn library(&self, library: &Path, sha256: &str) -> Result<PathBuf> {
        let folder = self.cache_path("plugins").join(sha256);
        let path = folder.join(library.file_name().unwrap_or_default());
        if is_plugin_folder(library) {
            return self.plugin_folder(library, sha256, path);
        }
        if path.is_file() {
            return Ok(path);
        }
        fs_err::create_dir_all(&folder)?;
        let bytes = library_bytes(library)?;
        if molarena_data::sha256_hex(&bytes) != sha256 {
            let message = "the library was replaced while it was in use; run again".into();
            return Err(Error::Plugin { path: library.to_owned(), message });
        }
        self.publish(&path, &bytes)?;
        Ok(path)
    }

    fn plugin_folder(&self, plugin: &Path, sha256: &str, copy: PathBuf) -> Result<PathBuf> {
        let changed = || Error::Plugin {
            path: plugin.to_owned(),
            message: "the files of the plugin were changed while it was in use; run again".into(),
        };
        let is_sound = |folder: &Path| {
            let found = PluginManifest::read(folder).and_then(|manifest| manifest.sha256());
            found.is_ok_and(|found| found == sha256)
        };
        if is_sound(&copy) {
            return Ok(copy);
        }
        let manifest = PluginManifest::read(plugin)?;
        if let Entry::Command(_) = manifest.entry {
            return if manifest.sha256()? == sha256 { Ok(plugin.to_owned()) } else { Err(changed()) };
        }
        let made = Temporary::make("plugin-", &self.work_dir())?;
        let inner = made.path().join("plugin");
        manifest.copy_to(&inner)?;
        if !is_sound(&inner) {
            return Err(changed());
        }
        // What a removal of caches left.
        remove_tree(&copy)?;
        fs_err::create_dir_all(copy.parent().unwrap_or(&copy))?;
        match fs_err::rename(&inner, &copy) {
            // Another run was faster.
            Err(_) if is_sound(&copy) => Ok(copy),
            renamed => Ok(renamed.map(|()| copy)?),
        }
    }

    /// The value of a cached file, as `read` reads it; made if it is missing or unreadable, and written to the cache
    /// unless the store is read-only.
    ///
    /// # Errors
    /// Errors of `make` and of writing.
    pub fn cached<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Path) -> Option<T>,
        make: impl FnOnce() -> Result<T>,
        write: impl FnOnce(&T, &Path) -> Result<()>,
    ) -> Result<T> {
        let path = self.cache_path(name);
        if path.symlink_metadata().is_ok() {
            match open_stored(&path).ok().and_then(|_| read(&path)) {
                Some(value) => return Ok(value),
                None if self.session.is_none() => return make(),
                None => remove(&path)?,
            }
        }
        let value = make()?;
        if self.session.is_none() {
            return Ok(value);
        }
        let temporary = self.temporary()?;
        write(&value, temporary.path())?;
        persist(temporary, &path)?;
        Ok(value)
    }

    /// A temporary file that others may read once it is published.
    pub(crate) fn temporary(&self) -> Result<tempfile::NamedTempFile> {
        use std::os::unix::fs::PermissionsExt;
        let permissions = std::fs::Permissions::from_mode(0o644);
        Ok(tempfile::Builder::new().prefix("new-").permissions(permissions).tempfile_in(self.work_dir())?)
    }

    /// Overwrites a record.
    fn overwrite(&self, path: &Path, record: &impl Serialize) -> Result<()> {
        let mut file = self.temporary()?;
        file.write_all(record_text(record).as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Store { path: path.to_owned(), message: error.error.to_string() }),
        }
    }

    /// Writes a record. An existing one wins unless it is damaged: then it is renamed to `NAME.damaged`.
    fn publish_record(&self, path: &Path, record: &impl Serialize, damaged: bool) -> Result<()> {
        if damaged {
            let mut aside = path.as_os_str().to_owned();
            aside.push(".damaged");
            fs_err::rename(path, PathBuf::from(aside))?;
        }
        self.publish(path, record_text(record).as_bytes())
    }

    /// Writes to a temporary name, syncs, and links into place; the first writer wins.
    pub(crate) fn publish(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut file = self.temporary()?;
        file.write_all(bytes)?;
        persist(file, path)
    }

    /// Publishes the worker's file `from`, a plain file of at most `limit` bytes, under the hash of its
    /// bytes.
    fn publish_artifact_file(&self, from: &Path, limit: u64) -> Result<String> {
        let mut file = self.temporary()?;
        let sha256 = copy_plain(from, limit, &mut file)?;
        persist(file, &self.place_of_artifact(&sha256)?)?;
        Ok(sha256)
    }

    fn publish_artifact(&self, bytes: &[u8]) -> Result<String> {
        let sha256 = molarena_data::sha256_hex(bytes);
        self.publish(&self.place_of_artifact(&sha256)?, bytes)?;
        Ok(sha256)
    }

    /// Path of an artifact that is about to be published. A file there that has other bytes is removed.
    fn place_of_artifact(&self, sha256: &str) -> Result<PathBuf> {
        let path = self.artifact_path(sha256);
        if path.symlink_metadata().is_ok() && hash_stored(&path).ok().as_deref() != Some(sha256) {
            remove(&path)?;
        }
        Ok(path)
    }

    fn artifact_path(&self, sha256: &str) -> PathBuf {
        self.root.join("artifacts").join(shard(sha256)).join(sha256)
    }
}

/// Whether a store has records of earlier versions: outside of shards, or in the folders of former kinds.
fn has_earlier(root: &Path) -> Result<bool> {
    let any = |folder: &str, is_earlier: &dyn Fn(&Path) -> bool| -> Result<bool> {
        let folder = root.join(folder);
        if !folder.is_dir() {
            return Ok(false);
        }
        for entry in fs_err::read_dir(folder)? {
            if is_earlier(&entry?.path()) {
                return Ok(true);
            }
        }
        Ok(false)
    };
    let is_record = |path: &Path| path.extension().is_some_and(|extension| extension == "json");
    let keeps_record = |path: &Path| path.join("record.json").exists();
    Ok(root.join("fits").is_dir()
        || any("records", &is_record)?
        || any("matches", &is_record)?
        || any("encoders", &keeps_record)?)
}

/// The text of a record's file.
fn record_text(record: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(record).expect("records are plain data");
    // The values are what they were, but whoever prints the file is safe.
    visible_json(&text).into_owned() + "\n"
}

fn persist(file: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    file.as_file().sync_all()?;
    if let Some(folder) = path.parent() {
        fs_err::create_dir_all(folder)?;
    }
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Error::Store { path: path.to_owned(), message: unplaced(&error.error) }),
    }
}

/// Why a file cannot get its name; on some file systems because it must not replace another one.
fn unplaced(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::Unsupported | ErrorKind::InvalidInput => format!(
            "{error}: the file system may not know hard links, by which the first of two writers wins; put the store on \
             one that does"
        ),
        _ => error.to_string(),
    }
}

/// The shard of a name: its first two characters.
fn shard(name: &str) -> &str {
    name.get(..2).unwrap_or(name)
}

/// The `.json` files of a folder of records, in its shards and outside of them, sorted by name.
fn json_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for_each_json(folder, &mut |path| paths.push(path))?;
    paths.sort_by(|one, other| one.file_name().cmp(&other.file_name()));
    Ok(paths)
}

/// Passes on each `.json` file of a folder of records, in its shards and outside of them.
fn for_each_json(folder: &Path, pass: &mut dyn FnMut(PathBuf)) -> Result<()> {
    let mut pass = |path: PathBuf| {
        if path.extension().is_some_and(|extension| extension == "json") {
            pass(path);
        }
    };
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs_err::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            for entry in fs_err::read_dir(&path)? {
                pass(entry?.path());
            }
        } else {
            pass(path);
        }
    }
    Ok(())
}

/// The key that a record's file name states.
fn key_in(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn remove(path: &Path) -> Result<()> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
