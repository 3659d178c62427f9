//! The network's input: dense or sparse rows, and batches of them.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData};

use crate::{SparseRows, sparse_product};

/// Features of n molecules.
#[derive(Clone, Debug)]
pub enum Features {
    /// `f32[n, columns]`, row-major.
    Dense {
        /// Number of columns.
        columns: usize,
        /// n x columns values.
        values: Vec<f32>,
    },
    /// Rows with mostly zeros.
    Sparse(SparseRows),
}

impl Features {
    /// Number of molecules.
    pub fn rows(&self) -> usize {
        match self {
            Self::Dense { columns, values } => values.len() / (*columns).max(1),
            Self::Sparse(rows) => rows.rows(),
        }
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        match self {
            Self::Dense { columns, .. } => *columns,
            Self::Sparse(rows) => rows.columns(),
        }
    }

    /// The molecules `rows`, in that order, padded with rows of zeros up to `height` rows.
    pub fn batch(&self, rows: &[usize], height: usize, device: &Device) -> Batch {
        let height = height.max(rows.len());
        match self {
            Self::Dense { columns, values } => {
                let mut batch = Vec::with_capacity(height * columns);
                batch.extend(rows.iter().flat_map(|row| &values[row * columns..(row + 1) * columns]));
                batch.resize(height * columns, 0.0);
                Batch::Dense(Tensor::from_data(TensorData::new(batch, [height, *columns]), device))
            }
            Self::Sparse(sparse) => {
                let mut batch = sparse.select(rows);
                (rows.len()..height).for_each(|_| batch.push([]));
                Batch::Sparse(Arc::new(batch))
            }
        }
    }
}

/// A batch of molecules on a device.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time; a tensor is what Burn makes it")]
pub enum Batch {
    /// `f32[n, columns]`.
    Dense(Tensor<2>),
    /// Rows with mostly zeros; on the processor.
    Sparse(Arc<SparseRows>),
}

impl Batch {
    /// The product with a weight `f32[columns, width]`: `f32[n, width]`.
    pub fn times(&self, weight: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Dense(rows) => rows.clone().matmul(weight),
            Self::Sparse(rows) => sparse_product(rows, weight),
        }
    }
}
