//! The parts of a comparison, as they are written.

use molarena_metrics::{Metric, statistics::Needed};
use schemars::JsonSchema;
use serde::Serialize;

/// Schema name of [`Comparison`].
pub const COMPARISON_SCHEMA: &str = "molarena.comparison/1";

/// Two rows of one board head to head. Differences are the first row less the second; scores are fractions of 1, or in the
/// labels' unit for errors.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// [`COMPARISON_SCHEMA`].
    #[schemars(extend("const" = COMPARISON_SCHEMA))]
    pub schema: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Protocol of the split.
    pub split: String,
    /// The metric of the board.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// Seeds that both rows have scored.
    pub seeds: Vec<u64>,
    /// Number of test molecules.
    pub molecules: usize,
    /// The first row.
    pub first: Side,
    /// The second row.
    pub second: Side,
    /// Difference of the means.
    pub difference: f64,
    /// Lower end of its interval, by the paired bootstrap over molecules and seeds.
    pub low: f64,
    /// Upper end of its interval.
    pub high: f64,
    /// Confidence of the intervals, such as 0.95.
    pub confidence: f64,
    /// Two-sided p value of the same bootstrap.
    pub p_value: f64,
    /// Two-sided p value of Wilcoxon's signed-rank test over tasks; null where no task is defined.
    pub wilcoxon_p_value: Option<f64>,
    /// Mean over standard deviation of the tasks' differences; null for fewer than two tasks.
    pub cohens_d: Option<f64>,
    /// Tasks on which the first row is better by more than the margin.
    pub wins: usize,
    /// Tasks on which the rows differ by no more than the margin.
    pub ties: usize,
    /// Tasks on which the second row is better by more than the margin.
    pub losses: usize,
    /// The margin.
    pub margin: f64,
    /// What the interval says.
    pub verdict: Verdict,
    /// The smallest true difference that this comparison would find with a probability of 0.8.
    pub detectable: Option<f64>,
    /// What would separate the rows if the difference is as large as it looks.
    pub needed: Option<Needs>,
    /// The tasks, in the order of the dataset's file.
    pub tasks: Vec<TaskComparison>,
    /// Scaffolds with at least 3 molecules: up to 5 on which the first row has the smaller loss, then up to 5 on which the
    /// second has.
    pub scaffolds: Vec<GroupComparison>,
    /// The same of single molecules.
    pub most_different: Vec<GroupComparison>,
}

/// What a comparison says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All predictions are equal.
    Same,
    /// The interval excludes 0 in favour of the first row.
    FirstIsBetter,
    /// The interval excludes 0 in favour of the second row.
    SecondIsBetter,
    /// The interval includes 0.
    NotSeparable,
}

impl Verdict {
    /// Which row a difference, the first less the second, is in favour of.
    pub(crate) fn of_difference(difference: f64, metric: Metric) -> Self {
        if (difference > 0.0) == metric.higher_is_better() {
            Self::FirstIsBetter
        } else {
            Self::SecondIsBetter
        }
    }
}

/// One row of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Side {
    /// Its name on the board.
    pub row: String,
    /// Mean over tasks and over the seeds of the comparison.
    pub mean: f64,
    /// Number of defined tasks.
    pub tasks: usize,
    /// What its seeds cost.
    pub cost: CostOfSide,
}

/// Cost of a row, averaged over its seeds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CostOfSide {
    /// Seconds from a worker's start to its end.
    pub wall_s: f64,
    /// Seconds in `fit`.
    pub fit_s: f64,
    /// Seconds in `predict`.
    pub predict_s: f64,
    /// Largest peak memory of any seed, in MiB.
    pub peak_rss_mb: f64,
    /// Number of settings that were tried on the validation molecules; null where there is one only.
    pub settings: Option<usize>,
}

/// Fewest molecules of each class that a task needs for an interval.
pub const FEWEST_OF_CLASS: usize = 5;
/// Fewest labels that a task of regression needs for an interval.
pub const FEWEST_LABELS: usize = 10;

/// One task of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TaskComparison {
    /// Name of the task.
    pub task: String,
    /// Number of test molecules with a label.
    pub labelled: usize,
    /// Score of the first row, averaged over seeds; null where the task is undefined.
    pub first: Option<f64>,
    /// Score of the second row.
    pub second: Option<f64>,
    /// Whether it has too few molecules for an interval and a p value: fewer than [`FEWEST_OF_CLASS`] of a class, or fewer
    /// than [`FEWEST_LABELS`] labels.
    pub is_thin: bool,
    /// Difference of the two.
    pub difference: Option<f64>,
    /// Lower end of its interval, by the paired bootstrap over molecules.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// Two-sided p value: DeLong's for the area under the ROC curve of one seed, else the bootstrap's.
    pub p_value: Option<f64>,
    /// The p value corrected by Holm's method over the tasks.
    pub p_holm: Option<f64>,
    /// Variance of the difference over samples of molecules.
    #[serde(skip)]
    pub(crate) sampling_variance: f64,
}

/// A group of molecules, with each row's mean loss: of squared errors of probabilities, or of absolute errors.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GroupComparison {
    /// The scaffold or the molecule, as SMILES; `no ring` for molecules without a scaffold.
    pub group: String,
    /// Number of molecules.
    pub molecules: usize,
    /// Mean loss of the first row.
    pub first_loss: f64,
    /// Mean loss of the second row.
    pub second_loss: f64,
}

/// How many in all would separate two rows with a probability of 0.8, the rest unchanged; null where no number would.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Needs {
    /// Test molecules.
    pub molecules: Option<usize>,
    /// Seeds.
    pub seeds: Option<usize>,
}

impl Needs {
    pub(super) fn of(needed: Needed) -> Self {
        Self { molecules: needed.molecules, seeds: needed.seeds }
    }
}
