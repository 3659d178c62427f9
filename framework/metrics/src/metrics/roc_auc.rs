//! Area under the ROC curve.

use crate::classes::ClassCounts;
use crate::ranks::midranks;
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "area under the ROC curve",
    abbreviation: "AUC",
    kind: MetricKind::Classification,
    higher_is_better: true,
    source: "Hanley & McNeil 1982, Radiology 143, 29",
    equal_predictions: None,
    compute: roc_auc,
};

/// Area under the ROC curve: the Mann-Whitney U of the positives over (positives x negatives), with midranks for
/// ties. Equal to the trapezoid rule on the empirical curve, which is what scikit-learn's `roc_auc_score` does.
///
/// U is exact, so the result is one rounded division: an area of exactly 4/5 is the `f64` `0.8`. `None` if a
/// class is absent. The values are finite.
//
// Hanley & McNeil 1982, "The meaning and use of the area under a receiver operating characteristic (ROC) curve",
// Radiology 143, 29.
fn roc_auc(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    let ClassCounts { positives, negatives } = ClassCounts::of(labels)?;
    let (positives, negatives) = (positives as f64, negatives as f64);
    let ranks = midranks(predictions);
    let rank_sum: f64 =
        labels.iter().zip(&ranks).filter(|(label, _)| **label == 1.0).map(|(_, rank)| rank).sum();
    let u = rank_sum - positives * (positives + 1.0) / 2.0;
    Some(u / (positives * negatives))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classes::tests::binary_task;

    #[test]
    fn four_rows_by_hand() {
        // Positives 0.35 and 0.8, negatives 0.1 and 0.4. Pairs: 0.35>0.1, 0.35<0.4, 0.8>0.1, 0.8>0.4: 3 of 4.
        assert_eq!(roc_auc(&[0.0, 0.0, 1.0, 1.0], &[0.1, 0.4, 0.35, 0.8]), Some(0.75));
    }

    #[test]
    fn ties_count_one_half() {
        // Positives 1 and 2, negatives 1, 1 and 0. Pairs of 1: tie, tie, above = 0.5 + 0.5 + 1 = 2. Pairs of 2: 3.
        // (2 + 3) / 6.
        assert_eq!(roc_auc(&[1.0, 1.0, 0.0, 0.0, 0.0], &[1.0, 2.0, 1.0, 1.0, 0.0]), Some(5.0 / 6.0));
        assert_eq!(roc_auc(&[1.0, 0.0, 0.0], &[0.3; 3]), Some(0.5));
    }

    #[test]
    fn perfect_and_reversed() {
        assert_eq!(roc_auc(&[0.0, 0.0, 1.0], &[-1.0, 0.0, 1.0]), Some(1.0));
        assert_eq!(roc_auc(&[0.0, 0.0, 1.0], &[1.0, 0.0, -1.0]), Some(0.0));
    }

    #[test]
    fn one_class_is_undefined() {
        assert_eq!(roc_auc(&[1.0, 1.0], &[0.2, 0.3]), None);
        assert_eq!(roc_auc(&[0.0], &[0.2]), None);
    }

    proptest! {
        #[test]
        fn is_the_share_of_pairs_in_order((labels, predictions) in binary_task()) {
            let class = |wanted: f32| {
                labels.iter().zip(&predictions).filter(move |(label, _)| **label == wanted).map(|(_, p)| *p)
            };
            let mut halves = 0_usize;
            for positive in class(1.0) {
                for negative in class(0.0) {
                    halves += if positive > negative { 2 } else { usize::from(positive == negative) };
                }
            }
            let pairs = class(1.0).count() * class(0.0).count();
            prop_assert_eq!(roc_auc(&labels, &predictions), Some(halves as f64 / 2.0 / pairs as f64));
        }

        #[test]
        fn only_the_order_matters((labels, predictions) in binary_task()) {
            // Exact in f32: the predictions are integers of at most 20 in size.
            let moved: Vec<f32> = predictions.iter().map(|p| p * p * p + 7.0).collect();
            prop_assert_eq!(roc_auc(&labels, &moved), roc_auc(&labels, &predictions));
        }

        #[test]
        fn flipped_labels_give_the_rest((labels, predictions) in binary_task()) {
            let flipped: Vec<f32> = labels.iter().map(|label| 1.0 - label).collect();
            let sum = roc_auc(&labels, &predictions).unwrap() + roc_auc(&flipped, &predictions).unwrap();
            prop_assert!((sum - 1.0).abs() < 1e-15);
        }
    }
}
