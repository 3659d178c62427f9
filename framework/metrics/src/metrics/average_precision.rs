//! Average precision.

use crate::classes::ClassCounts;
use crate::ranks::ascending;
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "average precision",
    abbreviation: "AP",
    kind: MetricKind::Classification,
    higher_is_better: true,
    source: "Manning, Raghavan & Schütze 2008, Introduction to Information Retrieval, 8.4",
    equal_predictions: None,
    compute: average_precision,
};

/// Average precision: the sum over thresholds, from the highest prediction down, of (recall - previous recall) x
/// precision. Tied predictions are one threshold, nothing is interpolated: the definition of scikit-learn's
/// `average_precision_score` (Manning, Raghavan & Schütze 2008, *Introduction to Information Retrieval*, 8.4, where
/// there are no ties).
///
/// `None` if a class is absent. There scikit-learn gives 0 (no positives) or 1 (no negatives) whatever is
/// predicted, which says nothing about the predictions. The values are finite.
fn average_precision(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    let positives = ClassCounts::of(labels)?.positives;
    let mut order = ascending(predictions);
    order.reverse();
    let (mut above, mut hits) = (0_usize, 0_usize);
    let mut sum = 0.0;
    for tied in order.chunk_by(|&a, &b| predictions[a] == predictions[b]) {
        let new_hits = tied.iter().filter(|&&index| labels[index] == 1.0).count();
        above += tied.len();
        hits += new_hits;
        sum += new_hits as f64 * (hits as f64 / above as f64);
    }
    Some(sum / positives as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classes::tests::binary_task;

    #[test]
    fn four_rows_by_hand() {
        // From the top: 0.8 is positive (recall 1/2, precision 1/1), 0.4 is not, 0.35 is (recall 2/2, precision 2/3).
        // 1/2 x 1 + 1/2 x 2/3 = 5/6.
        let score = average_precision(&[0.0, 0.0, 1.0, 1.0], &[0.1, 0.4, 0.35, 0.8]).unwrap();
        assert!((score - 5.0 / 6.0).abs() < 1e-15);
    }

    #[test]
    fn tied_predictions_are_one_threshold() {
        // At 2: one positive of one (recall 1/2, precision 1). At 1: a positive and two negatives come in together
        // (recall 2/2, precision 2/4). 1/2 x 1 + 1/2 x 1/2 = 3/4.
        let labels = [1.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(average_precision(&labels, &[1.0, 2.0, 1.0, 1.0, 0.0]), Some(0.75));
        // All tied: the share of positives.
        assert_eq!(average_precision(&labels, &[0.5; 5]), Some(0.4));
    }

    #[test]
    fn one_class_is_undefined() {
        assert_eq!(average_precision(&[1.0, 1.0], &[0.2, 0.3]), None);
        assert_eq!(average_precision(&[0.0, 0.0], &[0.2, 0.3]), None);
    }

    proptest! {
        /// The mean over positives of the precision among the rows predicted at least as high.
        #[test]
        fn is_the_mean_precision_at_positives((labels, predictions) in binary_task()) {
            let count_from = |threshold: f32, label: Option<f32>| {
                let rows = labels.iter().zip(&predictions);
                rows.filter(|(l, p)| **p >= threshold && label.is_none_or(|wanted| **l == wanted)).count() as f64
            };
            let precisions: Vec<f64> = labels
                .iter()
                .zip(&predictions)
                .filter(|(label, _)| **label == 1.0)
                .map(|(_, p)| count_from(*p, Some(1.0)) / count_from(*p, None))
                .collect();
            let mean = precisions.iter().sum::<f64>() / precisions.len() as f64;
            prop_assert!((average_precision(&labels, &predictions).unwrap() - mean).abs() < 1e-13);
        }

        #[test]
        fn only_the_order_matters((labels, predictions) in binary_task()) {
            let moved: Vec<f32> = predictions.iter().map(|p| p * p * p + 7.0).collect();
            prop_assert_eq!(average_precision(&labels, &moved), average_precision(&labels, &predictions));
        }
    }
}
