//! Intervals cover the truth as often as they say, in simulated experiments with a fixed seed.

use molarena_metrics::statistics::{
    Bootstrap, Interval, bca_interval, delong, delong_difference, paired_difference, percentile_interval,
};
use molarena_metrics::{Metric, Scoring};
use rand_xoshiro::{Xoshiro256PlusPlus, rand_core::SeedableRng};

use super::bootstrap::uniform;

const EXPERIMENTS: usize = 2000;
const RESAMPLES: usize = 600;
/// P(Z < 1/√2) = Φ(0.7071...), the area between N(0, 1) and N(1, 1); scipy 1.17.1, `norm.cdf(0.5**0.5)`.
const AREA: f64 = 0.760_249_938_906_523_3;

/// A standard normal number (Box & Muller 1958).
fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
    let radius = (-2.0 * (1.0 - uniform(random)).ln()).sqrt();
    radius * (std::f64::consts::TAU * uniform(random)).cos()
}

struct Coverage {
    name: &'static str,
    covered: usize,
}

impl Coverage {
    fn see(&mut self, interval: Option<Interval>, truth: f64) {
        self.covered += usize::from(interval.is_some_and(|interval| interval.contains(truth)));
    }
}

/// Two binary tasks on shared molecules, with positives shifted by 1 in both rows; the rows' noise is correlated.
fn areas(random: &mut Xoshiro256PlusPlus, molecules: usize) -> (Vec<f32>, [Vec<f32>; 2]) {
    let mut labels = Vec::new();
    let mut rows = [Vec::new(), Vec::new()];
    for _ in 0..molecules {
        let of_molecule = normal(random);
        for _task in 0..2 {
            let label = f64::from(u8::from(uniform(random) < 0.4));
            labels.push(label as f32);
            for row in &mut rows {
                row.push((label + 0.5_f64.sqrt() * (of_molecule + normal(random))) as f32);
            }
        }
    }
    (labels, rows)
}

fn check(all: &[Coverage]) {
    for Coverage { name, covered } in all {
        println!("{name}: {:.1} %", *covered as f64 / EXPERIMENTS as f64 * 100.0);
    }
    for Coverage { name, covered } in all {
        let share = *covered as f64 / EXPERIMENTS as f64;
        assert!(
            (0.93..=0.97).contains(&share),
            "{name} covers the truth in {share} of experiments, not in 0.95"
        );
    }
}

#[test]
fn of_areas_under_the_roc_curve() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(20_261_128);
    let mut all = ["percentile", "BCa", "paired difference", "DeLong", "DeLong difference"]
        .map(|name| Coverage { name, covered: 0 });
    for experiment in 0..EXPERIMENTS {
        let (labels, rows) = areas(&mut random, 200);
        let bootstrap =
            Bootstrap::new(Metric::RocAuc, Scoring::Probability, &labels, 2, RESAMPLES, experiment as u64);
        let [one, other] = rows.each_ref().map(|row| bootstrap.replicates(&[row]).unwrap());
        let jackknife = bootstrap.jackknife(&[&rows[0]]).unwrap();
        all[0].see(percentile_interval(&one.values, 0.95), AREA);
        all[1].see(bca_interval(one.estimate, &one.values, &jackknife, 0.95), AREA);
        all[2].see(paired_difference(&one, &other, 0.95).map(|pair| pair.interval), 0.0);
        let task = |table: &[f32]| table.iter().step_by(2).copied().collect::<Vec<f32>>();
        let (labels, first, second) = (task(&labels), task(&rows[0]), task(&rows[1]));
        all[3].see(delong(&labels, &first).map(|area| area.interval(0.95)), AREA);
        all[4].see(delong_difference(&labels, &first, &second).map(|pair| pair.interval(0.95)), 0.0);
    }
    check(&all);
}

#[test]
fn of_mean_absolute_errors() {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
    let mut all = ["percentile", "BCa", "paired difference"].map(|name| Coverage { name, covered: 0 });
    // The mean of |Z|.
    let truth = (2.0 / std::f64::consts::PI).sqrt();
    for experiment in 0..EXPERIMENTS {
        let labels: Vec<f32> = (0..100).map(|_| normal(&mut random) as f32).collect();
        let mut row =
            || -> Vec<f32> { labels.iter().map(|label| label + normal(&mut random) as f32).collect() };
        let rows = [row(), row()];
        let bootstrap =
            Bootstrap::new(Metric::Mae, Scoring::Probability, &labels, 1, RESAMPLES, experiment as u64);
        let [one, other] = rows.each_ref().map(|row| bootstrap.replicates(&[row]).unwrap());
        let jackknife = bootstrap.jackknife(&[&rows[0]]).unwrap();
        all[0].see(percentile_interval(&one.values, 0.95), truth);
        all[1].see(bca_interval(one.estimate, &one.values, &jackknife, 0.95), truth);
        all[2].see(paired_difference(&one, &other, 0.95).map(|pair| pair.interval), 0.0);
    }
    check(&all);
}
