//! Removing records, collecting what nothing names, and merging stores.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use molarena_record::{
    cell::Record,
    matching::MatchRecord,
    step::{StepOutcome, StepRecord},
};

use super::{Store, cells::Cell, is_abandoned, read::Found, remove};
use crate::error::{Error, Result};

/// What was removed, or would be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Scored cells.
    pub cells: usize,
    /// Records of steps.
    pub steps: usize,
    /// Other files: what steps made, caches.
    pub files: usize,
    /// Bytes of all of them.
    pub bytes: u64,
}

/// What garbage is, besides artifacts that no step names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Garbage {
    /// Steps whose predictions or ranks no record scores. Members of ensembles are among them: they are made again
    /// when another ensemble needs them.
    pub steps: bool,
    /// Caches: features, molecules, resampled scores, copies of plugin libraries.
    pub caches: bool,
}

/// What a merge did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Records of cells that were added.
    pub cells: usize,
    /// Records of steps that were added.
    pub steps: usize,
    /// Records that both stores have.
    pub known: usize,
    /// Keys of cells that both stores have with other outcomes; this store's stay.
    pub conflicts: Vec<String>,
}

impl Store {
    /// Removes scored cells by key, and their steps unless another record scores them, too. With `dry_run` nothing is
    /// removed.
    ///
    /// # Errors
    /// [`Error::Request`] while a run uses the store; errors of reading and removing.
    pub fn remove_cells(&self, keys: &BTreeSet<String>, dry_run: bool) -> Result<Removed> {
        self.check_unused()?;
        let scored = self.records()?.into_iter().map(|record| (record.key, record.fit_key));
        let matched = self.match_records()?.into_iter().map(|record| (record.key.clone(), record.key));
        let (gone, kept): (Vec<_>, Vec<_>) = scored.chain(matched).partition(|(key, _)| keys.contains(key));
        let used: BTreeSet<&String> = kept.iter().map(|(_, step)| step).collect();
        let mut removed = Removed::default();
        for (key, _) in &gone {
            for path in [self.find_cell::<Record>(key)?.0, self.find_cell::<MatchRecord>(key)?.0] {
                removed.cells += usize::from(take(&path, &mut removed.bytes, dry_run)?);
            }
            removed.files += usize::from(take(&self.reproduction_path(key), &mut removed.bytes, dry_run)?);
        }
        let steps: BTreeSet<&String> =
            gone.iter().map(|(_, step)| step).filter(|step| !used.contains(step)).collect();
        for key in steps {
            let path = self.step_path(key);
            removed.steps += usize::from(take(&path, &mut removed.bytes, dry_run)?);
        }
        Ok(removed)
    }

    /// Removes artifacts that no step names, and what else `garbage` says. With `dry_run` nothing is removed.
    ///
    /// # Errors
    /// [`Error::Request`] while a run uses the store, or if a record cannot be read, which may name what looks unused;
    /// errors of reading and removing.
    pub fn collect_garbage(&self, garbage: Garbage, dry_run: bool) -> Result<Removed> {
        self.check_unused()?;
        let mut removed = Removed::default();
        let mut steps = Vec::new();
        for (path, found) in self.all_steps()? {
            match found {
                Found::Record(step) => steps.push((path, step)),
                Found::Nothing => {}
                Found::Damaged(why) | Found::Newer(why) => {
                    let message =
                        format!("{}: {why}; remove or mend it first, it may name files", path.display());
                    return Err(Error::Request(message));
                }
            }
        }
        if garbage.steps {
            let scored = self.records()?.into_iter().map(|record| record.fit_key);
            let used: BTreeSet<String> =
                scored.chain(self.match_records()?.into_iter().map(|record| record.key)).collect();
            let is_used = |step: &StepRecord| !step.kind.is_scored() || used.contains(&step.key);
            let (kept, unused): (Vec<_>, Vec<_>) = steps.into_iter().partition(|(_, step)| is_used(step));
            for (path, step) in unused {
                // Only this format keeps a step in a file of its own.
                if path == self.step_path(&step.key) {
                    removed.steps += usize::from(take(&path, &mut removed.bytes, dry_run)?);
                }
            }
            steps = kept;
        }
        let named: BTreeSet<&String> = steps.iter().flat_map(|(_, step)| made(step)).collect();
        for path in files(&self.root.join("artifacts"))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if !named.contains(&name) {
                removed.files += usize::from(take(&path, &mut removed.bytes, dry_run)?);
            }
        }
        if garbage.caches {
            for path in files(&self.root.join("cache"))? {
                removed.files += usize::from(take(&path, &mut removed.bytes, dry_run)?);
            }
        }
        Ok(removed)
    }

    /// Adds the cells and steps of another store, with what the steps made.
    ///
    /// # Errors
    /// [`Error::Store`] if a file of the other store is missing or has other bytes than its record says; errors of
    /// reading and writing. What was added before stays.
    pub fn merge(&self, other: &Self) -> Result<Merged> {
        self.merge_taking(other, &|step, name| {
            let bytes = other.read_artifact(step, name)?;
            self.publish_artifact(&bytes).map(drop)
        })
    }

    /// As [`merge`](Self::merge); `take` brings a file of a step, which is named, into this store.
    pub(super) fn merge_taking(
        &self,
        other: &Self,
        take: &dyn Fn(&StepRecord, &str) -> Result<()>,
    ) -> Result<Merged> {
        let mut merged = Merged::default();
        for (path, found) in other.all_steps()? {
            let Found::Record(step) = found else {
                self.warn(format!("{}: it cannot be read and is left out", path.display()));
                continue;
            };
            if self.step(&step.key)?.is_some() {
                merged.known += 1;
                continue;
            }
            if let StepOutcome::Made { files } = &step.outcome {
                for name in files.keys() {
                    take(&step, name)?;
                }
            }
            self.publish_record(&self.step_path(&step.key), &step, false)?;
            merged.steps += 1;
        }
        for record in other.records()? {
            self.merge_cell(
                &record,
                self.record(&record.key)?.map(|known| known.outcome == record.outcome),
                &mut merged,
            )?;
        }
        for record in other.match_records()? {
            let known = self.match_record(&record.key)?;
            self.merge_cell(&record, known.map(|known| known.outcome == record.outcome), &mut merged)?;
        }
        let known: BTreeSet<String> = self.reproductions()?.into_iter().map(|found| found.key).collect();
        for reproduction in other.reproductions()? {
            // It tells of the outcome that the other store has.
            if !known.contains(&reproduction.key) && !merged.conflicts.contains(&reproduction.key) {
                self.put_reproduction(&reproduction)?;
            }
        }
        Ok(merged)
    }

    /// Adds a cell unless this store has it; `same` says whether it has it with the same outcome.
    fn merge_cell<C: Cell>(&self, cell: &C, same: Option<bool>, merged: &mut Merged) -> Result<()> {
        match same {
            None => {
                self.put_cell(cell)?;
                merged.cells += 1;
            }
            Some(same) => {
                merged.known += 1;
                if !same {
                    merged.conflicts.push(cell.key().to_owned());
                }
            }
        }
        Ok(())
    }

    /// Refuses while another process works in the store: what it has just written, its records do not name yet.
    fn check_unused(&self) -> Result<()> {
        let own = self.session.as_ref().map(|session| session.folder.as_path());
        for entry in fs_err::read_dir(self.root.join("work")).into_iter().flatten().flatten() {
            let folder = entry.path();
            if folder.is_dir() && Some(folder.as_path()) != own && !is_abandoned(&folder) {
                let store = self.root.display();
                return Err(Error::Request(format!("a run uses the store {store}; wait until it ends")));
            }
        }
        if self.has_jobs() {
            let store = self.root.display();
            return Err(Error::Request(format!(
                "jobs of the store {store} are in the queue of a cluster, or their results are not taken in; run its \
                 suite again"
            )));
        }
        Ok(())
    }
}

/// Names of the artifacts of a step.
fn made(step: &StepRecord) -> impl Iterator<Item = &String> {
    let files = match &step.outcome {
        StepOutcome::Made { files } => Some(files),
        StepOutcome::Failed(_) => None,
    };
    files.into_iter().flat_map(|files| files.values())
}

/// The plain files below a folder.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        if !folder.is_dir() {
            continue;
        }
        for entry in fs_err::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() { folders.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    Ok(found)
}

/// Removes a file, unless it is a dry run, and counts its bytes; whether it was there.
fn take(path: &Path, bytes: &mut u64, dry_run: bool) -> Result<bool> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(false) };
    *bytes += metadata.len();
    if !dry_run {
        remove(path)?;
    }
    Ok(true)
}
