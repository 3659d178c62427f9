//! The rows that a linear model multiplies by its weights.

use faer::Mat;
use molarena_sdk::{Inputs, Result};

use crate::{forest::BitRows, scaler::Scaler};

/// n rows of features: set bits, or dense values.
pub(super) enum Design<'a> {
    Bits(BitRows<'a>),
    Dense { columns: usize, values: Vec<f32> },
}

impl<'a> Design<'a> {
    /// Uses bits unchanged if there is no scaler; otherwise dense columns, standardised by it.
    pub(super) fn new(inputs: &Inputs<'a>, scaler: Option<&Scaler>) -> Result<Self> {
        Ok(match scaler {
            None => Self::Bits(BitRows::new(inputs.bits()?)?),
            Some(scaler) => {
                Self::Dense { columns: scaler.columns(), values: scaler.apply(&inputs.dense()?)? }
            }
        })
    }

    /// Number of features in a row.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Bits(rows) => rows.n_bits(),
            Self::Dense { columns, .. } => *columns,
        }
    }

    /// Sum of the row's features times the weights.
    pub(super) fn dot(&self, row: u32, weights: &[f64]) -> f64 {
        match self {
            Self::Bits(rows) => rows.set(row).iter().map(|&bit| weights[bit as usize]).sum(),
            Self::Dense { .. } => {
                let mut sums = [0.0; 8];
                let (blocks, rest) = self.dense(row).as_chunks::<8>();
                let (weights, weights_rest) = weights.as_chunks::<8>();
                for (values, weights) in blocks.iter().zip(weights) {
                    for lane in 0..8 {
                        sums[lane] += f64::from(values[lane]) * weights[lane];
                    }
                }
                let rest: f64 = rest.iter().zip(weights_rest).map(|(&x, weight)| f64::from(x) * weight).sum();
                sums.iter().sum::<f64>() + rest
            }
        }
    }

    /// Adds `scale` times the row's features to `sums`.
    pub(super) fn add(&self, row: u32, scale: f64, sums: &mut [f64]) {
        match self {
            Self::Bits(rows) => rows.set(row).iter().for_each(|&bit| sums[bit as usize] += scale),
            Self::Dense { .. } => {
                sums.iter_mut()
                    .zip(self.dense(row))
                    .for_each(|(sum, &value)| *sum += scale * f64::from(value));
            }
        }
    }

    /// The rows as a matrix, minus `means`.
    pub(super) fn centred(&self, rows: &[u32], means: &[f64]) -> Mat<f64> {
        let mut matrix = Mat::from_fn(rows.len(), means.len(), |_, column| -means[column]);
        for (position, &row) in rows.iter().enumerate() {
            match self {
                Self::Bits(bits) => {
                    bits.set(row).iter().for_each(|&bit| matrix[(position, bit as usize)] += 1.0);
                }
                Self::Dense { .. } => {
                    for (column, &value) in self.dense(row).iter().enumerate() {
                        matrix[(position, column)] += f64::from(value);
                    }
                }
            }
        }
        matrix
    }

    fn dense(&self, row: u32) -> &[f32] {
        match self {
            Self::Bits(_) => &[],
            Self::Dense { columns, values } => &values[row as usize * columns..(row as usize + 1) * columns],
        }
    }
}
