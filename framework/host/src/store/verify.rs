//! Checks that everything in a store is consistent.

use std::collections::BTreeSet;

use molarena_record::step::StepOutcome;

use crate::{
    error::Result,
    store::{Store, read::Found},
};

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Scored cells that were read.
    pub cells: usize,
    /// Step records that were read.
    pub steps: usize,
    /// Files of steps whose bytes were hashed.
    pub artifacts: usize,
    /// Problems: file and reason, one line each.
    pub problems: Vec<String>,
}

impl Store {
    /// Reads every record, and compares its name, its stated key and its content; hashes every file that a step made.
    ///
    /// # Errors
    /// A folder of the store cannot be read.
    pub fn verify(&self) -> Result<Verified> {
        let (cells, problems) = self.damaged_cells()?;
        let mut verified = Verified { cells, problems, ..Verified::default() };
        let mut sound = BTreeSet::new();
        for (path, found) in self.all_steps()? {
            match found {
                Found::Record(step) => {
                    if let StepOutcome::Made { files } = &step.outcome {
                        for name in files.keys() {
                            verified.artifacts += 1;
                            if let Err(error) = self.artifact(&step, name) {
                                verified.problems.push(error.to_string());
                            }
                        }
                    }
                    sound.insert(step.key);
                }
                Found::Nothing => {}
                Found::Damaged(why) | Found::Newer(why) => {
                    verified.problems.push(format!("{}: {why}", path.display()));
                }
            }
            verified.steps += 1;
        }
        let scored = self.records()?.into_iter().map(|record| (record.key, record.fit_key));
        let matched = self.match_records()?.into_iter().map(|record| (record.key.clone(), record.key));
        for (key, step) in scored.chain(matched) {
            if !sound.contains(&step) && self.step(&step)?.is_none() {
                verified.problems.push(format!("record {key}: its step {step} is not in the store"));
            }
        }
        Ok(verified)
    }
}
