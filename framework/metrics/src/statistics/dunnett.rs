//! Dunnett's test: every method against one reference.

use super::blocks::{Blocks, within};
use super::distributions::{normal_cdf, root};
use super::interval::{Interval, check_confidence};
use super::quadrature::{mean_over_deviation, mean_over_normal};

/// A method against the reference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DunnettComparison {
    /// Index of the method.
    pub method: usize,
    /// Mean of the method less mean of the reference.
    pub difference: f64,
    /// The difference over its standard error.
    pub t: f64,
    /// Simultaneous two-sided interval of the difference.
    pub interval: Interval,
    /// Two-sided p value, adjusted for all methods in one step.
    pub p_value: f64,
}

/// P(max |T| <= t) of one T per loading λ: `T = (√(1 - λ²) Z - λ Z0) / S`, where every T has a standard normal Z of its
/// own, all share the standard normal Z0, and S estimates a standard deviation of 1 with `df` degrees of freedom
/// (`f64::INFINITY` for a known one). Two T are correlated by the product of their loadings: all are √½ for groups of
/// equal size, and `√(n / (n0 + n))` for a group of n against a control of n0.
///
/// The integral of Dunnett 1955, *Journal of the American Statistical Association* 50, 1096, by the trapezoid rule. The
/// absolute error is below 1e-9 for loadings up to 0.95.
///
/// # Panics
///
/// If a loading is not in `[0, 1)`, `df` is below 1, or `t` is not a number.
pub fn dunnett_cdf(t: f64, loadings: &[f64], df: f64) -> f64 {
    assert!(loadings.iter().all(|loading| (0.0..1.0).contains(loading)), "a loading is not in [0, 1)");
    assert!(df >= 1.0, "{df} degrees of freedom are fewer than 1");
    assert!(!t.is_nan(), "t is not a number");
    if t <= 0.0 {
        return if loadings.is_empty() { 1.0 } else { 0.0 };
    }
    if t == f64::INFINITY {
        return 1.0;
    }
    // Equal loadings make a power of one factor.
    let factors: Vec<(f64, f64, i32)> = loadings
        .chunk_by(|a, b| a == b)
        .map(|equal| (equal[0], (1.0 - equal[0] * equal[0]).sqrt(), equal.len() as i32))
        .collect();
    let given = |bound: f64, z: f64| -> f64 {
        factors
            .iter()
            .map(|&(loading, rest, count)| {
                let (above, below) = ((loading * z + bound) / rest, (loading * z - bound) / rest);
                (normal_cdf(above) - normal_cdf(below)).powi(count)
            })
            .product()
    };
    mean_over_deviation(df, |s| mean_over_normal(|z| given(t * s, z))).clamp(0.0, 1.0)
}

/// Dunnett's test of repeated measures: every method is measured once in every block (a task, or a task and seed).
///
/// `values` is row-major `[blocks, methods]`; one of the methods is the `reference`. The error is that of
/// [`tukey_blocks`](super::tukey_blocks), with the same assumptions; differences from the reference are correlated by
/// one half. `None` for fewer than 2 methods or 2 blocks, and where a value is not finite.
///
/// # Panics
///
/// If the values do not make rows of `methods`, `reference` is not one of them, or `confidence` is not between 0 and 1.
pub fn dunnett_blocks(
    values: &[f64],
    methods: usize,
    reference: usize,
    confidence: f64,
) -> Option<Vec<DunnettComparison>> {
    assert!(reference < methods, "no method has the index {reference}");
    let blocks = Blocks::of(values, methods)?;
    let (mean_square_error, df) = blocks.residual();
    let means = blocks.means();
    let standard_error = (mean_square_error * 2.0 / blocks.count as f64).sqrt();
    let others: Vec<(usize, f64, f64)> = (0..methods)
        .filter(|&method| method != reference)
        .map(|method| (method, means[method] - means[reference], standard_error))
        .collect();
    Some(compare(&others, &vec![0.5_f64.sqrt(); methods - 1], df, confidence))
}

/// Dunnett's test of independent groups against a control, of any sizes; as `scipy.stats.dunnett`.
///
/// `method` of a result is the index in `groups`. `None` where a group is empty or a value not finite, or where every
/// group has one value.
///
/// # Panics
///
/// If `confidence` is not between 0 and 1.
pub fn dunnett_groups(control: &[f64], groups: &[&[f64]], confidence: f64) -> Option<Vec<DunnettComparison>> {
    let all: Vec<&[f64]> = [control].into_iter().chain(groups.iter().copied()).collect();
    let (mean_square_error, df) = within(&all)?;
    let mean = |group: &[f64]| group.iter().sum::<f64>() / group.len() as f64;
    let size = |group: &[f64]| group.len() as f64;
    let others: Vec<(usize, f64, f64)> = groups
        .iter()
        .enumerate()
        .map(|(method, group)| {
            let inverse_sizes = 1.0 / size(group) + 1.0 / size(control);
            (method, mean(group) - mean(control), (mean_square_error * inverse_sizes).sqrt())
        })
        .collect();
    let loadings: Vec<f64> =
        groups.iter().map(|group| (size(group) / (size(control) + size(group))).sqrt()).collect();
    Some(compare(&others, &loadings, df, confidence))
}

/// Comparisons of (method, difference, standard error).
fn compare(
    others: &[(usize, f64, f64)],
    loadings: &[f64],
    df: f64,
    confidence: f64,
) -> Vec<DunnettComparison> {
    check_confidence(confidence);
    let critical = root(|t| dunnett_cdf(t, loadings, df), confidence);
    others
        .iter()
        .map(|&(method, difference, standard_error)| {
            let t = if difference == 0.0 { 0.0 } else { difference / standard_error };
            let p_value = if difference == 0.0 { 1.0 } else { 1.0 - dunnett_cdf(t.abs(), loadings, df) };
            let interval = Interval::around(difference, critical * standard_error);
            DunnettComparison { method, difference, t, interval, p_value }
        })
        .collect()
}
