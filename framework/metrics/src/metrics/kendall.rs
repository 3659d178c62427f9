//! Kendall's rank correlation.

use crate::ranks::{all_equal, midranks};
use crate::{Description, MetricKind};

pub(crate) static DESCRIPTION: Description = Description {
    title: "Kendall's rank correlation",
    abbreviation: "Kendall",
    kind: MetricKind::Regression,
    higher_is_better: true,
    source: "Kendall 1945, Biometrika 33, 239 (tau-b)",
    equal_predictions: Some(0.0),
    compute: kendall,
};

/// Kendall's tau-b, as scipy's `kendalltau`: (pairs in the same order - pairs in opposite orders) over the geometric mean
/// of the numbers of pairs that differ in their labels and in their predictions. Discordant pairs are counted by a merge
/// sort (Knight 1966, *Journal of the American Statistical Association* 61, 436), in O(n log n).
///
/// `None` if all labels or all predictions are equal, one row included. The values are finite.
fn kendall(labels: &[f32], predictions: &[f32]) -> Option<f64> {
    if all_equal(labels) || all_equal(predictions) {
        return None;
    }
    // Ranks are finite, and equal for zeros of either sign, so their order and equality agree.
    let mut rows: Vec<(f64, f64)> = midranks(labels).into_iter().zip(midranks(predictions)).collect();
    rows.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.total_cmp(&other.1)));
    let equal_labels = pairs_within(rows.chunk_by(|one, other| one.0 == other.0));
    let equal_both = pairs_within(rows.chunk_by(|one, other| one == other));
    // Rows of equal labels are in ascending order of predictions, so that none of their pairs is an inversion.
    let mut ranks: Vec<f64> = rows.into_iter().map(|(_, prediction)| prediction).collect();
    let discordant = sort_and_count_inversions(&mut ranks);
    let equal_predictions = pairs_within(ranks.chunk_by(|one, other| one == other));
    let all = pairs(labels.len());
    // Pairs that are equal on both sides are in both counts of equal pairs.
    let concordant = all + equal_both - equal_labels - equal_predictions - discordant;
    let scale = ((all - equal_labels) as f64).sqrt() * ((all - equal_predictions) as f64).sqrt();
    // Rounding may carry the quotient past 1 by a bit.
    Some(((concordant as f64 - discordant as f64) / scale).clamp(-1.0, 1.0))
}

/// Number of pairs of `n` rows.
fn pairs(n: usize) -> u64 {
    let n = n as u64;
    n * n.saturating_sub(1) / 2
}

/// Number of pairs of rows in the same group.
fn pairs_within<'a, T: 'a>(groups: impl Iterator<Item = &'a [T]>) -> u64 {
    groups.map(|group| pairs(group.len())).sum()
}

/// Sorts `values` ascending, and counts the pairs that were in descending order. The values are finite.
fn sort_and_count_inversions(values: &mut [f64]) -> u64 {
    let mut merged = Vec::with_capacity(values.len());
    let (mut inversions, mut width) = (0, 1);
    while width < values.len() {
        for run in values.chunks_mut(2 * width) {
            let (left, right) = run.split_at(width.min(run.len()));
            let (mut from_left, mut from_right) = (0, 0);
            merged.clear();
            while from_left < left.len() && from_right < right.len() {
                if right[from_right] < left[from_left] {
                    // It passes all remaining values of the left half.
                    inversions += (left.len() - from_left) as u64;
                    merged.push(right[from_right]);
                    from_right += 1;
                } else {
                    merged.push(left[from_left]);
                    from_left += 1;
                }
            }
            merged.extend_from_slice(&left[from_left..]);
            merged.extend_from_slice(&right[from_right..]);
            run.copy_from_slice(&merged);
        }
        width *= 2;
    }
    inversions
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::mae::tests::regression_task;

    #[test]
    fn by_hand_without_ties() {
        // Predictions 2 1 4 3 5 in the labels' order: of 10 pairs, (2, 1) and (4, 3) are discordant. (8 - 2) / 10.
        let score = kendall(&[0.1, 0.2, 0.3, 0.4, 0.5], &[20.0, 10.0, 40.0, 30.0, 99.0]).unwrap();
        assert!((score - 0.6).abs() < 1e-15);
    }

    #[test]
    fn by_hand_with_ties() {
        // Labels 1 1 2 3, predictions 1 2 2 0. Of 6 pairs one has equal labels and one equal predictions. (1, 3) is
        // concordant; (1, 4), (2, 4) and (3, 4) are discordant. (1 - 3) / sqrt(5 x 5) = -0.4, which scipy 1.17.1 gives.
        let score = kendall(&[1.0, 1.0, 2.0, 3.0], &[1.0, 2.0, 2.0, 0.0]).unwrap();
        assert!((score + 0.4).abs() < 1e-15, "{score}");
    }

    #[test]
    fn equal_values_on_either_side_are_undefined() {
        assert_eq!(kendall(&[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(kendall(&[1.0, 2.0, 3.0], &[0.5; 3]), None);
        assert_eq!(kendall(&[1.0], &[1.0]), None);
    }

    proptest! {
        /// The definition, pair by pair.
        #[test]
        fn is_the_balance_of_pairs((labels, predictions) in regression_task()) {
            // Eleven distinct values, so that many are tied.
            let coarse = |values: &[f32]| values.iter().map(|value| (value / 20.0).round()).collect::<Vec<f32>>();
            let (labels, predictions) = (coarse(&labels), coarse(&predictions));
            let (mut balance, mut of_labels, mut of_predictions) = (0_i32, 0_u32, 0_u32);
            for first in 0..labels.len() {
                for second in 0..first {
                    let (y, p) = (labels[first] - labels[second], predictions[first] - predictions[second]);
                    balance += if y * p > 0.0 { 1 } else { -i32::from(y * p < 0.0) };
                    of_labels += u32::from(y != 0.0);
                    of_predictions += u32::from(p != 0.0);
                }
            }
            let differing = f64::from(of_labels) * f64::from(of_predictions);
            match kendall(&labels, &predictions) {
                None => prop_assert_eq!(differing, 0.0),
                Some(score) => prop_assert!((score - f64::from(balance) / differing.sqrt()).abs() < 1e-14),
            }
        }

        #[test]
        fn a_reversed_order_changes_the_sign((labels, predictions) in regression_task()) {
            let reversed: Vec<f32> = predictions.iter().map(|p| -p).collect();
            prop_assert_eq!(kendall(&labels, &reversed), kendall(&labels, &predictions).map(|score| -score));
        }
    }
}
