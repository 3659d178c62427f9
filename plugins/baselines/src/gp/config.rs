//! What the user of a Gaussian process may choose.

use molarena_sdk::{Error, Inputs, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the Gaussian process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GpConfig {
    /// How similar two molecules are.
    pub kernel: KernelChoice,
    /// What the labels of a class are to the process. Numbers always have Gaussian noise.
    pub likelihood: Likelihood,
    /// Variance of the Gaussian noise over the amplitude of the kernel, on standardised labels: at least 0, or
    /// "marginal-likelihood".
    pub noise: Setting,
    /// Amplitude (variance) of the latent function, above 0, or "marginal-likelihood". Of the Laplace approximation
    /// only: with Gaussian noise the predicted mean depends on `noise` alone.
    pub amplitude: Setting,
    /// Length scale of the kernel `rbf` on standardised columns, above 0, or "marginal-likelihood".
    pub length_scale: Setting,
    /// Molecules of each task that the choice by marginal likelihood looks at, evenly spaced over its training rows.
    #[schemars(range(min = 2))]
    pub search_molecules: usize,
    /// Most training molecules: more are an error, since memory grows with their square (6 to 20 bytes for each pair on
    /// one thread).
    #[schemars(range(min = 1))]
    pub max_molecules: usize,
}

/// How similar two molecules are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KernelChoice {
    /// `tanimoto` for bits, `rbf` for dense features.
    Auto,
    /// Shared bits over all bits of two fingerprints; 1 for two empty ones.
    Tanimoto,
    /// Sum of the smaller counts over sum of the larger ones (count Tanimoto), for dense features of at least 0.
    Minmax,
    /// exp(-d^2 / (2 `length_scale`^2)) of the distance d of standardised dense features.
    Rbf,
}

/// What the labels of a class are to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Likelihood {
    /// Numbers 0 and 1 with Gaussian noise (least-squares classification), made probabilities by a logistic function
    /// that is fitted to leave-one-out predictions.
    Gaussian,
    /// Draws from the logistic function of the latent function, by Laplace's approximation.
    Laplace,
}

/// A value, or the choice by marginal likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Setting {
    /// Chosen.
    Chosen(ByEvidence),
    /// Fixed.
    Fixed(f64),
}

/// The name of the choice by marginal likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ByEvidence {
    /// Where the (approximate) marginal likelihood of the training labels is largest.
    #[serde(rename = "marginal-likelihood")]
    MarginalLikelihood,
}

impl Setting {
    /// The choice by marginal likelihood.
    pub const CHOSEN: Self = Self::Chosen(ByEvidence::MarginalLikelihood);

    /// The value, if it is fixed.
    pub(super) fn fixed(self) -> Option<f64> {
        match self {
            Self::Fixed(value) => Some(value),
            Self::Chosen(_) => None,
        }
    }
}

impl Default for GpConfig {
    fn default() -> Self {
        Self {
            kernel: KernelChoice::Auto,
            likelihood: Likelihood::Gaussian,
            noise: Setting::CHOSEN,
            amplitude: Setting::CHOSEN,
            length_scale: Setting::CHOSEN,
            search_molecules: 1000,
            max_molecules: 20_000,
        }
    }
}

impl GpConfig {
    /// Checks the values; an error names the parameter at fault.
    pub fn check(self) -> Result<Parameters> {
        let wrong = |parameter: &str, value: String, wanted: &str| {
            Err(Error::invalid_config(format!("`{parameter}` is {value}, must be {wanted}")))
        };
        if let Some(noise) = self.noise.fixed()
            && !(noise >= 0.0 && noise.is_finite())
        {
            return wrong("noise", noise.to_string(), "at least 0 or \"marginal-likelihood\"");
        }
        for (name, setting) in [("amplitude", self.amplitude), ("length_scale", self.length_scale)] {
            if let Some(value) = setting.fixed()
                && !(value > 0.0 && value.is_finite())
            {
                return wrong(name, value.to_string(), "above 0 or \"marginal-likelihood\"");
            }
        }
        if self.search_molecules < 2 {
            return wrong("search_molecules", self.search_molecules.to_string(), "at least 2");
        }
        if self.max_molecules == 0 {
            return wrong("max_molecules", "0".to_owned(), "at least 1");
        }
        Ok(Parameters(self))
    }
}

/// A checked [`GpConfig`].
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters(pub(super) GpConfig);

impl Parameters {
    /// The kernel for these inputs: tanimoto, minmax or rbf; an error where it does not fit them.
    pub(super) fn kernel(&self, inputs: &Inputs<'_>) -> Result<KernelChoice> {
        let (kernel, bits, dense) = (self.0.kernel, inputs.bits.is_some(), inputs.dense.is_some());
        let (name, fits) = match kernel {
            KernelChoice::Auto if dense && !bits => return Ok(KernelChoice::Rbf),
            KernelChoice::Auto => return inputs.bits().map(|_| KernelChoice::Tanimoto),
            KernelChoice::Tanimoto => ("tanimoto", bits),
            KernelChoice::Minmax => ("minmax", dense),
            KernelChoice::Rbf => ("rbf", dense),
        };
        if fits {
            return Ok(kernel);
        }
        let (wanted, given) = if dense { ("`bits`", "dense") } else { ("`dense` features", "bits") };
        Err(Error::invalid_config(format!(
            "kernel `{name}` takes {wanted}, these inputs are {given}: choose kernel `{}`, or other features",
            if dense { "rbf` or `minmax" } else { "tanimoto" }
        )))
    }

    /// Refuses more molecules than `max_molecules`.
    pub(super) fn check_rows(&self, rows: usize) -> Result<()> {
        let most = self.0.max_molecules;
        if rows <= most {
            return Ok(());
        }
        let gib = (rows as f64).powi(2) * 10.0 / f64::from(1 << 30);
        Err(Error::unsupported(format!(
            "{rows} training molecules, `max_molecules` is {most}: an exact process of all would take about \
             {gib:.0} GiB on one thread; raise `max_molecules` if that is there, or use another baseline"
        )))
    }
}
