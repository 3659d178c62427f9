//! The studentized range: the distribution behind Tukey's and Nemenyi's tests.

use super::distributions::{normal_cdf, root};
use super::quadrature::{mean_over_deviation, mean_over_normal};

/// P(Q <= q), where Q is the range of `groups` independent standard normals over an independent estimate of their
/// standard deviation with `df` degrees of freedom (`f64::INFINITY` for a known one).
///
/// The double integral of Tukey 1953 (Lund & Lund 1983, *Applied Statistics* 32, 204, equation 1), by the trapezoid
/// rule. The absolute error is below 1e-9. 0 for `q` of 0 or less.
///
/// # Panics
///
/// If there are fewer than 2 groups, `df` is below 1, or `q` is not a number.
pub fn studentized_range_cdf(q: f64, groups: usize, df: f64) -> f64 {
    assert!(groups >= 2, "a range needs two groups or more");
    assert!(df >= 1.0, "{df} degrees of freedom are fewer than 1");
    assert!(!q.is_nan(), "q is not a number");
    if q <= 0.0 {
        return 0.0;
    }
    if q == f64::INFINITY {
        return 1.0;
    }
    mean_over_deviation(df, |s| range_cdf(q * s, groups)).clamp(0.0, 1.0)
}

/// P(Q > q): see [`studentized_range_cdf`]. Values below 1e-9 are noise, or 0.
pub fn studentized_range_sf(q: f64, groups: usize, df: f64) -> f64 {
    1.0 - studentized_range_cdf(q, groups, df)
}

/// The q with P(Q <= q) = `probability`: see [`studentized_range_cdf`].
///
/// # Panics
///
/// As [`studentized_range_cdf`], and if the probability is not in `[0, 1)`.
pub fn studentized_range_quantile(probability: f64, groups: usize, df: f64) -> f64 {
    assert!((0.0..1.0).contains(&probability), "a probability of {probability} is not in [0, 1)");
    root(|q| studentized_range_cdf(q, groups, df), probability)
}

/// P(range of `groups` standard normals <= width) = k ∫ φ(z) [Φ(z) - Φ(z - width)]^(k - 1) dz, where z is the greatest.
fn range_cdf(width: f64, groups: usize) -> f64 {
    let others = (groups - 1) as i32;
    let spread = mean_over_normal(|z| (normal_cdf(z) - normal_cdf(z - width)).powi(others));
    (groups as f64 * spread).min(1.0)
}
