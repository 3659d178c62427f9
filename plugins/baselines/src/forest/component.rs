//! The baseline `rf`.

use molarena_sdk::{Baseline, Call, Component, Determinism, Info, InputKind, Inputs, Labels, Matrix, Result};
use serde::{Deserialize, Serialize};

use super::{
    bit_tree::BitTree,
    dense_tree::DenseTree,
    model::Forests,
    params::{ForestConfig, Params},
};
use crate::{
    state::{Header, fitted},
    targets::gather,
};

const HEADER: Header = Header { name: *b"rf  ", version: 1 };

/// A random forest for each task, grown on that task's labelled rows. For classes it predicts the mean of the leaves'
/// class fractions, for numbers the mean of the leaves' means. It grows on packed bits, or on dense features if there
/// are no bits.
#[derive(Debug)]
pub struct RandomForest {
    params: Params,
    model: Option<Model>,
}

/// Forests, by the kind of input on which they were grown.
#[derive(Debug, Serialize, Deserialize)]
enum Model {
    Bits(Forests<BitTree>),
    Dense(Forests<DenseTree>),
}

impl Component for RandomForest {
    type Config = ForestConfig;
    const INFO: Info = Info {
        id: "rf",
        summary: "random forest, one for each task, with scikit-learn's defaults",
        inputs: &[InputKind::Bits, InputKind::Dense],
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
        let (targets, kind) = (gather(labels, train.rows)?, labels.kind);
        self.model = Some(match (train.bits, train.dense) {
            (None, Some(dense)) => {
                Model::Dense(Forests::grow_dense(&self.params, dense, &targets, kind, call)?)
            }
            _ => Model::Bits(Forests::grow_bits(&self.params, train.bits()?, &targets, kind, call)?),
        });
        Ok(())
    }

    fn tasks(&self) -> usize {
        match &self.model {
            Some(Model::Bits(forests)) => forests.tasks(),
            Some(Model::Dense(forests)) => forests.tasks(),
            None => 0,
        }
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        match fitted(self.model.as_ref(), "predict")? {
            Model::Bits(forests) => forests.predict_bits(inputs.bits()?, call),
            Model::Dense(forests) => forests.predict_dense(inputs.dense()?, call),
        }
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(match HEADER.load(state)? {
            Model::Bits(forests) => Model::Bits(forests.check()?),
            Model::Dense(forests) => Model::Dense(forests.check()?),
        });
        Ok(())
    }
}
