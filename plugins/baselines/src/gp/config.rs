//! Options of a Gaussian process.

use molarena_sdk::{Error, Inputs, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of the Gaussian process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GpConfig {
    /// Similarity of two molecules.
    pub kernel: KernelChoice,
    /// Likelihood of class labels. Numbers always have Gaussian noise.
    pub likelihood: Likelihood,
    /// Variance of the Gaussian noise divided by the amplitude of the kernel, on standardised labels: at least 0, or
    /// "marginal-likelihood".
    pub noise: Setting,
    /// Amplitude (variance) of the latent function, above 0, or "marginal-likelihood". It applies to the Laplace
    /// approximation only: with Gaussian noise the predicted mean depends on `noise` alone.
    pub amplitude: Setting,
    /// Length scale of the kernel `rbf` on standardised columns, above 0, or "marginal-likelihood".
    pub length_scale: Setting,
    /// Number of molecules of each task that the choice by marginal likelihood uses, evenly spaced over its training
    /// rows.
    #[schemars(range(min = 2))]
    pub search_molecules: usize,
    /// Maximum number of training molecules. More are an error, since memory grows with their square (6 to 20 bytes per
    /// pair on one thread).
    #[schemars(range(min = 1))]
    pub max_molecules: usize,
}

/// Similarity of two molecules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum KernelChoice {
    /// `tanimoto` for bits and `rbf` for dense features.
    Auto,
    /// Number of shared bits divided by the number of bits set in either fingerprint; 1 for two empty ones.
    Tanimoto,
    /// Sum of the smaller counts divided by the sum of the larger ones (count Tanimoto), for dense features of at least
    /// 0.
    Minmax,
    /// exp(-d^2 / (2 `length_scale`^2)), where d is the distance of standardised dense features.
    Rbf,
    /// The arc-cosine kernel of degree 1 of the angle between standardised dense features, that of an infinitely wide network of one
    /// hidden layer of rectifiers (Cho and Saul 2009); it has no length scale.
    Arccosine,
}

/// Likelihood of class labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Likelihood {
    /// Numbers 0 and 1 with Gaussian noise (least-squares classification). A logistic function fitted to leave-one-out
    /// predictions turns them into probabilities.
    Gaussian,
    /// The logistic likelihood of the latent function, by Laplace's approximation.
    Laplace,
}

/// A value, or the choice by marginal likelihood.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Setting {
    /// Chosen by a named rule.
    Chosen(ByEvidence),
    /// A fixed value.
    Fixed(f64),
}

/// The name of the rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ByEvidence {
    /// The value that maximises the (approximate) marginal likelihood of the training labels.
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
    /// Checks the values; the error names the invalid parameter.
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
    /// The kernel for these inputs: tanimoto, minmax or rbf. An error if the kernel does not suit them.
    pub(super) fn kernel(&self, inputs: &Inputs<'_>) -> Result<KernelChoice> {
        let (kernel, bits, dense) = (self.0.kernel, inputs.bits.is_some(), inputs.dense.is_some());
        let (name, fits) = match kernel {
            KernelChoice::Auto if dense && !bits => return Ok(KernelChoice::Rbf),
            KernelChoice::Auto => return inputs.bits().map(|_| KernelChoice::Tanimoto),
            KernelChoice::Tanimoto => ("tanimoto", bits),
            KernelChoice::Minmax => ("minmax", dense),
            KernelChoice::Rbf => ("rbf", dense),
            KernelChoice::Arccosine => ("arccosine", dense),
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

    /// Rejects more molecules than `max_molecules`.
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
