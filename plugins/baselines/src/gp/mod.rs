//! The baseline `gp`: exact Gaussian processes that share one kernel matrix.

mod component;
mod config;
mod gaussian;
mod kernel;
mod laplace;
mod model;
mod molecules;
mod platt;
#[cfg(test)]
mod reference;
mod search;
#[cfg(test)]
mod tests;

pub use component::GaussianProcess;
pub use config::{ByEvidence, GpConfig, KernelChoice, Likelihood, Parameters, Setting};
