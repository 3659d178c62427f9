//! D-SLA: how far perturbed molecules are from the original (Kim, Baek and Hwang 2022, arXiv 2202.02989).
//!
//! Perturbation i of a molecule moves i times `share` of the bonds within `radius` bonds of a random atom to pairs of atoms there
//! that had none, so its graph edit distance from the original is twice the number of moved bonds by construction. A last, strong
//! one moves four times `share` of the bonds of the whole molecule. The loss is the sum of three:
//!
//! - the cross-entropy of a perceptron's score of the original among those of all candidates;
//! - `distance_weight` times the mean squared difference, over pairs of perturbations, of the distance between vector and
//!   original vector divided by the edit distance;
//! - `margin_weight` times the mean of `max(0, margin + |perturbed - original| - |other molecule - original|)` over the
//!   perturbations without the strong one and all other molecules of the batch.
//!
//! Attributes are masked in every candidate, the original too, to make it harder to tell them apart (Figure 2): `masked` of the
//! atoms within the radius, each time drawn anew. A molecule in which no bond can be moved is left out. Departures: a moved bond
//! keeps its features, where the released code draws new ones; that the masks are within the radius is our reading.

use burn::tensor::{Tensor, TensorData, activation::relu};
use molarena_nn::{Pass, Random, Slots, Stack, gnn::GraphNetwork};
use molarena_sdk::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, Settings};
use crate::{
    augment::{mask, move_bonds, part, sample},
    auxiliary::perceptron,
    config::{at_least, not_negative, open_share, share},
    graphs::{Graph, GraphList, Molecules},
    losses::{cross_entropy, identity, select},
    network::molecules,
};

/// D-SLA.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Dsla {
    /// Number of perturbations of a molecule beside the strong one, at least 2.
    #[schemars(range(min = 2))]
    pub perturbations: usize,
    /// Share of the bonds near the random atom that the first perturbation moves, in (0, 1); at least one bond.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Share of the atoms near the random atom that are masked, in [0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub masked: f64,
    /// Number of bonds from the random atom within which perturbations are, at least 1.
    #[schemars(range(min = 1))]
    pub radius: usize,
    /// Weight lambda 1 of the distances, at least 0.
    #[schemars(range(min = 0.0))]
    pub distance_weight: f64,
    /// Weight lambda 2 of the margin, at least 0.
    #[schemars(range(min = 0.0))]
    pub margin_weight: f64,
    /// The margin alpha, at least 0.
    #[schemars(range(min = 0.0))]
    pub margin: f64,
}

impl Default for Dsla {
    fn default() -> Self {
        Self {
            perturbations: 3,
            share: 0.2,
            masked: 0.8,
            radius: 3,
            distance_weight: 0.7,
            margin_weight: 0.5,
            margin: 5.0,
        }
    }
}

impl Settings for Dsla {
    const READS_ATOMS: bool = false;

    fn check(&self, _: usize) -> Result<()> {
        at_least("objective.perturbations", self.perturbations, 2)?;
        open_share("objective.share", self.share)?;
        share("objective.masked", self.masked)?;
        at_least("objective.radius", self.radius, 1)?;
        not_negative("objective.distance_weight", self.distance_weight)?;
        not_negative("objective.margin_weight", self.margin_weight)?;
        not_negative("objective.margin", self.margin)
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(self.clone()))
    }
}

/// The factor of the share of bonds that the strong perturbation moves.
const STRONG: f64 = 4.0;

/// Added to a squared length before its root, whose slope at 0 is infinite.
const LEAST_SQUARE: f32 = 1e-12;

/// The candidates of molecules: the original, its perturbations, the strong one.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    pub(crate) graphs: Vec<Graph>,
    /// The edit distance of each candidate from the original.
    pub(crate) distances: Vec<usize>,
}

impl Dsla {
    /// Number of candidates of a molecule.
    fn candidates(&self) -> usize {
        self.perturbations + 2
    }

    /// Adds the candidates of a molecule, if bonds can be moved.
    pub(crate) fn perturb(&self, graph: &Graph, random: &mut Random, into: &mut Candidates) {
        if graph.atoms.is_empty() {
            return;
        }
        let distances = graph.distances(random.below(graph.atoms.len()));
        let near = |atom: &usize| distances[*atom].is_some_and(|distance| distance <= self.radius);
        let near: Vec<usize> = (0..graph.atoms.len()).filter(near).collect();
        let inside = graph.induced(&near);
        let all: Vec<usize> = (0..graph.atoms.len()).collect();
        if inside.bonds.is_empty() || graph.unbonded(&near).is_empty() {
            return;
        }
        for candidate in 0..self.candidates() {
            let mut perturbed = graph.clone();
            let hidden = sample(random, near.len(), part(near.len(), self.masked));
            let moved = if candidate > self.perturbations {
                let count = part(graph.bonds.len(), self.share * STRONG).max(1);
                move_bonds(&mut perturbed, &all, count, random)
            } else if candidate > 0 {
                let count = part(inside.bonds.len(), self.share * candidate as f64).max(1);
                move_bonds(&mut perturbed, &near, count, random)
            } else {
                0
            };
            mask(&mut perturbed, &hidden.into_iter().map(|place| near[place]).collect::<Vec<_>>());
            into.graphs.push(perturbed);
            into.distances.push(2 * moved);
        }
    }

    fn score(width: usize) -> Stack {
        perceptron("objective.score", 2, width, width, 1)
    }

    /// The loss of the candidates of at least two molecules.
    pub(crate) fn loss_of(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        candidates: &Candidates,
    ) -> Result<Loss> {
        let each = self.candidates();
        let rows = candidates.graphs.len() / each;
        let vectors = molecules(network, pass, &GraphList::new(&candidates.graphs))?;
        let scores = Self::score(network.width).forward(pass, vectors.clone()).reshape([rows, each]);
        let discrimination = cross_entropy(scores, &vec![0; rows]);
        let of = |candidate: usize| {
            select(&vectors, &(0..rows).map(|row| row * each + candidate).collect::<Vec<_>>())
        };
        let original = of(0);
        let apart: Vec<Tensor<2>> = (1..each).map(|candidate| length(of(candidate) - original.clone())).collect();
        let distance = self.distance(&apart, &candidates.distances);
        let margin = self.margin(&apart[..self.perturbations], &original);
        let loss = discrimination.clone()
            + distance.clone() * self.distance_weight as f32
            + margin.clone() * self.margin_weight as f32;
        Ok((loss, vec![Some(discrimination), Some(distance), Some(margin)]))
    }

    /// The mean squared difference of distances in proportion to the edit distances.
    fn distance(&self, apart: &[Tensor<2>], edits: &[usize]) -> Tensor<1> {
        let proportion = |(index, apart): (usize, &Tensor<2>)| {
            let edits: Vec<f32> = edits.chunks_exact(self.candidates()).map(|edits| edits[index + 1] as f32).collect();
            let shape = [edits.len(), 1];
            apart.clone() / Tensor::<2>::from_data(TensorData::new(edits, shape), &apart.device())
        };
        let proportions: Vec<Tensor<2>> = apart.iter().enumerate().map(proportion).collect();
        let pairs = (0..proportions.len())
            .flat_map(|one| (one + 1..proportions.len()).map(move |other| (one, other)))
            .map(|(one, other)| (proportions[one].clone() - proportions[other].clone()).powi_scalar(2));
        Tensor::cat(pairs.collect(), 0).mean()
    }

    /// The mean excess over the distance from other molecules.
    fn margin(&self, apart: &[Tensor<2>], original: &Tensor<2>) -> Tensor<1> {
        let rows = original.dims()[0];
        let squares = original.clone().powi_scalar(2).sum_dim(1);
        let products = original.clone().matmul(original.clone().transpose());
        let far = (squares.clone() + squares.transpose() - products * 2.0).clamp_min(0.0);
        let far = (far + LEAST_SQUARE).sqrt();
        let others = -identity(rows, &original.device()) + 1.0;
        let excess = apart.iter().map(|apart| {
            (relu(apart.clone() + self.margin as f32 - far.clone()) * others.clone()).sum()
        });
        Tensor::cat(excess.collect(), 0).sum() / (apart.len() * rows * (rows - 1)) as f32
    }
}

/// The length of each row, `f32[n, 1]`.
fn length(rows: Tensor<2>) -> Tensor<2> {
    (rows.powi_scalar(2).sum_dim(1) + LEAST_SQUARE).sqrt()
}

impl Objective for Dsla {
    fn parts(&self) -> &'static [&'static str] {
        &["discrimination", "distance", "margin"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        Self::score(network.width).slots(slots);
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        let mut candidates = Candidates::default();
        for graph in molecules {
            self.perturb(graph, random, &mut candidates);
        }
        let enough = candidates.graphs.len() >= 2 * self.candidates();
        enough.then(|| self.loss_of(network, pass, &candidates)).transpose()
    }
}
