//! Time of a board: `cargo test -p molarena-metrics --test statistics -- --ignored --nocapture --test-threads 1`.

use std::time::{Duration, Instant};

use molarena_metrics::statistics::{Bootstrap, Replicates, paired_difference, rank_intervals};
use molarena_metrics::{Metric, Scoring};
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};

use super::bootstrap::uniform;

#[test]
#[ignore = "takes seconds; for measuring"]
fn areas_of_30_rows_on_a_table_like_toxcast() {
    all_pairs_of_30_rows(Metric::RocAuc);
}

#[test]
#[ignore = "takes seconds; for measuring"]
fn average_precision_of_30_rows_on_a_table_like_toxcast() {
    all_pairs_of_30_rows(Metric::AveragePrecision);
}

#[test]
#[ignore = "takes seconds; for measuring"]
fn absolute_errors_of_30_rows_on_a_table_like_toxcast() {
    all_pairs_of_30_rows(Metric::Mae);
}

fn all_pairs_of_30_rows(metric: Metric) {
    const MOLECULES: usize = 860;
    const TASKS: usize = 617;
    let mut random = Xoshiro256PlusPlus::seed_from_u64(1);
    let labels: Vec<f32> =
        (0..MOLECULES * TASKS).map(|_| f32::from(u8::from(uniform(&mut random) < 0.15))).collect();
    let mut rows = Vec::new();
    let start = Instant::now();
    let bootstrap = Bootstrap::new(metric, Scoring::Probability, &labels, TASKS, 1000, 7);
    let drawn = start.elapsed();
    let mut spent = drawn;
    let mut jackknife = Duration::ZERO;
    for _ in 0..30 {
        let mut table = || -> Vec<f32> {
            labels.iter().map(|&label| 0.2 * label + uniform(&mut random) as f32).collect()
        };
        let seeds = [table(), table(), table()];
        let tables: Vec<&[f32]> = seeds.iter().map(Vec::as_slice).collect();
        let start = Instant::now();
        rows.push(bootstrap.replicates(&tables).unwrap());
        spent += start.elapsed();
        if rows.len() == 1 && metric != Metric::AveragePrecision {
            let start = Instant::now();
            bootstrap.jackknife(&tables).unwrap();
            jackknife = start.elapsed();
        }
    }
    let start = Instant::now();
    let pairs = rows.iter().flat_map(|one| rows.iter().map(move |other| (one, other)));
    let separated = pairs
        .filter(|(one, other): &(&Replicates, &Replicates)| {
            paired_difference(one, other, 0.95).unwrap().p_value < 0.05
        })
        .count();
    let values: Vec<&[f64]> = rows.iter().map(|row| row.values.as_slice()).collect();
    rank_intervals(&values, metric.higher_is_better(), 0.95).unwrap();
    println!(
        "{metric}: {drawn:.1?} to draw, {spent:.1?} with the rows, {:.2?} for all pairs and ranks, {jackknife:.2?} for the \
         jackknife of a row; {separated} of 900 separated",
        start.elapsed()
    );
}
