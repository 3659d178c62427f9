//! The targets of the decoders: features of the nodes that the walks visit.

use molarena_sdk::{Bits, Corpus, Error, Profiles, Result};

use crate::{config::Modality, model::Space, walks::Path};

/// Features of a context graph's nodes.
#[derive(Clone, Debug)]
pub struct Targets<'a> {
    spaces: Vec<Space>,
    sources: Vec<Source<'a>>,
    /// Entries of node v are `starts[v]..starts[v + 1]`.
    starts: Vec<u32>,
    /// Index of a space, and row in it.
    features: Vec<(u32, u32)>,
}

/// Location of a space's features.
#[derive(Clone, Copy, Debug)]
enum Source<'a> {
    Bits(Bits<'a>),
    Profiles(&'a [f32]),
}

/// Name of the space of molecular fingerprints.
pub(crate) const MOLECULES: &str = "molecule";

impl<'a> Targets<'a> {
    /// The features of `corpus`, leaving out the modalities `without`.
    pub fn new(corpus: &Corpus<'a>, without: &[Modality]) -> Result<Self> {
        let mut this =
            Self { spaces: Vec::new(), sources: Vec::new(), starts: Vec::new(), features: Vec::new() };
        let mut of_nodes: Vec<(u64, (u32, u32))> = Vec::new();
        for modality in Modality::ALL.into_iter().filter(|modality| !without.contains(modality)) {
            if modality == Modality::Molecule {
                let Some(bits) = corpus.molecules.bits else {
                    return Err(Error::invalid_argument("corpus: its molecules have no fingerprints"));
                };
                this.add(
                    MOLECULES,
                    modality,
                    bits.n_bits,
                    Source::Bits(bits),
                    corpus.molecule_nodes,
                    &mut of_nodes,
                )?;
            }
            for profiles in corpus.spaces.iter().filter(|profiles| Modality::of(profiles.kind) == modality) {
                check_profiles(profiles)?;
                let source = Source::Profiles(profiles.values.values);
                this.add(
                    profiles.space,
                    modality,
                    profiles.values.columns,
                    source,
                    profiles.nodes,
                    &mut of_nodes,
                )?;
            }
        }
        if this.features.is_empty() && of_nodes.is_empty() {
            return Err(Error::invalid_argument("corpus: no node has features to reconstruct"));
        }
        this.index(corpus.node_kinds.len(), of_nodes)?;
        Ok(this)
    }

    fn add(
        &mut self,
        name: &str,
        modality: Modality,
        columns: usize,
        source: Source<'a>,
        nodes: &[u64],
        of_nodes: &mut Vec<(u64, (u32, u32))>,
    ) -> Result<()> {
        if self.spaces.iter().any(|space| space.name == name) {
            return Err(Error::invalid_argument(format!("corpus: two feature spaces are called `{name}`")));
        }
        let number = self.spaces.len() as u32;
        of_nodes.extend(nodes.iter().zip(0..).map(|(&node, row)| (node, (number, row))));
        self.spaces.push(Space { name: name.to_owned(), modality, columns });
        self.sources.push(source);
        Ok(())
    }

    fn index(&mut self, nodes: usize, mut of_nodes: Vec<(u64, (u32, u32))>) -> Result<()> {
        of_nodes.sort_unstable();
        if let Some((node, (space, row))) = of_nodes.last().filter(|(node, _)| *node >= nodes as u64) {
            let space = &self.spaces[*space as usize].name;
            return Err(Error::invalid_argument(format!(
                "corpus: row {row} of space `{space}` is of node {node}, but there are {nodes} nodes"
            )));
        }
        let before = |node: usize| of_nodes.partition_point(|&(other, _)| other < node as u64) as u32;
        self.starts = (0..=nodes).map(before).collect();
        self.features = of_nodes.into_iter().map(|(_, feature)| feature).collect();
        Ok(())
    }

    /// The feature spaces, in the order of the decoders.
    pub fn spaces(&self) -> &[Space] {
        &self.spaces
    }

    /// Targets of a batch in each space: molecule i starts at node `starts[i]` and visits `paths[i]`.
    pub fn batch(&self, starts: &[u64], paths: &[&Path]) -> Vec<BatchTargets> {
        let mut targets: Vec<BatchTargets> =
            self.spaces.iter().map(|space| BatchTargets::new(space.columns)).collect();
        for (place, (&start, path)) in starts.iter().zip(paths).enumerate() {
            let visits = std::iter::once((start as u32, 1.0)).chain(path.iter().copied());
            for (node, alpha) in visits {
                let range = self.starts[node as usize] as usize..self.starts[node as usize + 1] as usize;
                for &(space, row) in &self.features[range] {
                    let (space, row) = (space as usize, row as usize);
                    match self.sources[space] {
                        Source::Bits(bits) => targets[space].add_bits(place, alpha, bits.row(row)),
                        Source::Profiles(values) => {
                            let columns = self.spaces[space].columns;
                            targets[space].add_values(
                                place,
                                alpha,
                                &values[row * columns..(row + 1) * columns],
                            );
                        }
                    }
                }
            }
        }
        targets
    }
}

fn check_profiles(profiles: &Profiles<'_>) -> Result<()> {
    let wrong =
        profiles.values.values.iter().position(|value| !value.is_nan() && !(0.0..=1.0).contains(value));
    if let Some(place) = wrong {
        return Err(Error::invalid_argument(format!(
            "corpus: row {} of space `{}` has the value {}, must be in [0, 1]",
            place / profiles.values.columns,
            profiles.space,
            profiles.values.values[place]
        )));
    }
    if profiles.values.values.len() / profiles.values.columns.max(1) == profiles.nodes.len() {
        Ok(())
    } else {
        Err(Error::invalid_argument(format!("corpus: rows and nodes of space `{}` differ", profiles.space)))
    }
}

/// Targets of a batch in one space.
///
/// A molecule's logits are the same for all nodes of its walk, so the loss, the sum over nodes of alpha (softplus(x) -
/// x y), needs only the sums of alpha and of alpha y.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchTargets {
    columns: usize,
    /// Positions in the batch of the molecules whose walk visits a node of this space, in increasing order.
    pub places: Vec<usize>,
    /// Sum of alpha over the visited nodes that have the value, `f32[places, columns]`.
    pub weights: Vec<f32>,
    /// Sum of alpha times the value, `f32[places, columns]`.
    pub sums: Vec<f32>,
    /// Number of values over all visited nodes.
    pub count: usize,
}

impl BatchTargets {
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns, places: Vec::new(), weights: Vec::new(), sums: Vec::new(), count: 0 }
    }

    /// Weights and sums of the molecule at `place`, which must follow all earlier ones.
    fn row(&mut self, place: usize) -> (&mut [f32], &mut [f32]) {
        if self.places.last() != Some(&place) {
            self.places.push(place);
            self.weights.resize(self.places.len() * self.columns, 0.0);
            self.sums.resize(self.places.len() * self.columns, 0.0);
        }
        let first = (self.places.len() - 1) * self.columns;
        (&mut self.weights[first..], &mut self.sums[first..])
    }

    fn add_bits(&mut self, place: usize, alpha: f32, words: &[u64]) {
        let columns = self.columns;
        let (weights, sums) = self.row(place);
        for weight in weights {
            *weight += alpha;
        }
        for (column, sum) in sums.iter_mut().enumerate() {
            *sum += alpha * (words[column / 64] >> (column % 64) & 1) as f32;
        }
        self.count += columns;
    }

    pub(crate) fn add_values(&mut self, place: usize, alpha: f32, values: &[f32]) {
        let (weights, sums) = self.row(place);
        let mut count = 0;
        for ((value, weight), sum) in values.iter().zip(weights).zip(sums) {
            if !value.is_nan() {
                *weight += alpha;
                *sum += alpha * value;
                count += 1;
            }
        }
        self.count += count;
    }
}

#[cfg(test)]
mod tests {
    use molarena_sdk::{Dense, Inputs, NodeKind};

    use super::*;

    const NAN: f32 = f32::NAN;
    const KINDS: [u8; 4] = [0, 0, 2, 3];

    /// Molecules are nodes 0 and 1; node 2 has morphology, node 3 expression.
    fn corpus<'a>(bits: &'a [u64], morphology: &'a [f32], nodes: &'a [u64]) -> Corpus<'a> {
        let profiles = |space, kind, nodes, values: &'a [f32], columns| Profiles {
            space,
            kind,
            nodes,
            values: Dense::new(values, values.len() / columns, columns).unwrap(),
            batches: None,
            cell_counts: None,
        };
        Corpus {
            node_kinds: &KINDS,
            molecules: Inputs::from_bits(Bits::new(bits, 2, 3).unwrap()),
            molecule_nodes: &[0, 1],
            spaces: vec![
                profiles("expression", NodeKind::Expression, &[3], &[0.25, 0.5], 2),
                profiles("cells", NodeKind::Morphology, nodes, morphology, 2),
            ],
            edge_sources: &[],
            edge_targets: &[],
            edge_weights: &[],
        }
    }

    #[test]
    fn walks_are_summed_by_space() {
        let corpus = corpus(&[0b101, 0b010], &[0.75, NAN], &[2]);
        let targets = Targets::new(&corpus, &[]).unwrap();
        let names: Vec<&str> = targets.spaces().iter().map(|space| space.name.as_str()).collect();
        assert_eq!(names, ["molecule", "cells", "expression"]);
        let (long, none) = (vec![(2, 0.5), (1, 0.5), (2, 0.25)], vec![]);
        let batch = targets.batch(&[0, 1], &[&long, &none]);
        assert_eq!((&batch[0].places[..], batch[0].count), (&[0, 1][..], 9));
        assert_eq!(batch[0].weights, [1.5, 1.5, 1.5, 1.0, 1.0, 1.0]);
        assert_eq!(batch[0].sums, [1.0, 0.5, 1.0, 0.0, 1.0, 0.0]);
        assert_eq!((&batch[1].places[..], batch[1].count), (&[0][..], 2));
        assert_eq!((&batch[1].weights[..], &batch[1].sums[..]), (&[0.75, 0.0][..], &[0.5625, 0.0][..]));
        assert_eq!((batch[2].places.len(), batch[2].count), (0, 0));
        let without = Targets::new(&corpus, &[Modality::Molecule, Modality::Expression]).unwrap();
        assert_eq!(without.spaces().len(), 1);
    }

    #[test]
    fn what_cannot_be_decoded_is_named() {
        let message = |morphology: &[f32], nodes: &[u64]| {
            Targets::new(&corpus(&[0, 0], morphology, nodes), &[]).unwrap_err().to_string()
        };
        assert!(message(&[0.5, 1.5], &[2]).contains("row 0 of space `cells` has the value 1.5"));
        assert!(
            message(&[0.5, 1.0], &[4]).contains("row 0 of space `cells` is of node 4, but there are 4 nodes")
        );
        assert!(message(&[0.5, 1.0], &[2, 3]).contains("rows and nodes of space `cells` differ"));
    }
}
