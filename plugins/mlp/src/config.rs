//! Options of the perceptron.

use molarena_nn::supervised::Selection;
use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the perceptron.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MlpConfig {
    /// Width of each hidden layer: a number of units, or `{ times_input = 4 }` for a multiple of the number of
    /// features. Without hidden layers the network is linear.
    pub hidden: Vec<Width>,
    /// Probability in [0, 1) that training drops a hidden value.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub dropout: f64,
    /// Whether hidden layers have batch norm.
    pub batch_norm: bool,
    /// Activation after each hidden layer.
    pub activation: Activation,
    /// Learning rate of the optimiser (Adam), above 0.
    pub learning_rate: f64,
    /// Weight decay: share of each weight that is added to its gradient, at least 0.
    #[schemars(range(min = 0.0))]
    pub weight_decay: f64,
    /// Number of molecules in a batch, at least 2.
    #[schemars(range(min = 2))]
    pub batch_size: usize,
    /// Maximum number of passes over the training molecules, at least 1.
    #[schemars(range(min = 1))]
    pub max_epochs: usize,
    /// Number of passes over the training molecules if no validation label can choose the epoch, at least 1.
    #[schemars(range(min = 1))]
    pub epochs_without_validation: usize,
    /// Number of epochs without a better validation score after which training ends, at least 1.
    #[schemars(range(min = 1))]
    pub patience: usize,
    /// Criterion on the validation molecules that chooses the epoch.
    pub select: Selection,
    /// Number of networks with different starts whose predictions are averaged, at least 1.
    #[schemars(range(min = 1))]
    pub members: usize,
    /// Which columns are scaled to mean 0 and standard deviation 1 on the training molecules; a constant column becomes
    /// 0.
    pub standardize: Standardize,
    /// Maximum absolute value of a standardised value, above 0; larger ones are clipped.
    pub clip: f64,
}

/// Width of a hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Width {
    /// This number of units, at least 1.
    Units(usize),
    /// A multiple of the number of features.
    Relative(Relative),
}

/// A multiple of the number of features.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relative {
    /// The factor, above 0; the width is rounded to the nearest integer.
    pub times_input: f64,
}

/// Activation after each hidden layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// x times the standard normal distribution function at x (Hendrycks and Gimpel 2016).
    Gelu,
}

/// Which columns are standardised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Standardize {
    /// No column.
    None,
    /// Columns with a training value other than 0, 1, 2 and 3; bits and clipped counts stay unchanged.
    Values,
    /// All columns.
    All,
}

impl Default for MlpConfig {
    fn default() -> Self {
        Self {
            hidden: vec![Width::Units(1200)],
            dropout: 0.5,
            batch_norm: true,
            activation: Activation::Gelu,
            learning_rate: 1e-3,
            weight_decay: 0.0,
            batch_size: 256,
            max_epochs: 300,
            epochs_without_validation: 30,
            patience: 20,
            select: Selection::Score,
            members: 1,
            standardize: Standardize::Values,
            clip: 5.0,
        }
    }
}

impl MlpConfig {
    /// Checks the values; the error names the invalid parameter.
    pub(crate) fn check(self) -> Result<Params> {
        let positive = |name: &str, value: f64| {
            let sound = value.is_finite() && value > 0.0;
            sound.then_some(()).ok_or_else(|| wrong(name, value, "above 0"))
        };
        let at_least = |name: &str, value: usize, least: usize| {
            (value >= least).then_some(()).ok_or_else(|| wrong(name, value, format!("at least {least}")))
        };
        for width in &self.hidden {
            match *width {
                Width::Units(units) => at_least("hidden", units, 1)?,
                Width::Relative(Relative { times_input }) => positive("hidden.times_input", times_input)?,
            }
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(wrong("dropout", self.dropout, "in [0, 1)"));
        }
        positive("learning_rate", self.learning_rate)?;
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return Err(wrong("weight_decay", self.weight_decay, "at least 0"));
        }
        at_least("batch_size", self.batch_size, 2)?;
        at_least("max_epochs", self.max_epochs, 1)?;
        at_least("epochs_without_validation", self.epochs_without_validation, 1)?;
        at_least("patience", self.patience, 1)?;
        at_least("members", self.members, 1)?;
        positive("clip", self.clip)?;
        Ok(Params(self))
    }
}

fn wrong(parameter: &str, value: impl std::fmt::Display, wanted: impl std::fmt::Display) -> Error {
    Error::invalid_config(format!("`{parameter}` is {value}, must be {wanted}"))
}

/// A checked [`MlpConfig`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Params(MlpConfig);

impl std::ops::Deref for Params {
    type Target = MlpConfig;

    fn deref(&self) -> &MlpConfig {
        &self.0
    }
}

impl Params {
    /// Widths of the hidden layers for `inputs` features.
    pub(crate) fn hidden(&self, inputs: usize) -> Vec<usize> {
        let width = |width: &Width| match *width {
            Width::Units(units) => units,
            Width::Relative(Relative { times_input }) => {
                ((times_input * inputs as f64).round() as usize).max(1)
            }
        };
        self.hidden.iter().map(width).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> std::result::Result<Params, String> {
        let config = serde_json::from_str::<MlpConfig>(json).map_err(|error| error.to_string())?;
        config.check().map_err(|error| error.to_string())
    }

    #[test]
    fn widths_are_numbers_or_multiples() {
        assert_eq!(read("{}").unwrap().hidden(2048), [1200]);
        let json = r#"{"hidden": [{"times_input": 4}, 50, {"times_input": 0.001}]}"#;
        assert_eq!(read(json).unwrap().hidden(300), [1200, 50, 1]);
        assert_eq!(read(r#"{"hidden": []}"#).unwrap().hidden(300), [] as [usize; 0]);
    }

    #[test]
    fn errors_name_the_parameter() {
        for (json, message) in [
            (r#"{"hidden": [0]}"#, "`hidden` is 0, must be at least 1"),
            (r#"{"hidden": [{"times_input": 0.0}]}"#, "`hidden.times_input` is 0, must be above 0"),
            (r#"{"dropout": 1.0}"#, "`dropout` is 1, must be in [0, 1)"),
            (r#"{"learning_rate": 0.0}"#, "`learning_rate` is 0, must be above 0"),
            (r#"{"weight_decay": -0.5}"#, "`weight_decay` is -0.5, must be at least 0"),
            (r#"{"batch_size": 1}"#, "`batch_size` is 1, must be at least 2"),
            (r#"{"max_epochs": 0}"#, "`max_epochs` is 0, must be at least 1"),
            (r#"{"patience": 0}"#, "`patience` is 0, must be at least 1"),
            (r#"{"members": 0}"#, "`members` is 0, must be at least 1"),
            (r#"{"clip": -1.0}"#, "`clip` is -1, must be above 0"),
        ] {
            assert_eq!(read(json).unwrap_err(), message);
        }
        for json in [r#"{"width": 3}"#, r#"{"activation": "relu"}"#, r#"{"hidden": [{"times_inputs": 4}]}"#] {
            assert!(read(json).is_err(), "{json}");
        }
    }
}
