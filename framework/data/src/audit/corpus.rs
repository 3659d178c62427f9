//! Molecules and assays that a corpus shares with a dataset.

use std::collections::HashMap;

use molarena_chem::parse_chunks;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::Keys;
use super::{EXAMPLES, PartOfRow};
use crate::dataset::Dataset;
use crate::split::Part;

/// Molecules held in memory at a time.
const BLOCK: usize = 4_096;

/// A corpus on which encoders are pretrained, by the identity keys of its molecules.
#[derive(Clone, Debug)]
pub struct Corpus {
    id: String,
    rows: usize,
    unreadable: usize,
    /// The first row, from 1, of each identity key.
    identities: HashMap<String, usize>,
    assays: Option<Vec<String>>,
}

/// What a corpus shares with a dataset.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorpusOverlap {
    /// Id of the corpus.
    pub corpus: String,
    /// Its rows.
    pub rows: usize,
    /// Its rows whose SMILES cannot be read.
    pub unreadable: usize,
    /// Its distinct identity keys.
    pub distinct: usize,
    /// Rows of the training part whose identity key it has.
    pub train_rows: usize,
    /// Rows of the validation part whose identity key it has.
    pub valid_rows: usize,
    /// Rows of the test part whose identity key it has.
    pub test_rows: usize,
    /// At most this many examples are listed.
    pub examples_at_most: usize,
    /// Rows of the test part, and the first row of the corpus with the same key, from 1.
    pub examples: Vec<[usize; 2]>,
    /// Assays by name; `null` if the corpus declares none.
    pub assays: Option<AssayOverlap>,
}

/// Assays that a corpus declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssayOverlap {
    /// Assays that the corpus declares.
    pub declared: usize,
    /// Tasks of the dataset that have the name of one of them, in any case, in the dataset's order.
    pub shared: Vec<String>,
}

impl Corpus {
    /// A corpus of molecules. `assays` are the names of the assays that it has labels of, if it declares any.
    /// `progress` is told how many molecules are read.
    pub fn new<S: AsRef<str> + Sync>(
        id: &str,
        smiles: &[S],
        assays: Option<Vec<String>>,
        progress: &mut dyn FnMut(usize),
    ) -> Self {
        let mut corpus =
            Self { id: id.to_owned(), rows: smiles.len(), unreadable: 0, identities: HashMap::new(), assays };
        for (block, molecules) in parse_chunks(smiles, BLOCK).enumerate() {
            let start = block * BLOCK;
            progress(start);
            let identity =
                |molecule: &Result<molarena_chem::Molecule, _>| Some(molecule.as_ref().ok()?.identity());
            let identities: Vec<Option<String>> = molecules.par_iter().map(identity).collect();
            for (index, identity) in identities.into_iter().enumerate() {
                match identity {
                    Some(identity) => {
                        corpus.identities.entry(identity).or_insert(start + index + 1);
                    }
                    None => corpus.unreadable += 1,
                }
            }
        }
        corpus
    }

    /// The corpus's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn overlap(&self, dataset: &Dataset, parts: &PartOfRow, keys: &[Keys]) -> CorpusOverlap {
        let shared: Vec<(usize, Part, usize)> = keys
            .iter()
            .enumerate()
            .filter_map(|(row, keys)| Some((row, parts.of(row)?, *self.identities.get(&keys.identity)?)))
            .collect();
        let count = |part: Part| shared.iter().filter(|(_, other, _)| *other == part).count();
        let tests = shared.iter().filter(|(_, part, _)| *part == Part::Test);
        let assays = self.assays.as_ref().map(|assays| {
            let same =
                |task: &&String| assays.iter().any(|assay| assay.to_lowercase() == task.to_lowercase());
            AssayOverlap {
                declared: assays.len(),
                shared: dataset.tasks.iter().filter(same).cloned().collect(),
            }
        });
        CorpusOverlap {
            corpus: self.id.clone(),
            rows: self.rows,
            unreadable: self.unreadable,
            distinct: self.identities.len(),
            train_rows: count(Part::Train),
            valid_rows: count(Part::Valid),
            test_rows: count(Part::Test),
            examples_at_most: EXAMPLES,
            examples: tests.take(EXAMPLES).map(|(row, _, other)| [dataset.rows[*row], *other]).collect(),
            assays,
        }
    }
}
