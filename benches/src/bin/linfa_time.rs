//! Fits and predicts one of other libraries' baselines on one dataset and prints seconds and score as a line of JSON.

use molarena_benches::{time_baseline, time_one_of};
use molarena_linfa::{LinfaForest, LinfaLogistic, LinfaTree, SmartcoreForest};

fn main() -> anyhow::Result<()> {
    time_one_of(&[
        ("rf-linfa", time_baseline::<LinfaForest>),
        ("tree-linfa", time_baseline::<LinfaTree>),
        ("logistic-linfa", time_baseline::<LinfaLogistic>),
        ("rf-smartcore", time_baseline::<SmartcoreForest>),
    ])
}
