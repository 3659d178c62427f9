//! CLIP: the cross-entropy of the right partner among all, in both directions (Radford et al. 2021, arXiv 2103.00020).

use burn::tensor::Tensor;

use super::{diagonal, log_sum_exp};

/// The mean of both directions, `f32[1]`; `inverse` is the inverse temperature, `f32[1, 1]`.
pub fn clip(x: Tensor<2>, y: Tensor<2>, inverse: &Tensor<2>) -> Tensor<1> {
    let logits = x.matmul(y.transpose()) * inverse.clone();
    let right = diagonal(logits.clone()).mean();
    let [one, other] = [logits.clone(), logits.transpose()].map(|logits| log_sum_exp(logits).mean());
    (one + other) * 0.5 - right
}
