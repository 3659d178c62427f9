//! The baseline `mlp`.

use molarena_nn::{
    Loss,
    mlp::Architecture,
    supervised::{Members, Options},
    training::Schedule,
};
use molarena_sdk::{
    Baseline, Call, Component, Error, Info, InputKind, Inputs, Labels, Matrix, Result, TaskKind,
    state::{Header, fitted},
};
use serde::{Deserialize, Serialize};

use crate::{
    config::{MlpConfig, Params},
    scale::Scaler,
};

const HEADER: Header = Header { name: *b"mlp ", version: 3 };

/// A multi-layer perceptron with one output for each task.
///
/// The layers are a linear map, batch norm, GELU and dropout, followed by a linear head. The loss over the labels that
/// are not missing is binary cross-entropy for classes, and the absolute error of standardised labels for numbers; the
/// optimiser is Adam. The validation molecules choose the epoch. A task whose training labels are all equal predicts
/// that label; a task without labels predicts 0.5 or 0.
#[derive(Debug)]
pub struct Perceptron {
    params: Params,
    model: Option<Model>,
}

/// The trained model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Model {
    scaler: Scaler,
    members: Members<Architecture>,
}

impl Component for Perceptron {
    type Config = MlpConfig;
    const INFO: Info = Info {
        id: "mlp",
        summary: "multi-layer perceptron for all tasks together, epoch chosen on validation",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: MlpConfig) -> Result<Self> {
        Ok(Self { params: config.check()?, model: None })
    }
}

impl Baseline for Perceptron {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let (scaler, molecules) = Scaler::fit(&self.params, train)?;
        let others = if valid.rows == 0 { None } else { Some(scaler.apply(valid)?) };
        let options = self.params.options(labels.kind);
        let plan = (&options, self.params.members, self.params.epochs_without_validation);
        let columns = molecules.columns();
        let network = |outputs| self.params.network(columns, outputs);
        let molecules = (&molecules, others.as_ref());
        let members = Members::fit(network, plan, molecules, (labels, valid_labels), call)?;
        self.model = Some(Model { scaler, members });
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.members.tasks())
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let model = fitted(self.model.as_ref(), "predict")?;
        let features = model.scaler.apply(inputs)?;
        model.members.predict(&features, call)
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        model.members.check()?;
        let columns = model.scaler.columns();
        if model.members.networks.as_ref().is_some_and(|(network, _)| network.inputs != columns) {
            return Err(Error::data("state of the network is damaged: features and layers do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

impl Params {
    /// The networks' shape for so many inputs and outputs.
    fn network(&self, inputs: usize, outputs: usize) -> Architecture {
        let (batch_norm, dropout) = (self.batch_norm, self.dropout);
        Architecture { inputs, hidden: self.hidden(inputs), outputs, batch_norm, dropout }
    }

    fn options(&self, kind: TaskKind) -> Options {
        Options {
            learning_rate: self.learning_rate,
            schedule: Schedule::Constant,
            weight_decay: self.weight_decay,
            batch_size: self.batch_size,
            max_epochs: self.max_epochs,
            patience: self.patience,
            loss: match kind {
                TaskKind::Classification => Loss::BinaryCrossEntropy,
                TaskKind::Regression => Loss::Absolute,
            },
            selection: self.select,
        }
    }
}

#[cfg(test)]
mod tests;
