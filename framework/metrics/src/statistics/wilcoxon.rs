//! Wilcoxon's signed-rank test: whether paired differences are centred on 0.

use super::distributions::normal_two_sided;
use crate::ranks::{midranks, tie_term};

/// Wilcoxon's signed-rank test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wilcoxon {
    /// Sum of the ranks of the positive differences.
    pub positive_ranks: f64,
    /// Sum of the ranks of the negative differences.
    pub negative_ranks: f64,
    /// Two-sided p value.
    pub p_value: f64,
    /// Whether the p value is exact, not from the normal distribution.
    pub exact: bool,
}

/// Wilcoxon's signed-rank test of `differences`, such as those of two methods over tasks; two-sided.
///
/// Zeros are left out. The p value is exact (by counting the sums of ranks under all signs) for at most 50 differences
/// without zeros and ties, and for at most 13 with them; otherwise from the normal distribution with the correction for
/// ties, without one for continuity: the rule of `scipy.stats.wilcoxon` 1.17. Wilcoxon 1945, *Biometrics Bulletin* 1,
/// 80. `None` for no differences, and where one is not finite; a p value of 1 where all are 0.
pub fn wilcoxon(differences: &[f64]) -> Option<Wilcoxon> {
    if differences.is_empty() || !differences.iter().all(|difference| difference.is_finite()) {
        return None;
    }
    let used: Vec<f64> = differences.iter().copied().filter(|&difference| difference != 0.0).collect();
    let sizes: Vec<f64> = used.iter().map(|difference| difference.abs()).collect();
    let ranks = midranks(&sizes);
    let sum_where = |positive: bool| -> f64 {
        used.iter().zip(&ranks).filter(|(d, _)| (**d > 0.0) == positive).map(|(_, rank)| rank).sum()
    };
    let (positive_ranks, negative_ranks) = (sum_where(true), sum_where(false));
    let ties = tie_term(&sizes);
    let plain = used.len() == differences.len() && ties == 0.0;
    let exact = used.is_empty() || differences.len() <= if plain { 50 } else { 13 };
    let p_value = if exact {
        exact_p_value(&ranks, positive_ranks)
    } else {
        let n = used.len() as f64;
        let variance = (n * (n + 1.0) * (2.0 * n + 1.0) - ties / 2.0) / 24.0;
        normal_two_sided((positive_ranks - n * (n + 1.0) / 4.0) / variance.sqrt())
    };
    Some(Wilcoxon { positive_ranks, negative_ranks, p_value, exact })
}

/// Twice the smaller tail of the sum of the ranks with a positive sign, where each sign is a fair coin.
fn exact_p_value(ranks: &[f64], observed: f64) -> f64 {
    // Ranks are multiples of one half; counts of at most 2^50 signs are exact in `f64`.
    let doubled: Vec<usize> = ranks.iter().map(|rank| (2.0 * rank) as usize).collect();
    let observed = (2.0 * observed) as usize;
    let mut counts = vec![0.0; doubled.iter().sum::<usize>() + 1];
    counts[0] = 1.0;
    let mut reached = 0;
    for rank in doubled {
        reached += rank;
        for sum in (rank..=reached).rev() {
            counts[sum] += counts[sum - rank];
        }
    }
    let all: f64 = counts.iter().sum();
    let lower: f64 = counts[..=observed].iter().sum();
    let upper: f64 = counts[observed..].iter().sum();
    (2.0 * lower.min(upper) / all).min(1.0)
}
