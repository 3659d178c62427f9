//! The store's matching cells: `matches/<key>.json`, and their ranks.

use std::{io::Cursor, path::PathBuf};

use ndarray::Array2;
use ndarray_npy::NpzReader;

use crate::{
    error::{Error, Result},
    store::{Store, json_files, read_record, remove},
};
use molarena_record::matching::{MATCH_SCHEMA, MatchOutcome, MatchRecord};

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
        read_record(&self.match_path(key), MATCH_SCHEMA)
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
        json_files(&folder)?.iter().filter_map(|path| read_record(path, MATCH_SCHEMA).transpose()).collect()
    }

    /// The best rank of each query of a scored record in a space, from 1, in the order of the queries.
    ///
    /// # Errors
    /// The ranks cannot be read, or are not those of the record.
    pub fn best_ranks(&self, record: &MatchRecord, space: &str) -> Result<Vec<usize>> {
        let path = self.ranks_path(&record.key);
        let bytes = fs_err::read(&path)?;
        let failed = |message: String| Error::Store { path: path.clone(), message };
        match &record.outcome {
            MatchOutcome::Scored { ranks_sha256, .. }
                if *ranks_sha256 == molarena_data::sha256_hex(&bytes) => {}
            _ => {
                let message =
                    "the ranks are not those of the record; remove its .json and .npz files and run again";
                return Err(failed(message.into()));
            }
        }
        let pairs: Result<Array2<u64>, _> =
            NpzReader::new(Cursor::new(bytes)).and_then(|mut arrays| arrays.by_name(space));
        let pairs = pairs.map_err(|error| failed(format!("space `{space}`: {error}")))?;
        if pairs.ncols() != 2 {
            return Err(failed(format!("space `{space}`: {} columns, must be 2", pairs.ncols())));
        }
        let mut of_queries: Vec<(u64, usize)> = Vec::new();
        for pair in pairs.rows() {
            let (query, rank) = (pair[0], pair[1] as usize);
            match of_queries.last_mut() {
                Some((node, best)) if *node == query => *best = rank.min(*best),
                _ => of_queries.push((query, rank)),
            }
        }
        Ok(of_queries.into_iter().map(|(_, rank)| rank).collect())
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
