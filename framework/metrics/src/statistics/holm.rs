//! Holm's correction for many tests.

use crate::ranks::ascending;

/// Holm's step-down adjusted p values, in the order given: the family-wise error is at most α where those up to α are
/// rejected (Holm 1979, *Scandinavian Journal of Statistics* 6, 65).
///
/// # Panics
///
/// If a p value is not in `[0, 1]`.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    assert!(p_values.iter().all(|p| (0.0..=1.0).contains(p)), "a p value is not in [0, 1]");
    let mut adjusted = vec![0.0; p_values.len()];
    let mut greatest = 0.0_f64;
    for (done, index) in ascending(p_values).into_iter().enumerate() {
        let left = (p_values.len() - done) as f64;
        greatest = greatest.max((left * p_values[index]).min(1.0));
        adjusted[index] = greatest;
    }
    adjusted
}
