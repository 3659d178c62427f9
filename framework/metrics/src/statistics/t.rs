//! The paired t-test and the size of an effect.

use super::distributions::{t_critical, t_two_sided};
use super::interval::{Interval, check_confidence};
use crate::mean_and_std;

/// The t-test of paired differences.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PairedT {
    /// Mean difference.
    pub difference: f64,
    /// The mean over its standard error. Infinite for equal differences other than 0.
    pub t: f64,
    /// Number of differences less 1.
    pub degrees_of_freedom: f64,
    /// Two-sided p value.
    pub p_value: f64,
    /// Interval of the mean difference.
    pub interval: Interval,
}

/// Student's t-test of whether the mean of paired `differences` is 0, two-sided; as `scipy.stats.ttest_rel`.
///
/// It assumes independent differences that are about normal. `None` for fewer than 2, and where one is not finite; a
/// p value of 1 where all are 0.
///
/// # Panics
///
/// If `confidence` is not between 0 and 1.
pub fn paired_t(differences: &[f64], confidence: f64) -> Option<PairedT> {
    check_confidence(confidence);
    let (mean, std) = finite_mean_and_std(differences)?;
    let standard_error = std / (differences.len() as f64).sqrt();
    let df = differences.len() as f64 - 1.0;
    let t = if mean == 0.0 { 0.0 } else { mean / standard_error };
    let interval = Interval::around(mean, t_critical(confidence, df) * standard_error);
    Some(PairedT { difference: mean, t, degrees_of_freedom: df, p_value: t_two_sided(t, df), interval })
}

/// Cohen's d of paired data (`d_z`): mean difference over standard deviation of the differences (Cohen 1988,
/// *Statistical Power Analysis for the Behavioral Sciences*, section 2.3.5).
///
/// `None` for fewer than 2 differences, where one is not finite, and where all are equal but not 0; 0 where all are 0.
pub fn cohens_d(differences: &[f64]) -> Option<f64> {
    let (mean, std) = finite_mean_and_std(differences)?;
    if mean == 0.0 {
        return Some(0.0);
    }
    (std > 0.0).then(|| mean / std)
}

/// Mean and sample standard deviation of at least 2 finite values.
fn finite_mean_and_std(values: &[f64]) -> Option<(f64, f64)> {
    if !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let (mean, std) = mean_and_std(values)?;
    Some((mean, std?))
}
