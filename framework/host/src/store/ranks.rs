//! Ranks from matching steps.

use std::{io::Cursor, path::PathBuf};

use molarena_record::{
    matching::{MatchRecord, RANKS_FILE},
    step::StepRecord,
};
use ndarray::Array2;
use ndarray_npy::NpzReader;

use crate::{
    error::{Error, Result},
    store::Store,
};

/// The ranks of a matching step, as [`Store::ranks`] reads them.
pub struct Ranks {
    /// Path of the step's record, for messages.
    path: PathBuf,
    arrays: NpzReader<Cursor<Vec<u8>>>,
}

impl Store {
    /// The ranks that a matching step made.
    ///
    /// # Errors
    /// The ranks cannot be read, or are not those of the record.
    pub fn ranks(&self, step: &StepRecord) -> Result<Ranks> {
        let path = self.step_path(&step.key);
        let bytes = self.read_artifact(step, RANKS_FILE)?;
        match NpzReader::new(Cursor::new(bytes)) {
            Ok(arrays) => Ok(Ranks { path, arrays }),
            Err(error) => Err(Error::Store { path, message: error.to_string() }),
        }
    }

    /// The best rank of each query of a scored record in a space, from 1, in the order of the queries.
    ///
    /// # Errors
    /// As [`ranks`](Self::ranks) and [`Ranks::in_space`]; the step is not in the store.
    pub fn best_ranks(&self, record: &MatchRecord, space: &str) -> Result<Vec<usize>> {
        let step = self.step(&record.key)?.ok_or_else(|| Error::Store {
            path: self.step_path(&record.key),
            message: "there is no such step".into(),
        })?;
        let ranks = self.ranks(&step)?.in_space(space)?;
        Ok(ranks.into_iter().filter_map(|ranks| ranks.into_iter().min()).collect())
    }
}

impl Ranks {
    /// Ranks of the queries' own profiles in a space: for each query, in their order, its ranks from 1, ascending.
    ///
    /// # Errors
    /// The step has no ranks in this space.
    pub fn in_space(&mut self, space: &str) -> Result<Vec<Vec<usize>>> {
        let pairs: Result<Array2<u64>, _> = self.arrays.by_name(space);
        let pairs = pairs.map_err(|error| self.failed(space, &error.to_string()))?;
        if pairs.ncols() != 2 {
            return Err(self.failed(space, &format!("{} columns, must be 2", pairs.ncols())));
        }
        let mut of_queries: Vec<(u64, Vec<usize>)> = Vec::new();
        for pair in pairs.rows() {
            let (query, rank) = (pair[0], pair[1] as usize);
            match of_queries.last_mut() {
                Some((node, ranks)) if *node == query => ranks.push(rank),
                _ => of_queries.push((query, vec![rank])),
            }
        }
        Ok(of_queries.into_iter().map(|(_, ranks)| ranks).collect())
    }

    fn failed(&self, space: &str, why: &str) -> Error {
        Error::Store { path: self.path.clone(), message: format!("space `{space}`: {why}") }
    }
}
