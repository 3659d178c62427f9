//! The outcome of a fit before `molarena.step/1`: `fits/<fit_key>.json`.

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
    /// Of the validation molecules: `fits/<fit_key>.valid.npy`, by which an ensemble scales its members.
    pub valid: String,
}

/// Outcome of a fit, before scoring. Stored as `fits/<fit_key>.json` beside the prediction files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fit {
    /// [`FIT_SCHEMA`].
    pub schema: String,
    /// Hash of everything that determines the predictions; also the file's name.
    pub fit_key: String,
    /// Why there are no predictions; null if there are.
    pub failure: Option<Failure>,
    /// sha256 of the prediction files; null if there are none.
    pub predictions: Option<PredictionsHash>,
    /// The settings that were tried, if the method chooses between several.
    pub search: Option<Search>,
    /// Whether the worker was confined.
    pub confined: bool,
    /// Cost of the fit.
    pub cost: Cost,
}
