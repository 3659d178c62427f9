//! Options of message passing.

use molarena_nn::{
    Loss, Stack, Style,
    gnn::{self, GraphNetwork},
    supervised::{Options, Selection},
    training::Schedule,
};
use molarena_sdk::{Error, Result, TaskKind};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{atoms::Atoms, directed::Directed};

/// Configuration of [`MessagePassing`](super::MessagePassing). The defaults are those of chemprop 2, but for what GIN and GCN need.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MessagePassingConfig {
    /// Between what messages go.
    pub messages: Messages,
    /// Number of states of a message, or of layers, at least 1; if none is given, 3 for directed bonds and 5 for atoms.
    #[schemars(range(min = 1))]
    pub depth: Option<usize>,
    /// Width of a message, at least 1.
    #[schemars(range(min = 1))]
    pub message_width: usize,
    /// How atoms become the vector of their molecule; if none is given, `norm` for directed bonds and `mean` for atoms.
    pub readout: Option<Readout>,
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
    pub select: Selection,
    /// Number of networks with different starts whose predictions are averaged, at least 1.
    #[schemars(range(min = 1))]
    pub members: usize,
}

/// Between what messages go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Messages {
    /// Along directed bonds: D-MPNN.
    Directed,
    /// Between atoms: a graph isomorphism network (Xu et al. 2019) with bond embeddings (Hu et al. 2020).
    Gin,
    /// Between atoms: a graph convolutional network (Kipf and Welling 2017) with bond embeddings (Hu et al. 2021).
    Gcn,
}

/// How atoms become the vector of their molecule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Readout {
    /// The sum over atoms.
    Sum,
    /// The mean over atoms.
    Mean,
    /// The sum over atoms divided by 100, chemprop's default; for directed bonds alone.
    Norm,
}

impl Default for MessagePassingConfig {
    fn default() -> Self {
        Self {
            messages: Messages::Directed,
            depth: None,
            message_width: 300,
            readout: None,
            layers: 1,
            width: 300,
            dropout: 0.0,
            learning_rate: 1e-3,
            warm_up_epochs: 2.0,
            batch_size: 64,
            epochs: 50,
            patience: 50,
            select: Selection::Loss,
            members: 1,
        }
    }
}

impl MessagePassingConfig {
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |name: &str, value: &dyn std::fmt::Display, wanted: &str| {
            Err(Error::invalid_config(format!("`{name}` is {value}, must be {wanted}")))
        };
        for (name, value, least) in [
            ("depth", self.depth.unwrap_or(1), 1),
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
        if self.readout == Some(Readout::Norm) && self.messages != Messages::Directed {
            return wrong("readout", &"norm", "sum or mean for messages between atoms");
        }
        Ok(())
    }

    fn head(&self, outputs: usize) -> Stack {
        Stack {
            name: "predictor".to_owned(),
            inputs: self.message_width,
            layers: self.layers,
            hidden: self.width,
            outputs,
            style: Style::Rectifier,
            dropout: self.dropout,
        }
    }

    pub(super) fn directed(&self, outputs: usize) -> Directed {
        Directed {
            depth: self.depth.unwrap_or(3),
            message_width: self.message_width,
            norm: match self.readout.unwrap_or(Readout::Norm) {
                Readout::Norm => Some(100.0),
                Readout::Sum => Some(1.0),
                Readout::Mean => None,
            },
            dropout: self.dropout,
            head: self.head(outputs),
        }
    }

    pub(super) fn atoms(&self, outputs: usize) -> Atoms {
        let network = GraphNetwork {
            convolution: if self.messages == Messages::Gcn {
                gnn::Convolution::Gcn
            } else {
                gnn::Convolution::Gin
            },
            layers: self.depth.unwrap_or(5),
            width: self.message_width,
            virtual_node: false,
            readout: if self.readout == Some(Readout::Sum) { gnn::Readout::Sum } else { gnn::Readout::Mean },
            dropout: self.dropout,
        };
        Atoms { network, head: self.head(outputs) }
    }

    pub(super) fn options(&self, kind: TaskKind) -> Options {
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
            selection: self.select,
        }
    }
}
