//! The encoder `selfsupervised`.

use molarena_nn::with_threads;
use molarena_sdk::{
    Call, Component, Corpus, Encoder, Info, InputKind, Inputs, Matrix, Result, state::fitted,
};

use crate::{
    config::{EncoderConfig, Params},
    model::Model,
    pretrain::pretrain,
};

/// A graph network that is pretrained on molecules alone; a molecule's vector is its readout.
///
/// Without `fit` or `load` the weights are random and derive from the call's seed: the control that pretraining has to beat.
#[derive(Debug)]
pub struct SelfSupervised {
    params: Params,
    model: Option<Model>,
}

impl Component for SelfSupervised {
    type Config = EncoderConfig;
    const INFO: Info = Info {
        id: "selfsupervised",
        summary: "graph network pretrained on the molecules of a corpus without labels, by one of nine objectives",
        inputs: &[InputKind::Graphs],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: EncoderConfig) -> Result<Self> {
        Ok(Self { params: config.check()?, model: None })
    }
}

impl Encoder for SelfSupervised {
    fn fit(&mut self, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<()> {
        call.check()?;
        self.model = Some(with_threads(call, || pretrain(&self.params, corpus, call))??);
        Ok(())
    }

    fn width(&self) -> usize {
        self.model.as_ref().map_or(self.params.width, |model| model.network.width)
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let random = self.model.is_none().then(|| Model::random(self.params.network(), call.seed));
        let model = self.model.as_ref().or(random.as_ref()).expect("one of the two is there");
        with_threads(call, || model.encode(molecules, call))?
    }

    fn save(&self) -> Result<Vec<u8>> {
        fitted(self.model.as_ref(), "save")?.to_bytes()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(Model::from_bytes(state)?);
        Ok(())
    }
}
