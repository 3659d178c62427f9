//! Nemenyi's test: all pairs of methods by their mean ranks.

use std::f64::consts::SQRT_2;

use super::blocks::{Blocks, pairs};
use super::friedman::average_ranks;
use super::interval::check_confidence;
use super::studentized_range::{studentized_range_quantile, studentized_range_sf};

/// The difference of two mean ranks above which Nemenyi's test separates two methods at this confidence.
///
/// q √(k(k + 1) / 6N), with q the quantile of the studentized range over √2 (Demšar 2006, *Journal of Machine Learning
/// Research* 7, 1, section 3.2.2).
///
/// # Panics
///
/// If there are fewer than 2 methods, no blocks, or `confidence` is not between 0 and 1.
pub fn nemenyi_critical_difference(methods: usize, blocks: usize, confidence: f64) -> f64 {
    assert!(blocks > 0, "mean ranks need a block");
    check_confidence(confidence);
    studentized_range_quantile(confidence, methods, f64::INFINITY) / SQRT_2 * standard_error(methods, blocks)
}

/// The p values of all pairs of methods, `[methods, methods]`, symmetric with 1 on the diagonal.
///
/// `values` is row-major `[blocks, methods]`, one per method and block. As `posthoc_nemenyi_friedman` of
/// scikit-posthocs. `None` for fewer than 2 methods or 2 blocks, and where a value is not finite.
///
/// # Panics
///
/// If the values do not make rows of `methods`.
pub fn nemenyi(values: &[f64], methods: usize) -> Option<Vec<f64>> {
    let blocks = Blocks::of(values, methods)?.count;
    let ranks = average_ranks(values, methods, true)?;
    let mut p_values = vec![1.0; methods * methods];
    for (first, second) in pairs(methods) {
        let q = (ranks[first] - ranks[second]).abs() / standard_error(methods, blocks) * SQRT_2;
        let p = studentized_range_sf(q, methods, f64::INFINITY);
        p_values[first * methods + second] = p;
        p_values[second * methods + first] = p;
    }
    Some(p_values)
}

/// Standard error of the difference of two mean ranks.
fn standard_error(methods: usize, blocks: usize) -> f64 {
    let k = methods as f64;
    (k * (k + 1.0) / (6.0 * blocks as f64)).sqrt()
}
