//! Squares by multiplication: `powi` does not promise exact rounding.

pub(crate) fn square(x: f64) -> f64 {
    x * x
}

/// Sum of (label - prediction)², in the order of the rows.
pub(crate) fn squared_error(labels: &[f32], predictions: &[f32]) -> f64 {
    labels.iter().zip(predictions).map(|(&y, &p)| square(f64::from(y) - f64::from(p))).sum()
}
