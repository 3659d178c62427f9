//! The arena's simple baselines: `constant`, `knn`, `rf`, `rf-smartcore`, `gp` and `linear`.

mod constant;
mod factor;
pub mod forest;
pub mod gp;
mod groups;
mod knn;
pub mod linear;
mod logistic;
mod pool;
mod scaler;
mod smartcore_forest;
mod state;
mod targets;

pub use constant::{Constant, ConstantConfig, Statistic};
pub use forest::{ForestConfig, RandomForest};
pub use gp::{GaussianProcess, GpConfig};
pub use knn::{Neighbours, NeighboursConfig, Weights};
pub use linear::{Linear, LinearConfig};
pub use smartcore_forest::{SmartcoreConfig, SmartcoreForest};

molarena_sdk::export_plugin! {
    id: "baselines",
    baselines: [Constant, Neighbours, RandomForest, SmartcoreForest, GaussianProcess, Linear],
}
