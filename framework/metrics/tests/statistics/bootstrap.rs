//! The bootstrap equals a plain one that builds every resampled table and computes the metric as it is.

use molarena_metrics::statistics::{
    Bootstrap, Replicates, VarianceComponents, bca_interval, paired_difference, percentile_interval,
};
use molarena_metrics::{Metric, MetricKind, Scoring, mean_defined, score_tasks};
use proptest::prelude::*;
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

const MOLECULES: usize = 60;
const TASKS: usize = 4;

/// Between 0 and 1.
pub(crate) fn uniform(random: &mut Xoshiro256PlusPlus) -> f64 {
    (random.next_u64() >> 11) as f64 / 2.0_f64.powi(53)
}

/// Labels with gaps, one task with a single positive, one with a single class; predictions of 3 seeds, many tied.
fn tables(kind: MetricKind, seed: u64) -> (Vec<f32>, Vec<Vec<f32>>) {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    let mut labels = Vec::new();
    for molecule in 0..MOLECULES {
        for task in 0..TASKS {
            let draw = uniform(&mut random);
            let label = match (kind, task) {
                (_, 0) if draw < 0.4 => f64::NAN,
                (MetricKind::Classification, 1) => f64::from(u8::from(molecule == 7)),
                (MetricKind::Classification, 2) => 1.0,
                (MetricKind::Classification, _) => (draw * 2.0 - 0.2).round().clamp(0.0, 1.0),
                (MetricKind::Regression, 2) => 3.0,
                (MetricKind::Regression, _) => (draw * 16.0).round() / 4.0,
            };
            labels.push(label as f32);
        }
    }
    let predictions = (0..3)
        .map(|_| {
            let of = |label: &f32| {
                let label = if label.is_nan() { 0.5 } else { f64::from(*label) };
                ((0.3 * label + 0.7 * uniform(&mut random)) * 12.0).round() as f32 / 12.0
            };
            labels.iter().map(of).collect()
        })
        .collect();
    (labels, predictions)
}

fn as_slices(tables: &[Vec<f32>]) -> Vec<&[f32]> {
    tables.iter().map(Vec::as_slice).collect()
}

/// The rows of a table, each as often as it was drawn.
fn resampled(table: &[f32], times: &[u16]) -> Vec<f32> {
    let rows = table.chunks_exact(TASKS).zip(times);
    rows.flat_map(|(row, &times)| std::iter::repeat_n(row, usize::from(times)).flatten().copied()).collect()
}

fn score(metric: Metric, scoring: Scoring, labels: &[f32], predictions: &[f32]) -> Option<f64> {
    mean_defined(&score_tasks(metric, scoring, labels, predictions, TASKS))
}

fn assert_close(ours: &[f64], plain: &[f64], what: &str) {
    assert_eq!(ours.len(), plain.len(), "{what}");
    for (one, other) in ours.iter().zip(plain) {
        assert!((one - other).abs() <= 1e-12 * other.abs().max(1.0), "{what}: {one}, plainly {other}");
    }
}

#[test]
fn equals_a_plain_reference_on_the_same_resamples() {
    for &metric in Metric::ALL {
        for scoring in [Scoring::Probability, Scoring::Hard] {
            let (labels, predictions) = tables(metric.description().kind, 5);
            let bootstrap = Bootstrap::new(metric, scoring, &labels, TASKS, 70, 11);
            let ours = bootstrap.replicates(&as_slices(&predictions)).unwrap();
            let (mut values, mut fixed) = (Vec::new(), Vec::new());
            for resample in 0..70 {
                let times = bootstrap.multiplicities(resample);
                assert_eq!(times.iter().map(|&times| usize::from(times)).sum::<usize>(), MOLECULES);
                let drawn = resampled(&labels, &times);
                let by_seed: Vec<f64> = predictions
                    .iter()
                    .filter_map(|table| score(metric, scoring, &drawn, &resampled(table, &times)))
                    .collect();
                let seeds = bootstrap.drawn_seeds(resample, 3);
                values.push(seeds.iter().map(|&seed| by_seed[seed]).sum::<f64>() / 3.0);
                fixed.push(by_seed.iter().sum::<f64>() / 3.0);
            }
            assert_close(&ours.values, &values, metric.name());
            assert_close(&ours.fixed_seeds, &fixed, metric.name());
            let whole: Vec<f64> =
                predictions.iter().filter_map(|table| score(metric, scoring, &labels, table)).collect();
            assert_close(&[ours.estimate], &[whole.iter().sum::<f64>() / 3.0], metric.name());
        }
    }
}

#[test]
fn the_jackknife_leaves_each_molecule_out() {
    for &metric in Metric::ALL {
        let (labels, predictions) = tables(metric.description().kind, 6);
        let bootstrap = Bootstrap::new(metric, Scoring::Probability, &labels, TASKS, 1, 0);
        let ours = bootstrap.jackknife(&as_slices(&predictions)).unwrap();
        let plain: Vec<f64> = (0..MOLECULES)
            .map(|left_out| {
                let times: Vec<u16> =
                    (0..MOLECULES).map(|molecule| u16::from(molecule != left_out)).collect();
                let rest = resampled(&labels, &times);
                let of = |table: &Vec<f32>| {
                    score(metric, Scoring::Probability, &rest, &resampled(table, &times)).unwrap()
                };
                predictions.iter().map(of).sum::<f64>() / 3.0
            })
            .collect();
        assert_close(&ours, &plain, metric.name());
    }
}

#[test]
fn one_task_is_resampled_as_in_the_table() {
    let (labels, predictions) = tables(MetricKind::Classification, 8);
    let bootstrap = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &labels, TASKS, 200, 3);
    // Task 1 has one positive, which some resamples do not draw.
    let ours = bootstrap.task_replicates(&as_slices(&predictions), 1);
    for (resample, value) in ours.iter().enumerate() {
        assert_eq!(value.is_some(), bootstrap.multiplicities(resample)[7] > 0);
    }
    assert!(ours.iter().any(Option::is_none));
    assert_eq!(bootstrap.task_replicates(&as_slices(&predictions), 2), vec![None; 200]);
    let task: Vec<f32> = labels.iter().skip(1).step_by(TASKS).copied().collect();
    let of_task: Vec<Vec<f32>> =
        predictions.iter().map(|table| table.iter().skip(1).step_by(TASKS).copied().collect()).collect();
    // The same draws: they do not depend on the number of tasks. Resamples without the positive are left out.
    let alone = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &task, 1, 200, 3);
    let alone = alone.replicates(&as_slices(&of_task)).unwrap();
    let defined: Vec<f64> = ours.into_iter().flatten().collect();
    assert_eq!(alone.fixed_seeds, defined);
    assert_eq!(alone.values.len(), defined.len());
}

#[test]
fn nothing_is_computed_of_predictions_that_are_not_finite_or_of_undefined_tasks() {
    let (labels, mut predictions) = tables(MetricKind::Classification, 9);
    let bootstrap = Bootstrap::new(Metric::Brier, Scoring::Probability, &labels, TASKS, 10, 3);
    predictions[1][5] = f32::NAN;
    assert_eq!(bootstrap.replicates(&as_slices(&predictions)), None);
    assert_eq!(bootstrap.jackknife(&as_slices(&predictions)), None);
    assert_eq!(bootstrap.task_replicates(&as_slices(&predictions), 0), vec![None; 10]);
    let ones = [1.0; 8];
    let bootstrap = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &ones, 1, 10, 3);
    assert_eq!(bootstrap.replicates(&[&[0.5; 8]]), None);
    let empty = Bootstrap::new(Metric::Mae, Scoring::Probability, &[], 3, 10, 3);
    assert_eq!(empty.replicates(&[&[]]), None);
}

#[test]
fn more_molecules_than_16_bits_count_are_counted_in_32() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let labels: Vec<f32> = (0..70_000).map(|row| f32::from(u8::from(row % 2 == 0))).collect();
    let predictions: Vec<f32> = (0..70_000).map(|_| (uniform(&mut random) * 1000.0).round() as f32).collect();
    let bootstrap = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &labels, 1, 2, 4);
    let ours = bootstrap.replicates(&[&predictions]).unwrap();
    for (resample, &value) in ours.values.iter().enumerate() {
        let repeat = |table: &[f32]| -> Vec<f32> {
            let rows = table.iter().zip(bootstrap.multiplicities(resample));
            rows.flat_map(|(&x, times)| std::iter::repeat_n(x, usize::from(times))).collect()
        };
        assert_eq!(Some(value), Metric::RocAuc.compute(&repeat(&labels), &repeat(&predictions)));
    }
}

#[test]
fn resamples_come_from_the_seed_alone() {
    let (labels, predictions) = tables(MetricKind::Classification, 10);
    let run = |resamples, seed| {
        let bootstrap = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &labels, TASKS, resamples, seed);
        bootstrap.replicates(&as_slices(&predictions)).unwrap().values
    };
    assert_eq!(run(50, 1), run(100, 1)[..50]);
    assert_ne!(run(50, 1), run(50, 2));
    // Every machine draws these.
    let bootstrap = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &labels, TASKS, 2, 2026);
    assert_eq!(bootstrap.multiplicities(1)[..12], DRAWN);
    assert_eq!(bootstrap.drawn_seeds(1, 5), SEEDS);
}

const DRAWN: [u16; 12] = [0, 2, 1, 1, 1, 0, 1, 2, 0, 1, 2, 2];
const SEEDS: [usize; 5] = [1, 1, 2, 3, 3];

#[test]
fn variance_components_take_what_the_bootstrap_gives() {
    let (labels, predictions) = tables(MetricKind::Regression, 12);
    let bootstrap = Bootstrap::new(Metric::Mae, Scoring::Probability, &labels, TASKS, 400, 3);
    let tables = as_slices(&predictions);
    let (one, other) =
        (bootstrap.replicates(&tables[..2]).unwrap(), bootstrap.replicates(&tables[1..]).unwrap());
    let std = |values: &[f64]| molarena_metrics::mean_and_std(values).unwrap().1.unwrap();
    let between: Vec<f64> = one.fixed_seeds.iter().zip(&other.fixed_seeds).map(|(a, b)| a - b).collect();
    let mean_sampling = std(&between).powi(2);
    let task_sampling: Vec<f64> = (0..TASKS)
        .map(|task| {
            let of = |tables: &[&[f32]]| bootstrap.task_replicates(tables, task);
            let pairs = of(&tables[..2]).into_iter().zip(of(&tables[1..]));
            let differences: Vec<f64> = pairs.filter_map(|(a, b)| Some(a? - b?)).collect();
            std(&differences).powi(2)
        })
        .collect();
    let design = molarena_metrics::statistics::Design { tasks: TASKS, molecules: MOLECULES, seeds: 2 };
    let of_seed = |seed: usize| score_tasks(Metric::Mae, Scoring::Probability, &labels, tables[seed], TASKS);
    let scores = [of_seed(0), of_seed(1), of_seed(2)];
    let differences: Vec<f64> = (0..TASKS)
        .flat_map(|task| [0, 1].map(|seed| scores[seed][task].unwrap() - scores[seed + 1][task].unwrap()))
        .collect();
    let components =
        VarianceComponents::estimate(&differences, &task_sampling, mean_sampling, design).unwrap();
    assert!((components.molecule - mean_sampling * MOLECULES as f64).abs() < 1e-15);
    assert!(components.standard_error(design) >= mean_sampling.sqrt());
}

proptest! {
    #[test]
    fn swapped_rows_turn_the_comparison_round_and_a_row_equals_itself(seed in 0_u64..1000) {
        let (labels, predictions) = tables(MetricKind::Classification, seed);
        let bootstrap = Bootstrap::new(Metric::AveragePrecision, Scoring::Probability, &labels, TASKS, 60, seed);
        let rows: Vec<Replicates> =
            predictions.iter().map(|table| bootstrap.replicates(&[table]).unwrap()).collect();
        let pair = paired_difference(&rows[0], &rows[1], 0.9).unwrap();
        let swapped = paired_difference(&rows[1], &rows[0], 0.9).unwrap();
        prop_assert_eq!(pair.difference, -swapped.difference);
        prop_assert_eq!(pair.p_value, swapped.p_value);
        prop_assert!((pair.interval.low + swapped.interval.high).abs() < 1e-12);
        prop_assert!(pair.p_value >= 2.0 / 61.0 && pair.p_value <= 1.0);
        let itself = paired_difference(&rows[0], &rows[0], 0.9).unwrap();
        prop_assert_eq!((itself.difference, itself.p_value, itself.standard_error), (0.0, 1.0, 0.0));
        prop_assert_eq!((itself.interval.low, itself.interval.high), (0.0, 0.0));
        let wide = percentile_interval(&rows[0].values, 0.99).unwrap();
        let narrow = percentile_interval(&rows[0].values, 0.5).unwrap();
        prop_assert!(wide.low <= narrow.low && narrow.high <= wide.high);
        let jackknife = bootstrap.jackknife(&[&predictions[0]]).unwrap();
        let bca = bca_interval(rows[0].estimate, &rows[0].values, &jackknife, 0.9);
        prop_assert!(bca.is_none_or(|bca| bca.low <= bca.high));
    }
}
