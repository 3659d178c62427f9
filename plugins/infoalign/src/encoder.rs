//! The encoder `infoalign`.

use molarena_nn::{
    supervised::{FineTuneConfig, FineTuned},
    with_threads,
};
use molarena_sdk::{
    Call, Component, Corpus, Encoder, FineTune, Info, InputKind, Inputs, Matrix, Result, state::fitted,
};

use crate::{
    config::{EncoderConfig, Params},
    model::{Means, Model},
    pretrain::pretrain,
};

/// A graph neural network with a Gaussian on top; a molecule's vector is the Gaussian's mean.
///
/// Without `fit` or `load` the weights are random and derive from the call's seed: the control that pretraining has to
/// beat.
#[derive(Debug)]
pub struct InfoAlign {
    params: Params,
    model: Option<Model>,
}

impl Component for InfoAlign {
    type Config = EncoderConfig;
    const INFO: Info = Info {
        id: "infoalign",
        summary: "graph network with an information bottleneck, pretrained on a cellular context graph (Liu et al. 2024)",
        inputs: &[InputKind::Graphs],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: EncoderConfig) -> Result<Self> {
        Ok(Self { params: config.check()?, model: None })
    }
}

impl Encoder for InfoAlign {
    fn fit(&mut self, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<()> {
        call.check()?;
        self.model = Some(with_threads(call, || pretrain(&self.params, corpus, call))??);
        Ok(())
    }

    fn width(&self) -> usize {
        self.model.as_ref().map_or(self.params.width, |model| model.shape.network.width)
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let random = self.model.is_none().then(|| Model::random(&self.params, call.seed));
        let model = self.model.as_ref().or(random.as_ref()).expect("one of the two is there");
        with_threads(call, || model.encode(molecules, call))?
    }

    fn save(&self) -> Result<Vec<u8>> {
        fitted(self.model.as_ref(), "save")?.to_bytes()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(Model::from_bytes(state, Some(&self.params))?);
        Ok(())
    }
}

/// The graph network and the Gaussian's means are trained with a head on them; the decoders take no part.
impl FineTune for InfoAlign {
    type FineTuneConfig = FineTuneConfig;
    type Model = FineTuned<Means>;

    fn finetune(&self, config: FineTuneConfig) -> Result<FineTuned<Means>> {
        match &self.model {
            Some(model) => FineTuned::new(model.means(), Some(&model.weights), config),
            None => FineTuned::new(Means::of(&self.params), None, config),
        }
    }
}
