//! Options of the encoder.

use molarena_nn::gnn::{Convolution, GraphNetwork, Readout};
use molarena_nn::training::{self, Training};
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::objectives::{AttrMask, ObjectiveConfig};

/// Configuration of the encoder and of its pretraining.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// What pretraining learns: `{ name = "graphcl" }`, and the objective's own parameters beside the name.
    pub objective: ObjectiveConfig,
    /// How atoms exchange messages: `gin` or `gcn`, both with bond embeddings.
    pub convolution: ConvolutionName,
    /// Number of layers, at least 1.
    #[schemars(range(min = 1))]
    pub layers: usize,
    /// Width d of the representation, at least 1.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Whether each molecule has a virtual node that is joined to all its atoms; only with an objective that reads no atoms:
    /// `graphcl`, `joao` or `dsla`.
    pub virtual_node: bool,
    /// How atoms are combined into a molecule's vector: `sum`, `mean` or `max`.
    pub readout: ReadoutName,
    /// Probability in [0, 1) that training drops a value after each layer.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Number of passes over the molecules of the corpus, at least 1.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Learning rate of the optimiser (Adam), above 0.
    pub learning_rate: f64,
    /// Schedule of the learning rate: `cosine` falls to 0, `constant` stays.
    pub schedule: Schedule,
    /// Weight decay: share of each weight that is added to its gradient, at least 0.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Number of molecules in a batch, at least 2.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Share of the molecules held out to choose the epoch, in [0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub valid_share: f64,
    /// Number of epochs without a better loss on the held-out molecules after which training ends; 0: never.
    pub patience: usize,
}

/// How atoms exchange messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ConvolutionName {
    /// Graph isomorphism network.
    Gin,
    /// Graph convolutional network.
    Gcn,
}

/// How atoms are combined into a molecule's vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReadoutName {
    /// The sum over atoms.
    Sum,
    /// The mean over atoms.
    Mean,
    /// The largest value over atoms.
    Max,
}

/// Schedule of the learning rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Schedule {
    /// Falls to 0 along half a cosine.
    Cosine,
    /// Stays constant.
    Constant,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            objective: ObjectiveConfig::AttrMask(AttrMask::default()),
            convolution: ConvolutionName::Gin,
            layers: 3,
            width: 128,
            virtual_node: false,
            readout: ReadoutName::Mean,
            dropout: 0.1,
            epochs: 10,
            learning_rate: 1e-3,
            schedule: Schedule::Cosine,
            weight_decay: 0.0,
            batch_size: 256,
            valid_share: 0.05,
            patience: 0,
        }
    }
}

impl EncoderConfig {
    /// Checks the values; the error names the invalid parameter.
    pub(crate) fn check(self) -> Result<Params> {
        at_least("layers", self.layers, 1)?;
        at_least("width", self.width, 1)?;
        at_least("epochs", self.epochs, 1)?;
        at_least("batch_size", self.batch_size, 2)?;
        share("dropout", self.dropout)?;
        share("valid_share", self.valid_share)?;
        not_negative("weight_decay", self.weight_decay)?;
        positive("learning_rate", self.learning_rate)?;
        if self.patience > 0 && self.valid_share == 0.0 {
            return Err(wrong("patience", self.patience, "0 without a `valid_share` to choose by"));
        }
        if self.virtual_node && self.objective.reads_atoms() {
            let wanted = format!("false with the objective `{}`, which reads atoms", self.objective.name());
            return Err(wrong("virtual_node", true, wanted));
        }
        self.objective.check(self.epochs)?;
        Ok(Params(self))
    }
}

/// The error of a parameter's value.
pub(crate) fn wrong(parameter: &str, value: impl std::fmt::Display, wanted: impl std::fmt::Display) -> Error {
    Error::invalid_config(format!("`{parameter}` is {value}, must be {wanted}"))
}

/// Refuses a number below `least`.
pub(crate) fn at_least(parameter: &str, value: usize, least: usize) -> Result<()> {
    (value >= least).then_some(()).ok_or_else(|| wrong(parameter, value, format!("at least {least}")))
}

/// Refuses numbers that are not above 0.
pub(crate) fn positive(parameter: &str, value: f64) -> Result<()> {
    (value.is_finite() && value > 0.0).then_some(()).ok_or_else(|| wrong(parameter, value, "above 0"))
}

/// Refuses numbers below 0.
pub(crate) fn not_negative(parameter: &str, value: f64) -> Result<()> {
    (value.is_finite() && value >= 0.0).then_some(()).ok_or_else(|| wrong(parameter, value, "at least 0"))
}

/// Refuses numbers outside of [0, 1).
pub(crate) fn share(parameter: &str, value: f64) -> Result<()> {
    (0.0..1.0).contains(&value).then_some(()).ok_or_else(|| wrong(parameter, value, "in [0, 1)"))
}

/// Refuses numbers outside of (0, 1).
pub(crate) fn open_share(parameter: &str, value: f64) -> Result<()> {
    (value > 0.0 && value < 1.0).then_some(()).ok_or_else(|| wrong(parameter, value, "in (0, 1)"))
}

/// A checked [`EncoderConfig`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Params(EncoderConfig);

impl std::ops::Deref for Params {
    type Target = EncoderConfig;

    fn deref(&self) -> &EncoderConfig {
        &self.0
    }
}

impl Params {
    /// Shape of the graph network.
    pub(crate) fn network(&self) -> GraphNetwork {
        GraphNetwork {
            convolution: match self.convolution {
                ConvolutionName::Gin => Convolution::Gin,
                ConvolutionName::Gcn => Convolution::Gcn,
            },
            layers: self.layers,
            width: self.width,
            virtual_node: self.virtual_node,
            readout: match self.readout {
                ReadoutName::Sum => Readout::Sum,
                ReadoutName::Mean => Readout::Mean,
                ReadoutName::Max => Readout::Max,
            },
            dropout: self.dropout,
        }
    }

    /// Training parameters.
    pub(crate) fn training(&self) -> Training {
        Training {
            learning_rate: self.learning_rate,
            schedule: match self.schedule {
                Schedule::Cosine => training::Schedule::Cosine,
                Schedule::Constant => training::Schedule::Constant,
            },
            weight_decay: self.weight_decay,
            batch_size: self.batch_size,
            epochs: self.epochs,
            patience: self.patience,
        }
    }
}
