//! Summaries over tasks and over seeds.

use crate::squares::square;

/// Mean of the defined scores, in the order given. `None` if none is defined.
pub fn mean_defined(scores: &[Option<f64>]) -> Option<f64> {
    let defined = scores.iter().flatten().count();
    (defined > 0).then(|| scores.iter().flatten().sum::<f64>() / defined as f64)
}

/// Mean and sample standard deviation (divided by n - 1), in two passes.
///
/// `None` for no values. One value has a mean but no standard deviation: the second is then `None`, not 0, so that a
/// board with one seed cannot look like one with no spread.
pub fn mean_and_std(values: &[f64]) -> Option<(f64, Option<f64>)> {
    mean_and_variance(values).map(|(mean, variance)| (mean, variance.map(f64::sqrt)))
}

/// Mean and sample variance, as [`mean_and_std`].
pub(crate) fn mean_and_variance(values: &[f64]) -> Option<(f64, Option<f64>)> {
    if values.is_empty() {
        return None;
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| square(value - mean)).sum();
    Some((mean, (values.len() > 1).then(|| squares / (n - 1.0))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn mean_of_the_defined() {
        // (0.5 + 1.0) / 2.
        assert_eq!(mean_defined(&[Some(0.5), None, Some(1.0)]), Some(0.75));
        assert_eq!(mean_defined(&[None]), None);
        assert_eq!(mean_defined(&[]), None);
    }

    #[test]
    fn mean_and_std_by_hand() {
        // Mean 40/8 = 5; squares 9+1+1+1+0+0+4+16 = 32; 32/7.
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(mean_and_std(&values), Some((5.0, Some((32.0_f64 / 7.0).sqrt()))));
        assert_eq!(mean_and_std(&[1.0, 3.0]), Some((2.0, Some(2.0_f64.sqrt()))));
    }

    #[test]
    fn one_value_has_no_spread_to_speak_of() {
        assert_eq!(mean_and_std(&[3.0]), Some((3.0, None)));
        assert_eq!(mean_and_std(&[]), None);
    }

    #[test]
    fn the_numerically_difficult_case_of_nist() {
        // NIST StRD NumAcc1: 10000001, 10000003, 10000002 have mean 10000002 and standard deviation 1.
        assert_eq!(
            mean_and_std(&[10_000_001.0, 10_000_003.0, 10_000_002.0]),
            Some((10_000_002.0, Some(1.0)))
        );
    }

    proptest! {
        #[test]
        fn is_the_root_of_half_the_mean_squared_difference_of_pairs(
            values in prop::collection::vec(-100_i16..=100, 2..40),
        ) {
            let values: Vec<f64> = values.into_iter().map(f64::from).collect();
            let n = values.len() as f64;
            // Var = Σ_{i<j} (x_i - x_j)² / (n (n - 1)); here every pair is summed twice.
            let pairs: f64 = values.iter().flat_map(|x| values.iter().map(move |y| (x - y).powi(2))).sum();
            let expected = (pairs / 2.0 / (n * (n - 1.0))).sqrt();
            let (_, std) = mean_and_std(&values).unwrap();
            prop_assert!((std.unwrap() - expected).abs() <= 1e-12 * expected.max(1.0));
        }
    }
}
