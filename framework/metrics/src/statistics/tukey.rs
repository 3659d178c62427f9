//! Tukey's honestly significant difference: all pairs of methods at once.

use super::blocks::{Blocks, pairs};
use super::interval::{Interval, check_confidence};
use super::studentized_range::{studentized_range_quantile, studentized_range_sf};

/// All pairs of methods, with one error of the family.
#[derive(Debug, Clone, PartialEq)]
pub struct Tukey {
    /// Mean square of the residuals.
    pub mean_square_error: f64,
    /// Its degrees of freedom.
    pub degrees_of_freedom: f64,
    /// Pairs (0, 1), (0, 2), ..., (1, 2), ...
    pub comparisons: Vec<TukeyComparison>,
}

/// Two methods.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TukeyComparison {
    /// Index of the first method.
    pub first: usize,
    /// Index of the second method.
    pub second: usize,
    /// Mean of the first less mean of the second.
    pub difference: f64,
    /// Simultaneous interval of the difference.
    pub interval: Interval,
    /// Two-sided p value, adjusted for all pairs.
    pub p_value: f64,
}

/// Tukey's test of repeated measures: every method is measured once in every block (a task, or a task and seed).
///
/// `values` is row-major `[blocks, methods]`. The model is the two-way analysis of variance without replication, with
/// blocks as a random effect: the error is the interaction, with (methods - 1)(blocks - 1) degrees of freedom. It
/// assumes that differences between methods have one variance (sphericity) and are about normal (Maxwell & Delaney
/// 2004, *Designing Experiments and Analyzing Data*, chapter 11; Tukey 1953). `None` for fewer than 2 methods or 2
/// blocks, and where a value is not finite.
///
/// # Panics
///
/// If the values do not make rows of `methods`, or `confidence` is not between 0 and 1.
pub fn tukey_blocks(values: &[f64], methods: usize, confidence: f64) -> Option<Tukey> {
    let blocks = Blocks::of(values, methods)?;
    let (mean_square_error, df) = blocks.residual();
    let sizes = vec![blocks.count as f64; methods];
    Some(compare(&blocks.means(), &sizes, mean_square_error, df, confidence))
}

/// Tukey's test of independent groups, with Kramer's correction for unequal sizes (Kramer 1956, *Biometrics* 12, 307).
///
/// `None` for fewer than 2 groups, where a group is empty or a value not finite, or where every group has one value.
///
/// # Panics
///
/// If `confidence` is not between 0 and 1.
pub fn tukey_groups(groups: &[&[f64]], confidence: f64) -> Option<Tukey> {
    let (mean_square_error, df) = super::blocks::within(groups)?;
    if groups.len() < 2 {
        return None;
    }
    let sizes: Vec<f64> = groups.iter().map(|group| group.len() as f64).collect();
    let means: Vec<f64> =
        groups.iter().zip(&sizes).map(|(group, size)| group.iter().sum::<f64>() / size).collect();
    Some(compare(&means, &sizes, mean_square_error, df, confidence))
}

fn compare(means: &[f64], sizes: &[f64], mean_square_error: f64, df: f64, confidence: f64) -> Tukey {
    check_confidence(confidence);
    let critical = studentized_range_quantile(confidence, means.len(), df);
    let comparisons = pairs(means.len())
        .map(|(first, second)| {
            let difference = means[first] - means[second];
            let inverse_sizes = f64::midpoint(1.0 / sizes[first], 1.0 / sizes[second]);
            let standard_error = (mean_square_error * inverse_sizes).sqrt();
            let p_value = if difference == 0.0 {
                1.0
            } else {
                studentized_range_sf(difference.abs() / standard_error, means.len(), df)
            };
            let interval = Interval::around(difference, critical * standard_error);
            TukeyComparison { first, second, difference, interval, p_value }
        })
        .collect();
    Tukey { mean_square_error, degrees_of_freedom: df, comparisons }
}

/// The smallest difference that [`tukey_blocks`] separates: critical value times standard error.
pub fn honestly_significant_difference(
    mean_square_error: f64,
    methods: usize,
    blocks: usize,
    confidence: f64,
) -> f64 {
    check_confidence(confidence);
    let df = ((methods.max(1) - 1) * (blocks.max(1) - 1)) as f64;
    studentized_range_quantile(confidence, methods, df) * (mean_square_error / blocks as f64).sqrt()
}
