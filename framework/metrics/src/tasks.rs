//! Scores of every task of a table.

use crate::ranks::all_equal;
use crate::{Metric, Scoring};

/// The score of each task.
///
/// `labels` and `predictions` are row-major `[n, tasks]`; a NaN label is a missing one, and its row is left
/// out of that task. `scoring` affects only the metrics of classification. A task is `None` where the metric
/// is undefined ([`Metric::compute`]), with two rules so that no prediction can take a task out of the mean:
///
/// - The caller guarantees finite predictions. If one anywhere is not, even where the label is missing, *every* task
///   is `None`.
/// - Equal predictions against labels that differ leave rank correlations undefined; here they score 0, no association.
///
/// # Panics
///
/// If `tasks` is 0, the lengths differ, or they are not a multiple of `tasks`.
pub fn score_tasks(
    metric: Metric,
    scoring: Scoring,
    labels: &[f32],
    predictions: &[f32],
    tasks: usize,
) -> Vec<Option<f64>> {
    assert!(tasks > 0, "a table has at least one task");
    assert_eq!(labels.len(), predictions.len(), "labels and predictions differ in length");
    assert!(labels.len().is_multiple_of(tasks), "{} labels do not make rows of {tasks}", labels.len());
    if !predictions.iter().all(|prediction| prediction.is_finite()) {
        return vec![None; tasks];
    }
    let scoring = if metric.is_classification() { scoring } else { Scoring::Probability };
    (0..tasks)
        .map(|task| {
            let column = labels.iter().zip(predictions).skip(task).step_by(tasks);
            let (labels, predictions): (Vec<f32>, Vec<f32>) = column
                .filter(|(label, _)| !label.is_nan())
                .map(|(&label, &prediction)| (label, scoring.apply(prediction)))
                .unzip();
            score_task(metric, &labels, &predictions)
        })
        .collect()
}

pub(crate) fn score_task(metric: Metric, labels: &[f32], predictions: &[f32]) -> Option<f64> {
    match metric.description().equal_predictions {
        Some(score) if all_equal(predictions) && !all_equal(labels) => Some(score),
        _ => metric.compute(labels, predictions),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MISSING: f32 = f32::NAN;

    #[test]
    fn each_column_without_its_missing_labels() {
        // Task 0: labels 1 2 4 against 1 4 4, (0 + 2 + 0) / 3. Task 1: label 2 against 5, 3. Task 2: no labels.
        let labels = [1.0, MISSING, MISSING, 2.0, 2.0, MISSING, 4.0, MISSING, MISSING];
        let predictions = [1.0, 9.0, 9.0, 4.0, 5.0, 9.0, 4.0, 9.0, 9.0];
        let scores = score_tasks(Metric::Mae, Scoring::Probability, &labels, &predictions, 3);
        assert_eq!(scores, [Some(2.0 / 3.0), Some(3.0), None]);
    }

    #[test]
    fn hard_scoring_ties_the_probabilities_on_each_side() {
        // Positives 0.9, 0.4; negatives 0.3, 0.5. Pairs: above, above, above, below: 3/4.
        // Hard: 1, 0 against 0, 0: 1, 1, tie, tie: 3/4 as well; with 0.6 for 0.5, 1 + 1/2 + 1/2 + 0 = 2 of 4.
        let labels = [1.0, 1.0, 0.0, 0.0];
        let score = |scoring, last| score_tasks(Metric::RocAuc, scoring, &labels, &[0.9, 0.4, 0.3, last], 1);
        assert_eq!(score(Scoring::Probability, 0.5), [Some(0.75)]);
        assert_eq!(score(Scoring::Hard, 0.5), [Some(0.75)]);
        assert_eq!(score(Scoring::Probability, 0.6), [Some(0.75)]);
        assert_eq!(score(Scoring::Hard, 0.6), [Some(0.5)]);
    }

    #[test]
    fn hard_scoring_leaves_regression_alone() {
        assert_eq!(score_tasks(Metric::Mae, Scoring::Hard, &[3.0], &[2.0], 1), [Some(1.0)]);
    }

    #[test]
    fn one_prediction_that_is_not_finite_undoes_every_task() {
        for &metric in Metric::ALL {
            for scoring in [Scoring::Probability, Scoring::Hard] {
                for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                    // The bad prediction is where the label is missing.
                    let labels = [0.0, 1.0, 1.0, MISSING, 1.0, 0.0];
                    let scores = score_tasks(metric, scoring, &labels, &[0.1, 0.2, 0.3, bad, 0.5, 0.6], 2);
                    assert_eq!(scores, [None, None]);
                }
            }
        }
    }

    #[test]
    fn equal_predictions_have_no_association() {
        for metric in [Metric::Spearman, Metric::Kendall] {
            let scores = score_tasks(metric, Scoring::Probability, &[1.0, 5.0, 2.0, 5.0], &[0.5; 4], 2);
            assert_eq!(scores, [Some(0.0), None]);
        }
    }

    #[test]
    fn no_rows_are_no_scores() {
        assert_eq!(score_tasks(Metric::R2, Scoring::Probability, &[], &[], 2), [None, None]);
    }

    #[test]
    #[should_panic(expected = "5 labels do not make rows of 2")]
    fn a_ragged_table_panics() {
        score_tasks(Metric::Mae, Scoring::Probability, &[0.0; 5], &[0.0; 5], 2);
    }

    proptest! {
        /// The rule of the crate: which tasks are defined depends on the labels alone.
        #[test]
        fn finite_predictions_cannot_undefine_a_task(
            rows in prop::collection::vec(
                (prop::sample::select(vec![0.0, 1.0, MISSING]), -2_i8..=2, -2_i8..=2), 0..8),
        ) {
            let labels: Vec<f32> = rows.iter().map(|row| row.0).collect();
            let one: Vec<f32> = rows.iter().map(|row| f32::from(row.1)).collect();
            let other: Vec<f32> = rows.iter().map(|row| f32::from(row.2)).collect();
            for &metric in Metric::ALL {
                for scoring in [Scoring::Probability, Scoring::Hard] {
                    let defined = |p: &[f32]| score_tasks(metric, scoring, &labels, p, 1)[0].is_some();
                    prop_assert_eq!(defined(&one), defined(&other));
                    prop_assert_eq!(defined(&one), defined(&vec![0.5; one.len()]));
                }
            }
        }
    }
}
