//! Times our forest on the first tasks of `chembl2k`, or on random bits if the data are missing.

mod shared;

use criterion::{Criterion, criterion_group, criterion_main};
use molarena_baselines::{ForestConfig, RandomForest};

fn forest(criterion: &mut Criterion) {
    let config = ForestConfig { n_trees: shared::N_TREES, ..ForestConfig::default() };
    shared::time_forest::<RandomForest>(criterion, &config);
}

criterion_group!(benches, forest);
criterion_main!(benches);
