//! A store as one file, named by the hash of its bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufReader, BufWriter, Read, Write},
    path::{Component, Path, PathBuf},
};

use flate2::{Compression, GzBuilder, read::GzDecoder};
use molarena_record::step::StepOutcome;
use tar::{Archive, Builder, EntryType, Header};

use super::{Merged, Store, record_text, shard};
use crate::{
    error::{Error, Result},
    files::{folder::Temporary, plain::hash_stored},
};

/// How the name of an archive ends, behind the sha256 of its bytes.
const SUFFIX: &str = ".tar.gz";
/// The folders of an archive.
pub(super) const FOLDERS: [&str; 5] = ["artifacts", "matches", "records", "reproductions", "steps"];
/// Most bytes of one file of an archive.
pub(super) const MOST: u64 = 4 << 30;
/// Most bytes of all of them together.
const MOST_TOGETHER: u64 = 64 << 30;

/// An archive that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    /// Its file, `<sha256>.tar.gz`.
    pub path: PathBuf,
    /// sha256 of its bytes.
    pub sha256: String,
    /// Records in it.
    pub cells: usize,
    /// Steps in it.
    pub steps: usize,
    /// Its size.
    pub bytes: u64,
}

impl Store {
    /// Writes what boards, comparisons, gates and replays need into `folder/<sha256>.tar.gz`: records, the steps that they
    /// score with their predictions or ranks, and what came of making records again. Trained encoders, vectors and caches
    /// are left out. Equal stores give equal bytes.
    ///
    /// # Errors
    /// [`Error::Store`] if a record has no step here or what the step made is missing; errors of writing.
    pub fn pack(&self, folder: &Path) -> Result<Packed> {
        fs_err::create_dir_all(folder)?;
        let mut file = tempfile::Builder::new().prefix(".pack-").tempfile_in(folder)?;
        let (cells, steps) = self.write_archive(BufWriter::new(file.as_file_mut()))?;
        file.as_file().sync_all()?;
        let sha256 = hash_stored(file.path())?;
        let path = folder.join(format!("{sha256}{SUFFIX}"));
        file.persist(&path).map_err(|error| Error::Io(error.error))?;
        // A temporary file is for its owner alone, and an archive is made to be handed on.
        #[cfg(unix)]
        fs_err::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        let bytes = fs_err::metadata(&path)?.len();
        Ok(Packed { path, sha256, cells, steps, bytes })
    }

    fn write_archive(&self, into: impl Write) -> Result<(usize, usize)> {
        let packed = GzBuilder::new().mtime(0).write(into, Compression::best());
        let mut archive = Builder::new(packed);
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut scored: BTreeSet<String> = BTreeSet::new();
        let place = |folder: &str, key: &str| format!("{folder}/{}/{key}.json", shard(key));
        for record in self.records()? {
            texts.insert(place("records", &record.key), record_text(&record));
            scored.insert(record.fit_key);
        }
        for record in self.match_records()? {
            texts.insert(place("matches", &record.key), record_text(&record));
            scored.insert(record.key);
        }
        let cells = texts.len();
        for found in self.reproductions()? {
            texts.insert(place("reproductions", &found.key), record_text(&found));
        }
        let mut artifacts: BTreeMap<String, (String, String)> = BTreeMap::new();
        for key in &scored {
            let missing = || Error::Store {
                path: self.step_path(key),
                message: "a record scores this step, and it is not in the store".into(),
            };
            let step = self.step(key)?.ok_or_else(missing)?;
            if let StepOutcome::Made { files } = &step.outcome {
                let named = files.iter().map(|(name, sha256)| (sha256.clone(), (key.clone(), name.clone())));
                artifacts.extend(named);
            }
            texts.insert(place("steps", key), record_text(&step));
        }
        for (sha256, (key, name)) in &artifacts {
            let step = self.step(key)?.expect("it was read above");
            let bytes = self.read_artifact(&step, name)?;
            append(&mut archive, &format!("artifacts/{}/{sha256}", shard(sha256)), &bytes)?;
        }
        for (path, text) in &texts {
            append(&mut archive, path, text.as_bytes())?;
        }
        archive.into_inner()?.finish()?.flush()?;
        Ok((cells, scored.len()))
    }

    /// Adds the records of an archive that [`pack`](Self::pack) wrote.
    ///
    /// # Errors
    /// [`Error::Archive`] if the file is no such archive, or its name states another sha256 than its bytes have; else as
    /// [`merge`](Self::merge).
    pub fn unpack(&self, path: &Path) -> Result<Merged> {
        let failed = |message: String| Error::Archive { path: path.to_owned(), message };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stated = name
            .strip_suffix(SUFFIX)
            .filter(|name| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()));
        if let Some(stated) = stated {
            let sha256 = hash_stored(path)?;
            if sha256 != stated {
                return Err(failed(format!("its name states another sha256 than its bytes have, {sha256}")));
            }
        }
        let folder = Temporary::make("unpack-", &self.work_dir())?;
        fs_err::create_dir_all(folder.path().join("records"))?;
        let file = BufReader::new(fs_err::File::open(path)?);
        read_archive(file, folder.path())
            .map_err(|error| failed(format!("no archive of a store: {error}")))?;
        let other = Self::open(folder.path())?;
        let merged = self.merge(&other)?;
        other.warnings().into_iter().for_each(|warning| self.warn(warning));
        Ok(merged)
    }
}

fn append(archive: &mut Builder<impl Write>, path: &str, bytes: &[u8]) -> Result<()> {
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    Ok(archive.append_data(&mut header, path, bytes)?)
}

/// Writes the files of an archive below `folder`: plain files in the folders of a store, no links, nothing elsewhere.
fn read_archive(file: impl Read, folder: &Path) -> std::io::Result<()> {
    let wrong = |message: String| std::io::Error::other(message);
    let mut count = 0;
    let mut bytes = 0;
    for entry in Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let parts: Vec<&str> = path
            .components()
            .map(|part| match part {
                Component::Normal(name) => name.to_str(),
                _ => None,
            })
            .collect::<Option<_>>()
            .ok_or_else(|| wrong(format!("it has a file `{}`", path.display())))?;
        let fits = matches!(parts.as_slice(), [folder, _, _] if FOLDERS.contains(folder));
        if !fits || entry.header().entry_type() != EntryType::Regular {
            return Err(wrong(format!("it has a file `{}`, which a store has not", path.display())));
        }
        if entry.size() > MOST {
            return Err(wrong(format!("its file `{}` is too large", path.display())));
        }
        bytes += entry.size();
        if bytes > MOST_TOGETHER {
            return Err(wrong(format!("its files are larger than {} GiB together", MOST_TOGETHER >> 30)));
        }
        let place = folder.join(&path);
        fs_err::create_dir_all(place.parent().expect("it has three parts"))?;
        let mut written = fs_err::OpenOptions::new().write(true).create_new(true).open(place)?;
        std::io::copy(&mut entry, &mut written)?;
        count += 1;
    }
    if count == 0 {
        return Err(wrong("it is empty".to_owned()));
    }
    Ok(())
}
