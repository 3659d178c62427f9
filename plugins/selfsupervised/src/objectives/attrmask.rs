//! Attribute masking: the element of a masked atom from the atoms around it (Hu, Liu, Gomes, Zitnik, Liang, Pande and Leskovec
//! 2020, arXiv 1905.12265, section 3.1.2).
//!
//! The loss is the mean cross-entropy of a linear map of the masked atoms' vectors against their elements. With `bonds`, the
//! bonds of masked atoms are masked, too, and a linear map of the sum of both atoms' vectors predicts their types; the loss is
//! the sum of both means.
//!
//! Departure: a mask hides all nine features of an atom, where the paper's atoms have two.

use molarena_nn::{
    Pass, Random, Slots, Stack,
    gnn::{ATOM_FEATURES, BOND_FEATURES, GraphNetwork},
};
use molarena_sdk::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Loss, Objective, Settings};
use crate::{
    augment::{MASKED_BOND, mask, part, sample},
    auxiliary::linear,
    config::open_share,
    graphs::{Graph, GraphList, Molecules},
    losses::{cross_entropy, select},
    network::atoms,
};

/// Attribute masking.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AttrMask {
    /// Share of a molecule's atoms that are masked, in (0, 1); one more than the whole part of it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Whether the bonds of masked atoms are masked and predicted, too.
    pub bonds: bool,
}

impl Default for AttrMask {
    fn default() -> Self {
        Self { share: 0.15, bonds: false }
    }
}

const ELEMENTS: &str = "objective.elements";
const BONDS: &str = "objective.bonds";

impl Settings for AttrMask {
    const READS_ATOMS: bool = true;

    fn check(&self, _: usize) -> Result<()> {
        open_share("objective.share", self.share)
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(self.clone()))
    }
}

/// Masked molecules and what was hidden. Atoms are numbered over all molecules.
#[derive(Debug)]
pub(crate) struct Masked {
    pub(crate) list: GraphList,
    /// The masked atoms and their elements.
    pub(crate) atoms: Vec<usize>,
    pub(crate) elements: Vec<usize>,
    /// The ends of masked bonds and the bonds' types.
    pub(crate) ends: [Vec<usize>; 2],
    pub(crate) types: Vec<usize>,
}

impl Masked {
    /// Masks atoms, and their bonds if `bonds` says so.
    pub(crate) fn new(molecules: &[Graph], share: f64, bonds: bool, random: &mut Random) -> Self {
        let mut this = Self {
            list: GraphList::new([]),
            atoms: Vec::new(),
            elements: Vec::new(),
            ends: [Vec::new(), Vec::new()],
            types: Vec::new(),
        };
        let (mut masked, mut first) = (molecules.to_vec(), 0);
        for graph in &mut masked {
            let count = graph.atoms.len();
            let mut hidden = sample(random, count, part(count, share) + 1);
            hidden.sort_unstable();
            this.atoms.extend(hidden.iter().map(|&atom| first + atom));
            this.elements.extend(hidden.iter().map(|&atom| graph.atoms[atom][0] as usize));
            if bonds {
                let touched = |ends: &[u32; 2]| ends.iter().any(|&end| hidden.binary_search(&(end as usize)).is_ok());
                for (ends, features) in graph.bonds.iter().zip(&mut graph.bond_features) {
                    if touched(ends) {
                        let [one, other] = &mut this.ends;
                        one.push(first + ends[0] as usize);
                        other.push(first + ends[1] as usize);
                        this.types.push(features[0] as usize);
                        *features = MASKED_BOND;
                    }
                }
            }
            mask(graph, &hidden);
            first += count;
        }
        this.list = GraphList::new(&masked);
        this
    }
}

impl AttrMask {
    /// The loss of masked molecules.
    pub(crate) fn loss_of(&self, network: &GraphNetwork, pass: &mut Pass<'_>, masked: &Masked) -> Result<Loss> {
        let vectors = atoms(network, pass, &masked.list)?;
        let logits = Self::head(ELEMENTS, network).forward(pass, select(&vectors, &masked.atoms));
        let of_atoms = cross_entropy(logits, &masked.elements);
        if !self.bonds {
            return Ok((of_atoms.clone(), vec![Some(of_atoms)]));
        }
        let head = Self::head(BONDS, network);
        if masked.types.is_empty() {
            // Every parameter gets a gradient, even if it is 0.
            let nothing = head.forward(pass, vectors.narrow(0, 0, 1)).sum() * 0.0;
            return Ok((of_atoms.clone() + nothing, vec![Some(of_atoms), None]));
        }
        let [one, other] = [0, 1].map(|end| select(&vectors, &masked.ends[end]));
        let of_bonds = cross_entropy(head.forward(pass, one + other), &masked.types);
        Ok((of_atoms.clone() + of_bonds.clone(), vec![Some(of_atoms), Some(of_bonds)]))
    }

    fn head(name: &str, network: &GraphNetwork) -> Stack {
        let classes = if name == BONDS { BOND_FEATURES[0] } else { ATOM_FEATURES[0] };
        linear(name, network.width, classes)
    }
}

impl Objective for AttrMask {
    fn parts(&self) -> &'static [&'static str] {
        if self.bonds { &["elements", "bonds"] } else { &["elements"] }
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        Self::head(ELEMENTS, network).slots(slots);
        if self.bonds {
            Self::head(BONDS, network).slots(slots);
        }
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        let masked = Masked::new(molecules, self.share, self.bonds, random);
        Ok(Some(self.loss_of(network, pass, &masked)?))
    }
}
