//! Losses of pairs: row i of one side belongs to row i of the other.
//!
//! Rows are vectors of length 1 unless said otherwise. Each loss has a file of its own with its source.

mod clip;
mod cloob;
mod infocore;
mod infoloob;
mod infonce;

pub use clip::clip;
pub use cloob::{cloob, retrieved};
pub use infocore::{Anchors, Others, infocore_moco, infocore_simclr, reweighted};
pub use infoloob::infoloob;
pub use infonce::{infonce_moco, infonce_simclr};

use burn::tensor::{Tensor, TensorData};

/// The smallest length that a vector is divided by, as in `PyTorch`'s `normalize`.
const LEAST_LENGTH: f32 = 1e-12;

/// Rows divided by their Euclidean lengths.
pub fn normalised(rows: Tensor<2>) -> Tensor<2> {
    let lengths = rows.clone().powi_scalar(2).sum_dim(1).clamp_min(LEAST_LENGTH * LEAST_LENGTH).sqrt();
    rows / lengths
}

/// The logarithm of the sum of exponentials of each row, `f32[n, 1]`.
fn log_sum_exp(rows: Tensor<2>) -> Tensor<2> {
    let largest = rows.clone().detach().max_dim(1);
    (rows - largest.clone()).exp().sum_dim(1).log() + largest
}

/// 1 on the diagonal and 0 elsewhere, on the device of `like`, `f32[n, n]`.
fn identity(like: &Tensor<2>) -> Tensor<2> {
    let count = like.dims()[0];
    let mut values = vec![0f32; count * count];
    values.iter_mut().step_by(count + 1).for_each(|value| *value = 1.0);
    Tensor::from_data(TensorData::new(values, [count, count]), &like.device())
}

/// The diagonal of a square matrix, `f32[n, 1]`.
fn diagonal(square: Tensor<2>) -> Tensor<2> {
    let identity = identity(&square);
    (square * identity).sum_dim(1)
}

/// Added to what must not count in a sum of exponentials.
const EXCLUDED: f32 = -1e9;

/// The logits of the other rows: those of the diagonal do not count.
fn without_own(logits: Tensor<2>) -> Tensor<2> {
    let excluded = identity(&logits) * EXCLUDED;
    logits + excluded
}

#[cfg(test)]
mod tests;
