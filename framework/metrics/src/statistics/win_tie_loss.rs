//! Wins, ties and losses over tasks.

/// Number of tasks on which a row is better than, as good as, and worse than another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WinTieLoss {
    /// Tasks on which the first is better by more than the margin.
    pub wins: usize,
    /// Tasks on which the two differ by no more than the margin.
    pub ties: usize,
    /// Tasks on which the second is better by more than the margin.
    pub losses: usize,
}

/// Counts of the tasks that both rows have a score of. Scores up to `margin` apart are tied; 0 ties only equal scores.
///
/// # Panics
///
/// If the lengths differ, or the margin is negative or not a number.
pub fn win_tie_loss(
    first: &[Option<f64>],
    second: &[Option<f64>],
    margin: f64,
    higher_is_better: bool,
) -> WinTieLoss {
    assert_eq!(first.len(), second.len(), "the rows differ in their number of tasks");
    assert!(margin >= 0.0, "a margin of {margin} is not 0 or more");
    let mut counts = WinTieLoss::default();
    for (one, other) in first.iter().zip(second).filter_map(|(one, other)| one.zip(*other)) {
        let gain = if higher_is_better { one - other } else { other - one };
        if gain > margin {
            counts.wins += 1;
        } else if gain < -margin {
            counts.losses += 1;
        } else {
            counts.ties += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn within_the_margin_is_a_tie() {
        // Gains 0.5, 0.25, -0.25, -0.5; the margin itself ties.
        let first = [Some(1.0), Some(0.75), Some(0.25), Some(0.0), None, Some(1.0)];
        let second = [Some(0.5), Some(0.5), Some(0.5), Some(0.5), Some(0.5), None];
        let counts = |margin, higher| win_tie_loss(&first, &second, margin, higher);
        assert_eq!(counts(0.25, true), WinTieLoss { wins: 1, ties: 2, losses: 1 });
        assert_eq!(counts(0.0, true), WinTieLoss { wins: 2, ties: 0, losses: 2 });
        assert_eq!(
            win_tie_loss(&first[..2], &second[..2], 0.3, false).losses,
            1,
            "an error is better when lower"
        );
    }

    proptest! {
        #[test]
        fn swapped_rows_swap_wins_and_losses(
            rows in prop::collection::vec((prop::option::of(-3_i8..3), prop::option::of(-3_i8..3)), 0..30),
            margin in 0_u8..3,
        ) {
            let first: Vec<_> = rows.iter().map(|row| row.0.map(f64::from)).collect();
            let second: Vec<_> = rows.iter().map(|row| row.1.map(f64::from)).collect();
            let counts = win_tie_loss(&first, &second, f64::from(margin), true);
            let swapped = win_tie_loss(&second, &first, f64::from(margin), true);
            prop_assert_eq!((counts.wins, counts.ties, counts.losses), (swapped.losses, swapped.ties, swapped.wins));
            prop_assert_eq!(win_tie_loss(&first, &second, f64::from(margin), false), swapped);
            let itself = win_tie_loss(&first, &first, 0.0, true);
            prop_assert_eq!((itself.wins, itself.losses), (0, 0));
        }
    }
}
