//! `InfoNCE` (van den Oord et al. 2018, arXiv 1807.03748), in the forms of `InfoCORE`'s reference implementation.

use burn::tensor::Tensor;

use super::{diagonal, log_sum_exp, without_own};

/// The loss of each anchor, `f32[n, 1]`: `-x_i y_i / t + log sum over j != i of exp(x_i y_j / t)`. The own partner is not in the
/// sum.
pub fn infonce_simclr(anchors: Tensor<2>, others: Tensor<2>, temperature: f32) -> Tensor<2> {
    let logits = anchors.matmul(others.transpose()) / temperature;
    log_sum_exp(without_own(logits.clone())) - diagonal(logits)
}

/// The loss of each anchor against its key and a queue of other keys, `f32[n, 1]` (He et al. 2020, arXiv 1911.05722): the
/// cross-entropy of the key among all.
pub fn infonce_moco(anchors: Tensor<2>, keys: Tensor<2>, queue: Tensor<2>, temperature: f32) -> Tensor<2> {
    let own = (anchors.clone() * keys).sum_dim(1) / temperature;
    let others = anchors.matmul(queue.transpose()) / temperature;
    log_sum_exp(Tensor::cat(vec![own.clone(), others], 1)) - own
}
