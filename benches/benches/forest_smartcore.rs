//! Times smartcore's forest on the molecules of the benchmark `forest`.

mod shared;

use criterion::{Criterion, criterion_group, criterion_main};
use molarena_linfa::{SmartcoreConfig, SmartcoreForest};

fn forest(criterion: &mut Criterion) {
    shared::time_forest::<SmartcoreForest>(criterion, &SmartcoreConfig { n_trees: shared::N_TREES });
}

criterion_group!(benches, forest);
criterion_main!(benches);
