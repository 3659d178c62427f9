//! The baseline `mlp`: one multi-layer perceptron for all tasks, on bits or on dense features.

mod config;
mod model;
mod scale;

pub use config::{Activation, MlpConfig, Relative, Standardize, Width};
pub use model::Perceptron;

molarena_sdk::export_plugin! {
    id: "mlp",
    baselines: [Perceptron],
}
