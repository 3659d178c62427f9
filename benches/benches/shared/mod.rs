//! What the benchmarks of the forests share. A program links one plugin only, so each plugin has a benchmark of its own.

use std::hint::black_box;

use criterion::Criterion;
use molarena_benches::{DATASETS, Part, Trial, data_folder};
use molarena_sdk::{Baseline, Call, Component, Inputs};
use ndarray::{Array1, Array2};

/// Tasks of `chembl2k` that are timed.
const TASKS: [usize; 2] = [0, 20];

/// Number of trees in each forest: fewer than the default, because smartcore is slow.
pub(crate) const N_TREES: usize = 10;

fn trial() -> (&'static str, Trial) {
    let (name, protocol) = DATASETS[0];
    match Trial::load(&data_folder(), name, protocol) {
        Ok(trial) => (name, trial),
        Err(error) => {
            eprintln!("random bits instead of {name}: {error:#}");
            ("random", random())
        }
    }
}

/// 600 rows with one bit in 48 set; a label is a bit of the row, or missing.
fn random() -> Trial {
    let mut state = 1u64;
    let mut below = move |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let bits = Array2::from_shape_fn((600, 256), |_| {
        (0..8).fold(0, |byte, bit| byte | u8::from(below(48) == 0) << bit)
    });
    let labels = Array2::from_shape_fn((600, 21), |(row, task)| {
        if below(3) == 0 { f32::NAN } else { f32::from(bits[[row, task]] & 1) }
    });
    let split = Array1::from_shape_fn(600, |row| if row % 4 == 0 { 2 } else { 0 });
    Trial { bits, labels, split }
}

fn fit_predict<B: Baseline + Component>(
    config: B::Config,
    trial: &Trial,
    train: &Part,
    test: &Part,
) -> usize {
    let mut baseline = B::new(config).expect("a valid configuration");
    let labels = trial.owned_labels(train, TASKS.len()).expect("labels of the part");
    let (inputs, call) = (Inputs::from_bits(train.bits()), Call::new(0, 1));
    baseline.fit(&inputs, &labels.view(), &inputs, &labels.view(), &call).expect("a fit");
    let predictions = baseline.predict(&Inputs::from_bits(test.bits()), &call).expect("predictions");
    black_box(predictions).values.len()
}

/// Times fit and prediction of forests with a configuration each.
pub(crate) fn time_forest<B: Baseline + Component>(criterion: &mut Criterion, config: &B::Config)
where
    B::Config: Clone,
{
    let (name, trial) = trial();
    let (train, test) = (trial.part(0, &TASKS), trial.part(2, &TASKS));
    let mut group = criterion.benchmark_group(format!("forest/{name}"));
    group.sample_size(10);
    group.bench_function(B::INFO.id, |bencher| {
        bencher.iter(|| fit_predict::<B>(config.clone(), &trial, &train, &test));
    });
    group.finish();
}
