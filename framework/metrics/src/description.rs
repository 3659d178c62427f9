//! The description of a metric.

/// What a metric is. Each file in `metrics/` declares one, beside the function that computes the metric.
#[derive(Debug)]
#[non_exhaustive]
pub struct Description {
    /// Name in a sentence, such as `area under the ROC curve`.
    pub title: &'static str,
    /// Heading of a board's column, such as `AUC`.
    pub abbreviation: &'static str,
    /// The labels that it scores.
    pub kind: MetricKind,
    /// Whether a greater value is a better one.
    pub higher_is_better: bool,
    /// Source of the definition.
    pub source: &'static str,
    /// Score of equal predictions against labels that differ, for a metric whose formula is undefined there.
    /// Without it, a method could take a task out of the mean by predicting the same value for every row.
    pub(crate) equal_predictions: Option<f64>,
    /// The score of labels and predictions: at least one row, of finite values. `None` where it is undefined.
    pub(crate) compute: fn(labels: &[f32], predictions: &[f32]) -> Option<f64>,
}

/// The labels that a metric scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, strum::Display)]
#[strum(serialize_all = "snake_case")]
pub enum MetricKind {
    /// Classes, 0 or 1, against probabilities of class 1.
    Classification,
    /// Numbers against numbers.
    Regression,
}
