//! Fits and predicts one of the arena's baselines on one dataset and prints seconds and score as a line of JSON.

use molarena_baselines::{Constant, GaussianProcess, Linear, Neighbours, RandomForest};
use molarena_benches::{time_baseline, time_one_of};

fn main() -> anyhow::Result<()> {
    time_one_of(&[
        ("rf", time_baseline::<RandomForest>),
        ("gp", time_baseline::<GaussianProcess>),
        ("linear", time_baseline::<Linear>),
        ("knn", time_baseline::<Neighbours>),
        ("constant", time_baseline::<Constant>),
    ])
}
