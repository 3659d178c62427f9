//! The step on `LibTorch` with its own passes over the rows; a composition of tensor operations makes several times as
//! many.

#![expect(deprecated, reason = "0.22 is the last version of Burn with LibTorch, and it is pinned")]

use burn::{
    backend::{
        Autodiff, AutodiffBackend, Backend, Dispatch, LibTorch,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        backend_extension,
        libtorch::TchTensor,
        tensor::FloatTensor,
    },
    tensor::Tensor,
};
use tch::{Device, Kind};

use super::{BatchNorm, Dropout, EPSILON};
use crate::kernels::register;

/// See [`batch_norm`](super::batch_norm).
pub(super) fn batch_norm(
    rows: Tensor<2>,
    [gamma, beta]: [Tensor<2>; 2],
    residual: Option<Tensor<2>>,
    norm: &BatchNorm,
) -> Tensor<2> {
    let [rows, gamma, beta] = [rows, gamma, beta].map(Tensor::into_dispatch);
    let (output, mean, variance) = Dispatch::batch_norm_of_torch(rows, gamma, beta, norm.clone());
    let [output, mean, variance] = [output, mean, variance].map(Tensor::<2>::from_dispatch);
    norm.elsewhere.get_or_init(|| [mean, variance]);
    match residual {
        Some(residual) => output + residual,
        None => output,
    }
}

/// The step as an operation of a backend.
#[backend_extension(LibTorch, Autodiff)]
trait BatchNormOfTorch: Backend {
    /// Output, and mean and variance of the batch, `f32[1, d]`, which get no gradient.
    fn batch_norm_of_torch(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl BatchNormOfTorch for LibTorch {
    fn batch_norm_of_torch(
        rows: TchTensor,
        gamma: TchTensor,
        beta: TchTensor,
        norm: BatchNorm,
    ) -> (TchTensor, TchTensor, TchTensor) {
        let [output, mean, variance] = forward([&rows.tensor, &gamma.tensor, &beta.tensor], &norm);
        (TchTensor::new(output), TchTensor::new(mean), TchTensor::new(variance))
    }
}

/// Output, mean and variance.
fn forward([rows, gamma, beta]: [&tch::Tensor; 3], norm: &BatchNorm) -> [tch::Tensor; 3] {
    let (count, width) = rows.size2().expect("rows have two dimensions");
    let [gamma, beta] = [gamma, beta].map(|row| row.reshape([width]));
    let [mean, variance] = [(); 2].map(|()| tch::Tensor::zeros([width], (Kind::Float, rows.device())));
    // With momentum 1, the running statistics are those of the batch; their variance is divided by n - 1.
    let (momentum, epsilon) = (1.0, f64::from(EPSILON));
    let mut output = rows.batch_norm(
        Some(gamma),
        Some(beta),
        Some(mean.shallow_clone()),
        Some(variance.shallow_clone()),
        true,
        momentum,
        epsilon,
        true,
    );
    if norm.rectified {
        output = output.relu_();
    }
    if let Some(dropout) = norm.dropout {
        // Not in place, because the rectifier's output is part of the graph.
        output =
            output.g_mul(&dropout_factors(dropout, count * width, rows.device()).reshape([count, width]));
    }
    let variance = match count {
        1 => variance.zeros_like(),
        _ => variance * ((count - 1) as f64 / count as f64),
    };
    [output, mean.reshape([1, width]), variance.reshape([1, width])]
}

/// The factors of the first `count` positions. They are hashed here for the processor, and on the device for another
/// device, so that nobody waits for it.
fn dropout_factors(dropout: Dropout, count: i64, device: Device) -> tch::Tensor {
    match device {
        Device::Cpu => tch::Tensor::from_slice(&dropout.factors(count as usize)),
        device => factors_there(dropout, count, device),
    }
}

/// [`Dropout::factor`] of all positions below `count`, on a device.
fn factors_there(dropout: Dropout, count: i64, device: Device) -> tch::Tensor {
    const LOW: i64 = 0xffff_ffff;
    let shifted = |hash: &tch::Tensor, by: i64| hash.bitwise_right_shift_tensor_scalar(by);
    let [first, second] = dropout.seeds.map(i64::from);
    let hash = tch::Tensor::arange(count, (Kind::Int64, device)).bitwise_xor(first);
    let hash = hash.bitwise_xor_tensor(&shifted(&hash, 16));
    let hash = (hash * 0x7feb_352d_i64).bitwise_and(LOW);
    let hash = hash.bitwise_xor_tensor(&shifted(&hash, 15)).bitwise_xor(second);
    let hash = (hash * 0x846c_a68b_i64).bitwise_and(LOW);
    let hash = hash.bitwise_xor_tensor(&shifted(&hash, 16));
    hash.ge(i64::from(dropout.bound)).to_kind(Kind::Float) * f64::from(dropout.keep)
}

/// The step with the graph built by `LibTorch`'s own differentiation.
#[derive(Clone, Debug)]
struct Graph {
    /// Rows, gamma and beta as leaves of the graph. They share the memory of the inputs, which nobody modifies.
    leaves: [TchTensor; 3],
    output: TchTensor,
}

impl Graph {
    /// The graph, with output, mean and variance.
    fn new(inputs: [TchTensor; 3], norm: &BatchNorm) -> (Self, [TchTensor; 3]) {
        let leaves = inputs.map(|input| {
            TchTensor::from_existing(input.tensor.detach().set_requires_grad(true), input.storage)
        });
        let [output, mean, variance] =
            forward([&leaves[0].tensor, &leaves[1].tensor, &leaves[2].tensor], norm);
        let handed_on = TchTensor::new(output.detach());
        let output = TchTensor::from_existing(output, handed_on.storage.clone());
        (
            Self { leaves, output },
            [handed_on, TchTensor::new(mean.detach()), TchTensor::new(variance.detach())],
        )
    }

    /// Gradients of rows, gamma and beta.
    fn backward(&self, handed: &TchTensor) -> [TchTensor; 3] {
        let sum = self.output.tensor.reshape([-1]).dot(&handed.tensor.reshape([-1]));
        let leaves = [&self.leaves[0].tensor, &self.leaves[1].tensor, &self.leaves[2].tensor];
        let gradients = tch::Tensor::run_backward(&[sum], &leaves, false, false);
        let gradients: [tch::Tensor; 3] = gradients.try_into().expect("a gradient for each leaf");
        gradients.map(TchTensor::new)
    }
}

impl<C: CheckpointStrategy> BatchNormOfTorch for Autodiff<LibTorch, C> {
    fn batch_norm_of_torch(
        rows: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        norm: BatchNorm,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        #[derive(Debug)]
        struct Gradient;

        impl Backward<LibTorch, 3> for Gradient {
            type State = Graph;

            fn backward(self, ops: Ops<Graph, 3>, gradients: &mut Gradients, _: &mut Checkpointer) {
                let handed = gradients.consume::<LibTorch>(&ops.node);
                for (parent, gradient) in ops.parents.into_iter().zip(ops.state.backward(&handed)) {
                    register::<LibTorch>(gradients, parent.map(|node| node.id), gradient);
                }
            }
        }

        let nodes = [rows.node(), gamma.node(), beta.node()];
        let inputs = [rows, gamma, beta].map(<FloatTensor<Self>>::into_primitive);
        let (output, [mean, variance]) = match Gradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(operation) => {
                let (graph, [output, mean, variance]) = Graph::new(inputs, &norm);
                (operation.finish(graph, output), [mean, variance])
            }
            OpsKind::UnTracked(operation) => {
                let [rows, gamma, beta] = inputs;
                let (output, mean, variance) = LibTorch::batch_norm_of_torch(rows, gamma, beta, norm);
                (operation.finish(output), [mean, variance])
            }
        };
        (output, Self::from_inner(mean), Self::from_inner(variance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_are_the_same_wherever_they_are_hashed() {
        for (probability, seeds) in [(0.5, [3, 4]), (0.3, [0x243f_6a88, 0xff00_73d3])] {
            let dropout = Dropout::new(probability, seeds);
            let there: Vec<f32> = factors_there(dropout, 100_000, Device::Cpu).try_into().unwrap();
            assert_eq!(there, dropout.factors(100_000));
        }
    }
}
