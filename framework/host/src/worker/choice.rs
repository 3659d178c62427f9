//! The choice between the settings of a baseline, which the host checks by the same rules.

use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};

/// Score of predictions of the validation molecules: mean over the tasks where the metric is defined. `labels` and
/// `predictions` are `[molecules, tasks]`, row-major; a missing label is NaN.
pub(crate) fn valid_score(metric: Metric, labels: &[f32], predictions: &[f32], tasks: usize) -> Option<f64> {
    mean_defined(&score_tasks(metric, Scoring::Probability, labels, predictions, tasks))
}

/// Whether a setting with `score` is chosen over an earlier one with the score `best`.
pub(crate) fn is_better(metric: Metric, score: Option<f64>, best: Option<f64>) -> bool {
    match (score, best) {
        (Some(score), Some(best)) if metric.higher_is_better() => score > best,
        (Some(score), Some(best)) => score < best,
        (score, best) => score.is_some() && best.is_none(),
    }
}
