//! Share of tasks above a threshold.

/// The thresholds on a board of areas under the ROC curve (those of arXiv 2406.12056).
pub const AUC_THRESHOLDS: [f64; 3] = [0.80, 0.85, 0.90];

/// Share of the defined tasks whose score is strictly above `threshold`, in `[0, 1]`. Undefined tasks count neither
/// above nor below. `None` if no task is defined.
pub fn threshold_share(scores: &[Option<f64>], threshold: f64) -> Option<f64> {
    let defined = scores.iter().flatten().count();
    let above = scores.iter().flatten().filter(|score| **score > threshold).count();
    (defined > 0).then(|| above as f64 / defined as f64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Metric;

    #[test]
    fn by_hand() {
        // Defined: 0.95, 0.86, 0.80, 0.3. Above 0.80: 2 of 4 (0.80 itself is not); above 0.85: 2; above 0.90: 1.
        let scores = [Some(0.95), None, Some(0.86), Some(0.80), Some(0.3)];
        assert_eq!(AUC_THRESHOLDS.map(|t| threshold_share(&scores, t)), [Some(0.5), Some(0.5), Some(0.25)]);
        assert_eq!(threshold_share(&[None, None], 0.8), None);
        assert_eq!(threshold_share(&[], 0.8), None);
    }

    #[test]
    fn an_area_of_exactly_four_fifths_is_not_above() {
        // One positive above 4 of 5 negatives.
        let score = Metric::RocAuc.compute(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0], &[5.0, 1.0, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!(threshold_share(&[score], 0.80), Some(0.0));
    }

    proptest! {
        #[test]
        fn falls_as_the_threshold_rises_and_ignores_undefined_tasks(
            mut scores in prop::collection::vec(prop::option::of(0.0..=1.0_f64), 0..40),
            low in 0.0..1.0_f64,
            rise in 0.0..1.0_f64,
        ) {
            let (at_low, at_high) = (threshold_share(&scores, low), threshold_share(&scores, low + rise));
            prop_assert!(at_low >= at_high);
            scores.retain(Option::is_some);
            prop_assert_eq!(threshold_share(&scores, low), at_low);
        }
    }
}
