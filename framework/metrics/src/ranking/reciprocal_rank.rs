//! Reciprocal rank; its mean over queries is the mean reciprocal rank.

/// 1 / the best rank of the relevant candidates of a query. `None` without a relevant candidate.
pub fn reciprocal_rank(ranks: &[usize]) -> Option<f64> {
    ranks.iter().min().map(|&best| 1.0 / best as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(reciprocal_rank(&[4]), Some(0.25));
        assert_eq!(reciprocal_rank(&[9, 2, 5]), Some(0.5));
        assert_eq!(reciprocal_rank(&[]), None);
    }

    #[test]
    fn falls_as_the_best_rank_grows_whatever_the_others_are() {
        for best in 1..50 {
            let value = reciprocal_rank(&[best, 1000]).unwrap();
            assert_eq!(Some(value), reciprocal_rank(&[best, best + 1]));
            assert!(value > reciprocal_rank(&[best + 1]).unwrap());
        }
    }
}
