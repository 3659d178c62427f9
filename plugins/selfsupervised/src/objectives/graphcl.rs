//! `GraphCL`: two augmentations of a molecule are near each other and far from those of others (You, Chen, Sui, Chen, Wang and Shen
//! 2020, arXiv 2010.13902, Eq. 3).
//!
//! Both views are encoded by the network and a perceptron of one hidden layer. With cosines s and temperature t, the loss of a
//! batch is the mean over i of `-s(i, i) / t + log sum over j != i of exp(s(i, j) / t)`, where j counts second views.
//!
//! Each view has an augmentation of its own, drawn from `augmentations`. A subgraph keeps what the other augmentations leave, 1 -
//! `share` of the atoms, and a bond that is perturbed moves to two atoms without one.

use burn::tensor::Tensor;
use molarena_nn::{Pass, Random, Slots, gnn::GraphNetwork};
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, Settings};
use crate::{
    augment::Augmentation,
    auxiliary::perceptron,
    config::{open_share, positive},
    graphs::{Graph, GraphList, Molecules},
    losses::{identity, normalised},
    network::molecules,
};

/// `GraphCL`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GraphCl {
    /// What a view is drawn from, at least one.
    #[schemars(length(min = 1))]
    pub augmentations: Vec<Augmentation>,
    /// Share of a graph that an augmentation touches, in (0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Temperature, above 0.
    pub temperature: f64,
}

impl Default for GraphCl {
    fn default() -> Self {
        Self { augmentations: Augmentation::ALL[..4].to_vec(), share: 0.2, temperature: 0.1 }
    }
}

impl Settings for GraphCl {
    const READS_ATOMS: bool = false;

    fn check(&self, _: usize) -> Result<()> {
        if self.augmentations.is_empty() {
            return Err(Error::invalid_config("`objective.augmentations` is empty, must have at least one"));
        }
        open_share("objective.share", self.share)?;
        positive("objective.temperature", self.temperature)
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(self.clone()))
    }
}

const PROJECTION: &str = "objective.projection";

/// Adds the parameters of the perceptron over the network.
pub(super) fn projection_slots(network: &GraphNetwork, slots: &mut Slots) {
    perceptron(PROJECTION, 1, network.width, network.width, network.width).slots(slots);
}

/// The vectors that are compared, of length 1, `f32[views, d]`.
pub(crate) fn projected(network: &GraphNetwork, pass: &mut Pass<'_>, views: &[Graph]) -> Result<Tensor<2>> {
    let vectors = molecules(network, pass, &GraphList::new(views))?;
    let head = perceptron(PROJECTION, 1, network.width, network.width, network.width);
    Ok(normalised(head.forward(pass, vectors)))
}

/// The loss of at least two pairs of vectors of length 1, `f32[1]`.
pub(crate) fn contrast(one: Tensor<2>, other: Tensor<2>, temperature: f64) -> Tensor<1> {
    let similar = one.matmul(other.transpose()) / temperature as f32;
    let own = identity(similar.dims()[0], &similar.device());
    // No cosine is above 1, so this is never above 1 and needs no maximum of each row.
    let sizes = (similar.clone() - 1.0 / temperature as f32).exp() * (-own.clone() + 1.0);
    let others = sizes.sum_dim(1).log() + 1.0 / temperature as f32;
    (others - (similar * own).sum_dim(1)).mean()
}

impl Objective for GraphCl {
    fn parts(&self) -> &'static [&'static str] {
        &["contrast"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        projection_slots(network, slots);
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        if molecules.len() < 2 {
            return Ok(None);
        }
        let mut views = || {
            let view = |graph| {
                let chosen = self.augmentations[random.below(self.augmentations.len())];
                chosen.apply(graph, self.share, random)
            };
            projected(network, pass, &molecules.iter().map(view).collect::<Vec<_>>())
        };
        let loss = contrast(views()?, views()?, self.temperature);
        Ok(Some((loss.clone(), vec![Some(loss)])))
    }
}
