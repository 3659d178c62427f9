//! Root mean squared error.

use crate::squares::squared_error;
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "root mean squared error",
    abbreviation: "RMSE",
    kind: MetricKind::Regression,
    higher_is_better: false,
    source: "Willmott & Matsuura 2005, Climate Research 30, 79",
    equal_predictions: None,
    compute: |labels, predictions| Some(rmse(labels, predictions)),
};

/// Square root of the mean of (label - prediction)², in the labels' unit.
///
/// There is at least one row, and the values are finite.
fn rmse(labels: &[f32], predictions: &[f32]) -> f64 {
    (squared_error(labels, predictions) / labels.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::mae::{mae, tests::regression_task};

    #[test]
    fn by_hand() {
        // 3² + 4² + 0² + 0² = 25; / 4 = 6.25; the root is 2.5.
        assert_eq!(rmse(&[3.0, 0.0, 1.0, 2.0], &[0.0, 4.0, 1.0, 2.0]), 2.5);
    }

    #[test]
    fn the_largest_values_do_not_overflow() {
        assert_eq!(rmse(&[f32::MAX], &[-f32::MAX]), 2.0 * f64::from(f32::MAX));
    }

    proptest! {
        #[test]
        fn lies_between_the_mean_and_the_greatest_absolute_error((labels, predictions) in regression_task()) {
            let score = rmse(&labels, &predictions);
            let greatest = labels.iter().zip(&predictions).map(|(y, p)| f64::from((y - p).abs())).fold(0.0, f64::max);
            prop_assert!(mae(&labels, &predictions) <= score * (1.0 + 1e-14));
            prop_assert!(score <= greatest * (1.0 + 1e-14));
        }

        #[test]
        fn doubling_everything_doubles_it((labels, predictions) in regression_task()) {
            let doubled = |values: &[f32]| values.iter().map(|value| value * 2.0).collect::<Vec<_>>();
            prop_assert_eq!(rmse(&doubled(&labels), &doubled(&predictions)), 2.0 * rmse(&labels, &predictions));
        }
    }
}
