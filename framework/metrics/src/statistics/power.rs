//! What a comparison could have found, and what it would take to separate two rows.

use super::blocks::Blocks;
use super::distributions::normal_quantile;
use crate::squares::square;
use crate::summary::mean_and_variance;

/// Size of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Design {
    /// Number of tasks.
    pub tasks: usize,
    /// Number of test molecules.
    pub molecules: usize,
    /// Number of seeds of each row.
    pub seeds: usize,
}

/// Where the variance of the paired difference of two rows comes from: its squared standard error is
/// `task / T + molecule / M + seed / S` for T tasks, M molecules and S seeds.
///
/// Assumptions. Tasks, molecules and seeds are independent random samples of what the board is about, and more of them
/// would be like those at hand. Molecules are shared by the tasks and the seeds, and each task's share of labels stays
/// the same, so that a task's sampling error falls as 1/M. Sampling errors that one task has alone would fall with more
/// tasks, too; they are counted under `molecule` and `seed`, which makes the number of tasks needed an upper bound.
/// For a board about exactly its own tasks, set `task` to 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VarianceComponents {
    /// Variance of the true difference between tasks.
    pub task: f64,
    /// Variance due to one molecule: that due to M molecules, times M.
    pub molecule: f64,
    /// Variance between seeds of the mean difference over tasks.
    pub seed: f64,
}

/// The smallest number of each that would separate two rows, the others unchanged. `None`: no number would, because the
/// other components alone keep the comparison inconclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Tasks in all.
    pub tasks: Option<usize>,
    /// Test molecules in all.
    pub molecules: Option<usize>,
    /// Seeds in all.
    pub seeds: Option<usize>,
}

impl VarianceComponents {
    /// Estimates by the method of moments (Searle, Casella & McCulloch 1992, *Variance Components*, chapter 4).
    ///
    /// - `differences`: row-major `[tasks, seeds]`, first row less second row.
    /// - `task_sampling`: for each task, the variance due to molecules of its mean difference over seeds, such as that
    ///   of a bootstrap over molecules or of DeLong.
    /// - `mean_sampling`: the same for the mean over tasks.
    ///
    /// Negative estimates become 0. One seed or one task says nothing about the variance between them: that component
    /// is then 0 for want of knowledge. `None` for no tasks, and where a value is not finite.
    ///
    /// # Panics
    ///
    /// If the shapes disagree.
    pub fn estimate(
        differences: &[f64],
        task_sampling: &[f64],
        mean_sampling: f64,
        design: Design,
    ) -> Option<Self> {
        let Design { tasks, molecules, seeds } = design;
        assert_eq!(
            differences.len(),
            tasks * seeds,
            "differences are not of {tasks} tasks and {seeds} seeds"
        );
        assert_eq!(task_sampling.len(), tasks, "not one sampling variance per task");
        let finite = differences.iter().chain(task_sampling).chain([&mean_sampling]).all(|x| x.is_finite());
        if differences.is_empty() || !finite {
            return None;
        }
        let (t, s) = (tasks as f64, seeds as f64);
        let by_task: Vec<&[f64]> = differences.chunks_exact(seeds).collect();
        let of_seed = |seed: usize| differences.iter().skip(seed).step_by(seeds).sum::<f64>() / t;
        let seed = variance(&(0..seeds).map(of_seed).collect::<Vec<_>>());
        let task_means: Vec<f64> = by_task.iter().map(|row| row.iter().sum::<f64>() / s).collect();
        let within_tasks = by_task.iter().map(|row| variance(row)).sum::<f64>() / t;
        // The spread of task means holds each task's own sampling error: its variance less the covariance between
        // tasks, which is t/(t - 1) times the mean variance less the variance of the mean.
        let own = (task_sampling.iter().sum::<f64>() / t - mean_sampling) + (within_tasks - seed) / s;
        let task = if tasks > 1 { (variance(&task_means) - own * t / (t - 1.0)).max(0.0) } else { 0.0 };
        Some(Self { task, molecule: mean_sampling.max(0.0) * molecules as f64, seed })
    }

    /// Standard error of the difference in a comparison of this size.
    pub fn standard_error(&self, design: Design) -> f64 {
        let parts = [(self.task, design.tasks), (self.molecule, design.molecules), (self.seed, design.seeds)];
        parts.iter().map(|&(component, count)| component / count as f64).sum::<f64>().sqrt()
    }

    /// The smallest numbers with which a true difference of this size would be found, at two-sided `level` and `power`.
    ///
    /// # Panics
    ///
    /// If the level or the power is not between 0 and 1.
    pub fn needed(&self, difference: f64, design: Design, level: f64, power: f64) -> Needed {
        let target = square(difference / factor(level, power));
        let part = |component: f64, count: usize| component / count as f64;
        let task = part(self.task, design.tasks);
        let molecule = part(self.molecule, design.molecules);
        let seed = part(self.seed, design.seeds);
        let count = |component: f64, rest: f64| {
            (target > rest).then(|| (component / (target - rest)).ceil().max(1.0) as usize)
        };
        Needed {
            tasks: count(self.task, molecule + seed),
            molecules: count(self.molecule, task + seed),
            seeds: count(self.seed, task + molecule),
        }
    }
}

/// The true difference that a comparison with this standard error finds with probability `power`, at two-sided `level`:
/// `(z(1 - level/2) + z(power))` standard errors, 2.80 for 5 % and 0.8 (Bloom 1995, *Evaluation Review* 19, 547).
///
/// The estimate is taken as normal, its standard error as known.
///
/// # Panics
///
/// If the level or the power is not between 0 and 1.
pub fn smallest_detectable_difference(standard_error: f64, level: f64, power: f64) -> f64 {
    factor(level, power) * standard_error
}

fn factor(level: f64, power: f64) -> f64 {
    assert!(level > 0.0 && level < 1.0, "a level of {level} is not between 0 and 1");
    assert!(power > 0.0 && power < 1.0, "a power of {power} is not between 0 and 1");
    normal_quantile(1.0 - level / 2.0) + normal_quantile(power)
}

/// Reliability of the mean scores of rows over tasks: the expected correlation with those over as many other tasks like
/// these. At most 1; 0 or less where the tasks agree on nothing.
///
/// `scores` is row-major `[tasks, rows]`. 1 - (mean square of the residuals) / (mean square of rows), Hoyt 1941,
/// *Psychometrika* 6, 153, which is Cronbach's alpha: the mean of all split halves after the formula of Spearman and
/// Brown. `None` for fewer than 2 rows or 2 tasks, where a value is not finite, and where all rows have the same mean.
///
/// # Panics
///
/// If the scores do not make tasks of `rows`.
pub fn ranking_reliability(scores: &[f64], rows: usize) -> Option<f64> {
    let blocks = Blocks::of(scores, rows)?;
    let (residual, _) = blocks.residual();
    let between = variance(&blocks.means()) * blocks.count as f64;
    (between > 0.0).then(|| 1.0 - residual / between)
}

/// Reliability with `factor` times as many tasks (Spearman 1910, *British Journal of Psychology* 3, 271; Brown 1910,
/// 296).
pub fn spearman_brown(reliability: f64, factor: f64) -> f64 {
    factor * reliability / (1.0 + (factor - 1.0) * reliability)
}

/// How many times as many tasks give a reliability of `target`. `None` unless both are between 0 and 1.
pub fn spearman_brown_factor(reliability: f64, target: f64) -> Option<f64> {
    let inside = |x: f64| x > 0.0 && x < 1.0;
    (inside(reliability) && inside(target))
        .then(|| target * (1.0 - reliability) / (reliability * (1.0 - target)))
}

/// Sample variance; 0 for fewer than 2 values.
fn variance(values: &[f64]) -> f64 {
    mean_and_variance(values).and_then(|(_, variance)| variance).unwrap_or(0.0)
}
