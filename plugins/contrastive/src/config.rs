//! Options of the encoders.

use molarena_nn::training::{Schedule, Training};
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of `cloome` and of its pretraining. Widths are those of CLOOME's molecule encoder; the profile encoder takes
/// the place of its image network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CloomeConfig {
    /// Feature space of the corpus whose profiles are aligned; without it, the only morphology space.
    pub space: Option<String>,
    /// The loss: `cloob` (Hopfield retrieval and InfoLOOB) or `clip`.
    pub objective: Objective,
    /// Width of the shared space, at least 1.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Number of hidden layers of the molecule encoder.
    pub molecule_layers: usize,
    /// Width of its hidden layers, at least 1.
    #[schemars(range(min = 1))]
    pub molecule_width: usize,
    /// Number of hidden layers of the profile encoder.
    pub profile_layers: usize,
    /// Width of its hidden layers, at least 1.
    #[schemars(range(min = 1))]
    pub profile_width: usize,
    /// Probability in [0, 1) that training drops a hidden value.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Inverse temperature, from 1 to 100; where training starts if it is learned.
    pub inverse_temperature: f64,
    /// Whether training learns the inverse temperature, which stays between 1 and 100.
    pub learn_temperature: bool,
    /// Inverse temperature of the Hopfield retrieval, above 0.
    pub hopfield_scale: f64,
    /// Standard deviation of the noise that training adds to standardised profiles, at least 0.
    #[schemars(range(min = 0.0))]
    pub noise: f64,
    /// Number of passes over the molecules with a profile, at least 1.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Learning rate of the optimiser (Adam), above 0; it falls to 0 along half a cosine.
    pub learning_rate: f64,
    /// Weight decay: share of each weight that is added to its gradient, at least 0.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Number of molecules in a batch, at least 2 and at most the number of molecules with a profile.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Share of the molecules held out to choose the epoch, in [0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub valid_share: f64,
    /// Number of epochs without a better loss on the held-out molecules after which training ends; 0: never.
    pub patience: usize,
    /// Control: profiles change places between molecules before training.
    pub shuffle_pairs: bool,
}

/// The loss of `cloome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Objective {
    /// Hopfield retrieval and `InfoLOOB`.
    Cloob,
    /// Cross-entropy in both directions.
    Clip,
}

impl Default for CloomeConfig {
    fn default() -> Self {
        Self {
            space: None,
            objective: Objective::Cloob,
            width: 512,
            molecule_layers: 4,
            molecule_width: 1024,
            profile_layers: 2,
            profile_width: 1024,
            dropout: 0.0,
            inverse_temperature: 14.3,
            learn_temperature: true,
            hopfield_scale: 14.3,
            noise: 0.0,
            epochs: 60,
            learning_rate: 5e-4,
            weight_decay: 0.0,
            batch_size: 256,
            valid_share: 0.0,
            patience: 0,
            shuffle_pairs: false,
        }
    }
}

/// Configuration of `infocore` and of its pretraining. Widths, temperature and coefficients are those of the reference
/// implementation (gene expression); a queue of 4,096 keys is for corpora that are larger than it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InfoCoreConfig {
    /// Feature space of the corpus whose profiles are aligned; without it, the only space of profiles.
    pub space: Option<String>,
    /// What an anchor is compared with: the others of its batch (`simclr`), or a queue of keys from momentum encoders
    /// (`moco`).
    pub form: Form,
    /// Whether batches of profiles are corrected for; without it, and for a corpus without batches, the loss is InfoNCE.
    pub correct_batches: bool,
    /// What the molecule encoder is: a perceptron on fingerprints (`bits`) or a graph network (`graphs`); the method's
    /// features must be of that kind.
    pub molecules: MoleculeKind,
    /// Width of the shared space, of a molecule's vector and of the layers of a graph network, at least 1.
    #[schemars(range(min = 1))]
    pub width: usize,
    /// Number of hidden layers of the perceptron, or of layers of the graph network, at least 1.
    #[schemars(range(min = 1))]
    pub molecule_layers: usize,
    /// Width of the perceptron's hidden layers, at least 1.
    #[schemars(range(min = 1))]
    pub molecule_width: usize,
    /// Number of hidden layers of the profile encoder.
    pub profile_layers: usize,
    /// Width of its hidden layers, at least 1.
    #[schemars(range(min = 1))]
    pub profile_width: usize,
    /// Width of the hidden layer of the batch classifiers, at least 1.
    #[schemars(range(min = 1))]
    pub classifier_width: usize,
    /// Probability in [0, 1) that training drops a hidden value.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Temperature, above 0.
    pub temperature: f64,
    /// Coefficient c of the anchor's batch probability in a weight, at least 0.
    #[schemars(range(min = 0.0))]
    pub anchor_weight: f64,
    /// Factor of the gradient that reaches the encoders through the weights, at least 0.
    #[schemars(range(min = 0.0))]
    pub weight_gradient: f64,
    /// Number of updates of each batch classifier for one of the encoders, at least 1.
    #[schemars(range(min = 1))]
    pub classifier_steps: usize,
    /// Number of keys in the queue of `moco`, at least 1.
    #[schemars(range(min = 1))]
    pub queue: usize,
    /// Share in [0, 1) that a momentum encoder of `moco` keeps of itself in a step.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub momentum: f64,
    /// Share in [0, 1) that a momentum classifier of `moco` keeps of itself in a step.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub classifier_momentum: f64,
    /// Standard deviation of the noise that training adds to standardised profiles, at least 0.
    #[schemars(range(min = 0.0))]
    pub noise: f64,
    /// Number of passes over the molecules with a profile, at least 1.
    #[schemars(range(min = 1))]
    pub epochs: usize,
    /// Learning rate of the optimiser (Adam), above 0; it falls to 0 along half a cosine.
    pub learning_rate: f64,
    /// Weight decay: share of each weight that is added to its gradient, at least 0.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Number of molecules in a batch, at least 2 and at most the number of molecules with a profile.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Share of the molecules held out to choose the epoch, in [0, 1).
    #[schemars(range(min = 0.0, max = 1.0))]
    pub valid_share: f64,
    /// Number of epochs without a better loss on the held-out molecules after which training ends; 0: never.
    pub patience: usize,
    /// Control: profiles change places between molecules before training.
    pub shuffle_pairs: bool,
}

/// What the molecule encoder of `infocore` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MoleculeKind {
    /// Fingerprints, with a perceptron.
    Bits,
    /// Graphs, with a graph isomorphism network.
    Graphs,
}

/// What an anchor of `infocore` is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// The others of its batch of training.
    Simclr,
    /// A queue of keys from momentum encoders.
    Moco,
}

impl Default for InfoCoreConfig {
    fn default() -> Self {
        Self {
            space: None,
            form: Form::Moco,
            correct_batches: true,
            molecules: MoleculeKind::Bits,
            width: 256,
            molecule_layers: 3,
            molecule_width: 2560,
            profile_layers: 2,
            profile_width: 768,
            classifier_width: 2048,
            dropout: 0.1,
            temperature: 0.1,
            anchor_weight: 1.0,
            weight_gradient: 0.0,
            classifier_steps: 2,
            queue: 4096,
            momentum: 0.999,
            classifier_momentum: 0.999,
            noise: 0.6,
            epochs: 150,
            learning_rate: 1e-4,
            weight_decay: 0.0,
            batch_size: 256,
            valid_share: 0.0,
            patience: 0,
            shuffle_pairs: false,
        }
    }
}

/// Configuration of the decoder, which has no options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NoOptions {}

/// What both encoders have in common, checked.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Params {
    /// The space to align; `None` for the only one.
    pub(crate) space: Option<String>,
    pub(crate) loss: LossKind,
    pub(crate) molecules: MoleculeKind,
    pub(crate) width: usize,
    pub(crate) molecule_layers: usize,
    pub(crate) molecule_width: usize,
    pub(crate) profile_layers: usize,
    pub(crate) profile_width: usize,
    pub(crate) dropout: f64,
    pub(crate) noise: f64,
    pub(crate) valid_share: f64,
    pub(crate) shuffle_pairs: bool,
    pub(crate) training: Training,
    /// The configuration as JSON, for the identity of checkpoints.
    pub(crate) text: String,
}

/// The loss and what belongs to it alone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LossKind {
    Cloome { objective: Objective, inverse_temperature: f64, learn_temperature: bool, hopfield_scale: f64 },
    InfoCore(InfoCoreLoss),
}

/// The loss of `infocore`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct InfoCoreLoss {
    pub(crate) form: Form,
    pub(crate) correct_batches: bool,
    pub(crate) classifier_width: usize,
    pub(crate) temperature: f32,
    pub(crate) anchor_weight: f32,
    pub(crate) weight_gradient: f32,
    pub(crate) classifier_steps: usize,
    pub(crate) queue: usize,
    pub(crate) momentum: f32,
    pub(crate) classifier_momentum: f32,
}

/// The largest inverse temperature (section 2.1 of Radford et al. 2021).
pub(crate) const MOST_INVERSE: f64 = 100.0;

impl CloomeConfig {
    /// Checks the values; the error names the invalid parameter.
    pub(crate) fn check(self) -> Result<Params> {
        if !(self.inverse_temperature >= 1.0 && self.inverse_temperature <= MOST_INVERSE) {
            return Err(wrong("inverse_temperature", self.inverse_temperature, "from 1 to 100"));
        }
        positive("hopfield_scale", self.hopfield_scale)?;
        Params {
            loss: LossKind::Cloome {
                objective: self.objective,
                inverse_temperature: self.inverse_temperature,
                learn_temperature: self.learn_temperature,
                hopfield_scale: self.hopfield_scale,
            },
            molecules: MoleculeKind::Bits,
            width: self.width,
            molecule_layers: self.molecule_layers,
            molecule_width: self.molecule_width,
            profile_layers: self.profile_layers,
            profile_width: self.profile_width,
            dropout: self.dropout,
            noise: self.noise,
            valid_share: self.valid_share,
            shuffle_pairs: self.shuffle_pairs,
            training: Training {
                learning_rate: self.learning_rate,
                schedule: Schedule::Cosine,
                weight_decay: self.weight_decay,
                batch_size: self.batch_size,
                epochs: self.epochs,
                patience: self.patience,
            },
            text: serde_json::to_string(&self).expect("plain data"),
            space: self.space,
        }
        .check()
    }
}

impl InfoCoreConfig {
    /// Checks the values; the error names the invalid parameter.
    pub(crate) fn check(self) -> Result<Params> {
        at_least("classifier_width", self.classifier_width, 1)?;
        at_least("classifier_steps", self.classifier_steps, 1)?;
        at_least("queue", self.queue, 1)?;
        at_least("molecule_layers", self.molecule_layers, 1)?;
        positive("temperature", self.temperature)?;
        not_negative("anchor_weight", self.anchor_weight)?;
        not_negative("weight_gradient", self.weight_gradient)?;
        share("momentum", self.momentum)?;
        share("classifier_momentum", self.classifier_momentum)?;
        Params {
            loss: LossKind::InfoCore(InfoCoreLoss {
                form: self.form,
                correct_batches: self.correct_batches,
                classifier_width: self.classifier_width,
                temperature: self.temperature as f32,
                anchor_weight: self.anchor_weight as f32,
                weight_gradient: self.weight_gradient as f32,
                classifier_steps: self.classifier_steps,
                queue: self.queue,
                momentum: self.momentum as f32,
                classifier_momentum: self.classifier_momentum as f32,
            }),
            molecules: self.molecules,
            width: self.width,
            molecule_layers: self.molecule_layers,
            molecule_width: self.molecule_width,
            profile_layers: self.profile_layers,
            profile_width: self.profile_width,
            dropout: self.dropout,
            noise: self.noise,
            valid_share: self.valid_share,
            shuffle_pairs: self.shuffle_pairs,
            training: Training {
                learning_rate: self.learning_rate,
                schedule: Schedule::Cosine,
                weight_decay: self.weight_decay,
                batch_size: self.batch_size,
                epochs: self.epochs,
                patience: self.patience,
            },
            text: serde_json::to_string(&self).expect("plain data"),
            space: self.space,
        }
        .check()
    }
}

impl Params {
    fn check(self) -> Result<Self> {
        at_least("width", self.width, 1)?;
        at_least("molecule_width", self.molecule_width, 1)?;
        at_least("profile_width", self.profile_width, 1)?;
        share("dropout", self.dropout)?;
        not_negative("noise", self.noise)?;
        at_least("epochs", self.training.epochs, 1)?;
        positive("learning_rate", self.training.learning_rate)?;
        not_negative("weight_decay", self.training.weight_decay)?;
        at_least("batch_size", self.training.batch_size, 2)?;
        share("valid_share", self.valid_share)?;
        if self.training.patience > 0 && self.valid_share == 0.0 {
            return Err(wrong("patience", self.training.patience, "0 without a `valid_share` to choose by"));
        }
        Ok(self)
    }
}

fn wrong(parameter: &str, value: impl std::fmt::Display, wanted: impl std::fmt::Display) -> Error {
    Error::invalid_config(format!("`{parameter}` is {value}, must be {wanted}"))
}

fn at_least(parameter: &str, value: usize, least: usize) -> Result<()> {
    (value >= least).then_some(()).ok_or_else(|| wrong(parameter, value, format!("at least {least}")))
}

fn positive(parameter: &str, value: f64) -> Result<()> {
    (value.is_finite() && value > 0.0).then_some(()).ok_or_else(|| wrong(parameter, value, "above 0"))
}

fn not_negative(parameter: &str, value: f64) -> Result<()> {
    (value.is_finite() && value >= 0.0).then_some(()).ok_or_else(|| wrong(parameter, value, "at least 0"))
}

fn share(parameter: &str, value: f64) -> Result<()> {
    (0.0..1.0).contains(&value).then_some(()).ok_or_else(|| wrong(parameter, value, "in [0, 1)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_parameter() {
        for (json, message) in [
            (r#"{"width": 0}"#, "`width` is 0, must be at least 1"),
            (r#"{"batch_size": 1}"#, "`batch_size` is 1, must be at least 2"),
            (r#"{"inverse_temperature": 101.0}"#, "`inverse_temperature` is 101, must be from 1 to 100"),
            (r#"{"patience": 3}"#, "`patience` is 3, must be 0 without a `valid_share` to choose by"),
        ] {
            let config: CloomeConfig = serde_json::from_str(json).unwrap();
            assert_eq!(config.check().unwrap_err().to_string(), message);
        }
        for (json, message) in [
            (r#"{"temperature": 0.0}"#, "`temperature` is 0, must be above 0"),
            (r#"{"momentum": 1.0}"#, "`momentum` is 1, must be in [0, 1)"),
            (r#"{"queue": 0}"#, "`queue` is 0, must be at least 1"),
        ] {
            let config: InfoCoreConfig = serde_json::from_str(json).unwrap();
            assert_eq!(config.check().unwrap_err().to_string(), message);
        }
        assert!(serde_json::from_str::<CloomeConfig>(r#"{"depth": 3}"#).is_err());
    }
}
