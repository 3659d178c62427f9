//! Writes files into the data folder: first into a staging folder; they are compared with existing files,
//! then moved into place.

use std::io::BufWriter;
use std::path::{Path, PathBuf};

use fs_err::File;
use molarena_data::fetch::take_lock;
use molarena_data::{FileSpec, Role, sha256_file};

use crate::error::{Error, Result};

/// What happened to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Path of the file.
    pub path: PathBuf,
    /// Whether it was written; if not, it was already there with the same bytes.
    pub new: bool,
}

/// A staging folder and a list of the files in it.
pub(crate) struct Staging {
    data_dir: PathBuf,
    /// Removed with its contents when this goes out of scope.
    aside: PathBuf,
    /// Folder of the files that [`Staging::path`] names: the dataset's id.
    id: String,
    files: Vec<FileSpec>,
    _lock: File,
}

impl Staging {
    /// Waits until no other process writes to `data_dir`, then removes what a killed process left.
    pub(crate) fn new(data_dir: &Path, id: &str) -> Result<Self> {
        let lock = take_lock(data_dir)?;
        let aside = data_dir.join(format!(".{id}.part"));
        if aside.exists() {
            fs_err::remove_dir_all(&aside)?;
        }
        let (data_dir, id) = (data_dir.to_owned(), id.to_owned());
        Ok(Self { data_dir, aside, id, files: Vec::new(), _lock: lock })
    }

    /// Where to write the file `<id>/<name>`.
    pub(crate) fn path(&mut self, name: &str, description: &str) -> Result<PathBuf> {
        self.add(format!("{}/{name}", self.id), Role::Companion, description)
    }

    /// Begins the text file `<id>/<name>`.
    pub(crate) fn table(&mut self, name: &str, description: &str) -> Result<BufWriter<File>> {
        Ok(BufWriter::new(File::create(self.path(name, description)?)?))
    }

    /// Begins the assays of dataset `id`.
    pub(crate) fn assays(&mut self, id: &str) -> Result<BufWriter<File>> {
        let path = self.add(format!("{id}/assays.csv"), Role::Assays, "SMILES and labels")?;
        Ok(BufWriter::new(File::create(path)?))
    }

    fn add(&mut self, path: String, role: Role, description: &str) -> Result<PathBuf> {
        let description = description.to_owned();
        let file = FileSpec { path, role, description, url: None, sha256: String::new(), bytes: None };
        let place = file.locate(&self.aside);
        fs_err::create_dir_all(place.parent().expect("a file is in a folder"))?;
        self.files.push(file);
        Ok(place)
    }

    /// The files, with their digests.
    pub(crate) fn hashed(&mut self) -> Result<Vec<FileSpec>> {
        for file in &mut self.files {
            let place = file.locate(&self.aside);
            file.sha256 = sha256_file(&place)?;
            file.bytes = Some(fs_err::metadata(&place)?.len());
        }
        Ok(self.files.clone())
    }

    /// Moves the files and the manifests into the data folder.
    ///
    /// # Errors
    /// [`Error::WouldReplace`] names a file that exists with other bytes, unless `replace`; nothing is
    /// changed then.
    pub(crate) fn publish(self, manifests: &[(String, String)], replace: bool) -> Result<Vec<Written>> {
        for (path, text) in manifests {
            let place = self.aside.join(path);
            fs_err::create_dir_all(place.parent().expect("a file is in a folder"))?;
            fs_err::write(&place, text)?;
        }
        let paths: Vec<&str> = self
            .files
            .iter()
            .map(|file| file.path.as_str())
            .chain(manifests.iter().map(|(path, _)| path.as_str()))
            .collect();
        let mut written = Vec::with_capacity(paths.len());
        for path in &paths {
            let target = self.data_dir.join(path);
            let new = !target.exists() || sha256_file(&target)? != sha256_file(self.aside.join(path))?;
            if new && target.exists() && !replace {
                return Err(Error::WouldReplace { path: target });
            }
            written.push(Written { path: target, new });
        }
        for (path, file) in paths.iter().zip(&written).filter(|(_, file)| file.new) {
            fs_err::create_dir_all(file.path.parent().expect("a file is in a folder"))?;
            fs_err::rename(self.aside.join(path), &file.path)?;
        }
        Ok(written)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // After an error, that error is the one to report; the next run removes what stays.
        let _ = fs_err::remove_dir_all(&self.aside);
    }
}
