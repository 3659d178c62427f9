//! Molecules of a corpus and their profiles in one feature space.

use std::collections::{BTreeMap, HashMap};

use molarena_sdk::{Corpus, Error, NodeKind, Profiles, Result};

/// The molecules with a profile in a space.
#[derive(Clone, Debug)]
pub(crate) struct Pairs<'a> {
    /// The space.
    pub(crate) profiles: Profiles<'a>,
    /// Row of each molecule in the corpus, ascending.
    pub(crate) molecules: Vec<usize>,
    /// Rows of the profiles of each of them, ascending; at least one.
    pub(crate) rows: Vec<Vec<usize>>,
    /// The number of each profile's batch, from 0 without gaps, and the number of batches; `None` if the corpus names none.
    pub(crate) batches: Option<(Vec<usize>, usize)>,
}

impl<'a> Pairs<'a> {
    /// The pairs of the space called `space`, or of the only one with profiles of `kind` (any, if `None`).
    ///
    /// # Errors
    /// There is no such space, or fewer than two molecules have a profile in it.
    pub(crate) fn new(corpus: &Corpus<'a>, space: Option<&str>, kind: Option<NodeKind>) -> Result<Self> {
        let profiles = *chosen(corpus, space, kind)?;
        let row_of: HashMap<u64, usize> =
            profiles.nodes.iter().enumerate().map(|(row, &node)| (node, row)).collect();
        let molecule_of: HashMap<u64, usize> =
            corpus.molecule_nodes.iter().enumerate().map(|(molecule, &node)| (node, molecule)).collect();
        let mut of_molecules: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (source, target) in corpus.edge_sources.iter().zip(corpus.edge_targets) {
            for (molecule, profile) in [(source, target), (target, source)] {
                if let (Some(&molecule), Some(&row)) = (molecule_of.get(molecule), row_of.get(profile)) {
                    of_molecules.entry(molecule).or_default().push(row);
                }
            }
        }
        for rows in of_molecules.values_mut() {
            rows.sort_unstable();
        }
        if of_molecules.len() < 2 {
            return Err(Error::data(format!(
                "corpus: {} with a profile in the space `{}`; alignment needs at least 2",
                if of_molecules.is_empty() { "no molecule" } else { "1 molecule" },
                profiles.space
            )));
        }
        let batches = profiles.batches.map(|batches| {
            let mut numbers: Vec<u32> = batches.to_vec();
            numbers.sort_unstable();
            numbers.dedup();
            let number = |batch: &u32| numbers.binary_search(batch).expect("it is one of them");
            (batches.iter().map(number).collect(), numbers.len())
        });
        let (molecules, rows) = of_molecules.into_iter().unzip();
        Ok(Self { profiles, molecules, rows, batches })
    }
}

fn chosen<'c, 'a>(
    corpus: &'c Corpus<'a>,
    space: Option<&str>,
    kind: Option<NodeKind>,
) -> Result<&'c Profiles<'a>> {
    let of_profiles = |profiles: &&Profiles<'_>| {
        let fits = matches!(profiles.kind, NodeKind::Morphology | NodeKind::Expression);
        fits && (space.is_some() || kind.is_none_or(|kind| kind == profiles.kind))
    };
    let known: Vec<&Profiles<'_>> = corpus.spaces.iter().filter(of_profiles).collect();
    let names = |spaces: &[&Profiles<'_>]| {
        let names: Vec<&str> = spaces.iter().map(|profiles| profiles.space).collect();
        names.join(", ")
    };
    let what = match kind {
        Some(NodeKind::Morphology) => "morphology space",
        Some(NodeKind::Expression) => "expression space",
        _ => "space of profiles",
    };
    match (space, known.as_slice()) {
        (Some(space), known) => {
            known.iter().find(|profiles| profiles.space == space).copied().ok_or_else(|| {
                let there = if known.is_empty() { "none".to_owned() } else { names(known) };
                Error::data(format!("corpus: no space of profiles is called `{space}`; there is: {there}"))
            })
        }
        (None, [only]) => Ok(only),
        (None, []) => Err(Error::data(format!("corpus: it has no {what}"))),
        (None, several) => Err(Error::data(format!(
            "corpus: it has more than one {what}; say `space`, one of: {}",
            names(several)
        ))),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use molarena_sdk::{Dense, Inputs};

    use super::*;

    /// Molecules are nodes 0 to 3; nodes 4 to 7 have profiles in `cells`, 8 has one in `genes`.
    pub(crate) fn corpus<'a>(
        values: &'a [f32],
        batches: Option<&'a [u32]>,
        edges: &'a [[u64; 2]; 2],
    ) -> Corpus<'a> {
        const KINDS: [u8; 9] = [0, 0, 0, 0, 2, 2, 2, 2, 3];
        let columns = values.len() / 4;
        Corpus {
            node_kinds: &KINDS,
            molecules: Inputs { rows: 4, ..Inputs::default() },
            molecule_nodes: &[0, 1, 2, 3],
            spaces: vec![
                Profiles {
                    space: "cells",
                    kind: NodeKind::Morphology,
                    nodes: &[4, 5, 6, 7],
                    values: Dense::new(values, 4, columns).unwrap(),
                    batches,
                    cell_counts: None,
                },
                Profiles {
                    space: "genes",
                    kind: NodeKind::Expression,
                    nodes: &[8],
                    values: Dense::new(&[0.5], 1, 1).unwrap(),
                    batches: None,
                    cell_counts: None,
                },
            ],
            edge_sources: &edges[0],
            edge_targets: &edges[1],
            edge_weights: &[1.0; 2],
        }
    }

    #[test]
    fn molecules_have_their_profiles() {
        let values = [0.0f32, 0.5, 1.0, 0.25];
        let mut corpus = corpus(&values, Some(&[7, 3, 7, 9]), &[[0, 0], [0, 0]]);
        (corpus.edge_sources, corpus.edge_targets) = (&[0, 6, 2, 0, 4], &[5, 2, 7, 4, 5]);
        let pairs = Pairs::new(&corpus, None, Some(NodeKind::Morphology)).unwrap();
        assert_eq!((pairs.profiles.space, &pairs.molecules[..]), ("cells", &[0, 2][..]));
        // Two profiles that are joined to each other are no pair.
        assert_eq!(pairs.rows, [vec![0, 1], vec![2, 3]]);
        assert_eq!(pairs.batches, Some((vec![1, 0, 1, 2], 3)));
    }

    #[test]
    fn what_cannot_be_aligned_is_named() {
        let values = [0.0f32, 0.5, 1.0, 0.25];
        let corpus = corpus(&values, None, &[[0, 1], [4, 4]]);
        let message =
            |corpus: &Corpus<'_>, space, kind| Pairs::new(corpus, space, kind).unwrap_err().to_string();
        assert_eq!(
            message(&corpus, Some("nuclei"), None),
            "corpus: no space of profiles is called `nuclei`; there is: cells, genes"
        );
        assert_eq!(
            message(&corpus, None, None),
            "corpus: it has more than one space of profiles; say `space`, one of: cells, genes"
        );
        assert_eq!(
            message(&corpus, Some("genes"), None),
            "corpus: no molecule with a profile in the space `genes`; alignment needs at least 2"
        );
        let one = Corpus { edge_sources: &[0], edge_targets: &[4], edge_weights: &[1.0], ..corpus.clone() };
        assert_eq!(
            message(&one, Some("cells"), None),
            "corpus: 1 molecule with a profile in the space `cells`; alignment needs at least 2"
        );
        let none = Corpus { spaces: vec![corpus.spaces[1]], ..corpus };
        assert_eq!(message(&none, None, Some(NodeKind::Morphology)), "corpus: it has no morphology space");
    }
}
