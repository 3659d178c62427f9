//! The baseline `dmpnn`.

use molarena_nn::{
    Loss,
    supervised::{Labelling, Members, Options, Selection},
    training::Schedule,
    with_threads,
};
use molarena_sdk::{
    Baseline, Call, Component, Error, Info, InputKind, Inputs, Labels, Matrix, Result, TaskKind,
    state::{Header, fitted},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{molecules::Molecules, network::Network};

const HEADER: Header = Header { name: *b"dmpn", version: 1 };

/// Configuration of [`DirectedMessages`]. The defaults are those of chemprop 2.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DirectedMessagesConfig {
    /// Number of states of a message, at least 1.
    #[schemars(range(min = 1))]
    pub depth: usize,
    /// Width of a message, at least 1.
    #[schemars(range(min = 1))]
    pub message_width: usize,
    /// Number of hidden layers of the head.
    pub layers: usize,
    /// Width of these layers, at least 1.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Probability in [0, 1) that training drops a value.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// The highest learning rate of the optimiser (Adam), above 0: a tenth of it at both ends.
    pub learning_rate: f64,
    /// Number of epochs at the start in which the learning rate rises.
    #[schemars(range(min = 0.0))]
    pub warm_up_epochs: f64,
    /// Number of molecules in a batch, at least 2.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Number of passes over the training molecules, at least 1, more than those of the warm-up.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Number of epochs without a better validation value after which training ends, at least 1.
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// Criterion on the validation molecules that chooses the epoch.
    pub select: Select,
    /// Number of networks with different starts whose predictions are averaged, at least 1.
    #[schemars(range(min = 1))]
    pub members: usize,
}

/// Criterion on the validation molecules that chooses the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Select {
    /// The mean loss over all labels.
    Loss,
    /// The mean over tasks of the area under the ROC curve, or of the absolute error.
    Score,
}

impl Default for DirectedMessagesConfig {
    fn default() -> Self {
        Self {
            depth: 3,
            message_width: 300,
            layers: 1,
            width: 300,
            dropout: 0.0,
            learning_rate: 1e-3,
            warm_up_epochs: 2.0,
            batch_size: 64,
            epochs: 50,
            patience: 50,
            select: Select::Loss,
            members: 1,
        }
    }
}

impl DirectedMessagesConfig {
    fn check(&self) -> Result<()> {
        let wrong = |name: &str, value: &dyn std::fmt::Display, wanted: &str| {
            Err(Error::invalid_config(format!("`{name}` is {value}, must be {wanted}")))
        };
        for (name, value, least) in [
            ("depth", self.depth, 1),
            ("message_width", self.message_width, 1),
            ("width", self.width, 1),
            ("batch_size", self.batch_size, 2),
            ("epochs", self.epochs, 1),
            ("patience", self.patience, 1),
            ("members", self.members, 1),
        ] {
            if value < least {
                return wrong(name, &value, &format!("at least {least}"));
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return wrong("dropout", &self.dropout, "in [0, 1)");
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return wrong("learning_rate", &self.learning_rate, "above 0");
        }
        if !(0.0..self.epochs as f64).contains(&self.warm_up_epochs) {
            return wrong("warm_up_epochs", &self.warm_up_epochs, "at least 0 and below `epochs`");
        }
        Ok(())
    }

    fn network(&self, outputs: usize) -> Network {
        let Self { depth, message_width, layers, width, dropout, .. } = *self;
        Network { depth, message_width, layers, width, dropout, outputs }
    }

    fn options(&self, kind: TaskKind) -> Options {
        Options {
            learning_rate: self.learning_rate,
            schedule: Schedule::WarmUp(self.warm_up_epochs / self.epochs as f64),
            weight_decay: 0.0,
            batch_size: self.batch_size,
            max_epochs: self.epochs,
            patience: self.patience,
            loss: match kind {
                TaskKind::Classification => Loss::BinaryCrossEntropy,
                TaskKind::Regression => Loss::Squared,
            },
            selection: match self.select {
                Select::Loss => Selection::Loss,
                Select::Score => Selection::Score,
            },
        }
    }
}

/// A network that passes messages along directed bonds; the sum of what the atoms of a molecule receive is its vector, and a
/// perceptron predicts all tasks from it.
///
/// The loss over the labels that are not missing is binary cross-entropy for classes, and the squared error of standardised labels for
/// numbers. The validation molecules choose the epoch.
#[derive(Debug)]
pub struct DirectedMessages {
    config: DirectedMessagesConfig,
    model: Option<Members<Network>>,
}

impl Component for DirectedMessages {
    type Config = DirectedMessagesConfig;
    const INFO: Info = Info {
        id: "dmpnn",
        summary: "message passing on directed bonds (D-MPNN), end to end from graphs, with chemprop's defaults",
        inputs: &[InputKind::Graphs],
        devices: &["cpu"],
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: DirectedMessagesConfig) -> Result<Self> {
        config.check()?;
        Ok(Self { config, model: None })
    }
}

impl Baseline for DirectedMessages {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        valid: &Inputs<'_>,
        valid_labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let molecules = Molecules::new(&train.graphs()?);
        let others = if valid.rows == 0 { None } else { Some(Molecules::new(&valid.graphs()?)) };
        let train = Labelling { molecules: &molecules, labels };
        let valid = others.as_ref().map(|molecules| Labelling { molecules, labels: valid_labels });
        let options = self.config.options(labels.kind);
        let plan = (&options, self.config.members, self.config.epochs);
        let network = |outputs| self.config.network(outputs);
        self.model = Some(with_threads(call, || Members::fit(network, plan, &train, valid.as_ref(), call))??);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, Members::tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let model = fitted(self.model.as_ref(), "predict")?;
        let molecules = Molecules::new(&inputs.graphs()?);
        with_threads(call, || model.predict(&molecules, call))?
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Members<Network> = HEADER.load(state)?;
        model.check()?;
        self.model = Some(model);
        Ok(())
    }
}
