//! Options of the encoder and the decoder.

use molarena_nn::gnn::{Convolution, GraphNetwork, Readout};
use molarena_nn::training::{self, Training};
use molarena_sdk::{Error, NodeKind, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::walks::Transition;

/// Configuration of the encoder and of its pretraining. The defaults are those of the paper (section 5 and appendix C)
/// and of the reference implementation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderConfig {
    /// How atoms exchange messages: `gin` or `gcn`, both with bond embeddings.
    pub convolution: ConvolutionName,
    /// Number of layers, at least 1.
    #[schemars(range(min = 1))]
    pub layers: usize,
    /// Width d of the representation, at least 1.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Whether each molecule has a virtual node that is joined to all its atoms.
    pub virtual_node: bool,
    /// How atoms are combined into a molecule's vector: `sum`, `mean` or `max`.
    pub readout: ReadoutName,
    /// Probability in [0, 1) that training drops a value after each layer.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Number of passes over the molecules of the context graph, at least 1.
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
    /// Weight beta of the divergence from N(0, I) in Eq. 3, at least 0.
    #[schemars(range(min = 0.0))]
    pub beta: f64,
    /// Number of steps L of a random walk; with 0 only the molecule's own features are targets.
    pub walk_length: usize,
    /// How a walk chooses the next node.
    pub transition: Transition,
    /// What training decodes: the `mean`, as in the reference implementation, or a `sample`, as in Eq. 3.
    pub decode_from: DecodeFrom,
    /// Modalities that get no decoder (Table 5).
    pub without: Vec<Modality>,
    /// Number of hidden units of a decoder per dimension of the representation, at least 1.
    #[schemars(range(min = 1))]
    pub decoder_times: usize,
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

/// What training decodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DecodeFrom {
    /// The mean mu.
    Mean,
    /// A draw from N(mu, sigma^2).
    Sample,
}

/// The kinds of features in a context graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Modality {
    /// Fingerprints of molecules.
    Molecule,
    /// Profiles of gene perturbations.
    Gene,
    /// Cell morphology.
    Morphology,
    /// Gene expression.
    Expression,
}

impl Modality {
    /// All modalities, in the order of the decoders in a checkpoint.
    pub const ALL: [Self; 4] = [Self::Molecule, Self::Gene, Self::Morphology, Self::Expression];

    /// The modality of a kind of node.
    pub fn of(kind: NodeKind) -> Self {
        match kind {
            NodeKind::Molecule => Self::Molecule,
            NodeKind::Gene => Self::Gene,
            NodeKind::Morphology => Self::Morphology,
            NodeKind::Expression => Self::Expression,
        }
    }

    /// The name in configurations and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Molecule => "molecule",
            Self::Gene => "gene",
            Self::Morphology => "morphology",
            Self::Expression => "expression",
        }
    }
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            convolution: ConvolutionName::Gin,
            layers: 5,
            width: 300,
            virtual_node: true,
            readout: ReadoutName::Sum,
            dropout: 0.5,
            epochs: 300,
            learning_rate: 1e-4,
            schedule: Schedule::Cosine,
            weight_decay: 0.0,
            batch_size: 3072,
            beta: 1e-9,
            walk_length: 4,
            transition: Transition::Uniform,
            decode_from: DecodeFrom::Mean,
            without: Vec::new(),
            decoder_times: 4,
            valid_share: 0.0,
            patience: 0,
        }
    }
}

impl EncoderConfig {
    /// Checks the values; the error names the invalid parameter.
    pub(crate) fn check(self) -> Result<Params> {
        let at_least = |name: &str, value: usize, least: usize| {
            (value >= least).then_some(()).ok_or_else(|| wrong(name, value, format!("at least {least}")))
        };
        let not_negative = |name: &str, value: f64| {
            let sound = value.is_finite() && value >= 0.0;
            sound.then_some(()).ok_or_else(|| wrong(name, value, "at least 0"))
        };
        let share = |name: &str, value: f64| {
            (0.0..1.0).contains(&value).then_some(()).ok_or_else(|| wrong(name, value, "in [0, 1)"))
        };
        at_least("layers", self.layers, 1)?;
        at_least("width", self.width, 1)?;
        at_least("epochs", self.epochs, 1)?;
        at_least("batch_size", self.batch_size, 2)?;
        at_least("decoder_times", self.decoder_times, 1)?;
        share("dropout", self.dropout)?;
        share("valid_share", self.valid_share)?;
        not_negative("weight_decay", self.weight_decay)?;
        not_negative("beta", self.beta)?;
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return Err(wrong("learning_rate", self.learning_rate, "above 0"));
        }
        if self.patience > 0 && self.valid_share == 0.0 {
            return Err(wrong("patience", self.patience, "0 without a `valid_share` to choose by"));
        }
        if Modality::ALL.iter().all(|modality| self.without.contains(modality)) {
            return Err(Error::invalid_config("`without` leaves no decoder; keep one modality"));
        }
        Ok(Params(self))
    }
}

fn wrong(parameter: &str, value: impl std::fmt::Display, wanted: impl std::fmt::Display) -> Error {
    Error::invalid_config(format!("`{parameter}` is {value}, must be {wanted}"))
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

/// Configuration of the decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecoderConfig {
    /// How a candidate is scored.
    pub score: Score,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self { score: Score::Likelihood }
    }
}

/// Score of a candidate profile y against the decoded profile p, both in [0, 1], over the columns that y has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Score {
    /// The log-likelihood that training maximises: the mean of y ln p + (1 - y) ln (1 - p). It is linear in y, so it
    /// also prefers candidates with extreme values.
    Likelihood,
    /// The log-likelihood under a Gaussian around p, up to constants: minus the mean of (y - p)^2.
    Gaussian,
    /// The cosine of y and p.
    Cosine,
    /// The cosine of y and p after each column of both is centred by its mean over the candidates and divided by its
    /// standard deviation over them. In [0, 1] all profiles have much in common, and this removes it. A constant column
    /// is ignored.
    Standardized,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_parameter() {
        for (json, message) in [
            (r#"{"layers": 0}"#, "`layers` is 0, must be at least 1"),
            (r#"{"dropout": 1.0}"#, "`dropout` is 1, must be in [0, 1)"),
            (r#"{"beta": -1.0}"#, "`beta` is -1, must be at least 0"),
            (r#"{"learning_rate": 0.0}"#, "`learning_rate` is 0, must be above 0"),
            (r#"{"patience": 3}"#, "`patience` is 3, must be 0 without a `valid_share` to choose by"),
            (
                r#"{"without": ["molecule", "gene", "morphology", "expression"]}"#,
                "`without` leaves no decoder; keep one modality",
            ),
        ] {
            let config: EncoderConfig = serde_json::from_str(json).unwrap();
            assert_eq!(config.check().unwrap_err().to_string(), message);
        }
        assert!(serde_json::from_str::<EncoderConfig>(r#"{"depth": 3}"#).is_err());
    }
}
