//! `GraphMAE`: a masked graph autoencoder (Hou, Liu, Cen, Dong, Yang, Wang and Tang 2022, arXiv 2205.10803, section 3, Eq. 2).
//!
//! The vectors of atoms of a masked molecule go through a parametric rectifier and a linear map without bias; those of masked
//! atoms are masked again with zeros; one graph isomorphism layer decodes the elements. The loss is the scaled cosine error, the
//! mean over masked atoms of `(1 - cos(x, z))^gamma`, where x has 1 in the place of the element. Share, decoder and gamma are those
//! of the released code for molecules.

use burn::tensor::{Tensor, TensorData};
use molarena_nn::{
    Pass, Random, Slots, Start,
    gnn::{ATOM_FEATURES, GraphNetwork},
};
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

use super::{Loss, Objective, Settings, attrmask::Masked};
use crate::{
    auxiliary::{Isomorphism, prelu, prelu_slots},
    config::open_share,
    graphs::{Graph, Molecules},
    losses::{indices, normalised, select},
    network::atoms,
};

/// `GraphMAE`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GraphMae {
    /// Share of a molecule's atoms that are masked, in (0, 1); one more than the whole part of it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// Exponent of the error, at least 1.
    #[schemars(range(min = 1.0))]
    pub gamma: f64,
}

impl Default for GraphMae {
    fn default() -> Self {
        Self { share: 0.25, gamma: 1.0 }
    }
}

impl Settings for GraphMae {
    const READS_ATOMS: bool = true;

    fn check(&self, _: usize) -> Result<()> {
        open_share("objective.share", self.share)?;
        if self.gamma.is_finite() && self.gamma >= 1.0 {
            return Ok(());
        }
        Err(Error::invalid_config(format!("`objective.gamma` is {}, must be at least 1", self.gamma)))
    }

    fn objective(&self, _: &Molecules<'_>) -> Result<Box<dyn Objective>> {
        Ok(Box::new(self.clone()))
    }
}

const SLOPE: &str = "objective.slope";
const MAP: &str = "objective.map.weight";

impl GraphMae {
    fn decoder(width: usize) -> Isomorphism {
        Isomorphism { name: "objective.decoder".to_owned(), inputs: width, outputs: ATOM_FEATURES[0] }
    }

    /// The loss of masked molecules.
    pub(crate) fn loss_of(&self, network: &GraphNetwork, pass: &mut Pass<'_>, masked: &Masked) -> Result<Loss> {
        let vectors = atoms(network, pass, &masked.list)?;
        let mapped = prelu(pass, SLOPE, vectors).matmul(pass.parameter(MAP).transpose());
        let mut kept = vec![1f32; masked.list.atoms().len()];
        masked.atoms.iter().for_each(|&atom| kept[atom] = 0.0);
        let shape = [kept.len(), 1];
        let kept = Tensor::<2>::from_data(TensorData::new(kept, shape), pass.device());
        let bonds = Arc::new(masked.list.batch()?.neighbours().clone());
        let decoded = Self::decoder(network.width).forward(pass, mapped * kept, &bonds);
        let decoded = normalised(select(&decoded, &masked.atoms));
        let elements = indices(&masked.elements, pass.device()).reshape([masked.elements.len(), 1]);
        let errors = (-decoded.gather(1, elements) + 1.0).clamp_min(0.0);
        let loss = errors.powf_scalar(self.gamma as f32).mean();
        Ok((loss.clone(), vec![Some(loss)]))
    }
}

impl Objective for GraphMae {
    fn parts(&self) -> &'static [&'static str] {
        &["cosine"]
    }

    fn slots(&self, network: &GraphNetwork, slots: &mut Slots) {
        let width = network.width;
        prelu_slots(slots, SLOPE);
        slots.push(MAP, &[width, width], true, Start::Uniform(1.0 / (width as f64).sqrt()));
        Self::decoder(width).slots(slots);
    }

    fn loss(
        &self,
        network: &GraphNetwork,
        pass: &mut Pass<'_>,
        molecules: &[Graph],
        random: &mut Random,
    ) -> Result<Option<Loss>> {
        let masked = Masked::new(molecules, self.share, false, random);
        Ok(Some(self.loss_of(network, pass, &masked)?))
    }
}
