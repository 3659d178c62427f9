//! The encoder `pretrained`.

use burn::tensor::Device;
use molarena_nn::{
    Arrays, Parameters, Pass, Random,
    supervised::{FineTuneConfig, FineTuned, GraphEncoder as _},
    with_threads,
};
use molarena_sdk::{Call, Component, Encoder, Error, FineTune, Info, InputKind, Inputs, Matrix, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::network::{Convolution, Network};

/// Configuration of [`Pretrained`].
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PretrainedConfig {
    /// How atoms exchange messages.
    #[serde(default = "convolution")]
    pub convolution: Convolution,
    /// Number of layers.
    #[serde(default = "layers")]
    pub layers: usize,
    /// Width of atoms and molecules.
    #[serde(default = "width")]
    pub width: usize,
}

const fn convolution() -> Convolution {
    Convolution::Gin
}

const fn layers() -> usize {
    5
}

const fn width() -> usize {
    300
}

/// A network of Hu et al. 2020 whose weights are a state dict of its authors' code: a file of `torch.save`.
///
/// A molecule's vector is the mean over its atoms of the last layer. Bonds have no direction here, see
/// docs/src/pretrained.md. Without weights they are random and derive from the call's seed: the control.
#[derive(Debug)]
pub struct Pretrained {
    network: Network,
    loaded: Option<(Vec<u8>, Arrays)>,
}

impl Component for Pretrained {
    type Config = PretrainedConfig;
    const INFO: Info = Info {
        id: "pretrained",
        summary: "graph network of Hu et al. 2020 (GIN, GCN, GraphSAGE, GAT), with released weights",
        inputs: &[InputKind::Graphs],
        devices: &["cpu"],
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: PretrainedConfig) -> Result<Self> {
        let PretrainedConfig { convolution, layers, width } = config;
        for (name, value) in [("layers", layers), ("width", width)] {
            if value == 0 {
                return Err(Error::invalid_config(format!("`{name}` is 0, must be at least 1")));
            }
        }
        Ok(Self { network: Network { convolution, layers, width, dropout: 0.0 }, loaded: None })
    }
}

impl Encoder for Pretrained {
    fn width(&self) -> usize {
        self.network.width
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let graphs = Network::molecules(molecules.graphs()?)?;
        let slots = self.network.slots();
        let mut arrays = match &self.loaded {
            Some((_, arrays)) => arrays.clone(),
            None => slots.random(&mut Random::of(call.seed, 0, 0)),
        };
        let mut parameters = Parameters::take(&slots, &mut arrays, &Device::flex())?;
        with_threads(call, || {
            graphs.encode(self.network.width, call, |batch| {
                self.network.forward(&mut Pass::evaluate(&mut parameters), batch)
            })
        })?
    }

    fn save(&self) -> Result<Vec<u8>> {
        let loaded = self.loaded.as_ref();
        loaded
            .map(|(bytes, _)| bytes.clone())
            .ok_or_else(|| Error::invalid_argument("`save` needs `load` first"))
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let arrays = Arrays::from_pytorch_bytes(state)?;
        let mut left = arrays.clone();
        Parameters::take(&self.network.slots(), &mut left, &Device::flex())?;
        if let Some(name) = left.arrays.keys().next() {
            let Network { convolution, layers, .. } = self.network;
            return Err(Error::data(format!(
                "the state dict has a tensor `{name}`, which a network with `convolution` {convolution:?} and `layers` {layers} \
                 has not"
            )));
        }
        self.loaded = Some((state.to_vec(), arrays));
        Ok(())
    }
}

/// All weights are trained with a linear head on the mean over atoms, as in the paper's section 5.
impl FineTune for Pretrained {
    type FineTuneConfig = FineTuneConfig;
    type Model = FineTuned<Network>;

    fn finetune(&self, config: FineTuneConfig) -> Result<FineTuned<Network>> {
        FineTuned::new(self.network, self.loaded.as_ref().map(|(_, arrays)| arrays), config)
    }
}
