//! CLOOB: `InfoLOOB` on vectors that a continuous modern Hopfield network retrieves (Eq. 4 to 7 of Fürst et al. 2022, arXiv
//! 2110.11316), the loss of CLOOME.

use burn::tensor::{Tensor, activation::softmax};

use super::{infoloob, normalised};

/// What a Hopfield network without weights of its own retrieves: softmax(beta state stored') stored, with length 1.
pub fn retrieved(state: Tensor<2>, stored: Tensor<2>, beta: f32) -> Tensor<2> {
    let attention = softmax(state.matmul(stored.clone().transpose()) * beta, 1);
    normalised(attention.matmul(stored))
}

/// The sum of both directions, `f32[1]`: profiles among profiles against molecules' queries among profiles, and the same with
/// the sides exchanged. `inverse` is the inverse temperature, `f32[1, 1]`; `beta` that of the retrieval.
pub fn cloob(x: &Tensor<2>, y: &Tensor<2>, inverse: &Tensor<2>, beta: f32) -> Tensor<1> {
    let from_x = [x, y].map(|state| retrieved(state.clone(), x.clone(), beta));
    let from_y = [y, x].map(|state| retrieved(state.clone(), y.clone(), beta));
    let [one, other] = [from_x, from_y].map(|[own, cross]| infoloob(own, cross, inverse));
    one + other
}
