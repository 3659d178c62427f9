//! Coefficient of determination.

use crate::ranks::all_equal;
use crate::squares::{square, squared_error};
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "coefficient of determination",
    abbreviation: "R²",
    kind: MetricKind::Regression,
    higher_is_better: true,
    source: "Kvålseth 1985, The American Statistician 39, 279",
    equal_predictions: None,
    compute: r2,
};

/// 1 - (sum of (label - prediction)²) / (sum of (label - mean label)²): the coefficient of determination against the
/// mean of these very labels (Kvålseth 1985, *The American Statistician* 39, 279, his R²₁). At most 1; negative when
/// the mean would have been the better prediction.
///
/// `None` if all labels are equal, one row included; scikit-learn's `r2_score` gives 0 or 1 there, and NaN for one
/// row. The values are finite.
fn r2(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    if all_equal(labels) {
        return None;
    }
    let mean = labels.iter().map(|&y| f64::from(y)).sum::<f64>() / labels.len() as f64;
    let total: f64 = labels.iter().map(|&y| square(f64::from(y) - mean)).sum();
    Some(1.0 - squared_error(labels, predictions) / total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::mae::tests::regression_task;

    #[test]
    fn by_hand() {
        // Mean 2.5; total 1.5² + 0.5² + 0.5² + 1.5² = 5; residual 1² + 0 + 0 + 1² = 2; 1 - 2/5 = 0.6.
        assert_eq!(r2(&[1.0, 2.0, 3.0, 4.0], &[2.0, 2.0, 3.0, 3.0]), Some(0.6));
    }

    #[test]
    fn perfect_mean_and_worse() {
        let labels = [1.0, 2.0, 3.0];
        assert_eq!(r2(&labels, &labels), Some(1.0));
        assert_eq!(r2(&labels, &[2.0; 3]), Some(0.0));
        // Reversed: residual 2² + 0 + 2² = 8, total 2; 1 - 4.
        assert_eq!(r2(&labels, &[3.0, 2.0, 1.0]), Some(-3.0));
    }

    #[test]
    fn equal_labels_are_undefined() {
        assert_eq!(r2(&[0.1; 7], &[0.1; 7]), None);
        assert_eq!(r2(&[2.0], &[2.0]), None);
    }

    proptest! {
        #[test]
        fn is_at_most_1_and_does_not_depend_on_the_unit((labels, predictions) in regression_task()) {
            prop_assume!(!all_equal(&labels));
            let score = r2(&labels, &predictions).unwrap();
            prop_assert!(score <= 1.0);
            // Exact in f32: quarters of integers.
            let converted = |values: &[f32]| values.iter().map(|value| 32.0 - value * 8.0).collect::<Vec<_>>();
            let other = r2(&converted(&labels), &converted(&predictions)).unwrap();
            prop_assert!((score - other).abs() <= 1e-11 * score.abs().max(1.0));
        }
    }
}
