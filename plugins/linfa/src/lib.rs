//! Baselines of other people's libraries, to compare the arena's own with: `rf-linfa`, `tree-linfa` and `logistic-linfa`
//! of linfa, and `rf-smartcore` of smartcore. Each fits one model for each task, on the rows that have a label for it.

mod forest;
mod logistic;
mod model;
#[cfg(test)]
mod reference;
mod rows;
mod smartcore_forest;
mod tasks;
#[cfg(test)]
mod tests;
mod tree;

pub use forest::{LinfaForest, LinfaForestConfig};
pub use logistic::{LinfaLogistic, LinfaLogisticConfig};
pub use smartcore_forest::{SmartcoreConfig, SmartcoreForest};
pub use tree::{LinfaTree, LinfaTreeConfig};

molarena_sdk::export_plugin! {
    id: "linfa",
    baselines: [LinfaForest, LinfaTree, LinfaLogistic, SmartcoreForest],
}
