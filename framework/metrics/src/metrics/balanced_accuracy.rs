//! Balanced accuracy.

use crate::classes::ClassCounts;
use crate::scoring::is_class_1;
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "balanced accuracy",
    abbreviation: "balanced accuracy",
    kind: MetricKind::Classification,
    higher_is_better: true,
    source: "Brodersen, Ong, Stephan & Buhmann 2010, ICPR, 3121",
    equal_predictions: None,
    compute: balanced_accuracy,
};

/// The mean of the shares of positives and of negatives that are predicted right, where a prediction above 0.5 is class 1
/// and any other is class 0: scikit-learn's `balanced_accuracy_score` of `predictions > 0.5`. Both scorings give the same.
///
/// `None` if a class is absent; there scikit-learn gives the share of the other class. The values are finite.
fn balanced_accuracy(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    let ClassCounts { positives, negatives } = ClassCounts::of(labels)?;
    let (mut true_positives, mut true_negatives) = (0_usize, 0_usize);
    for (&label, &prediction) in labels.iter().zip(predictions) {
        match (label == 1.0, is_class_1(prediction)) {
            (true, true) => true_positives += 1,
            (false, false) => true_negatives += 1,
            _ => {}
        }
    }
    let sensitivity = true_positives as f64 / positives as f64;
    let specificity = true_negatives as f64 / negatives as f64;
    Some(sensitivity.midpoint(specificity))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classes::tests::probability_task;
    use crate::{Metric, Scoring, score_tasks};

    #[test]
    fn five_rows_by_hand() {
        // Positives 0.9, 0.4: one of two is above 0.5. Negatives 0.1, 0.5, 0.6: two of three are not.
        // (1/2 + 2/3) / 2 = 7/12; scikit-learn 1.9.1 gives 0.5833333333333333.
        let score = balanced_accuracy(&[1.0, 1.0, 0.0, 0.0, 0.0], &[0.9, 0.4, 0.1, 0.5, 0.6]).unwrap();
        assert!((score - 0.583_333_333_333_333_3).abs() < 1e-15);
    }

    #[test]
    fn perfect_reversed_and_undecided() {
        let labels = [1.0, 0.0, 0.0];
        assert_eq!(balanced_accuracy(&labels, &[1.0, 0.0, 0.5]), Some(1.0));
        assert_eq!(balanced_accuracy(&labels, &[0.0, 1.0, 0.7]), Some(0.0));
        assert_eq!(balanced_accuracy(&labels, &[0.5; 3]), Some(0.5));
        assert_eq!(balanced_accuracy(&labels, &[0.6; 3]), Some(0.5));
    }

    #[test]
    fn one_class_is_undefined() {
        assert_eq!(balanced_accuracy(&[1.0, 1.0], &[0.2, 0.7]), None);
        assert_eq!(balanced_accuracy(&[0.0], &[0.2]), None);
    }

    proptest! {
        /// Equals the area under the ROC curve of 0/1 predictions: each correct row of a pair counts one
        /// half.
        #[test]
        fn is_the_area_under_the_curve_of_hard_predictions((labels, predictions) in probability_task()) {
            let hard = score_tasks(Metric::RocAuc, Scoring::Hard, &labels, &predictions, 1)[0];
            let score = balanced_accuracy(&labels, &predictions);
            match (score, hard) {
                (Some(score), Some(area)) => prop_assert!((score - area).abs() < 1e-14),
                (score, area) => prop_assert_eq!(score, area),
            }
        }
    }
}
