//! Ranks of the relevant candidates of a query.

/// The ranks of the candidates `relevant` among `scores` `[c]`, ascending; the highest score has rank 1.
///
/// Equal scores count against the method: of tied candidates, those that are not relevant come first. So a
/// method that gives all candidates the same score has its relevant ones last and gains nothing by ties. 0
/// and -0 are equal. The scores are finite.
///
/// # Panics
/// If a relevant candidate is not among the scores.
pub fn relevant_ranks(scores: &[f32], relevant: &[usize]) -> Vec<usize> {
    let mut is_relevant = vec![false; scores.len()];
    for &candidate in relevant {
        is_relevant[candidate] = true;
    }
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&one, &other| {
        let (one_score, other_score) = (scores[one] + 0.0, scores[other] + 0.0);
        other_score.total_cmp(&one_score).then(is_relevant[one].cmp(&is_relevant[other]))
    });
    let places = order.iter().enumerate().filter(|(_, candidate)| is_relevant[**candidate]);
    places.map(|(place, _)| place + 1).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        let scores = [0.1, 0.9, 0.5, 0.7];
        assert_eq!(relevant_ranks(&scores, &[2]), [3]);
        assert_eq!(relevant_ranks(&scores, &[0, 1]), [1, 4]);
        assert_eq!(relevant_ranks(&scores, &[]), [0; 0]);
        // Three at 1: the relevant one comes last of them.
        assert_eq!(relevant_ranks(&[1.0, 1.0, 1.0, 2.0], &[0]), [4]);
        assert_eq!(relevant_ranks(&[1.0, 1.0, 1.0, 2.0], &[0, 2]), [3, 4]);
        assert_eq!(relevant_ranks(&[0.0, -0.0], &[0]), [2]);
        assert_eq!(relevant_ranks(&[0.0, -0.0], &[1]), [2]);
    }

    proptest! {
        /// The definition by counting, whatever the order of the candidates.
        #[test]
        fn a_rank_counts_the_better_and_the_equal_that_are_not_relevant(
            candidates in prop::collection::vec(((-4_i8..4).prop_map(f32::from), any::<bool>()), 0..40),
        ) {
            let scores: Vec<f32> = candidates.iter().map(|(score, _)| *score).collect();
            let relevant: Vec<usize> = (0..scores.len()).filter(|&index| candidates[index].1).collect();
            let mut counted: Vec<usize> = relevant
                .iter()
                .enumerate()
                .map(|(place, &this)| {
                    let others = (0..scores.len()).filter(|&other| {
                        scores[other] > scores[this] || (scores[other] == scores[this] && !candidates[other].1)
                    });
                    let earlier = relevant[..place].iter().filter(|&&other| scores[other] == scores[this]);
                    1 + others.count() + earlier.count()
                })
                .collect();
            counted.sort_unstable();
            prop_assert_eq!(relevant_ranks(&scores, &relevant), counted);
        }
    }
}
