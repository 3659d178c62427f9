//! The step on `LibTorch`: seven passes, in place if nobody else holds the memory.

#![expect(deprecated, reason = "0.22 is the last version of Burn with LibTorch, and it is pinned")]

use burn::{
    backend::{Backend, Dispatch, LibTorch, backend_extension, libtorch::TchTensor, tensor::FloatTensor},
    tensor::Tensor,
};

use super::{BETA_1, BETA_2, EPSILON, Step};

/// The parameter and its moments after a step.
pub(super) fn step<const D: usize>(step: Step, tensors: [Tensor<D>; 4]) -> [Tensor<D>; 3] {
    let [parameter, gradient, first, second] = tensors.map(Tensor::into_dispatch);
    let (parameter, first, second) = Dispatch::adam_of_torch(parameter, gradient, first, second, step);
    [parameter, first, second].map(Tensor::from_dispatch)
}

/// The step as an operation of a backend.
#[backend_extension(LibTorch)]
trait AdamOfTorch: Backend {
    /// See [`step`].
    fn adam_of_torch(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: Step,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
}

impl AdamOfTorch for LibTorch {
    fn adam_of_torch(
        parameter: TchTensor,
        gradient: TchTensor,
        first: TchTensor,
        second: TchTensor,
        step: Step,
    ) -> (TchTensor, TchTensor, TchTensor) {
        let parameter = parameter.tensor;
        let gradient = match step.weight_decay {
            0.0 => gradient.tensor,
            decay => &gradient.tensor + &parameter * f64::from(decay),
        };
        // m += (1 - b) (x - m)
        let moved = |moment: TchTensor, towards: &tch::Tensor, beta: f32| {
            let share = f64::from(1.0 - beta);
            moment.unary_ops(|mut own| own.lerp_(towards, share), |shared| shared.lerp(towards, share))
        };
        let first = moved(first, &gradient, BETA_1);
        let second = moved(second, &gradient.square(), BETA_2);
        // The rate is merged into the denominator, which saves a pass.
        let rate = -f64::from(step.rate);
        let mut denominator = second.tensor.sqrt();
        denominator *= f64::from(step.scale) / rate;
        denominator += f64::from(EPSILON) / rate;
        (TchTensor::new(parameter.addcdiv(&first.tensor, &denominator)), first, second)
    }
}
