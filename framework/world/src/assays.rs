//! Assays: measurements of pathways, with noise and gaps.

use std::f64::consts::SQRT_2;

use crate::latent::{Activities, HIDDEN_EXPRESSION, HIDDEN_MORPHOLOGY, PATHWAYS, VISIBLE};
use crate::random::{Purpose, Stream};

/// Share of the labels that are missing.
pub(crate) const MISSING: f64 = 0.4;
/// Standard deviation of an assay's noise; its signal has about 1.
const NOISE: f64 = 0.4;

/// Classification tasks.
pub(crate) const CLASS_TASKS: [&str; 12] = [
    "binding-1",
    "binding-2",
    "binding-3",
    "binding-4",
    "binding-5",
    "binding-6",
    "toxicity-1",
    "toxicity-2",
    "toxicity-3",
    "toxicity-4",
    "toxicity-5",
    "toxicity-6",
];

/// Regression tasks: name, unit, mean, and change for one standard deviation of the signal.
pub(crate) const VALUE_TASKS: [(&str, &str, f64, f64); 6] = [
    ("potency-1", "-log10(M)", 6.0, 0.8),
    ("potency-2", "-log10(M)", 5.5, 0.7),
    ("clearance-1", "log10(mL/min/kg)", 1.3, 0.5),
    ("clearance-2", "log10(mL/min/kg)", 1.0, 0.6),
    ("solubility", "log10(ug/mL)", 1.2, 0.6),
    ("efflux", "log10(B-A/A-B)", 0.4, 0.5),
];

/// An assay's signal: a weighted sum of pathways with variance about 1.
#[derive(Clone, Debug)]
struct Signal([f64; PATHWAYS]);

impl Signal {
    /// Task `task` depends mostly on pathway `task % VISIBLE` and less on another visible one; every second
    /// task ([`has_hidden_part`]) also depends on a hidden one.
    fn new(seed: u64, kind: Purpose, task: usize) -> Self {
        let mut stream = Stream::of_row(seed, Purpose::Assay, kind as u64, task);
        let mut weights = [0.0; PATHWAYS];
        let main = task % VISIBLE;
        weights[main] = 1.0;
        let other = (main + 1 + stream.below(VISIBLE - 1)) % VISIBLE;
        let sign = if stream.uniform() < 0.5 { -1.0 } else { 1.0 };
        weights[other] = sign * stream.between(0.4, 0.8);
        if has_hidden_part(task) {
            let hidden = if (task / 2).is_multiple_of(2) { HIDDEN_EXPRESSION } else { HIDDEN_MORPHOLOGY };
            weights[hidden] = 0.6;
        }
        let length = weights.iter().map(|weight| weight * weight).sum::<f64>().sqrt();
        Self(weights.map(|weight| weight / length))
    }

    fn of(&self, activities: &Activities) -> f64 {
        self.0.iter().zip(activities).map(|(weight, z)| weight * z).sum()
    }
}

/// True for every second task. Parity flips after each round of the visible pathways, so that each of them
/// gets tasks with and without a hidden part.
fn has_hidden_part(task: usize) -> bool {
    (task + task / VISIBLE) % 2 == 1
}

/// A task's labels and the truth behind them.
pub(crate) struct Task {
    /// `[n]`: 0 or 1, or a value in the task's unit; `None` is missing.
    pub(crate) labels: Vec<Option<f64>>,
    /// `[n]`: probability of 1, or the value without noise.
    pub(crate) truth: Vec<f64>,
}

/// Classification task `task`.
pub(crate) fn classes(seed: u64, task: usize, activities: &[Activities]) -> Task {
    let signal = Signal::new(seed, Purpose::ClassLabel, task);
    let signals: Vec<f64> = activities.iter().map(|row| signal.of(row)).collect();
    let share = Stream::of_row(seed, Purpose::Assay, 0, task).between(0.25, 0.45);
    let threshold = threshold(&signals, share);
    let truth: Vec<f64> = signals.iter().map(|signal| probability(*signal, threshold)).collect();
    let label = |(row, probability): (usize, &f64)| {
        let mut stream = Stream::of_row(seed, Purpose::ClassLabel, task as u64, row);
        let known = stream.uniform() >= MISSING;
        let positive = stream.uniform() < *probability;
        known.then_some(f64::from(u8::from(positive)))
    };
    Task { labels: truth.iter().enumerate().map(label).collect(), truth }
}

/// Regression task `task`.
pub(crate) fn values(seed: u64, task: usize, activities: &[Activities]) -> Task {
    let signal = Signal::new(seed, Purpose::ValueLabel, task);
    let (.., mean, scale) = VALUE_TASKS[task];
    let truth: Vec<f64> = activities.iter().map(|row| mean + scale * signal.of(row)).collect();
    let label = |(row, value): (usize, &f64)| {
        let mut stream = Stream::of_row(seed, Purpose::ValueLabel, task as u64, row);
        let known = stream.uniform() >= MISSING;
        known.then_some(value + scale * NOISE * stream.normal())
    };
    Task { labels: truth.iter().enumerate().map(label).collect(), truth }
}

/// The probability that signal plus noise is above the threshold.
fn probability(signal: f64, threshold: f64) -> f64 {
    0.5 * libm::erfc((threshold - signal) / (NOISE * SQRT_2))
}

/// The threshold at which `share` of the labels are expected to be 1, by bisection.
fn threshold(signals: &[f64], share: f64) -> f64 {
    let (mut low, mut high) = (-10.0, 10.0);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        let expected: f64 = signals.iter().map(|signal| probability(*signal, middle)).sum();
        if expected > share * signals.len() as f64 {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn activities(count: usize) -> Vec<Activities> {
        let mut stream = Stream::new(1, Purpose::Noise, 0);
        (0..count).map(|_| std::array::from_fn(|_| stream.normal())).collect()
    }

    #[test]
    fn classes_have_the_share_that_was_drawn() {
        let activities = activities(20_000);
        for task in 0..CLASS_TASKS.len() {
            let Task { labels, truth } = classes(0, task, &activities);
            let share = Stream::of_row(0, Purpose::Assay, 0, task).between(0.25, 0.45);
            assert!((truth.iter().sum::<f64>() / 20_000.0 - share).abs() < 1e-9);
            let known: Vec<f64> = labels.into_iter().flatten().collect();
            let missing = 1.0 - known.len() as f64 / 20_000.0;
            // Four standard errors.
            assert!((missing - MISSING).abs() < 0.013, "{missing}");
            assert!((known.iter().sum::<f64>() / known.len() as f64 - share).abs() < 0.017);
        }
    }

    #[test]
    fn values_scatter_about_the_truth() {
        let activities = activities(20_000);
        for (task, (.., mean, scale)) in VALUE_TASKS.into_iter().enumerate() {
            let Task { labels, truth } = values(0, task, &activities);
            let errors: Vec<f64> = labels
                .iter()
                .zip(&truth)
                .filter_map(|(label, truth)| Some(label.as_ref()? - truth))
                .collect();
            let variance = errors.iter().map(|error| error * error).sum::<f64>() / errors.len() as f64;
            assert!((variance.sqrt() / (NOISE * scale) - 1.0).abs() < 0.03, "{variance}");
            assert!((truth.iter().sum::<f64>() / 20_000.0 - mean).abs() < 0.04 * scale);
        }
    }

    #[test]
    fn every_second_task_has_a_hidden_part() {
        assert_eq!((0..CLASS_TASKS.len()).filter(|task| has_hidden_part(*task)).count(), 6);
        for task in 0..CLASS_TASKS.len() {
            let Signal(weights) = Signal::new(0, Purpose::ClassLabel, task);
            assert_eq!(weights[VISIBLE..].iter().any(|weight| *weight != 0.0), has_hidden_part(task));
            assert!((weights.iter().map(|weight| weight * weight).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
