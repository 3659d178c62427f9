//! The baseline `rf`.

use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
};
use serde::{Deserialize, Serialize};

use super::{
    model::Forests,
    params::{ForestConfig, Params},
    tree::BitTree,
};
use crate::{state::Header, targets::gather};

const HEADER: Header = Header { name: *b"rf  ", version: 1 };

/// A random forest for each task, grown on that task's labelled rows; for classes the prediction is the mean of the
/// leaves' class fractions, for numbers the mean of the leaves' means.
#[derive(Debug)]
pub struct RandomForest {
    params: Params,
    model: Option<Model>,
}

/// Forests over the kind of input that they were grown on.
#[derive(Debug, Serialize, Deserialize)]
enum Model {
    Bits(Forests<BitTree>),
}

impl Component for RandomForest {
    type Config = ForestConfig;
    const INFO: Info = Info {
        id: "rf",
        summary: "random forest, one for each task, with scikit-learn's defaults",
        inputs: &[InputKind::Bits],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };

    fn new(config: ForestConfig) -> Result<Self> {
        Ok(Self { params: config.check()?, model: None })
    }
}

impl Baseline for RandomForest {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        let targets = gather(labels, train.rows)?;
        let forests = Forests::grow_bits(&self.params, train.bits()?, &targets, labels.kind, call)?;
        self.model = Some(Model::Bits(forests));
        Ok(())
    }

    fn tasks(&self) -> usize {
        match &self.model {
            Some(Model::Bits(forests)) => forests.tasks(),
            None => 0,
        }
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        match &self.model {
            Some(Model::Bits(forests)) => forests.predict_bits(inputs.bits()?, call),
            None => Err(Error::invalid_argument("`predict` needs `fit` or `load` first")),
        }
    }

    fn save(&self) -> Result<Vec<u8>> {
        let model = self.model.as_ref();
        HEADER.save(model.ok_or_else(|| Error::invalid_argument("`save` needs `fit` or `load` first"))?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let Model::Bits(forests) = HEADER.load(state)?;
        self.model = Some(Model::Bits(forests.check()?));
        Ok(())
    }
}
