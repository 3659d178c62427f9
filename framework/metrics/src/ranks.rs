//! Ranks with ties, and the order behind them.

use std::cmp::Ordering;

/// A number of either precision.
pub(crate) trait Real: Copy + PartialEq {
    /// The order of IEEE 754, which is total.
    fn order(&self, other: &Self) -> Ordering;
}

impl Real for f32 {
    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

impl Real for f64 {
    fn order(&self, other: &Self) -> Ordering {
        self.total_cmp(other)
    }
}

/// Indices that sort `values` ascending. Equal values are adjacent (0.0 and -0.0 too, which compare equal).
///
/// The values are finite.
pub(crate) fn ascending<T: Real>(values: &[T]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].order(&values[b]));
    order
}

/// The rank of each value, from 1, ascending; tied values share the mean of their ranks (midranks; Kendall 1945,
/// *Biometrika* 33, 239).
///
/// Each is a multiple of one half, so sums of ranks are exact in `f64`. The values are finite.
pub(crate) fn midranks<T: Real>(values: &[T]) -> Vec<f64> {
    let order = ascending(values);
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|&a, &b| values[a] == values[b]) {
        // Ranks below+1 ..= below+tied.len(): their mean is that of the first and the last.
        let rank = (2 * below + tied.len() + 1) as f64 / 2.0;
        for &index in tied {
            ranks[index] = rank;
        }
        below += tied.len();
    }
    ranks
}

/// Sum of t³ - t over the groups of t tied values, by which tests on ranks correct for ties. The values are finite.
pub(crate) fn tie_term(values: &[f64]) -> f64 {
    let order = ascending(values);
    let groups = order.chunk_by(|&a, &b| values[a] == values[b]);
    groups.map(|tied| tied.len() as f64).map(|t| t * t * t - t).sum()
}

/// Whether all values are equal; true for no value and for one.
pub(crate) fn all_equal<T: Real>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ties_share_the_mean_of_their_ranks() {
        // Sorted: 1 3 3 3 7 7. Ranks 1; 2, 3, 4 -> 3; 5, 6 -> 5.5.
        assert_eq!(midranks(&[3.0, 7.0, 1.0, 3.0, 7.0, 3.0]), [3.0, 5.5, 1.0, 3.0, 5.5, 3.0]);
        assert_eq!(midranks::<f32>(&[]), [0.0; 0]);
    }

    #[test]
    fn zeros_of_either_sign_are_tied() {
        // -0.0, 0.0 and -0.0 hold ranks 1, 2 and 3.
        assert_eq!(midranks(&[-0.0, 0.0, 1.0, -0.0]), [2.0, 2.0, 4.0, 2.0]);
        assert!(all_equal(&[-0.0, 0.0]));
    }

    proptest! {
        /// The definition by counting: one more than those below, plus half of the others that are equal.
        #[test]
        fn a_rank_counts_those_below_and_half_of_those_equal(
            values in prop::collection::vec((-6_i8..6).prop_map(f32::from), 0..60),
        ) {
            let counted: Vec<f64> = values
                .iter()
                .map(|x| {
                    let below = values.iter().filter(|y| *y < x).count() as f64;
                    let equal = values.iter().filter(|y| *y == x).count() as f64;
                    below + equal / 2.0 + 0.5
                })
                .collect();
            prop_assert_eq!(midranks(&values), counted);
        }
    }
}
