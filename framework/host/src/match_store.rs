//! The store's matching cells: `matches/<key>.json`, and their ranks.

use std::path::PathBuf;

use crate::{
    Result, Store,
    encoder_store::remove,
    match_record::{MATCH_SCHEMA, MatchOutcome, MatchRecord},
    store::{json_files, read_json},
};

impl Store {
    fn match_path(&self, key: &str) -> PathBuf {
        self.root().join("matches").join(format!("{key}.json"))
    }

    /// Where the ranks of a matching cell are: for each space an array `u64[pairs, 2]` of query nodes and ranks.
    pub fn ranks_path(&self, key: &str) -> PathBuf {
        self.root().join("matches").join(format!("{key}.npz"))
    }

    /// The record of a matching cell, if it is finished.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn match_record(&self, key: &str) -> Result<Option<MatchRecord>> {
        read_json(&self.match_path(key), MATCH_SCHEMA)
    }

    /// All records of matching cells, sorted by key. A store from before there were such cells has none.
    ///
    /// # Errors
    /// One cannot be read.
    pub fn match_records(&self) -> Result<Vec<MatchRecord>> {
        let folder = self.root().join("matches");
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        json_files(&folder)?.iter().filter_map(|path| read_json(path, MATCH_SCHEMA).transpose()).collect()
    }

    /// Writes a record, the ranks first; existing ones win.
    pub(crate) fn put_match(&self, record: &MatchRecord, ranks: Option<&[u8]>) -> Result<()> {
        if let Some(ranks) = ranks {
            self.publish(&self.ranks_path(&record.key), ranks)?;
        }
        self.publish_json(&self.match_path(&record.key), record)
    }

    /// Removes the record of a matching cell that failed, so that it runs again.
    pub(crate) fn forget_match_failure(&self, key: &str) -> Result<()> {
        match self.match_record(key)?.map(|record| record.outcome) {
            Some(MatchOutcome::Failed(_)) => remove(&self.match_path(key)),
            _ => Ok(()),
        }
    }
}
