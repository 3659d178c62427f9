//! The pretrained network.

use std::sync::Arc;

use burn::tensor::Device;
use molarena_nn::{
    Arrays, Parameters, Pass, Random, Slots,
    gnn::{GraphNetwork, MoleculeGraphs},
};
use molarena_sdk::{Call, Error, Inputs, Matrix, Result};

/// A graph network and its weights.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    pub(crate) network: GraphNetwork,
    pub(crate) weights: Arc<Arrays>,
}

/// Key of the network's shape in the notes of a safetensors file.
const SHAPE: &str = "selfsupervised";

/// The network's parameters.
pub(crate) fn slots_of(network: &GraphNetwork) -> Slots {
    let mut slots = Slots::default();
    network.slots(&mut slots);
    slots
}

impl Model {
    /// The network with random weights.
    pub(crate) fn random(network: GraphNetwork, seed: u64) -> Self {
        let weights = slots_of(&network).random(&mut Random::of(seed, 0, 0));
        Self { network, weights: Arc::new(weights) }
    }

    /// The network as safetensors.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut arrays = (*self.weights).clone();
        let shape = serde_json::to_string(&self.network).expect("plain data");
        arrays.notes.insert(SHAPE.to_owned(), shape);
        arrays.to_safetensors()
    }

    /// Reads the bytes of [`to_bytes`](Self::to_bytes). The error for a missing, misshapen or unknown tensor names it.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut arrays = Arrays::from_safetensors(bytes)?;
        let Some(text) = arrays.notes.remove(SHAPE) else {
            return Err(Error::data("weights are safetensors, but not of a self-supervised graph network"));
        };
        let network = serde_json::from_str(&text)
            .map_err(|error| Error::data(format!("weights do not say their shape: {error}")))?;
        let this = Self { network, weights: Arc::new(arrays.clone()) };
        Parameters::take(&slots_of(&this.network), &mut arrays, &Device::flex())?;
        match arrays.arrays.keys().next() {
            None => Ok(this),
            Some(name) => Err(Error::data(format!("weights have a tensor `{name}` that is unknown"))),
        }
    }

    /// The vectors of molecules, `f32[n, d]`.
    pub(crate) fn encode(&self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let graphs = MoleculeGraphs::new(molecules.graphs()?)?;
        let device = molarena_nn::device(call.device)?;
        let slots = slots_of(&self.network);
        let mut parameters = Parameters::take(&slots, &mut (*self.weights).clone(), &device)?;
        graphs.encode(self.network.width, call, |batch| {
            self.network.forward(&mut Pass::evaluate(&mut parameters), batch)
        })
    }
}
