//! Hit rate at k.

/// HIT@k of a query from the ranks of its relevant candidates: 1 if any is among the first k, else 0. `None` without a
/// relevant candidate.
pub fn hit_at(ranks: &[usize], k: usize) -> Option<f64> {
    ranks.iter().min().map(|&best| f64::from(u8::from(best <= k)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        assert_eq!(hit_at(&[1], 1), Some(1.0));
        assert_eq!(hit_at(&[2], 1), Some(0.0));
        assert_eq!(hit_at(&[40, 10], 10), Some(1.0));
        assert_eq!(hit_at(&[11, 40], 10), Some(0.0));
        assert_eq!(hit_at(&[], 10), None);
    }

    #[test]
    fn never_falls_with_k_and_is_ndcg_at_1() {
        for ranks in [vec![1], vec![3, 7], vec![12]] {
            assert_eq!(hit_at(&ranks, 1), crate::ndcg_at(&ranks, 1));
            let hits: Vec<f64> = (1..20).map(|k| hit_at(&ranks, k).unwrap()).collect();
            assert!(hits.is_sorted(), "{hits:?}");
        }
    }
}
