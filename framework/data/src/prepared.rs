//! A dataset with its molecules parsed.

use std::collections::BTreeSet;

use molarena_chem::{Molecule, ParseError, Parsed};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::split::{Protocol, Split};

/// A row whose SMILES cannot be read; it is in no split.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFailure {
    /// Data row of the file, from 1.
    pub row: usize,
    /// The SMILES.
    pub smiles: String,
    /// What the parser said.
    pub reason: String,
}

/// The rows of a dataset whose SMILES can be read, with their molecules and scaffolds, and a list of the other rows.
///
/// Split indices count the kept rows from 0.
#[derive(Clone, Debug)]
pub struct PreparedDataset {
    /// The `n` kept rows.
    pub dataset: Dataset,
    /// `[n]`: molecules.
    pub molecules: Vec<Molecule>,
    /// `[n]`: Murcko scaffold SMILES with stereo kept; empty for a molecule without a ring.
    pub scaffolds: Vec<String>,
    /// Rows that were left out.
    pub failures: Vec<RowFailure>,
}

impl PreparedDataset {
    /// Reads all SMILES and finds the scaffolds, in parallel.
    ///
    /// # Errors
    /// [`Error::NoMolecules`] if no SMILES can be read.
    pub fn new(dataset: Dataset) -> Result<Self> {
        let Parsed { kept, molecules, failures } = Parsed::new(&dataset.smiles);
        let failure = |(index, error): (usize, ParseError)| {
            let (row, smiles) = (dataset.rows[index], dataset.smiles[index].clone());
            RowFailure { row, smiles, reason: error.to_string() }
        };
        let mut failures: Vec<RowFailure> = failures.into_iter().map(failure).collect();
        if molecules.is_empty() {
            let reason = failures.swap_remove(0).reason;
            return Err(Error::NoMolecules { id: dataset.id, rows: dataset.smiles.len(), reason });
        }
        let scaffolds = molecules.par_iter().map(|molecule| molecule.scaffold(true)).collect();
        let dataset = if failures.is_empty() { dataset } else { dataset.select(&kept) };
        Ok(Self { dataset, molecules, scaffolds, failures })
    }

    /// Identity keys of the molecules, which a context graph leaves out when the dataset is evaluated.
    pub fn identities(&self) -> BTreeSet<String> {
        self.molecules.par_iter().map(Molecule::identity).collect::<Vec<_>>().into_iter().collect()
    }

    /// Splits the kept rows.
    ///
    /// # Errors
    /// [`Error::EmptyPart`] if a part would have no molecules.
    pub fn split(&self, protocol: Protocol, seed: u64) -> Result<Split> {
        protocol.split(&self.scaffolds, seed).without_empty_part(&self.dataset.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made_up;

    fn prepare(assays: &str, rows: usize) -> Result<PreparedDataset> {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), assays, |manifest| manifest.table.rows = rows);
        PreparedDataset::new(Dataset::load(&manifest, folder.path()).unwrap())
    }

    #[test]
    fn unreadable_rows_are_listed_and_the_others_kept() {
        let prepared = prepare("smiles,t1,t2\nc1ccccc1C,1,\nC1CC(,0,1\n,0,0\nCC,,0\n", 4).unwrap();
        let failed: Vec<_> = prepared.failures.iter().map(|f| (f.row, f.smiles.as_str())).collect();
        assert_eq!(failed, [(2, "C1CC("), (3, "")]);
        assert!(prepared.failures.iter().all(|failure| !failure.reason.is_empty()));
        assert_eq!(prepared.dataset.rows, [1, 4]);
        assert_eq!(prepared.dataset.label(1, 1), Some(0.0));
        assert_eq!(prepared.scaffolds, ["c1ccccc1", ""]);
    }

    #[test]
    fn nothing_left_is_an_error() {
        let error = prepare("smiles,t1,t2\nC1CC(,0,1\n,0,0\n", 2).unwrap_err();
        assert_eq!(error.code(), "E-DATA-016", "{error}");
    }

    #[test]
    fn an_empty_part_is_an_error() {
        let prepared = prepare("smiles,t1,t2\nc1ccccc1,0,1\nCC,0,0\n", 2).unwrap();
        let error = prepared.split(Protocol::Scaffold, 0).unwrap_err();
        assert_eq!(error.code(), "E-DATA-018");
        assert!(error.to_string().contains("made-up"), "{error}");
    }
}
