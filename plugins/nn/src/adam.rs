//! The optimiser Adam.

#[cfg(feature = "libtorch")]
mod libtorch;

use burn::{
    optim::{
        Adam as BurnAdam, AdamConfig, AdamState, AdaptiveMomentumState, LearningRate, Optimizer,
        decay::WeightDecayConfig,
    },
    tensor::{Device, Tensor, TensorData},
};
use rayon::prelude::*;

const BETA_1: f32 = 0.9;
const BETA_2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Adam (Kingma and Ba 2015) with `PyTorch`'s defaults: betas 0.9 and 0.999, epsilon 1e-8, weight decay added to the
/// gradient.
///
/// Burn's own Adam makes fourteen passes over a parameter's memory, which for a wide first layer is more work than the
/// gradient. This one makes a single pass on the processor and seven on `LibTorch`; other devices use Burn's.
#[derive(Clone)]
pub struct Adam {
    elsewhere: BurnAdam,
    weight_decay: f32,
}

impl Adam {
    /// Adam with this weight decay.
    pub fn new(weight_decay: f32) -> Self {
        let decay = (weight_decay > 0.0).then(|| WeightDecayConfig::new(weight_decay));
        let elsewhere = AdamConfig::new()
            .with_beta_1(BETA_1)
            .with_beta_2(BETA_2)
            .with_epsilon(EPSILON)
            .with_weight_decay(decay)
            .build();
        Self { elsewhere, weight_decay }
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        let device = parameter.device();
        #[cfg(feature = "libtorch")]
        if crate::device::is_libtorch(&device) {
            let zeros = || Tensor::zeros(parameter.shape(), &device);
            let (time, first, second) = match state.map(|state| state.momentum) {
                Some(state) => (state.time + 1, state.moment_1, state.moment_2),
                None => (1, zeros(), zeros()),
            };
            let step = Step::new(learning_rate, self.weight_decay, time);
            let [parameter, first, second] = libtorch::step(step, [parameter, gradient, first, second]);
            return (parameter, Some(AdamState::new(AdaptiveMomentumState::new(time, first, second))));
        }
        if device != Device::flex() {
            return self.elsewhere.step(learning_rate, parameter, gradient, state);
        }
        let shape = parameter.shape();
        let zeros = || TensorData::new(vec![0f32; shape.num_elements()], shape.clone());
        let (time, mut first, mut second) = match state.map(|state| state.momentum) {
            Some(state) => (state.time + 1, state.moment_1.into_data(), state.moment_2.into_data()),
            None => (1, zeros(), zeros()),
        };
        // If nobody else holds a tensor's data, they are moved, not copied.
        let (mut parameter, gradient) = (parameter.into_data(), gradient.into_data());
        Step::new(learning_rate, self.weight_decay, time).apply(
            parameter.as_mut_slice().expect("parameters are f32"),
            gradient.as_slice().expect("gradients are f32"),
            first.as_mut_slice().expect("moments are f32"),
            second.as_mut_slice().expect("moments are f32"),
        );
        let tensor = |data: TensorData| Tensor::from_data(data, &device);
        let momentum = AdaptiveMomentumState::new(time, tensor(first), tensor(second));
        (tensor(parameter), Some(AdamState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        BurnAdam::to_device(state, device)
    }
}

/// Step number `time`, from 1: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, and the parameter decreases by rate m /
/// (1 - b1^t) / (sqrt(v / (1 - b2^t)) + epsilon).
#[derive(Clone, Copy, Debug)]
struct Step {
    /// rate / (1 - b1^t)
    rate: f32,
    /// 1 / sqrt(1 - b2^t)
    scale: f32,
    weight_decay: f32,
}

impl Step {
    fn new(learning_rate: f64, weight_decay: f32, time: usize) -> Self {
        let correction = |beta: f32| 1.0 - f64::from(beta).powf(time as f64);
        Self {
            rate: (learning_rate / correction(BETA_1)) as f32,
            scale: (1.0 / correction(BETA_2).sqrt()) as f32,
            weight_decay,
        }
    }

    fn apply(self, parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        const CHUNK: usize = 1 << 16;
        let chunks = parameter.par_chunks_mut(CHUNK).zip(gradient.par_chunks(CHUNK));
        let moments = first.par_chunks_mut(CHUNK).zip(second.par_chunks_mut(CHUNK));
        chunks.zip(moments).for_each(|((parameter, gradient), (first, second))| {
            pulp::Arch::new().dispatch(|| self.apply_chunk(parameter, gradient, first, second));
        });
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the instructions of the machine are chosen outside")]
    fn apply_chunk(self, parameter: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32]) {
        let moments = first.iter_mut().zip(second);
        for ((x, &gradient), (m, v)) in parameter.iter_mut().zip(gradient).zip(moments) {
            let gradient = gradient + self.weight_decay * *x;
            *m = BETA_1 * *m + (1.0 - BETA_1) * gradient;
            *v = BETA_2 * *v + (1.0 - BETA_2) * gradient * gradient;
            *x -= self.rate * *m / (v.sqrt() * self.scale + EPSILON);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32], device: &Device) -> Tensor<1> {
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
    }

    #[test]
    fn steps_are_those_of_burn() {
        // A parameter on the processor or on LibTorch uses the code of this file.
        let cases = crate::device::all()
            .into_iter()
            .flat_map(|device| [0.0, 0.1].map(|decay| (device.clone(), decay)));
        for (device, weight_decay) in cases {
            let elsewhere = AdamConfig::new().with_epsilon(EPSILON);
            let elsewhere = match weight_decay {
                0.0 => elsewhere,
                decay => elsewhere.with_weight_decay(Some(WeightDecayConfig::new(decay))),
            };
            let elsewhere = elsewhere.build();
            let own = Adam { elsewhere: elsewhere.clone(), weight_decay };
            let start: Vec<f32> = (0..70_000).map(|value| (value as f32).sin()).collect();
            let (mut left, mut right) = (tensor(&start, &device), tensor(&start, &Device::flex()));
            let (mut left_state, mut right_state) = (None, None);
            for step in 1..5 {
                let gradient: Vec<f32> = start.iter().map(|value| (value * step as f32).cos()).collect();
                (left, left_state) = own.step(0.01, left, tensor(&gradient, &device), left_state);
                let gradient = tensor(&gradient, &Device::flex());
                (right, right_state) = elsewhere.step(0.01, right, gradient, right_state);
            }
            assert_eq!(left_state.unwrap().momentum.time, 4);
            left.into_data()
                .assert_approx_eq(&right.into_data(), burn::tensor::Tolerance::<f32>::absolute(1e-6));
        }
    }
}
