//! The arena's simple baselines: `constant`, `knn`, `rf`, `rf-smartcore` and `gp`.

mod constant;
pub mod forest;
pub mod gp;
mod knn;
mod pool;
mod scaler;
mod smartcore_forest;
mod state;
mod targets;

pub use constant::{Constant, ConstantConfig, Statistic};
pub use forest::{ForestConfig, RandomForest};
pub use gp::{GaussianProcess, GpConfig};
pub use knn::{Neighbours, NeighboursConfig, Weights};
pub use smartcore_forest::{SmartcoreConfig, SmartcoreForest};

molarena_sdk::export_plugin! {
    id: "baselines",
    baselines: [Constant, Neighbours, RandomForest, SmartcoreForest, GaussianProcess],
}
