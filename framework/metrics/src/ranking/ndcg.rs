//! Normalised discounted cumulative gain (Järvelin and Kekäläinen 2002) with binary relevance.

/// NDCG@k of a query from the ranks of its relevant candidates (1 is best, all different), between 0 and 1.
///
/// `Σ 1 / log2(1 + rank)` over the relevant candidates of rank k or better, divided by the same sum with the
/// ranks 1, 2, ... `None` without a relevant candidate or with k 0.
pub fn ndcg_at(ranks: &[usize], k: usize) -> Option<f64> {
    let gain = |rank: usize| 1.0 / (1.0 + rank as f64).log2();
    // Folding makes an empty sum 0, not -0.
    let best = (1..=ranks.len().min(k)).map(gain).fold(0.0, std::ops::Add::add);
    let reached =
        ranks.iter().filter(|&&rank| rank <= k).map(|&rank| gain(rank)).fold(0.0, std::ops::Add::add);
    (best > 0.0).then(|| reached / best)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: Option<f64>, expected: f64) {
        let value = value.unwrap();
        assert!((value - expected).abs() < 1e-12, "{value} {expected}");
    }

    #[test]
    fn by_hand() {
        close(ndcg_at(&[1], 1), 1.0);
        close(ndcg_at(&[2], 1), 0.0);
        // 1 / log2(4) = 1 / 2.
        close(ndcg_at(&[3], 10), 0.5);
        close(ndcg_at(&[11], 10), 0.0);
        // Ranks 1 and 3, ideally 1 and 2: (1 + 1/2) / (1 + 1/log2(3)) = 1.5 / 1.6309297535714573.
        close(ndcg_at(&[1, 3], 10), 0.919_720_789_148_178_6);
        // Only k relevant candidates can be among the first k.
        close(ndcg_at(&[1, 2, 3], 2), 1.0);
        assert_eq!(ndcg_at(&[], 10), None);
        assert_eq!(ndcg_at(&[1], 0), None);
    }

    #[test]
    fn between_0_and_1_and_better_with_a_better_rank() {
        for k in 1..=12 {
            for one in 1..=12 {
                for other in one + 1..=13 {
                    let value = ndcg_at(&[one, other], k).unwrap();
                    assert!((0.0..=1.0 + 1e-12).contains(&value));
                    assert!(value >= ndcg_at(&[one, other + 1], k).unwrap());
                }
            }
        }
    }
}
