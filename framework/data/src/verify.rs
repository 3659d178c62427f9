//! Compares the data folder with a manifest.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::context::ContextManifest;
use crate::error::Error;
use crate::hash::sha256_file;
use crate::manifest::{FileRef, Manifest, Role};
use crate::weights::WeightsManifest;

/// The state of a file in the data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum FileState {
    /// It is there, with the manifest's digest.
    Ok,
    /// It is not there.
    Missing,
    /// It is there, and the manifest states that no digest is known.
    Unverified {
        /// The digest it has.
        got: String,
    },
    /// It has another digest.
    WrongSha256 {
        /// The digest it has.
        got: String,
    },
    /// It cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// A file of a dataset and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileStatus {
    /// Path of the file.
    pub path: PathBuf,
    /// What it is for; a [`Role::Companion`] may be missing.
    pub role: Role,
    /// Its state.
    #[serde(flatten)]
    pub state: FileState,
}

impl FileStatus {
    /// Whether this file lets the dataset be used: it is good, or optional and missing.
    pub fn is_good(&self) -> bool {
        match self.state {
            FileState::Ok | FileState::Unverified { .. } => true,
            FileState::Missing => self.role == Role::Companion,
            FileState::WrongSha256 { .. } | FileState::Unreadable { .. } => false,
        }
    }
}

/// Compares every file that a manifest names with the data folder, in the manifest's order.
pub fn verify(manifest: &Manifest, data_dir: &Path) -> Vec<FileStatus> {
    verify_files(&manifest.file_refs(), data_dir)
}

/// Compares every file that a context graph's manifest names with the data folder, in the manifest's order.
pub fn verify_context(manifest: &ContextManifest, data_dir: &Path) -> Vec<FileStatus> {
    verify_files(&manifest.file_refs(), data_dir)
}

/// Compares every file that a manifest of weights names with the data folder, in the manifest's order.
pub fn verify_weights(manifest: &WeightsManifest, data_dir: &Path) -> Vec<FileStatus> {
    verify_files(&manifest.file_refs(), data_dir)
}

pub(crate) fn verify_files(files: &[FileRef<'_>], data_dir: &Path) -> Vec<FileStatus> {
    let status = |file: &FileRef<'_>| FileStatus {
        path: file.locate(data_dir),
        role: file.role,
        state: state(file, data_dir),
    };
    files.iter().map(status).collect()
}

/// The state of one file.
pub(crate) fn state(file: &FileRef<'_>, data_dir: &Path) -> FileState {
    match (sha256_file(file.locate(data_dir)), file.sha256) {
        (Ok(got), Some(expected)) if got == expected => FileState::Ok,
        (Ok(got), Some(_)) => FileState::WrongSha256 { got },
        (Ok(got), None) => FileState::Unverified { got },
        (Err(Error::Io(error)), _) if error.kind() == ErrorKind::NotFound => FileState::Missing,
        (Err(error), _) => FileState::Unreadable { reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made_up;

    #[test]
    fn tells_good_missing_and_changed_files_apart() {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), "abc", |manifest| {
            let mut companion = manifest.files[0].clone();
            companion.role = Role::Companion;
            companion.path = "made-up/more.csv".to_owned();
            manifest.files.push(companion);
        });
        let states =
            || verify(&manifest, folder.path()).into_iter().map(|status| status.state).collect::<Vec<_>>();
        assert_eq!(states(), [FileState::Ok, FileState::Missing]);
        assert!(verify(&manifest, folder.path()).iter().all(FileStatus::is_good));

        fs_err::write(folder.path().join("made-up/more.csv"), "abcd").unwrap();
        assert!(matches!(&states()[1], FileState::WrongSha256 { got } if got.starts_with("88d4266f")));
        assert!(!verify(&manifest, folder.path())[1].is_good());

        fs_err::remove_file(folder.path().join("made-up/assays.csv")).unwrap();
        assert!(!verify(&manifest, folder.path())[0].is_good());
        fs_err::create_dir(folder.path().join("made-up/assays.csv")).unwrap();
        assert!(matches!(&states()[0], FileState::Unreadable { .. }));
    }
}
