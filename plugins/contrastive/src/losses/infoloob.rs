//! `InfoLOOB`, the leave-one-out bound (Poole et al. 2019; Eq. 5 of Fürst et al. 2022, arXiv 2110.11316).

use burn::tensor::Tensor;

use super::{diagonal, log_sum_exp, without_own};

/// The mean over i of `-x_i y_i / t + log sum over j != i of exp(x_i y_j / t)`, times t, `f32[1]`, where `inverse` is 1 / t,
/// `f32[1, 1]`.
pub fn infoloob(x: Tensor<2>, y: Tensor<2>, inverse: &Tensor<2>) -> Tensor<1> {
    let logits = x.matmul(y.transpose()) * inverse.clone();
    let attraction = diagonal(logits.clone()).mean();
    let repulsion = log_sum_exp(without_own(logits)).mean();
    (repulsion - attraction) / inverse.clone().sum()
}
