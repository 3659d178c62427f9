//! Edge prediction: whether two atoms have a bond (the loss of `GraphSAGE`, Hamilton, Ying and Leskovec 2017, arXiv 1706.02216, Eq. 1,
//! as Hu et al. 2020, arXiv 1905.12265, section 5.2, pretrain with it).
//!
//! The score of two atoms is the dot product of their vectors; the loss is the mean binary cross-entropy of all bonds plus that
//! of as many random pairs of atoms of the same molecules without a bond, or of all such pairs where there are fewer.

use molarena_nn::{Pass, Random, Slots, gnn::GraphNetwork};
use molarena_sdk::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, Settings};
use crate::{
    augment::sample,
    graphs::{Graph, GraphList, Molecules},
    losses::{dot, negatives, positives, select},
    network::atoms,
};

/// Edge prediction, which has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EdgePred {}

impl Settings for EdgePred {
    const READS_ATOMS: bool = true;

    fn check(&self, _: usize) -> Result<()> {
        Ok(())
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(self.clone()))
    }
}

impl EdgePred {
    /// The loss of molecules with some bonds, given pairs of atoms without a bond; atoms are numbered over all molecules.
    pub(crate) fn loss_of(
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        list: &GraphList,
        unbonded: &[[u32; 2]],
    ) -> Result<Loss> {
        let vectors = atoms(network, pass, list)?;
        let scores = |pairs: &[[u32; 2]]| {
            let [one, other] = [0, 1].map(|end| {
                let ends: Vec<usize> = pairs.iter().map(|pair| pair[end] as usize).collect();
                select(&vectors, &ends)
            });
            dot(one, other)
        };
        let bonded = positives(scores(&list.bonds()));
        if unbonded.is_empty() {
            return Ok((bonded.clone(), vec![Some(bonded), None]));
        }
        let others = negatives(scores(unbonded));
        Ok((bonded.clone() + others.clone(), vec![Some(bonded), Some(others)]))
    }
}

/// As many random pairs of atoms without a bond as there are bonds, in each molecule.
fn unbonded(molecules: &[Graph], random: &mut Random) -> Vec<[u32; 2]> {
    let (mut pairs, mut first) = (Vec::new(), 0);
    for graph in molecules {
        let all: Vec<usize> = (0..graph.atoms.len()).collect();
        let free = graph.unbonded(&all);
        let chosen = sample(random, free.len(), graph.bonds.len());
        pairs.extend(chosen.into_iter().map(|pair| free[pair].map(|end| first + end)));
        first += all.len() as u32;
    }
    pairs
}

impl Objective for EdgePred {
    fn parts(&self) -> &'static [&'static str] {
        &["bonds", "others"]
    }

    fn slots(&self, _: &GraphNetwork, _: &mut Slots) {}

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        let has_bonds = molecules.iter().any(|graph| !graph.bonds.is_empty());
        let (list, pairs) = (GraphList::new(molecules), unbonded(molecules, random));
        has_bonds.then(|| Self::loss_of(network, pass, &list, &pairs)).transpose()
    }
}
