//! The outcome of a worker that fits and predicts, before scoring: `fits/<fit_key>.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parts::{Cost, Failure, Search};
/// Schema name of [`Fit`].
pub const FIT_SCHEMA: &str = "molarena.fit/2";

/// sha256 of the predictions of a fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PredictionsHash {
    /// Of the test molecules: `fits/<fit_key>.npy`.
    pub test: String,
    /// Of the validation molecules: `fits/<fit_key>.valid.npy`. Ensembles make their members comparable by them.
    pub valid: String,
}

/// Outcome of a worker, before scoring. Stored as `fits/<fit_key>.json` beside the predictions' files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fit {
    /// [`FIT_SCHEMA`].
    pub schema: String,
    /// Hash of everything that decides the predictions; also the file's name.
    pub fit_key: String,
    /// Why there are no predictions, if there are none.
    pub failure: Option<Failure>,
    /// sha256 of the predictions' files, if there are any.
    pub predictions: Option<PredictionsHash>,
    /// The settings that were tried, where the method leaves a choice.
    pub search: Option<Search>,
    /// Whether the worker was confined.
    pub confined: bool,
    /// What it cost.
    pub cost: Cost,
}
