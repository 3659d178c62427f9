//! Logistic regression.

use molarena_sdk::{Call, Result};

use super::{design::Design, lbfgs::minimise};
use crate::logistic::{log_one_plus_exp, logistic};

const ITERATIONS: usize = 1000;
/// Maximum slope of the objective, per labelled row, that counts as 0.
const TOLERANCE: f64 = 1e-6;

/// Returns the weights of all columns and, last, the intercept, and whether the minimum was reached. The weights
/// minimise the sum of the log losses of the labelled rows plus `alpha / 2` times the sum of the squared weights; the
/// intercept has no penalty. With C = 1 / `alpha` this is scikit-learn's model.
pub(super) fn fit(
    design: &Design<'_>,
    rows: &[u32],
    labels: &[f32],
    alpha: f64,
    call: &Call<'_>,
) -> Result<(Vec<f64>, bool)> {
    let columns = design.columns();
    let ones: f64 = labels.iter().copied().map(f64::from).sum();
    let count = rows.len() as f64;
    let mut start = vec![0.0; columns + 1];
    start[columns] = (ones / (count - ones)).ln();
    minimise(start, ITERATIONS, TOLERANCE, |point, gradient| {
        call.check()?;
        let (weights, intercept) = (&point[..columns], point[columns]);
        gradient.fill(0.0);
        let (mut loss, mut slope) = (0.0, 0.0);
        for (&row, &label) in rows.iter().zip(labels) {
            let z = design.dot(row, weights) + intercept;
            loss += log_one_plus_exp(z) - f64::from(label) * z;
            let slack = logistic(z) - f64::from(label);
            design.add(row, slack, &mut gradient[..columns]);
            slope += slack;
        }
        let mut squares = 0.0;
        for (slope, weight) in gradient.iter_mut().zip(weights) {
            *slope = (*slope + alpha * weight) / count;
            squares += weight * weight;
        }
        gradient[columns] = slope / count;
        Ok((loss + 0.5 * alpha * squares) / count)
    })
}
