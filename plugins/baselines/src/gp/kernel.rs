//! The kernel matrix, computed once for all tasks.

use std::f64::consts::PI;

use molarena_sdk::{Call, Dense, Error, Inputs, Result};
use serde::{Deserialize, Serialize};

use super::{config::KernelChoice, molecules::Molecules};
use crate::{pool, scaler::Scaler};

/// The training molecules and the kernel that compares others with them. A molecule's kernel with itself is 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kernel {
    train: Molecules,
    /// For the kernels `rbf` and `arccosine` only.
    standardised: Option<Standardised>,
}

/// A kernel of the distance between standardised features.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Standardised {
    scaler: Scaler,
    shape: Shape,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
enum Shape {
    Radial {
        /// 1 / (2 length scale^2); 0 until the length scale is set.
        decay: f64,
    },
    /// Of the angle between vectors, which are brought to the length 1.
    ArcCosine,
}

impl Kernel {
    /// A kernel over training molecules: tanimoto on bits (Ralaivola et al. 2005), minmax on dense features of at least 0
    /// (the same paper's min-max kernel), or rbf or arccosine on dense features that are standardised first.
    pub(super) fn new(choice: KernelChoice, train: &Inputs<'_>) -> Result<Self> {
        let shape = match choice {
            KernelChoice::Rbf => Some(Shape::Radial { decay: 0.0 }),
            KernelChoice::Arccosine => Some(Shape::ArcCosine),
            _ => None,
        };
        if let Some(shape) = shape {
            let dense = train.dense()?;
            let standardised = Standardised { scaler: Scaler::fit(&dense)?, shape };
            return Ok(Self { train: standardised.molecules(&dense)?, standardised: Some(standardised) });
        }
        let train = match choice {
            KernelChoice::Minmax => Molecules::from_counts(&train.dense()?)?,
            _ => Molecules::from_bits(&train.bits()?)?,
        };
        Ok(Self { train, standardised: None })
    }

    /// Number of training molecules.
    pub(super) fn rows(&self) -> usize {
        self.train.rows()
    }

    /// Checks that the stored state can be used.
    pub(super) fn is_sound(&self) -> bool {
        self.train.is_sound()
            && self.standardised.as_ref().is_none_or(|standardised| {
                matches!(self.train, Molecules::Dense { .. })
                    && standardised.scaler.columns() == self.train.columns()
                    && match standardised.shape {
                        Shape::Radial { decay } => decay.is_finite(),
                        Shape::ArcCosine => true,
                    }
            })
    }

    /// Other molecules, in the form that this kernel takes.
    pub(super) fn molecules(&self, inputs: &Inputs<'_>) -> Result<Molecules> {
        let others = match (&self.train, &self.standardised) {
            (Molecules::Dense { .. }, Some(standardised)) => standardised.molecules(&inputs.dense()?)?,
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
        if let Some(standardised) = &self.standardised {
            for value in out {
                *value = standardised.of_distance(*value);
            }
        }
    }

    /// Similarities of the training molecules; for rbf and arccosine, squared distances.
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
        let standardised = self.standardised.as_ref()?;
        let Shape::Radial { .. } = standardised.shape else { return None };
        Some((standardised.scaler.varying().max(1) as f64).sqrt())
    }

    /// Sets the length scale and turns squared distances into kernels.
    pub(super) fn set_length_scale(&mut self, length_scale: f64, lower: &mut Lower) {
        if let Some(Standardised { shape: Shape::Radial { decay: set }, .. }) = &mut self.standardised {
            *set = decay(length_scale);
        }
        self.finish(lower);
    }

    /// Turns the values of [`compare`](Self::compare) into kernels; the length scale must be set.
    pub(super) fn finish(&self, lower: &mut Lower) {
        if let Some(standardised) = &self.standardised {
            lower.0.iter_mut().flatten().for_each(|value| *value = standardised.of_distance(*value));
        }
    }
}

/// 1 / (2 length scale^2).
pub(super) fn decay(length_scale: f64) -> f64 {
    0.5 / length_scale.powi(2)
}

impl Standardised {
    fn molecules(&self, dense: &Dense<'_>) -> Result<Molecules> {
        let values = match self.shape {
            Shape::Radial { .. } => self.scaler.apply(dense)?,
            Shape::ArcCosine => self.scaler.directions(dense)?,
        };
        Ok(Molecules::Dense { rows: dense.rows, columns: dense.columns, values })
    }

    /// The kernel of two molecules at this squared distance. The arc-cosine kernel of degree 1, divided by the vectors' lengths
    /// (Cho and Saul 2009, equations 3 and 6), is `(sin a + (pi - a) cos a) / pi` at the angle a, and `|x - y|^2 = 2 - 2 cos a`.
    fn of_distance(&self, squared: f32) -> f32 {
        match self.shape {
            Shape::Radial { decay } => (-f64::from(squared) * decay).exp() as f32,
            Shape::ArcCosine => {
                let cosine = (1.0 - f64::from(squared) / 2.0).clamp(-1.0, 1.0);
                let angle = cosine.acos();
                ((angle.sin() + (PI - angle) * cosine) / PI) as f32
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arc_cosine_kernel_by_hand() {
        // Right is 3 to the right, up 1 upwards; columns of mean 0 and one deviation each.
        let values = [3.0, 0.0, -3.0, 0.0, 0.0, 1.0, 0.0, -1.0];
        let inputs = Inputs::from_dense(Dense::new(&values, 4, 2).unwrap());
        let mut kernel = Kernel::new(KernelChoice::Arccosine, &inputs).unwrap();
        assert_eq!(kernel.natural_length_scale(), None);
        let mut lower = kernel.compare(&Call::new(0, 1)).unwrap();
        kernel.finish(&mut lower);
        // Itself, opposite, at a right angle.
        for (found, expected) in lower.row(3).iter().zip([1.0 / PI, 1.0 / PI, 0.0, 1.0]) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
        }
        // A third of a right angle above the right: sqrt(3) / 2 of the cosine.
        let asked = [3.0 * 3f32.sqrt(), 1.0];
        let other = kernel.molecules(&Inputs::from_dense(Dense::new(&asked, 1, 2).unwrap())).unwrap();
        let mut out = [0.0; 4];
        kernel.cross(&other, 0, &mut Vec::new(), &mut out);
        let angle = PI / 6.0;
        let expected = (angle.sin() + (PI - angle) * angle.cos()) / PI;
        assert!((f64::from(out[0]) - expected).abs() < 1e-6, "{out:?} {expected}");
        kernel.set_length_scale(1.0, &mut lower);
        assert!(kernel.is_sound());
    }
}
