//! The parts of a report on claims, as they are written.

use molarena_metrics::Metric;
use schemars::JsonSchema;
use serde::Serialize;

/// Schema name of [`ClaimsReport`].
pub const CLAIMS_REPORT_SCHEMA: &str = "molarena.claims-report/1";

/// What holds of a paper's claims. Scores and differences are fractions of 1, or in the labels' unit for errors.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClaimsReport {
    /// [`CLAIMS_REPORT_SCHEMA`].
    #[schemars(extend("const" = CLAIMS_REPORT_SCHEMA))]
    pub schema: String,
    /// The paper.
    pub paper: ClaimedPaper,
    /// The command that made the report.
    pub command: String,
    /// Confidence of the intervals, such as 0.95; 1 less it is the level of the tests.
    pub confidence: f64,
    /// Number of resamples of molecules and seeds.
    pub resamples: usize,
    /// Names of the stores, in the order of the command.
    pub stores: Vec<String>,
    /// Ids of the datasets that claims are about, in the order of the file.
    pub datasets: Vec<String>,
    /// The verdicts on all claims and datasets.
    pub counts: ClaimCounts,
    /// The claims, in the order of the file.
    pub claims: Vec<JudgedClaim>,
    /// Rows that claims name and no store has.
    pub missing: Vec<MissingRow>,
    /// What the claims file says that a reader has to know.
    pub notes: Vec<String>,
}

/// A paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClaimedPaper {
    /// Title.
    pub title: String,
    /// Address.
    pub url: String,
}

/// What is said of a claim on a dataset, or of one of its comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
pub enum ClaimVerdict {
    /// The difference is as the claim expects, and its interval excludes 0. Of two that are expected to be equal: the
    /// interval lies within the margin.
    #[strum(serialize = "holds")]
    Holds,
    /// The difference goes the other way and its interval excludes 0, or all predictions are the same. Of two that are
    /// expected to be equal: the interval lies outside of the margin.
    #[strum(serialize = "does not hold")]
    DoesNotHold,
    /// The data cannot tell.
    #[strum(serialize = "open")]
    Open,
    /// A row is missing, or the rows cannot be compared.
    #[strum(serialize = "not measured")]
    NotMeasured,
}

/// Number of datasets by verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ClaimCounts {
    /// The claim holds.
    pub holds: usize,
    /// It does not hold.
    pub does_not_hold: usize,
    /// The data cannot tell.
    pub open: usize,
    /// There is no comparison.
    pub not_measured: usize,
}

impl ClaimCounts {
    /// Counts verdicts.
    pub fn of(verdicts: impl IntoIterator<Item = ClaimVerdict>) -> Self {
        let mut counts = Self::default();
        for verdict in verdicts {
            *match verdict {
                ClaimVerdict::Holds => &mut counts.holds,
                ClaimVerdict::DoesNotHold => &mut counts.does_not_hold,
                ClaimVerdict::Open => &mut counts.open,
                ClaimVerdict::NotMeasured => &mut counts.not_measured,
            } += 1;
        }
        counts
    }

    /// Number of all.
    pub fn all(self) -> usize {
        self.holds + self.does_not_hold + self.open + self.not_measured
    }
}

/// A claim and what the comparisons say of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct JudgedClaim {
    /// Name of the claim.
    pub name: String,
    /// What the paper says.
    pub text: String,
    /// Where the paper says it.
    pub source: String,
    /// The row that the claim is about.
    pub method: String,
    /// The rows or the printed figure that it is compared with.
    pub against: Vec<String>,
    /// Whether `against` is a figure that the paper prints.
    pub is_published: bool,
    /// What the claim expects of the row: `better`, `worse` or `equal`.
    pub expect: String,
    /// Largest difference of two that are `equal`; null for the others.
    pub within: Option<f64>,
    /// The verdicts on its datasets.
    pub counts: ClaimCounts,
    /// The datasets; none if the claim names none and no dataset has rows of both sides.
    pub datasets: Vec<ClaimOnDataset>,
    /// What the claims file says of the comparison.
    pub note: Option<String>,
}

/// A claim on one dataset.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClaimOnDataset {
    /// Id of the dataset.
    pub dataset: String,
    /// Holds where every comparison holds; does not hold where one does not; is not measured where none is measured;
    /// else open.
    pub verdict: ClaimVerdict,
    /// One for each of `against`, in its order.
    pub comparisons: Vec<ClaimComparison>,
}

/// A claim's row against another row or a printed figure.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClaimComparison {
    /// The other row, or the printed figure's name.
    pub against: String,
    /// What the comparison says.
    pub verdict: ClaimVerdict,
    /// Why there is no result; null where there is one.
    pub reason: Option<String>,
    /// The result.
    pub result: Option<ClaimResult>,
}

/// How two rows compare, or a row and a printed figure. A difference is the claim's row less the other.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClaimResult {
    /// Protocol of the split.
    pub split: String,
    /// The metric of the board.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// Seeds that both rows have scored; those of the row, against a printed figure.
    pub seeds: Vec<u64>,
    /// The claim's row.
    pub first: ClaimSide,
    /// The other row or the printed figure.
    pub second: ClaimSide,
    /// Difference of the means.
    pub difference: f64,
    /// Lower end of its interval, by the paired bootstrap over molecules and seeds; against a printed figure, by the t test
    /// over seeds.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Two-sided p value of the same bootstrap; null against a printed figure.
    pub p_value: Option<f64>,
    /// The p value corrected by Holm's method over the comparisons of the claim on the dataset.
    pub p_holm: Option<f64>,
    /// Two-sided p value of Wilcoxon's signed-rank test over tasks; null where there is none.
    pub wilcoxon_p_value: Option<f64>,
    /// Tasks on which the claim's row is better, equal and worse; null against a printed figure.
    pub tasks: Option<TaskCounts>,
}

/// Tasks by who is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskCounts {
    /// The claim's row is better.
    pub wins: usize,
    /// The two are equal.
    pub ties: usize,
    /// The other row is better.
    pub losses: usize,
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ClaimSide {
    /// Mean over tasks and seeds; as printed, of a printed figure.
    pub mean: f64,
    /// Sample standard deviation over seeds; as printed, of a printed figure; null for one seed.
    pub std: Option<f64>,
    /// The store that the row is from; null for a printed figure.
    pub store: Option<String>,
}

/// A row that claims name and no store has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct MissingRow {
    /// Its name.
    pub row: String,
    /// The datasets on which claims name it.
    pub datasets: Vec<String>,
}
