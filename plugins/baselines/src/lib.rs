//! The arena's simple baselines: `constant`, `knn`, `rf` and `rf-smartcore`.

mod constant;
pub mod forest;
mod knn;
mod pool;
mod smartcore_forest;
mod state;
mod targets;

pub use constant::{Constant, ConstantConfig, Statistic};
pub use forest::{ForestConfig, RandomForest};
pub use knn::{Neighbours, NeighboursConfig, Weights};
pub use smartcore_forest::{SmartcoreConfig, SmartcoreForest};

molarena_sdk::export_plugin! {
    id: "baselines",
    baselines: [Constant, Neighbours, RandomForest, SmartcoreForest],
}
