//! Brier score.

use crate::classes::is_binary;
use crate::squares::squared_error;
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "Brier score",
    abbreviation: "Brier",
    kind: MetricKind::Classification,
    higher_is_better: false,
    source: "Brier 1950, Monthly Weather Review 78, 1",
    equal_predictions: None,
    compute: brier,
};

/// The mean of (predicted probability - label)², with labels 0 and 1 and one probability for each row, as scikit-learn's
/// `brier_score_loss`; Brier's own sum over both classes is twice that.
///
/// Predictions are not clamped: one outside of 0 to 1 (an ensemble's mean by rounding, a regression by far)
/// counts with its full distance. Under hard scoring it is the share of wrong rows. `None` if a label is
/// neither 0 nor 1; one class is enough. There is at least one row, and the values are finite.
fn brier(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    is_binary(labels).then(|| squared_error(labels, predictions) / labels.len() as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classes::tests::probability_task;
    use crate::{Metric, Scoring, score_tasks};

    #[test]
    fn four_rows_by_hand() {
        // 0.25² + 0.5² + 0.25² + 1² = 0.0625 + 0.25 + 0.0625 + 1 = 1.375; / 4. scikit-learn 1.9.1 gives 0.34375.
        assert_eq!(brier(&[1.0, 0.0, 0.0, 1.0], &[0.75, 0.5, 0.25, 0.0]), Some(0.343_75));
    }

    #[test]
    fn probabilities_outside_of_0_to_1_count_as_they_are() {
        // 0.5² + 0.25² = 0.3125; / 2.
        assert_eq!(brier(&[1.0, 0.0], &[1.5, -0.25]), Some(0.156_25));
    }

    #[test]
    fn one_class_is_enough_and_other_labels_are_not_scored() {
        assert_eq!(brier(&[1.0, 1.0], &[0.5, 1.0]), Some(0.125));
        assert_eq!(brier(&[0.0, 0.5], &[0.5, 1.0]), None);
    }

    #[test]
    fn hard_scoring_gives_the_share_of_wrong_rows() {
        let labels = [1.0, 1.0, 0.0, 0.0];
        assert_eq!(
            score_tasks(Metric::Brier, Scoring::Hard, &labels, &[0.9, 0.4, 0.3, 0.5], 1),
            [Some(0.25)]
        );
    }

    proptest! {
        /// Murphy 1973, Journal of Applied Meteorology 12, 595: reliability - resolution + uncertainty, over the groups of
        /// equal predictions.
        #[test]
        fn is_the_sum_of_murphys_three_parts((labels, predictions) in probability_task()) {
            let n = labels.len() as f64;
            let base = labels.iter().map(|&label| f64::from(label)).sum::<f64>() / n;
            let mut levels = predictions.clone();
            levels.sort_by(f32::total_cmp);
            levels.dedup();
            let mut parts = base * (1.0 - base);
            for level in levels {
                let group: Vec<f64> = labels
                    .iter()
                    .zip(&predictions)
                    .filter(|(_, prediction)| **prediction == level)
                    .map(|(&label, _)| f64::from(label))
                    .collect();
                let share = group.iter().sum::<f64>() / group.len() as f64;
                let (reliability, resolution) = (f64::from(level) - share, share - base);
                parts += group.len() as f64 / n * (reliability * reliability - resolution * resolution);
            }
            prop_assert!((brier(&labels, &predictions).unwrap() - parts).abs() < 1e-13);
        }
    }
}
