//! `InfoCORE`: `InfoNCE` whose negatives weigh more the likelier they are of the anchor's batch (Wang et al. 2024, arXiv
//! 2312.00718, Eq. 5 to 7), so that batches do not help to tell partners from others.
//!
//! The weight of other j for anchor i in batch b is `c p(b | x_i) + p(b | y_j)`, with the batch probabilities of two classifiers
//! and a coefficient c. As in the reference implementation, the loss of an anchor is the mean over its batches, and a batch
//! with several replicates may be a distribution.

use burn::tensor::Tensor;

use super::{EXCLUDED, diagonal, identity};

/// Anchors: vectors, their batch probabilities, and their batches.
#[derive(Clone, Debug)]
pub struct Anchors {
    /// `f32[n, d]`.
    pub vectors: Tensor<2>,
    /// `f32[n, batches]`.
    pub probabilities: Tensor<2>,
    /// `f32[n, batches]`: each row's batch, 1 in one place, or a distribution.
    pub batches: Tensor<2>,
}

/// Vectors that anchors are compared with.
#[derive(Clone, Debug)]
pub struct Others {
    /// `f32[m, d]`.
    pub vectors: Tensor<2>,
    /// `f32[m, batches]`.
    pub probabilities: Tensor<2>,
}

/// The same values with gradients times `factor`. The gradient through the weights trains the encoder to hide the batch from
/// the classifiers.
pub fn reweighted(probabilities: &Tensor<2>, factor: f32) -> Tensor<2> {
    let fixed = probabilities.clone().detach();
    if factor == 0.0 { fixed } else { fixed.clone() + (probabilities.clone() - fixed) * factor }
}

/// The loss of each anchor against the others of its batch of training, `f32[n, 1]`:
/// `-x_i y_i / t + log sum over j != i of w_ij exp(x_i y_j / t)`.
pub fn infocore_simclr(anchors: &Anchors, others: &Others, temperature: f32, coefficient: f32) -> Tensor<2> {
    let logits = anchors.vectors.clone().matmul(others.vectors.clone().transpose()) / temperature;
    let own = diagonal(logits.clone());
    let logits = logits.clone() + identity(&logits) * EXCLUDED;
    let largest = logits.clone().detach().max_dim(1);
    let sizes = (logits - largest.clone()).exp();
    let weighted = sizes.clone().matmul(others.probabilities.clone())
        + sizes.sum_dim(1) * anchors.probabilities.clone() * coefficient;
    anchors.mean(own, largest, weighted)
}

/// The loss of each anchor against its key and a queue of other keys, `f32[n, 1]`; the own key is in the sum, too.
pub fn infocore_moco(
    anchors: &Anchors,
    keys: &Others,
    queue: &Others,
    temperature: f32,
    coefficient: f32,
) -> Tensor<2> {
    let own = (anchors.vectors.clone() * keys.vectors.clone()).sum_dim(1) / temperature;
    let logits = anchors.vectors.clone().matmul(queue.vectors.clone().transpose()) / temperature;
    let largest = Tensor::cat(vec![own.clone(), logits.clone()], 1).detach().max_dim(1);
    let own_size = (own.clone() - largest.clone()).exp();
    let sizes = (logits - largest.clone()).exp();
    let of_anchor = (own_size.clone() + sizes.clone().sum_dim(1)) * anchors.probabilities.clone();
    let weighted = own_size * keys.probabilities.clone()
        + sizes.matmul(queue.probabilities.clone())
        + of_anchor * coefficient;
    anchors.mean(own, largest, weighted)
}

impl Anchors {
    /// The mean over batches of -own + largest + log weighted, `f32[n, 1]`.
    fn mean(&self, own: Tensor<2>, largest: Tensor<2>, weighted: Tensor<2>) -> Tensor<2> {
        ((weighted.log() + largest - own) * self.batches.clone()).sum_dim(1)
    }
}
