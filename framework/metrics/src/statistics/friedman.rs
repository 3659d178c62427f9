//! Friedman's test: whether methods that are ranked in each block differ at all.

use super::blocks::Blocks;
use super::distributions::{chi_squared_upper, f_upper};
use crate::ranks::{midranks, tie_term};

/// Friedman's test, and its correction by Iman and Davenport.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Friedman {
    /// Friedman's statistic, corrected for ties.
    pub chi_squared: f64,
    /// Its p value, with methods - 1 degrees of freedom.
    pub p_value: f64,
    /// Statistic of Iman and Davenport, which is less conservative. Infinite if every block has the same order.
    pub f: f64,
    /// Its p value, with methods - 1 and (methods - 1)(blocks - 1) degrees of freedom.
    pub f_p_value: f64,
}

/// The mean rank of each method over blocks, from 1, the best; tied methods share the mean of their ranks.
///
/// `values` is row-major `[blocks, methods]`. `None` for no blocks, and where a value is not finite.
///
/// # Panics
///
/// If the values do not make rows of `methods`.
pub fn average_ranks(values: &[f64], methods: usize, higher_is_better: bool) -> Option<Vec<f64>> {
    assert!(methods > 0, "a block has at least one method");
    assert!(values.len().is_multiple_of(methods), "{} values do not make blocks of {methods}", values.len());
    if values.is_empty() || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let mut sums = vec![0.0; methods];
    for row in values.chunks_exact(methods) {
        sums.iter_mut().zip(ranks_of(row, higher_is_better)).for_each(|(sum, rank)| *sum += rank);
    }
    let blocks = (values.len() / methods) as f64;
    Some(sums.iter().map(|sum| sum / blocks).collect())
}

/// Ranks of the values, from 1, the best.
pub(crate) fn ranks_of(values: &[f64], higher_is_better: bool) -> Vec<f64> {
    let mut ranks = midranks(values);
    if higher_is_better {
        let turned = values.len() as f64 + 1.0;
        for rank in &mut ranks {
            *rank = turned - *rank;
        }
    }
    ranks
}

/// Friedman's test of methods measured in the same blocks (tasks).
///
/// `values` is row-major `[blocks, methods]`. Friedman 1937, *Journal of the American Statistical Association* 32, 675,
/// with the correction for ties, as `scipy.stats.friedmanchisquare`; Iman & Davenport 1980, *Communications in
/// Statistics* A9, 571. `None` for fewer than 2 methods or 2 blocks, where a value is not finite, and where all methods
/// are tied in every block.
///
/// # Panics
///
/// If the values do not make rows of `methods`.
pub fn friedman(values: &[f64], methods: usize) -> Option<Friedman> {
    let blocks = Blocks::of(values, methods)?;
    let (k, n) = (methods as f64, blocks.count as f64);
    let mut sums = vec![0.0; methods];
    let mut ties = 0.0;
    for row in blocks.rows() {
        sums.iter_mut().zip(midranks(row)).for_each(|(sum, rank)| *sum += rank);
        ties += tie_term(row);
    }
    let correction = 1.0 - ties / (k * (k * k - 1.0) * n);
    if correction <= 0.0 {
        return None;
    }
    let squares: f64 = sums.iter().map(|sum| sum * sum).sum();
    let chi_squared = ((12.0 / (k * n * (k + 1.0)) * squares - 3.0 * n * (k + 1.0)) / correction).max(0.0);
    let f = iman_davenport(chi_squared, methods, blocks.count);
    Some(Friedman {
        chi_squared,
        p_value: chi_squared_upper(chi_squared, k - 1.0),
        f,
        f_p_value: f_upper(f, k - 1.0, (k - 1.0) * (n - 1.0)),
    })
}

/// The statistic of Iman and Davenport from that of Friedman.
fn iman_davenport(chi_squared: f64, methods: usize, blocks: usize) -> f64 {
    let (k, n) = (methods as f64, blocks as f64);
    let rest = n * (k - 1.0) - chi_squared;
    if rest <= 0.0 { f64::INFINITY } else { (n - 1.0) * chi_squared / rest }
}
