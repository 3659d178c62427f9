//! Context prediction: whether a neighbourhood and a surrounding belong together (Hu, Liu, Gomes, Zitnik, Liang, Pande and
//! Leskovec 2020, arXiv 1905.12265, section 3.1.1, Eq. 3.1).
//!
//! A neighbourhood is the subgraph within K bonds of a random atom, K the number of layers; its vector is the network's of that
//! atom. The context is the subgraph of the atoms that are more than r1 = K - 1 and at most r1 + `context_size` bonds away, and
//! those at distance K, which both have, are its anchors; an auxiliary network of `context_size` layers encodes the context, and
//! the mean over the anchors is its vector. The loss is the binary cross-entropy of the dot product of both vectors, 1 for the
//! own context and 0 for those of the next `negatives` molecules of the batch.
//!
//! As in the released code, a molecule without an atom at distance K from the drawn one is left out. Departure: the
//! auxiliary network has no residual connections.

use burn::tensor::Tensor;
use molarena_nn::{Pass, Random, Slots, SparseRows, gnn::GraphNetwork, sparse_product};
use molarena_sdk::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, Settings};
use crate::{
    auxiliary::IsomorphismNetwork,
    config::at_least,
    graphs::{Graph, GraphList, Molecules},
    losses::{dot, negatives, positives, select},
    network::atoms,
};

/// Context prediction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ContextPred {
    /// Width of a context in bonds (r2 - r1), and number of layers of its network, at least 1.
    #[schemars(range(min = 1))]
    pub context_size: usize,
    /// Number of contexts of other molecules for each molecule, at least 1.
    #[schemars(range(min = 1))]
    pub negatives: usize,
}

impl Default for ContextPred {
    fn default() -> Self {
        Self { context_size: 3, negatives: 1 }
    }
}

impl Settings for ContextPred {
    const READS_ATOMS: bool = true;

    fn check(&self, _: usize) -> Result<()> {
        at_least("objective.context_size", self.context_size, 1)?;
        at_least("objective.negatives", self.negatives, 1)
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(self.clone()))
    }
}

/// Neighbourhoods and the contexts of the same molecules.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    pub(crate) neighbourhoods: Vec<Graph>,
    /// The drawn atom of each neighbourhood.
    pub(crate) centres: Vec<usize>,
    pub(crate) contexts: Vec<Graph>,
    /// The atoms of each context that its neighbourhood has, too.
    pub(crate) anchors: Vec<Vec<usize>>,
}

impl Pairs {
    /// Adds the neighbourhood and the context of an atom, if there is a context.
    pub(crate) fn push(&mut self, graph: &Graph, centre: usize, radius: usize, context_size: usize) {
        let distances = graph.distances(centre);
        let between = |least: usize, most: usize| -> Vec<usize> {
            let within = |atom: &usize| distances[*atom].is_some_and(|distance| (least..=most).contains(&distance));
            (0..distances.len()).filter(within).collect()
        };
        let inside = between(0, radius);
        let outside = between(radius, radius - 1 + context_size);
        let anchor = |atom: &usize| distances[*atom] == Some(radius);
        let anchors: Vec<usize> = (0..outside.len()).filter(|&place| anchor(&outside[place])).collect();
        if !anchors.is_empty() {
            self.centres.push(inside.binary_search(&centre).expect("the centre is inside"));
            self.neighbourhoods.push(graph.induced(&inside));
            self.contexts.push(graph.induced(&outside));
            self.anchors.push(anchors);
        }
    }
}

impl ContextPred {
    fn context_network(&self, network: &GraphNetwork) -> IsomorphismNetwork {
        IsomorphismNetwork { name: "objective.context".to_owned(), layers: self.context_size, width: network.width }
    }

    /// The loss of at least two pairs.
    pub(crate) fn loss_of(&self, network: &GraphNetwork, pass: &mut Pass<'_>, pairs: &Pairs) -> Result<Loss> {
        let inside = GraphList::new(&pairs.neighbourhoods);
        let centres = pairs.centres.iter().enumerate().map(|(graph, centre)| inside.first_atom(graph) + centre);
        let centres: Vec<usize> = centres.collect();
        let centres = select(&atoms(network, pass, &inside)?, &centres);
        let outside = GraphList::new(&pairs.contexts);
        let vectors = self.context_network(network).forward(pass, &outside.batch()?);
        let contexts = means(&outside, &pairs.anchors, vectors);
        let count = pairs.centres.len();
        let own = positives(dot(centres.clone(), contexts.clone()));
        let shifted = (1..=self.negatives).map(|shift| {
            let others: Vec<usize> = (0..count).map(|row| (row + shift) % count).collect();
            dot(centres.clone(), select(&contexts, &others))
        });
        let other = negatives(Tensor::cat(shifted.collect(), 0));
        let loss = own.clone() + other.clone() * self.negatives as f32;
        Ok((loss, vec![Some(own), Some(other)]))
    }
}

/// The mean of the vectors of the anchors of each context.
fn means(list: &GraphList, anchors: &[Vec<usize>], vectors: Tensor<2>) -> Tensor<2> {
    let mut shares = SparseRows::new(list.atoms().len());
    for (graph, anchors) in anchors.iter().enumerate() {
        let (first, share) = (list.first_atom(graph), 1.0 / anchors.len() as f32);
        shares.push(anchors.iter().map(|anchor| ((first + anchor) as u32, share)));
    }
    sparse_product(&shares.into(), vectors)
}

impl Objective for ContextPred {
    fn parts(&self) -> &'static [&'static str] {
        &["own", "other"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        self.context_network(network).slots(slots);
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        let mut pairs = Pairs::default();
        for graph in molecules.iter().filter(|graph| !graph.atoms.is_empty()) {
            pairs.push(graph, random.below(graph.atoms.len()), network.layers, self.context_size);
        }
        // The next context of a single one would be its own.
        let enough = pairs.centres.len() >= 2;
        enough.then(|| self.loss_of(network, pass, &pairs)).transpose()
    }
}
