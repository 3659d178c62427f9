//! The kernel matrix, computed once for all tasks.

use molarena_sdk::{Call, Dense, Error, Inputs, Result};
use serde::{Deserialize, Serialize};

use super::{config::KernelChoice, molecules::Molecules};
use crate::{forest::check_finite, pool, scaler::Scaler};

/// The training molecules and the kernel that compares others with them. A molecule's kernel with itself is 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kernel {
    train: Molecules,
    /// Standardises the columns; for the kernel `rbf` only.
    radial: Option<Radial>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Radial {
    scaler: Scaler,
    /// 1 / (2 length scale^2); 0 until the length scale is set.
    decay: f64,
}

impl Kernel {
    /// A kernel over training molecules: tanimoto on bits (Ralaivola et al. 2005), minmax on dense features of at least 0
    /// (the same paper's min-max kernel), or rbf on dense features that are standardised first.
    pub(super) fn new(choice: KernelChoice, train: &Inputs<'_>) -> Result<Self> {
        if choice == KernelChoice::Rbf {
            let dense = train.dense()?;
            let radial = Radial { scaler: Scaler::fit(&dense)?, decay: 0.0 };
            return Ok(Self { train: radial.molecules(&dense)?, radial: Some(radial) });
        }
        let train = match choice {
            KernelChoice::Minmax => Molecules::from_counts(&train.dense()?)?,
            _ => Molecules::from_bits(&train.bits()?)?,
        };
        Ok(Self { train, radial: None })
    }

    /// Number of training molecules.
    pub(super) fn rows(&self) -> usize {
        self.train.rows()
    }

    /// Checks that the stored state can be used.
    pub(super) fn is_sound(&self) -> bool {
        self.train.is_sound()
            && self.radial.as_ref().is_none_or(|radial| {
                matches!(self.train, Molecules::Dense { .. })
                    && radial.scaler.columns() == self.train.columns()
                    && radial.decay.is_finite()
            })
    }

    /// Other molecules, in the form that this kernel takes.
    pub(super) fn molecules(&self, inputs: &Inputs<'_>) -> Result<Molecules> {
        let others = match (&self.train, &self.radial) {
            (Molecules::Dense { .. }, Some(radial)) => radial.molecules(&inputs.dense()?)?,
            (Molecules::Bits { .. }, _) => Molecules::from_bits(&inputs.bits()?)?,
            _ => Molecules::from_counts(&inputs.dense()?)?,
        };
        if others.columns() == self.train.columns() {
            return Ok(others);
        }
        Err(Error::invalid_argument(format!(
            "the process was fitted to {} features, these inputs have {}",
            self.train.columns(),
            others.columns()
        )))
    }

    /// Kernels of molecule `row` of `others` with all training molecules.
    pub(super) fn cross(&self, others: &Molecules, row: usize, scratch: &mut Vec<f32>, out: &mut [f32]) {
        self.train.compare(others, row, scratch, out);
        if let Some(radial) = &self.radial {
            for value in out {
                *value = radial.of_distance(*value);
            }
        }
    }

    /// Similarities of the training molecules; for rbf, squared distances.
    pub(super) fn compare(&self, call: &Call<'_>) -> Result<Lower> {
        let row = |scratch: &mut Vec<f32>, row: usize| {
            let mut out = vec![0.0; row + 1];
            self.train.compare(&self.train, row, scratch, &mut out);
            Ok(out)
        };
        Ok(Lower(pool::map(self.rows(), call, "computing the kernel", Vec::new, row)?))
    }

    /// The length scale at which two molecules at the mean squared distance have the kernel 1/e; `None` if there is
    /// none.
    pub(super) fn natural_length_scale(&self) -> Option<f64> {
        self.radial.as_ref().map(|radial| (radial.scaler.varying().max(1) as f64).sqrt())
    }

    /// Sets the length scale and turns squared distances into kernels.
    pub(super) fn set_length_scale(&mut self, length_scale: f64, lower: &mut Lower) {
        if let Some(radial) = &mut self.radial {
            radial.decay = decay(length_scale);
        }
        self.finish(lower);
    }

    /// Turns the values of [`compare`](Self::compare) into kernels; the length scale must be set.
    pub(super) fn finish(&self, lower: &mut Lower) {
        if let Some(radial) = &self.radial {
            lower.0.iter_mut().flatten().for_each(|value| *value = radial.of_distance(*value));
        }
    }
}

/// 1 / (2 length scale^2).
pub(super) fn decay(length_scale: f64) -> f64 {
    0.5 / length_scale.powi(2)
}

impl Radial {
    fn molecules(&self, dense: &Dense<'_>) -> Result<Molecules> {
        check_finite(dense)?;
        Ok(Molecules::Dense { rows: dense.rows, columns: dense.columns, values: self.scaler.apply(dense)? })
    }

    fn of_distance(&self, squared: f32) -> f32 {
        (-f64::from(squared) * self.decay).exp() as f32
    }
}

/// The lower triangle of a symmetric matrix, row by row.
#[derive(Clone, Debug)]
pub(super) struct Lower(Vec<Vec<f32>>);

impl Lower {
    /// Row `row`, up to and including the diagonal.
    pub(super) fn row(&self, row: u32) -> &[f32] {
        &self.0[row as usize]
    }

    /// The matrix of `rows` (in increasing order) times `scale` times `vector`.
    pub(super) fn multiply(&self, rows: &[u32], scale: f64, vector: &[f64]) -> Vec<f64> {
        let mut product = vec![0.0; rows.len()];
        for (position, &row) in rows.iter().enumerate() {
            let (values, own) = (self.row(row), vector[position]);
            let mut sum = 0.0;
            for (other, &column) in rows[..position].iter().enumerate() {
                let value = f64::from(values[column as usize]);
                sum += value * vector[other];
                product[other] += value * own;
            }
            product[position] += sum + f64::from(values[row as usize]) * own;
        }
        product.into_iter().map(|value| value * scale).collect()
    }
}
