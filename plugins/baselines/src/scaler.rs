//! Scales dense columns to mean 0 and standard deviation 1.

use molarena_sdk::{Dense, Error, Result};
use serde::{Deserialize, Serialize};

use crate::forest::check_finite;

/// Mean and standard deviation of each training column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scaler {
    /// Mean of each column, and the inverse of its standard deviation; 0 for a column that does not vary.
    columns: Vec<(f32, f32)>,
}

impl Scaler {
    /// Learns the columns. The error for a value that is not finite names it.
    pub(crate) fn fit(dense: &Dense<'_>) -> Result<Self> {
        check_finite(dense)?;
        let rows = dense.rows.max(1) as f64;
        let mut means = vec![0.0f64; dense.columns];
        let mut squares = vec![0.0f64; dense.columns];
        for row in 0..dense.rows {
            means.iter_mut().zip(dense.row(row)).for_each(|(mean, &value)| *mean += f64::from(value) / rows);
        }
        for row in 0..dense.rows {
            for ((sum, &mean), &value) in squares.iter_mut().zip(&means).zip(dense.row(row)) {
                *sum += (f64::from(value) - mean).powi(2);
            }
        }
        let column = |(&mean, square): (&f64, f64)| {
            let deviation = (square / rows).sqrt();
            // The rounding error of a constant column does not count as variation.
            let varies = deviation > 1e-6 * mean.abs() && deviation > f64::from(f32::MIN_POSITIVE);
            (mean as f32, if varies { (1.0 / deviation) as f32 } else { 0.0 })
        };
        Ok(Self { columns: means.iter().zip(squares).map(column).collect() })
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Number of columns that vary.
    pub(crate) fn varying(&self) -> usize {
        self.columns.iter().filter(|(_, scale)| *scale != 0.0).count()
    }

    /// Standardised copy, row-major; a column that did not vary in training becomes 0.
    pub(crate) fn apply(&self, dense: &Dense<'_>) -> Result<Vec<f32>> {
        check_finite(dense)?;
        if dense.columns != self.columns() {
            return Err(Error::invalid_argument(format!(
                "the model was fitted to {} columns, these inputs have {}",
                self.columns(),
                dense.columns
            )));
        }
        let scale = |(&value, &(mean, scale)): (&f32, &(f32, f32))| (value - mean) * scale;
        Ok((0..dense.rows).flat_map(|row| dense.row(row).iter().zip(&self.columns).map(scale)).collect())
    }

    /// The rows of [`apply`](Self::apply), brought to the length 1; a row of zeros stays.
    pub(crate) fn directions(&self, dense: &Dense<'_>) -> Result<Vec<f32>> {
        let mut values = self.apply(dense)?;
        for row in values.chunks_exact_mut(dense.columns.max(1)) {
            let length = row.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                for value in row.iter_mut() {
                    *value = (f64::from(*value) / length) as f32;
                }
            }
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_standardised_and_constants_vanish() {
        let values = [1.0, 0.1, 5.0, 3.0, 0.1, 5.0];
        let dense = Dense::new(&values, 2, 3).unwrap();
        let scaler = Scaler::fit(&dense).unwrap();
        assert_eq!((scaler.columns(), scaler.varying()), (3, 1));
        assert_eq!(scaler.apply(&dense).unwrap(), [-1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        let other = [2.0, 9.0, 9.0];
        assert_eq!(scaler.apply(&Dense::new(&other, 1, 3).unwrap()).unwrap(), [0.0; 3]);
        assert!(scaler.apply(&Dense::new(&other, 3, 1).unwrap()).is_err());
        assert!(Scaler::fit(&Dense::new(&[f32::NAN], 1, 1).unwrap()).is_err());
    }
}
