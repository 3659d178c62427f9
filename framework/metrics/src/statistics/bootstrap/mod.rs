//! The bootstrap over molecules within tasks and over seeds.
//!
//! Every resample is one draw of molecules, shared by all tasks and all rows, so that rows are compared on the same
//! molecules, and one draw of seeds. A resample is a number of times that each molecule counts, and the metrics are
//! computed with these weights on predictions that were sorted once: see `lanes`.

mod draws;
mod interval;
mod jackknife;
mod lanes;
mod plan;

pub use interval::{PairedDifference, bca_interval, paired_difference, percentile_interval};

use crate::{Metric, Scoring};
use draws::Draws;
use lanes::{LANES, Weights};
use plan::{Plan, Task};

/// Resamples of one set of labels, for any number of rows.
///
/// The statistic of a row is the mean over defined tasks of the metric, averaged over seeds. A resample draws molecules
/// with replacement from all molecules, labelled or not, and seeds with replacement from those of the row (Efron &
/// Tibshirani 1993, *An Introduction to the Bootstrap*, chapter 6; for two levels Davison & Hinkley 1997, *Bootstrap
/// Methods and their Application*, section 3.8). Rows with the same number of seeds share the draw of seeds; this is
/// right for seeds that are paired and for those that are not. A few seeds vary too little among themselves: the
/// variance between S seeds is underestimated by the factor (S - 1)/S, and one seed has none.
///
/// A task that a resample leaves undefined, say without one of the classes, is left out of the mean of that resample,
/// for all rows alike because it depends on labels only. A task that is undefined on all molecules is always left out.
///
/// Areas under the ROC curve, average precision, and errors that are means (MAE, RMSE, Brier) take time proportional to
/// resamples x labels; the other metrics are computed on each resample as it is, which is much slower.
///
/// ```
/// use molarena_metrics::statistics::{Bootstrap, paired_difference, percentile_interval};
/// use molarena_metrics::{Metric, Scoring};
///
/// let labels = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0];
/// let bootstrap = Bootstrap::new(Metric::RocAuc, Scoring::Probability, &labels, 1, 500, 42);
/// // Two rows with one seed each.
/// let one = bootstrap.replicates(&[&[0.1, 0.8, 0.3, 0.7, 0.2, 0.4, 0.9, 0.5]]).unwrap();
/// let other = bootstrap.replicates(&[&[0.6, 0.5, 0.1, 0.7, 0.2, 0.4, 0.3, 0.8]]).unwrap();
/// let interval = percentile_interval(&one.values, 0.95).unwrap();
/// assert!(interval.contains(one.estimate));
/// let pair = paired_difference(&one, &other, 0.95).unwrap();
/// assert_eq!(pair.difference, one.estimate - other.estimate);
/// ```
#[derive(Debug)]
pub struct Bootstrap<'a> {
    metric: Metric,
    scoring: Scoring,
    /// Row-major `[molecules, tasks]`, NaN where missing.
    labels: &'a [f32],
    tasks: Vec<Task>,
    draws: Draws,
    /// For each block of resamples and each task, what the weighted sum is divided by; 0 where undefined.
    sizes: Vec<Vec<[f64; LANES]>>,
    /// Every molecule once, in each lane.
    once: Vec<Weights>,
    /// For each task, what the sum over all molecules is divided by.
    once_sizes: Vec<[f64; LANES]>,
}

/// A row's statistic and its values on the resamples of a [`Bootstrap`].
#[derive(Debug, Clone, PartialEq)]
pub struct Replicates {
    /// The statistic on all molecules and seeds.
    pub estimate: f64,
    /// The statistic on each resample of molecules and seeds. Resamples that leave every task undefined are left out,
    /// the same ones in all rows of the bootstrap.
    pub values: Vec<f64>,
    /// The statistic on the same resamples of molecules, but on all seeds once: the part that is due to molecules.
    pub fixed_seeds: Vec<f64>,
}

impl<'a> Bootstrap<'a> {
    /// Draws `resamples` resamples from the seed. `labels` is row-major `[molecules, tasks]`, NaN where missing.
    ///
    /// The same arguments draw the same resamples on every machine; the first resamples do not depend on how many there
    /// are.
    ///
    /// # Panics
    ///
    /// If `tasks` is 0, the labels do not make rows of `tasks`, or there are 2^32 molecules or more.
    pub fn new(
        metric: Metric,
        scoring: Scoring,
        labels: &'a [f32],
        tasks: usize,
        resamples: usize,
        seed: u64,
    ) -> Self {
        assert!(tasks > 0, "a table has at least one task");
        assert!(labels.len().is_multiple_of(tasks), "{} labels do not make rows of {tasks}", labels.len());
        let molecules = labels.len() / tasks;
        assert!(u32::try_from(molecules).is_ok(), "{molecules} molecules are too many");
        let tasks: Vec<Task> = (0..tasks).map(|task| Task::of(labels, tasks, task)).collect();
        let draws = Draws::new(molecules, resamples, seed);
        let sizes_of = |weights: &[Weights]| -> Vec<[f64; LANES]> {
            tasks.iter().map(|task| plan::sizes(metric, task, weights)).collect()
        };
        let sizes = draws.blocks().map(sizes_of).collect();
        let once = vec![[1; LANES]; molecules];
        let once_sizes = sizes_of(&once);
        Self { metric, scoring, labels, tasks, draws, sizes, once, once_sizes }
    }

    /// Number of molecules.
    pub fn molecules(&self) -> usize {
        self.draws.molecules()
    }

    /// Number of resamples that were drawn.
    pub fn resamples(&self) -> usize {
        self.draws.resamples()
    }

    /// How often each molecule counts in a resample.
    ///
    /// # Panics
    ///
    /// If there is no such resample.
    pub fn multiplicities(&self, resample: usize) -> Vec<u16> {
        self.draws.multiplicities(resample)
    }

    /// The seeds that a resample draws for a row with this many, as indices.
    ///
    /// # Panics
    ///
    /// If there is no such resample, or no seed.
    pub fn drawn_seeds(&self, resample: usize, seeds: usize) -> Vec<usize> {
        self.draws.seeds(resample, seeds)
    }

    /// The resampled statistic of a row. `predictions` has one table per seed, row-major `[molecules, tasks]`.
    ///
    /// Rows are independent of each other: callers may compute them in parallel. `None` where a prediction is not
    /// finite, and where no task is defined.
    ///
    /// # Panics
    ///
    /// If there is no seed, or a table does not have the shape of the labels.
    pub fn replicates(&self, predictions: &[&[f32]]) -> Option<Replicates> {
        self.check(predictions)?;
        let (mut sum, mut by_seed) = (0.0, Vec::new());
        for of_seed in predictions {
            let plans = self.plans(of_seed, 0..self.tasks.len());
            sum += self.mean_of_all(&plans)?;
            by_seed.push(self.means(&plans));
        }
        let estimate = sum / predictions.len() as f64;
        let mut result = Replicates { estimate, values: Vec::new(), fixed_seeds: Vec::new() };
        for resample in 0..self.resamples() {
            // Definedness is the labels' doing, so one seed speaks for all.
            if by_seed[0][resample].is_nan() {
                continue;
            }
            let drawn = self.drawn_seeds(resample, predictions.len());
            let sum: f64 = drawn.iter().map(|&seed| by_seed[seed][resample]).sum();
            result.values.push(sum / predictions.len() as f64);
            let sum: f64 = by_seed.iter().map(|of_seed| of_seed[resample]).sum();
            result.fixed_seeds.push(sum / predictions.len() as f64);
        }
        Some(result)
    }

    /// One task of a row: its score averaged over seeds, on each resample of molecules. `None` where undefined.
    ///
    /// Differences of two rows have the task's sampling variance, as [`VarianceComponents`](super::VarianceComponents)
    /// takes it.
    ///
    /// # Panics
    ///
    /// As [`Bootstrap::replicates`], and if there is no such task.
    pub fn task_replicates(&self, predictions: &[&[f32]], task: usize) -> Vec<Option<f64>> {
        if self.check(predictions).is_none() {
            return vec![None; self.resamples()];
        }
        let mut sums = vec![0.0; self.resamples()];
        for of_seed in predictions {
            let means = self.means(&self.plans(of_seed, task..task + 1));
            sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean);
        }
        sums.into_iter().map(|sum| (!sum.is_nan()).then(|| sum / predictions.len() as f64)).collect()
    }

    /// The statistic without each molecule in turn, on all seeds; for [`bca_interval`].
    ///
    /// Molecules without which no task is defined are left out. `None` as in [`Bootstrap::replicates`]. Quick for areas
    /// under the ROC curve and for errors that are means; the other metrics are computed once per label.
    ///
    /// # Panics
    ///
    /// As [`Bootstrap::replicates`].
    pub fn jackknife(&self, predictions: &[&[f32]]) -> Option<Vec<f64>> {
        self.check(predictions)?;
        let mut sums = vec![0.0; self.molecules()];
        for of_seed in predictions {
            let columns = self.tasks.iter().map(|task| (task, task.column(of_seed, self.scoring_in_use())));
            let means = jackknife::means(self.metric, columns, self.molecules());
            sums.iter_mut().zip(means).for_each(|(sum, mean)| *sum += mean);
        }
        sums.retain(|sum| !sum.is_nan());
        (!sums.is_empty()).then(|| sums.into_iter().map(|sum| sum / predictions.len() as f64).collect())
    }

    /// `None` where a prediction is not finite. Panics if the shape is wrong.
    fn check(&self, predictions: &[&[f32]]) -> Option<()> {
        assert!(!predictions.is_empty(), "a row has at least one seed");
        for of_seed in predictions {
            assert_eq!(of_seed.len(), self.labels.len(), "labels and predictions differ in length");
        }
        predictions
            .iter()
            .all(|of_seed| of_seed.iter().all(|prediction| prediction.is_finite()))
            .then_some(())
    }

    fn scoring_in_use(&self) -> Scoring {
        if self.metric.is_classification() { self.scoring } else { Scoring::Probability }
    }

    fn plans(&self, predictions: &[f32], tasks: std::ops::Range<usize>) -> Vec<(usize, Plan<'_>)> {
        let scoring = self.scoring_in_use();
        tasks
            .map(|place| {
                let task = &self.tasks[place];
                (place, Plan::new(self.metric, task, task.column(predictions, scoring)))
            })
            .collect()
    }

    /// Mean over the defined of these tasks, on every molecule once.
    fn mean_of_all(&self, plans: &[(usize, Plan<'_>)]) -> Option<f64> {
        let (mut sums, mut counts) = ([0.0; LANES], [0.0; LANES]);
        for (task, plan) in plans {
            plan.add_scores(&self.once, &self.once_sizes[*task], &mut sums, &mut counts);
        }
        (counts[0] > 0.0).then(|| sums[0] / counts[0])
    }

    /// Mean over the defined of these tasks, of each resample; NaN where none is.
    fn means(&self, plans: &[(usize, Plan<'_>)]) -> Vec<f64> {
        let mut means = Vec::with_capacity(self.resamples() + LANES);
        for (weights, sizes) in self.draws.blocks().zip(&self.sizes) {
            let (mut sums, mut counts) = ([0.0; LANES], [0.0; LANES]);
            for (task, plan) in plans {
                plan.add_scores(weights, &sizes[*task], &mut sums, &mut counts);
            }
            means.extend((0..LANES).map(|lane| sums[lane] / counts[lane]));
        }
        means.truncate(self.resamples());
        means
    }
}
