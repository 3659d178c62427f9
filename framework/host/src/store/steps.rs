//! Steps in the store, and what they made.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use molarena_record::{
    encoder::{ENCODER_SCHEMA, EncoderRecord},
    fit::{FIT_SCHEMA, Fit},
    key::key_of,
    matching::{MATCH_SCHEMA, MatchRecord, RANKS_FILE},
    step::{STEP_SCHEMA, StepOutcome, StepRecord},
};

use crate::{
    error::{Error, Result},
    files::{
        npy::{from_npy, to_npy},
        plain::{hash_stored, read_stored},
    },
    store::{
        Store,
        read::{Found, read_record, usable},
        remove, shard,
    },
};

/// One file that a step made.
#[derive(Debug)]
pub(crate) enum Artifact {
    /// In memory, already checked.
    Bytes(Vec<u8>),
    /// A file in the job folder and its size limit in bytes; its content is not checked.
    File(PathBuf, u64),
}

/// The files that a step made, by name.
pub(crate) type Made = BTreeMap<&'static str, Artifact>;

impl Store {
    pub(super) fn step_path(&self, key: &str) -> PathBuf {
        self.root.join("steps").join(shard(key)).join(format!("{key}.json"))
    }

    /// Finds a step's record, in the current format or an earlier one.
    fn find_step(&self, key: &str) -> Result<(PathBuf, Found<StepRecord>)> {
        let path = self.step_path(key);
        let found = read_record::<StepRecord>(&path, STEP_SCHEMA)?.checked(|record| check(record, key));
        if !self.has_earlier || !matches!(found, Found::Nothing) {
            return Ok((path, found));
        }
        let path = self.root.join("fits").join(format!("{key}.json"));
        let found = read_record::<Fit>(&path, FIT_SCHEMA)?.map(StepRecord::from);
        if !matches!(found, Found::Nothing) {
            return Ok((path, found.checked(|record| named(&record.key, key))));
        }
        let path = self.root.join("encoders").join(key).join("record.json");
        let found = read_record::<EncoderRecord>(&path, ENCODER_SCHEMA)?.map(StepRecord::from);
        if !matches!(found, Found::Nothing) {
            return Ok((path, found.checked(|record| named(&record.key, key))));
        }
        let path = self.root.join("matches").join(format!("{key}.json"));
        let found = read_record::<MatchRecord>(&path, MATCH_SCHEMA)?.map(StepRecord::from);
        Ok((path, found.checked(|record| named(&record.key, key))))
    }

    /// The outcome of a step, if it is finished. A damaged record counts as missing, with a warning.
    ///
    /// # Errors
    /// A later version of molarena wrote the record, or it cannot be read.
    pub fn step(&self, key: &str) -> Result<Option<StepRecord>> {
        let (path, found) = self.find_step(key)?;
        usable(found, &path, &|warning| self.warn(warning))
    }

    /// Writes what a step made, then its record. If two processes write the same step, the first one's record
    /// counts and is returned.
    ///
    /// # Errors
    /// Errors of writing, and of reading the worker's files.
    pub(crate) fn put_step(&self, record: &StepRecord, made: Made) -> Result<StepRecord> {
        let mut record = record.clone();
        if let StepOutcome::Made { files } = &mut record.outcome {
            for (name, artifact) in made {
                let sha256 = match artifact {
                    Artifact::Bytes(bytes) => self.publish_artifact(&bytes)?,
                    Artifact::File(path, limit) => self.publish_artifact_file(&path, limit)?,
                };
                files.insert(name.to_owned(), sha256);
            }
        }
        let path = self.step_path(&record.key);
        let damaged = matches!(self.find_step(&record.key)?, (place, Found::Damaged(_)) if place == path);
        self.publish_record(&path, &record, damaged)?;
        Ok(self.step(&record.key)?.unwrap_or(record))
    }

    /// Writes predictions of test molecules that no worker made, `f32[molecules, tasks]`, and the record of their step.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn put_predictions(&self, record: &StepRecord, tasks: usize, values: Vec<f32>) -> Result<StepRecord> {
        let bytes = to_npy(values.len() / tasks, tasks, values);
        self.put_step(record, Made::from([("test.npy", Artifact::Bytes(bytes))]))
    }

    /// Path of the file `name` of a step, checked against the hash in its record.
    ///
    /// # Errors
    /// [`Error::Store`] if the step made no such file, or the file is missing or has other bytes.
    pub fn artifact(&self, step: &StepRecord, name: &str) -> Result<PathBuf> {
        let (path, sha256) = self.locate(step, name)?;
        if !path.is_file() {
            return Err(Error::Store { path, message: missing(step, name) });
        }
        if hash_stored(&path)? != sha256 {
            return Err(Error::Store { path, message: swapped(step, name) });
        }
        Ok(path)
    }

    /// The bytes of the file `name` of a step.
    ///
    /// # Errors
    /// As [`artifact`](Self::artifact).
    pub fn read_artifact(&self, step: &StepRecord, name: &str) -> Result<Vec<u8>> {
        let (path, sha256) = self.locate(step, name)?;
        if !path.is_file() {
            return Err(Error::Store { path, message: missing(step, name) });
        }
        let bytes = read_stored(&path)?;
        if molarena_data::sha256_hex(&bytes) != sha256 {
            return Err(Error::Store { path, message: swapped(step, name) });
        }
        Ok(bytes)
    }

    /// Rows, columns and values, row-major, of the `.npy` file `name` of a step.
    ///
    /// # Errors
    /// As [`artifact`](Self::artifact), and [`Error::Store`] if it is not an f32 matrix.
    pub fn matrix(&self, step: &StepRecord, name: &str) -> Result<(usize, usize, Vec<f32>)> {
        let bytes = self.read_artifact(step, name)?;
        from_npy(&bytes).map_err(|message| Error::Store { path: self.step_path(&step.key), message })
    }

    pub(super) fn locate(&self, step: &StepRecord, name: &str) -> Result<(PathBuf, String)> {
        let sha256 = step.sha256_of(name).ok_or_else(|| Error::Store {
            path: self.step_path(&step.key),
            message: format!("this {} made no file `{name}`", step.kind),
        })?;
        let path = self.artifact_path(sha256);
        if path.is_file() {
            return Ok((path, sha256.to_owned()));
        }
        let earlier = self.earlier_artifact(&step.key, name).filter(|path| path.is_file());
        Ok((earlier.unwrap_or(path), sha256.to_owned()))
    }

    /// Where earlier formats keep the file.
    fn earlier_artifact(&self, key: &str, name: &str) -> Option<PathBuf> {
        Some(match name {
            "test.npy" => self.root.join("fits").join(format!("{key}.npy")),
            "valid.npy" => self.root.join("fits").join(format!("{key}.valid.npy")),
            "state" => self.root.join("encoders").join(key).join("state"),
            RANKS_FILE => self.root.join("matches").join(format!("{key}.npz")),
            _ => return None,
        })
    }

    /// Removes and returns the record of a failed step, so that the step runs again.
    ///
    /// # Errors
    /// Errors of reading and removing.
    pub(crate) fn forget_failed_step(&self, key: &str) -> Result<Option<StepRecord>> {
        let (path, found) = self.find_step(key)?;
        match found {
            Found::Record(record) if record.failure().is_some() => {
                remove(&path)?;
                Ok(Some(record))
            }
            _ => Ok(None),
        }
    }

    /// All step records of this and earlier formats, with their paths.
    pub(super) fn all_steps(&self) -> Result<Vec<(PathBuf, Found<StepRecord>)>> {
        let mut keys: BTreeSet<String> = BTreeSet::new();
        for folder in ["steps", "fits"] {
            for path in super::json_files(&self.root.join(folder))? {
                keys.insert(super::key_in(&path));
            }
        }
        let encoders = self.root.join("encoders");
        if encoders.is_dir() {
            for entry in fs_err::read_dir(encoders)? {
                let path = entry?.path();
                if path.join("record.json").is_file() {
                    keys.insert(key_in_folder(&path));
                }
            }
        }
        keys.into_iter().map(|key| self.find_step(&key)).collect()
    }
}

fn key_in_folder(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn named(found: &str, key: &str) -> Result<(), String> {
    if found == key { Ok(()) } else { Err(format!("it is the record of another key, {found}")) }
}

/// Checks that a record has the key of its file name, and the content of that key.
fn check(record: &StepRecord, key: &str) -> Result<(), String> {
    named(&record.key, key)?;
    if !record.of.is_null() && key_of(&record.of) != key {
        return Err("its content does not have the key that it is stored under".into());
    }
    Ok(())
}

pub(super) fn missing(step: &StepRecord, name: &str) -> String {
    format!("the file `{name}` of {} {} is missing; remove its record and run again", step.kind, step.key)
}

pub(super) fn swapped(step: &StepRecord, name: &str) -> String {
    format!(
        "these are not the bytes of `{name}` that {} {} made; remove this file and the record, and run again",
        step.kind, step.key
    )
}
