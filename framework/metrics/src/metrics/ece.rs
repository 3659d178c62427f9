//! Expected calibration error.

use crate::classes::is_binary;
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "expected calibration error",
    abbreviation: "ECE",
    kind: MetricKind::Classification,
    higher_is_better: false,
    source: "Naeini, Cooper & Hauskrecht 2015, AAAI, 2901; Guo, Pleiss, Sun & Weinberger 2017, ICML, equation 3",
    equal_predictions: None,
    compute: expected_calibration_error,
};

/// Number of bins, as in table 1 of Guo et al.
const BINS: usize = 15;

/// The mean over rows of |share of positives - mean predicted probability| of the row's bin: bins are the 15 equal
/// intervals ((m - 1)/15, m/15] of the predicted probability, and 0 is in the first. For two classes the bins are of the
/// probability of class 1 (Naeini et al., and Guo et al. in section 4.1), not of the likelier class.
///
/// Probabilities outside of 0 to 1 are clamped first, so the score is in `[0, 1]`. Under hard scoring it
/// compares 0 and 1 with the share of positives among the rows of each. `None` if a label is neither 0 nor 1;
/// one class is enough. There is at least one row, and the values are finite.
fn expected_calibration_error(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    if !is_binary(labels) {
        return None;
    }
    // Sum of label - probability: |sum| is the bin's rows x |share - mean|.
    let mut differences = [0.0; BINS];
    for (&label, &prediction) in labels.iter().zip(predictions) {
        let probability = f64::from(prediction).clamp(0.0, 1.0);
        differences[bin(probability)] += f64::from(label) - probability;
    }
    Some(differences.iter().map(|difference| difference.abs()).sum::<f64>() / labels.len() as f64)
}

/// Index of a probability's bin. The product is exact: 24 bits from the `f32`, and 4 from the 15.
fn bin(probability: f64) -> usize {
    ((probability * BINS as f64).ceil() as usize).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::classes::tests::probability_task;

    #[test]
    fn five_rows_by_hand() {
        // Bin 1 (to 1/15): 0 and 0.0625, no positive: |0 - 0.0625| = 0.0625. Bin 8 (7/15 to 8/15): 0.5, positive: 0.5.
        // Bin 15: 1 and 0.9375, one positive: |1 - 1.9375| = 0.9375. (0.0625 + 0.5 + 0.9375) / 5 = 0.3.
        let score = expected_calibration_error(&[0.0, 0.0, 1.0, 1.0, 0.0], &[0.0, 0.0625, 0.5, 1.0, 0.9375]);
        assert_eq!(score, Some(0.3));
    }

    #[test]
    fn the_upper_end_belongs_to_a_bin() {
        let bins = [0.0, f64::MIN_POSITIVE, 1.0 / 15.0, 0.067, 0.466, 0.467, 0.93, 0.94, 1.0].map(bin);
        assert_eq!(bins, [0, 0, 0, 1, 6, 7, 13, 14, 14]);
    }

    #[test]
    fn probabilities_outside_of_0_to_1_are_those_at_the_ends() {
        let labels = [1.0, 0.0, 1.0];
        let outside = expected_calibration_error(&labels, &[1.25, -0.5, -7.0]);
        assert_eq!(outside, expected_calibration_error(&labels, &[1.0, 0.0, 0.0]));
        assert_eq!(outside, Some(1.0 / 3.0));
    }

    #[test]
    fn one_class_is_enough_and_other_labels_are_not_scored() {
        assert_eq!(expected_calibration_error(&[1.0, 1.0], &[0.5, 0.5]), Some(0.5));
        assert_eq!(expected_calibration_error(&[1.0, 2.0], &[0.5, 0.5]), None);
    }

    proptest! {
        /// One bin for all rows can only lower the sum, a bin for each row can only raise it.
        #[test]
        fn lies_between_the_bias_and_the_mean_absolute_error((labels, predictions) in probability_task()) {
            let n = labels.len() as f64;
            let differences = || labels.iter().zip(&predictions).map(|(&y, &p)| f64::from(y) - f64::from(p));
            let score = expected_calibration_error(&labels, &predictions).unwrap();
            prop_assert!(differences().sum::<f64>().abs() / n <= score + 1e-14);
            prop_assert!(score <= differences().map(f64::abs).sum::<f64>() / n + 1e-14);
        }

        /// Predicting the share of positives in every row is calibrated.
        #[test]
        fn the_share_of_positives_is_calibrated((labels, _) in probability_task()) {
            let share = labels.iter().sum::<f32>() / labels.len() as f32;
            prop_assert!(expected_calibration_error(&labels, &vec![share; labels.len()]).unwrap() < 1e-6);
        }
    }
}
