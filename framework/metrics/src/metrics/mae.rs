//! Mean absolute error.

use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "mean absolute error",
    abbreviation: "MAE",
    kind: MetricKind::Regression,
    higher_is_better: false,
    source: "Willmott & Matsuura 2005, Climate Research 30, 79",
    equal_predictions: None,
    compute: |labels, predictions| Some(mae(labels, predictions)),
};

/// Mean of |label - prediction| (Willmott & Matsuura 2005, *Climate Research* 30, 79), in the labels' unit.
///
/// There is at least one row, and the values are finite.
pub(super) fn mae(labels: &[f32], predictions: &[f32]) -> f64 {
    let sum: f64 = labels.iter().zip(predictions).map(|(&y, &p)| (f64::from(y) - f64::from(p)).abs()).sum();
    sum / labels.len() as f64
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Labels and predictions that are quarters of integers, so that small sums are exact; 1 to 60 rows.
    pub(crate) fn regression_task() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
        let quarter = || (-400_i16..=400).prop_map(|quarters| f32::from(quarters) / 4.0);
        prop::collection::vec((quarter(), quarter()), 1..=60).prop_map(|rows| rows.into_iter().unzip())
    }

    #[test]
    fn by_hand() {
        // |3 - 2.5| + |-0.5 - 0| + |2 - 2| + |7 - 8| = 0.5 + 0.5 + 0 + 1 = 2; 2 / 4.
        assert_eq!(mae(&[3.0, -0.5, 2.0, 7.0], &[2.5, 0.0, 2.0, 8.0]), 0.5);
    }

    #[test]
    fn is_accumulated_in_f64() {
        // In f32, 2^24 + 1 is 2^24. |0 - 2^24| + |0 - 1| = 16777217; / 2.
        assert_eq!(mae(&[0.0, 0.0], &[16_777_216.0, 1.0]), 8_388_608.5);
        // And a difference that overflows f32 does not overflow here: |MAX - -MAX| = 2 MAX.
        assert_eq!(mae(&[f32::MAX], &[-f32::MAX]), 2.0 * f64::from(f32::MAX));
    }

    proptest! {
        #[test]
        fn a_shift_of_both_changes_nothing_and_a_shift_of_one_is_its_size(
            (labels, predictions) in regression_task(),
            shift in (-40_i8..=40).prop_map(|quarters| f32::from(quarters) / 4.0),
        ) {
            let shifted = |values: &[f32]| values.iter().map(|value| value + shift).collect::<Vec<_>>();
            prop_assert_eq!(mae(&shifted(&labels), &shifted(&predictions)), mae(&labels, &predictions));
            prop_assert_eq!(mae(&labels, &shifted(&labels)), f64::from(shift.abs()));
            prop_assert_eq!(mae(&predictions, &labels), mae(&labels, &predictions));
        }
    }
}
