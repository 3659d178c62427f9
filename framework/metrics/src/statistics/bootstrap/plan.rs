//! What is prepared of a task's predictions before the resamples.

use super::lanes::{Count, LANES, Weights, add_products, add_weights, weighted_sums};
use crate::classes::is_binary;
use crate::squares::square;
use crate::tasks::score_task;
use crate::{Metric, Scoring};

/// The molecules that have a label.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) molecules: Vec<u32>,
    pub(super) labels: Vec<f32>,
    stride: usize,
    place: usize,
}

impl Task {
    pub(super) fn of(labels: &[f32], tasks: usize, place: usize) -> Self {
        let (molecules, labels) = labels
            .iter()
            .skip(place)
            .step_by(tasks)
            .enumerate()
            .filter(|(_, label)| !label.is_nan())
            .map(|(molecule, &label)| (molecule as u32, label))
            .unzip();
        Self { molecules, labels, stride: tasks, place }
    }

    /// The predictions of the labelled molecules, as the metric is given them.
    pub(super) fn column(&self, predictions: &[f32], scoring: Scoring) -> Vec<f32> {
        let at = |&molecule: &u32| predictions[molecule as usize * self.stride + self.place];
        self.molecules.iter().map(|molecule| scoring.apply(at(molecule))).collect()
    }

    /// Whether the metric can be defined on some resample.
    pub(super) fn is_fit_for(&self, metric: Metric) -> bool {
        if metric.is_classification() {
            is_binary(&self.labels)
        } else {
            self.labels.iter().all(|label| label.is_finite())
        }
    }

    /// What `loss` makes of each labelled molecule's error, label less prediction.
    pub(super) fn losses(&self, loss: fn(f64) -> f64, predictions: &[f32]) -> Vec<f64> {
        let pairs = self.labels.iter().zip(predictions);
        pairs.map(|(&y, &p)| loss(f64::from(y) - f64::from(p))).collect()
    }

    fn of_class(&self, class: f32) -> Vec<u32> {
        let members = self.molecules.iter().zip(&self.labels);
        members.filter(|(_, label)| **label == class).map(|(&molecule, _)| molecule).collect()
    }
}

/// How errors that are means are made of the error of each molecule.
pub(super) fn loss_of(metric: Metric) -> Option<fn(f64) -> f64> {
    match metric {
        Metric::Mae => Some(f64::abs),
        Metric::Rmse | Metric::Brier => Some(square),
        _ => None,
    }
}

/// What the weighted sums of a metric are divided by, for `LANES` resamples: 0 where the task is undefined.
///
/// Pairs of a positive and a negative for the area under the ROC curve, positives for average precision, and molecules
/// for means. Not used for other metrics.
pub(super) fn sizes(metric: Metric, task: &Task, weights: &[Weights]) -> [f64; LANES] {
    let mut sizes = [0.0; LANES];
    if !task.is_fit_for(metric) {
        return sizes;
    }
    let total = |molecules: &[u32]| {
        let mut sums = [0_u32; LANES];
        add_weights(&mut sums, molecules, weights);
        sums.map(f64::from)
    };
    if loss_of(metric).is_some() {
        sizes = total(&task.molecules);
    } else if matches!(metric, Metric::RocAuc | Metric::AveragePrecision) {
        let (positives, negatives) = (total(&task.of_class(1.0)), total(&task.of_class(0.0)));
        for lane in 0..LANES {
            sizes[lane] = match metric {
                Metric::RocAuc => positives[lane] * negatives[lane],
                _ if negatives[lane] > 0.0 => positives[lane],
                _ => 0.0,
            };
        }
    }
    sizes
}

/// A task's predictions, prepared for a metric.
#[derive(Debug)]
pub(super) enum Plan<'a> {
    /// Area under the ROC curve.
    Ranked(Ranked),
    /// Average precision.
    Precision(Ranked),
    /// A mean of errors, and whether its root is taken.
    Mean { task: &'a Task, losses: Vec<f64>, root: bool },
    /// Any metric, computed on the resampled molecules.
    Plain { metric: Metric, task: &'a Task, predictions: Vec<f32> },
    /// A task whose labels the metric cannot score.
    Undefined,
}

impl<'a> Plan<'a> {
    /// `predictions` are those of the task's labelled molecules, finite.
    pub(super) fn new(metric: Metric, task: &'a Task, predictions: Vec<f32>) -> Self {
        if !task.is_fit_for(metric) {
            return Self::Undefined;
        }
        if let Some(loss) = loss_of(metric) {
            let losses = task.losses(loss, &predictions);
            return Self::Mean { task, losses, root: metric == Metric::Rmse };
        }
        match metric {
            Metric::RocAuc => Self::Ranked(Ranked::new(task, &predictions, false)),
            Metric::AveragePrecision => Self::Precision(Ranked::new(task, &predictions, true)),
            _ => Self::Plain { metric, task, predictions },
        }
    }

    /// Adds the task's scores on `LANES` resamples, and 1 to the counts of those where it is defined.
    pub(super) fn add_scores(
        &self,
        weights: &[Weights],
        sizes: &[f64; LANES],
        sums: &mut [f64; LANES],
        counts: &mut [f64; LANES],
    ) {
        let totals = match self {
            Self::Ranked(ranked) if u16::try_from(weights.len()).is_ok() => {
                ranked.pairs_in_order::<u16>(weights)
            }
            Self::Ranked(ranked) => ranked.pairs_in_order::<u32>(weights),
            Self::Precision(ranked) => ranked.precisions(weights),
            Self::Mean { task, losses, .. } => weighted_sums(&task.molecules, losses, weights),
            Self::Plain { metric, task, predictions } => {
                return add_plain(*metric, task, predictions, weights, sums, counts);
            }
            Self::Undefined => return,
        };
        let root = matches!(self, Self::Mean { root: true, .. });
        for lane in 0..LANES {
            if sizes[lane] > 0.0 {
                let mean = totals[lane] / sizes[lane];
                sums[lane] += if root { mean.sqrt() } else { mean };
                counts[lane] += 1.0;
            }
        }
    }
}

/// Repeats each molecule as often as it counts, resample by resample.
fn add_plain(
    metric: Metric,
    task: &Task,
    predictions: &[f32],
    weights: &[Weights],
    sums: &mut [f64; LANES],
    counts: &mut [f64; LANES],
) {
    let (mut labels, mut repeated) = (Vec::new(), Vec::new());
    for lane in 0..LANES {
        labels.clear();
        repeated.clear();
        for ((&molecule, &label), &prediction) in task.molecules.iter().zip(&task.labels).zip(predictions) {
            let times = usize::from(weights[molecule as usize][lane]);
            labels.extend(std::iter::repeat_n(label, times));
            repeated.extend(std::iter::repeat_n(prediction, times));
        }
        if let Some(score) = score_task(metric, &labels, &repeated) {
            sums[lane] += score;
            counts[lane] += 1.0;
        }
    }
}

/// Molecules in the order of their predictions, in runs of positives and then negatives.
#[derive(Debug)]
pub(super) struct Ranked {
    molecules: Vec<u32>,
    runs: Vec<Run>,
}

/// Some positives and some negatives that follow one another in `molecules`.
#[derive(Debug)]
struct Run {
    positives: u32,
    negatives: u32,
    /// Whether both classes are there and have the same prediction; else positives come before negatives.
    tied: bool,
}

impl Ranked {
    /// Ascending, or `descending`. Runs without ties are joined unless `descending`, where each prediction is a run.
    fn new(task: &Task, predictions: &[f32], descending: bool) -> Self {
        let mut order = ascending(predictions);
        if descending {
            order.reverse();
        }
        let mut molecules = Vec::with_capacity(order.len());
        let mut runs: Vec<Run> = Vec::new();
        for tied in order.chunk_by(|&a, &b| predictions[a] == predictions[b]) {
            let of = |class: f32| tied.iter().filter(move |&&row| task.labels[row] == class);
            let start = molecules.len();
            molecules.extend(of(1.0).map(|&row| task.molecules[row]));
            let positives = (molecules.len() - start) as u32;
            molecules.extend(of(0.0).map(|&row| task.molecules[row]));
            let negatives = tied.len() as u32 - positives;
            let run = Run { positives, negatives, tied: positives > 0 && negatives > 0 };
            match runs.last_mut() {
                Some(last) if !descending && last.can_take(&run) => {
                    last.positives += run.positives;
                    last.negatives += run.negatives;
                }
                _ => runs.push(run),
            }
        }
        Self { molecules, runs }
    }

    /// The runs as slices of positives and of negatives.
    fn slices(&self) -> impl Iterator<Item = (&[u32], &[u32], bool)> {
        let mut rest = self.molecules.as_slice();
        self.runs.iter().map(move |run| {
            let (positives, after) = rest.split_at(run.positives as usize);
            let (negatives, after) = after.split_at(run.negatives as usize);
            rest = after;
            (positives, negatives, run.tied)
        })
    }

    /// The weight of the pairs with the positive above the negative, ties counting one half. Exact.
    fn pairs_in_order<C: Count>(&self, weights: &[Weights]) -> [f64; LANES] {
        let mut below = [C::default(); LANES];
        let (mut whole, mut halves) = ([C::Product::default(); LANES], [C::Product::default(); LANES]);
        for (positives, negatives, tied) in self.slices() {
            let mut above = [C::default(); LANES];
            add_weights(&mut above, positives, weights);
            if tied {
                add_products(&mut halves, &above, &below);
                add_weights(&mut below, negatives, weights);
                add_products(&mut halves, &above, &below);
            } else {
                add_products(&mut whole, &above, &below);
                add_weights(&mut below, negatives, weights);
            }
        }
        std::array::from_fn(|lane| C::float(whole[lane]) + C::float(halves[lane]) / 2.0)
    }

    /// The sum of positives times precision at their threshold.
    fn precisions(&self, weights: &[Weights]) -> [f64; LANES] {
        let (mut hits, mut above, mut sums) = ([0_u32; LANES], [0_u32; LANES], [0.0; LANES]);
        for (positives, negatives, _) in self.slices() {
            let mut new_hits = [0_u32; LANES];
            add_weights(&mut new_hits, positives, weights);
            add_weights(&mut above, positives, weights);
            add_weights(&mut above, negatives, weights);
            if positives.is_empty() {
                continue;
            }
            for lane in 0..LANES {
                hits[lane] = hits[lane].wrapping_add(new_hits[lane]);
                // Where nothing is above, nothing is a hit: 0 / 1.
                let precision = f64::from(hits[lane]) / f64::from(above[lane].max(1));
                sums[lane] += f64::from(new_hits[lane]) * precision;
            }
        }
        sums
    }
}

/// Indices that sort finite values ascending, equal ones adjacent; many times faster than by comparing floats.
pub(super) fn ascending(values: &[f32]) -> Vec<usize> {
    // Adding 0 makes -0.0 into 0.0. Bits of floats sort as integers once negative ones are turned round; one integer holds value and index.
    let key = |value: f32| {
        let bits = (value + 0.0).to_bits();
        if bits >> 31 == 1 { !bits } else { bits | 1 << 31 }
    };
    let mut keys: Vec<u64> =
        values.iter().enumerate().map(|(row, &value)| u64::from(key(value)) << 32 | row as u64).collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| key as u32 as usize).collect()
}

impl Run {
    /// Whether the next run, of one prediction, can join: neither is tied, and no positive comes after a negative.
    fn can_take(&self, next: &Self) -> bool {
        !self.tied && !next.tied && (self.negatives == 0 || next.positives == 0)
    }
}
