//! Intervals and comparisons from replicates.

use super::Replicates;
use crate::squares::square;
use crate::statistics::distributions::{normal_cdf, normal_quantile};
use crate::statistics::interval::{Interval, check_confidence};

/// Two rows on shared resamples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedDifference {
    /// First estimate less second estimate.
    pub difference: f64,
    /// Standard deviation of the resampled differences; 0 for one resample.
    pub standard_error: f64,
    /// Percentile interval of the difference.
    pub interval: Interval,
    /// Two-sided p value: twice the smaller share of resamples with a difference on one side of 0 or at it, where the
    /// sample at hand counts as one resample more (Davison & Hinkley 1997, section 4.2.3). At least 2 / (resamples + 1).
    pub p_value: f64,
}

/// The percentile interval (Efron 1979, *Annals of Statistics* 7, 1): quantiles of the replicates, interpolated between
/// neighbours as numpy does by default. `None` for no replicates, and where one is not a number.
///
/// # Panics
///
/// If `confidence` is not between 0 and 1.
pub fn percentile_interval(replicates: &[f64], confidence: f64) -> Option<Interval> {
    check_confidence(confidence);
    let tail = (1.0 - confidence) / 2.0;
    let sorted = sorted(replicates)?;
    Some(Interval { low: quantile(&sorted, tail), high: quantile(&sorted, 1.0 - tail) })
}

/// The bias-corrected and accelerated interval (Efron 1987, *Journal of the American Statistical Association* 82, 171).
///
/// The correction for bias comes from the share of replicates below the estimate (ties counting one half), the
/// acceleration from `jackknife`, the statistic without each molecule in turn (equation 6.6 of the source); for the
/// difference of two rows these are differences. As `scipy.stats.bootstrap`. `None` for no replicates, where a value is
/// not a number, and where all replicates are on one side of the estimate.
///
/// # Panics
///
/// If `confidence` is not between 0 and 1.
pub fn bca_interval(
    estimate: f64,
    replicates: &[f64],
    jackknife: &[f64],
    confidence: f64,
) -> Option<Interval> {
    check_confidence(confidence);
    let sorted = sorted(replicates)?;
    let smaller = sorted.iter().filter(|&&value| value < estimate).count() as f64;
    let equal = sorted.iter().filter(|&&value| value == estimate).count() as f64;
    let bias = normal_quantile((smaller + equal / 2.0) / sorted.len() as f64);
    if estimate.is_nan() || !bias.is_finite() || jackknife.iter().any(|value| value.is_nan()) {
        return None;
    }
    let acceleration = acceleration(jackknife);
    let end = |p: f64| {
        let z = bias + normal_quantile(p);
        quantile(&sorted, normal_cdf(bias + z / (1.0 - acceleration * z)))
    };
    let tail = (1.0 - confidence) / 2.0;
    Some(Interval { low: end(tail), high: end(1.0 - tail) })
}

/// One sixth of the skewness of the jackknife's values, turned round. 0 where they are equal.
fn acceleration(jackknife: &[f64]) -> f64 {
    let mean = jackknife.iter().sum::<f64>() / jackknife.len() as f64;
    let squares: f64 = jackknife.iter().map(|value| square(mean - value)).sum();
    let cubes: f64 = jackknife.iter().map(|value| square(mean - value) * (mean - value)).sum();
    if squares > 0.0 { cubes / (6.0 * squares * squares.sqrt()) } else { 0.0 }
}

/// Compares two rows of one [`Bootstrap`](super::Bootstrap). `None` for no resamples.
///
/// # Panics
///
/// If the rows differ in their number of replicates, or `confidence` is not between 0 and 1.
pub fn paired_difference(
    first: &Replicates,
    second: &Replicates,
    confidence: f64,
) -> Option<PairedDifference> {
    assert_eq!(first.values.len(), second.values.len(), "the rows are not of the same resamples");
    let differences: Vec<f64> =
        first.values.iter().zip(&second.values).map(|(one, other)| one - other).collect();
    let interval = percentile_interval(&differences, confidence)?;
    let (_, std) = crate::mean_and_std(&differences)?;
    let share = |side: fn(&f64) -> bool| {
        (differences.iter().filter(|difference| side(difference)).count() as f64 + 1.0)
            / (differences.len() as f64 + 1.0)
    };
    let smaller = share(|difference| *difference <= 0.0).min(share(|difference| *difference >= 0.0));
    Some(PairedDifference {
        difference: first.estimate - second.estimate,
        standard_error: std.unwrap_or(0.0),
        interval,
        p_value: (2.0 * smaller).min(1.0),
    })
}

fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || values.iter().any(|value| value.is_nan()) {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    Some(sorted)
}

/// The quantile of ascending values, interpolated: place `p (n - 1)` from 0.
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, share) = (place.floor() as usize, place - place.floor());
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + share * (sorted[above] - sorted[below])
}
