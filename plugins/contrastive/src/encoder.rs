//! The encoders `cloome` and `infocore`.

use molarena_nn::with_threads;
use molarena_sdk::{
    Call, Component, Corpus, Encoder, Info, InputKind, Inputs, Matrix, NodeKind, Result, state::fitted,
};

use crate::{
    config::{CloomeConfig, InfoCoreConfig, Params},
    model::Model,
    train::pretrain,
};

/// A perceptron on fingerprints, aligned with morphology profiles.
///
/// Without `fit` or `load` the weights are random and derive from the call's seed: the control that pretraining has to beat.
#[derive(Debug)]
pub struct Cloome(Aligner);

/// A perceptron on fingerprints or a graph network, aligned with profiles such that their batches do not help. A corpus without
/// batches is aligned with plain `InfoNCE`.
///
/// Without `fit` or `load` the weights are random, as for [`Cloome`].
#[derive(Debug)]
pub struct InfoCore(Aligner);

/// What both have in common.
#[derive(Debug)]
struct Aligner {
    params: Params,
    model: Option<Model>,
}

impl Aligner {
    fn fit(&mut self, corpus: &Corpus<'_>, kind: Option<NodeKind>, call: &Call<'_>) -> Result<()> {
        call.check()?;
        self.model = Some(with_threads(call, || pretrain(&self.params, corpus, kind, call))??);
        Ok(())
    }

    fn width(&self) -> usize {
        self.model.as_ref().map_or(self.params.width, |model| model.shape.width())
    }

    fn encode(&self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let random = match &self.model {
            Some(_) => None,
            None => Some(Model::random(&self.params, molecules, call.seed)?),
        };
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

impl Component for Cloome {
    type Config = CloomeConfig;
    const INFO: Info = Info {
        id: "cloome",
        summary: "perceptron on fingerprints, aligned with morphology profiles by CLOOB (Sanchez-Fernandez et al. 2023, with a perceptron in place of the image network)",
        inputs: &[InputKind::Bits],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: CloomeConfig) -> Result<Self> {
        Ok(Self(Aligner { params: config.check()?, model: None }))
    }
}

impl Component for InfoCore {
    type Config = InfoCoreConfig;
    const INFO: Info = Info {
        id: "infocore",
        summary: "perceptron on fingerprints or graph network, aligned with profiles while their batches are discounted (Wang et al. 2024)",
        inputs: &[InputKind::Bits, InputKind::Graphs],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: InfoCoreConfig) -> Result<Self> {
        Ok(Self(Aligner { params: config.check()?, model: None }))
    }
}

impl Encoder for Cloome {
    fn fit(&mut self, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<()> {
        self.0.fit(corpus, Some(NodeKind::Morphology), call)
    }

    fn width(&self) -> usize {
        self.0.width()
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        self.0.encode(molecules, call)
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.0.save()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.0.load(state)
    }
}

impl Encoder for InfoCore {
    fn fit(&mut self, corpus: &Corpus<'_>, call: &Call<'_>) -> Result<()> {
        self.0.fit(corpus, None, call)
    }

    fn width(&self) -> usize {
        self.0.width()
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        self.0.encode(molecules, call)
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.0.save()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.0.load(state)
    }
}
