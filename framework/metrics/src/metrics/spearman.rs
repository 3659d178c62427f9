//! Spearman's rank correlation.

use crate::ranks::{all_equal, midranks};
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "Spearman's rank correlation",
    abbreviation: "Spearman",
    kind: MetricKind::Regression,
    higher_is_better: true,
    source: "Spearman 1904, The American Journal of Psychology 15, 72",
    equal_predictions: Some(0.0),
    compute: spearman,
};

/// Spearman's rank correlation: Pearson's correlation of the midranks (Spearman 1904, *The American Journal of
/// Psychology* 15, 72), as scipy's `spearmanr`.
///
/// `None` if all labels or all predictions are equal, one row included. The values are finite.
fn spearman(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    if all_equal(labels) || all_equal(predictions) {
        return None;
    }
    // Midranks, tied or not, have this mean. Both are multiples of one half, so the centred ranks are exact.
    let mean = (labels.len() + 1) as f64 / 2.0;
    let (mut covariance, mut label_variance, mut prediction_variance) = (0.0, 0.0, 0.0);
    for (label_rank, prediction_rank) in midranks(labels).into_iter().zip(midranks(predictions)) {
        let (y, p) = (label_rank - mean, prediction_rank - mean);
        covariance += y * p;
        label_variance += y * y;
        prediction_variance += p * p;
    }
    // Rounding may carry the quotient past 1 by a bit.
    Some((covariance / (label_variance * prediction_variance).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::mae::tests::regression_task;

    #[test]
    fn by_hand_without_ties() {
        // Ranks 1 2 3 4 5 and 2 1 4 3 5; d² = 1 + 1 + 1 + 1 + 0 = 4; 1 - 6 x 4 / (5 x 24) = 0.8.
        assert_eq!(spearman(&[0.1, 0.2, 0.3, 0.4, 0.5], &[20.0, 10.0, 40.0, 30.0, 99.0]), Some(0.8));
    }

    #[test]
    fn by_hand_with_ties() {
        // Ranks 1.5 1.5 3 4 and 1 2 3 4, centred -1 -1 0.5 1.5 and -1.5 -0.5 0.5 1.5.
        // Products 1.5 + 0.5 + 0.25 + 2.25 = 4.5; squares 1 + 1 + 0.25 + 2.25 = 4.5 and 5; 4.5 / sqrt(22.5).
        let score = spearman(&[7.0, 7.0, 8.0, 9.0], &[1.0, 2.0, 3.0, 4.0]).unwrap();
        assert!((score - 4.5 / 22.5_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn equal_values_on_either_side_are_undefined() {
        assert_eq!(spearman(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(spearman(&[1.0, 2.0, 3.0], &[0.5; 3]), None);
        assert_eq!(spearman(&[1.0], &[1.0]), None);
    }

    proptest! {
        #[test]
        fn only_the_orders_matter((labels, predictions) in regression_task()) {
            // Exact in f32: the quarters are first made integers of at most 400 / 2^3 = 50 in size.
            let small: Vec<f32> = predictions.iter().map(|p| (p / 2.0).trunc()).collect();
            let moved: Vec<f32> = small.iter().map(|p| p * p * p + 7.0).collect();
            prop_assert_eq!(spearman(&labels, &moved), spearman(&labels, &small));
            prop_assert_eq!(spearman(&small, &labels), spearman(&labels, &small));
        }

        #[test]
        fn a_reversed_order_changes_the_sign((labels, predictions) in regression_task()) {
            let reversed: Vec<f32> = predictions.iter().map(|p| -p).collect();
            prop_assert_eq!(spearman(&labels, &reversed), spearman(&labels, &predictions).map(|score| -score));
        }

        /// Without ties, 1 - 6 Σd² / (n (n² - 1)).
        #[test]
        fn without_ties_it_is_the_textbook_formula(
            order in (2_usize..=40).prop_flat_map(|n| Just((0..n as u8).collect::<Vec<_>>()).prop_shuffle()),
        ) {
            let n = order.len() as f64;
            let labels: Vec<f32> = (0..order.len() as u8).map(f32::from).collect();
            let predictions: Vec<f32> = order.iter().map(|&rank| f32::from(rank)).collect();
            let squares: f64 = labels.iter().zip(&predictions).map(|(y, p)| f64::from(y - p).powi(2)).sum();
            let textbook = 1.0 - 6.0 * squares / (n * (n * n - 1.0));
            prop_assert!((spearman(&labels, &predictions).unwrap() - textbook).abs() < 1e-14);
        }
    }
}
