//! Scored cells in the store.

use std::path::PathBuf;

use molarena_record::{
    cell::{RECORD_SCHEMA, Record},
    matching::{MATCH_SCHEMA, MatchOutcome, MatchRecord},
};
use rayon::prelude::*;
use serde::de::DeserializeOwned;

use crate::{
    error::Result,
    store::{
        Store, json_files, key_in,
        read::{Found, read_record, usable},
        remove, shard,
        sharing::Sharing,
    },
};

/// A record of a scored cell.
pub(crate) trait Cell: DeserializeOwned + serde::Serialize + Send {
    /// Its folder in the store.
    const FOLDER: &str;
    /// Name of the schema.
    const SCHEMA: &str;
    /// The key that it states.
    fn key(&self) -> &str;
    /// The key computed from its content.
    fn content_key(&self) -> String;
    /// Whether the cell failed.
    fn failed(&self) -> bool;
    /// Lets it hold together with earlier cells what it has in common with them.
    fn share(&mut self, _sharing: &Sharing) {}
}

impl Cell for Record {
    const FOLDER: &str = "records";
    const SCHEMA: &str = RECORD_SCHEMA;

    fn key(&self) -> &str {
        &self.key
    }

    fn content_key(&self) -> String {
        self.content_key()
    }

    fn failed(&self) -> bool {
        matches!(self.outcome, molarena_record::cell::Outcome::Failed(_))
    }

    fn share(&mut self, sharing: &Sharing) {
        sharing.share(self);
    }
}

impl Cell for MatchRecord {
    const FOLDER: &str = "matches";
    const SCHEMA: &str = MATCH_SCHEMA;

    fn key(&self) -> &str {
        &self.key
    }

    fn content_key(&self) -> String {
        self.content_key()
    }

    fn failed(&self) -> bool {
        matches!(self.outcome, MatchOutcome::Failed(_))
    }
}

impl Store {
    fn cell_path<C: Cell>(&self, key: &str) -> PathBuf {
        self.root.join(C::FOLDER).join(shard(key)).join(format!("{key}.json"))
    }

    pub(super) fn find_cell<C: Cell>(&self, key: &str) -> Result<(PathBuf, Found<C>)> {
        let path = self.cell_path::<C>(key);
        let found = read_cell::<C>(&path)?;
        if !self.has_earlier || !matches!(found, Found::Nothing) {
            return Ok((path, found));
        }
        let path = self.root.join(C::FOLDER).join(format!("{key}.json"));
        let found = read_cell::<C>(&path)?;
        Ok((path, found))
    }

    fn cell<C: Cell>(&self, key: &str) -> Result<Option<C>> {
        let (path, found) = self.find_cell(key)?;
        usable(found, &path, &|warning| self.warn(warning))
    }

    /// All cells of a kind, sorted by key, with what they have in common in memory once. An unreadable one is left out, with
    /// a warning.
    fn cells<C: Cell>(&self) -> Result<Vec<C>> {
        let paths = json_files(&self.root.join(C::FOLDER))?;
        let sharing = Sharing::default();
        let read = |path: &PathBuf| {
            Ok(match read_cell::<C>(path)? {
                Found::Record(mut cell) => {
                    cell.share(&sharing);
                    Some(cell)
                }
                Found::Nothing => None,
                Found::Damaged(why) | Found::Newer(why) => {
                    self.warn(format!("{}: {why}; it is left out", path.display()));
                    None
                }
            })
        };
        paths.par_iter().filter_map(|path| read(path).transpose()).collect()
    }

    pub(super) fn put_cell<C: Cell>(&self, cell: &C) -> Result<()> {
        let path = self.cell_path::<C>(cell.key());
        let damaged = matches!(self.find_cell::<C>(cell.key())?, (place, Found::Damaged(_)) if place == path);
        self.publish_record(&path, cell, damaged)
    }

    /// Removes a failed cell, so that it is scored again.
    fn forget_failed<C: Cell>(&self, key: &str) -> Result<()> {
        match self.find_cell::<C>(key)? {
            (path, Found::Record(cell)) if cell.failed() => remove(&path),
            _ => Ok(()),
        }
    }

    /// The record of `key`, if it is finished. A damaged one counts as missing, with a warning.
    ///
    /// # Errors
    /// A later version of molarena wrote the record, or it cannot be read.
    pub fn record(&self, key: &str) -> Result<Option<Record>> {
        self.cell(key)
    }

    /// All records, sorted by key. An unreadable one is left out, with a warning.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn records(&self) -> Result<Vec<Record>> {
        self.cells()
    }

    /// Writes a record; an existing one wins.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn put_record(&self, record: &Record) -> Result<()> {
        self.put_cell(record)
    }

    /// The record of a matching cell, if it is finished. A damaged one counts as missing, with a warning.
    ///
    /// # Errors
    /// A later version of molarena wrote the record, or it cannot be read.
    pub fn match_record(&self, key: &str) -> Result<Option<MatchRecord>> {
        self.cell(key)
    }

    /// All records of matching cells, sorted by key. An unreadable one is left out, with a warning.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn match_records(&self) -> Result<Vec<MatchRecord>> {
        self.cells()
    }

    /// Writes the record of a matching cell; an existing one wins.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn put_match(&self, record: &MatchRecord) -> Result<()> {
        self.put_cell(record)
    }

    /// Replaces records with the recomputed ones of a replay, which have the same keys.
    ///
    /// # Errors
    /// Errors of writing.
    pub fn replace(&self, records: &[Record], matches: &[MatchRecord]) -> Result<()> {
        records.iter().try_for_each(|record| self.replace_cell(record))?;
        matches.iter().try_for_each(|record| self.replace_cell(record))
    }

    fn replace_cell<C: Cell>(&self, cell: &C) -> Result<()> {
        let (path, _) = self.find_cell::<C>(cell.key())?;
        self.overwrite(&path, cell)
    }

    /// Removes the record of a failed cell, of either kind.
    pub(crate) fn forget_failed_cell(&self, key: &str) -> Result<()> {
        self.forget_failed::<Record>(key)?;
        self.forget_failed::<MatchRecord>(key)
    }

    /// The number of cells of both kinds and what is wrong with them, for [`verify`](Self::verify).
    pub(super) fn damaged_cells(&self) -> Result<(usize, Vec<String>)> {
        let (tasks, mut problems) = self.damaged::<Record>()?;
        let (matches, more) = self.damaged::<MatchRecord>()?;
        problems.extend(more);
        Ok((tasks + matches, problems))
    }

    fn damaged<C: Cell>(&self) -> Result<(usize, Vec<String>)> {
        let paths = json_files(&self.root.join(C::FOLDER))?;
        let mut problems = Vec::new();
        for path in &paths {
            if let Found::Damaged(why) | Found::Newer(why) = read_cell::<C>(path)? {
                problems.push(format!("{}: {why}", path.display()));
            }
        }
        Ok((paths.len(), problems))
    }
}

/// Reads a cell and checks that its file name, stated key and content agree.
fn read_cell<C: Cell>(path: &std::path::Path) -> Result<Found<C>> {
    let key = key_in(path);
    Ok(read_record::<C>(path, C::SCHEMA)?.checked(|cell| {
        if cell.key() != key {
            return Err(format!("it is the record of another key, {}", cell.key()));
        }
        if cell.content_key() != key {
            return Err("its content does not have the key that it is stored under".into());
        }
        Ok(())
    }))
}
