//! A Gaussian instead of a vector (Kingma and Welling 2014; Alemi et al. 2017), and decoders of samples or means.

use burn::tensor::{
    Tensor, TensorData,
    activation::{gelu, silu, softplus},
};

use crate::{After, Pass, Slots};

/// Added to a standard deviation, as in the reference implementation of `InfoAlign`.
const LEAST_SIGMA: f32 = 1e-7;

/// A Gaussian with a diagonal covariance for each of n molecules.
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// Means, `f32[n, d]`.
    pub mu: Tensor<2>,
    /// Standard deviations, `f32[n, d]`.
    pub sigma: Tensor<2>,
}

const HEAD: &str = "dist_net.1";

impl Gaussian {
    /// Parameters of the head over vectors of width d.
    pub fn slots(slots: &mut Slots, width: usize) {
        slots.linear(HEAD, width, 2 * width);
    }

    /// The head: `SiLU` and a linear map give mu and s; sigma = softplus(s) + 1e-7.
    pub fn of(pass: &Pass<'_>, vectors: Tensor<2>) -> Self {
        let width = vectors.dims()[1];
        let output = pass.linear(HEAD, silu(vectors));
        let [mu, spread] = [0, width].map(|first| output.clone().narrow(1, first, width));
        Self { mu, sigma: softplus(spread, 1.0) + LEAST_SIGMA }
    }

    /// KL(N(mu, sigma^2) || N(0, 1)) of each molecule in nats, `f32[n, 1]`: the sum over dimensions of
    /// (mu^2 + sigma^2 - 1) / 2 - ln sigma.
    pub fn divergence(&self) -> Tensor<2> {
        let squares = self.mu.clone().powi_scalar(2) + self.sigma.clone().powi_scalar(2);
        ((squares - 1.0) * 0.5 - self.sigma.clone().log()).sum_dim(1)
    }

    /// One sample per molecule: mu + sigma e with standard normal e.
    pub fn sample(&self, pass: &mut Pass<'_>) -> Tensor<2> {
        let shape = self.mu.dims();
        let Some(random) = pass.random() else { return self.mu.clone() };
        let noise = random.normal(shape[0] * shape[1]);
        let noise = Tensor::from_data(TensorData::new(noise, shape), &self.mu.device());
        self.mu.clone() + self.sigma.clone() * noise
    }
}

/// A decoder: linear map, batch norm, GELU, dropout, linear map.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoder {
    /// Name in files, such as `decoder_list.0`.
    pub name: String,
    /// Width of the decoder's input.
    pub inputs: usize,
    /// Width of the hidden layer.
    pub hidden: usize,
    /// Width of the feature space.
    pub outputs: usize,
}

impl Decoder {
    /// The decoder's parameters.
    pub fn slots(&self, slots: &mut Slots) {
        slots.linear_before_norm(&format!("{}.fc1", self.name), self.inputs, self.hidden);
        slots.norm(&format!("{}.bn1", self.name), self.hidden);
        slots.linear(&format!("{}.fc2", self.name), self.hidden, self.outputs);
    }

    /// The hidden layer of all rows, `f32[n, hidden]`.
    pub fn hidden(&self, pass: &mut Pass<'_>, rows: Tensor<2>) -> Tensor<2> {
        let [linear, norm] = ["fc1", "bn1"].map(|part| format!("{}.{part}", self.name));
        gelu(pass.linear_and_norm(&linear, &norm, rows, After::default()))
    }

    /// The logits of hidden rows, `f32[n, outputs]`.
    pub fn logits(&self, pass: &Pass<'_>, hidden: Tensor<2>) -> Tensor<2> {
        pass.linear(&format!("{}.fc2", self.name), hidden)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::{Parameters, Random};

    #[test]
    fn divergence_of_known_gaussians() {
        let device = Device::flex();
        let gaussian = Gaussian {
            mu: Tensor::from_data([[0.0, 0.0], [1.0, -2.0]], &device),
            sigma: Tensor::from_data([[1.0, 1.0], [0.5, 2.0]], &device),
        };
        let found: Vec<f32> = gaussian.divergence().into_data().try_into_vec().unwrap();
        // (1 + 0.25 - 1) / 2 + ln 2 + (4 + 4 - 1) / 2 - ln 2
        assert!(found[0].abs() < 1e-7 && (found[1] - 3.625).abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn samples_have_the_mean_and_the_deviation() {
        let device = Device::flex();
        let gaussian = Gaussian {
            mu: Tensor::full([20_000, 1], 3.0, &device),
            sigma: Tensor::full([20_000, 1], 0.5, &device),
        };
        let mut slots = Slots::default();
        Gaussian::slots(&mut slots, 1);
        let mut random = Random::of(0, 0, 0);
        let mut parameters = Parameters::take(&slots, &mut slots.random(&mut random), &device).unwrap();
        let draws = gaussian.sample(&mut Pass::train(&mut parameters, &mut random));
        let draws: Vec<f32> = draws.into_data().try_into_vec().unwrap();
        let mean = draws.iter().sum::<f32>() / 2e4;
        let variance = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f32>() / 2e4;
        // Standard deviations of the two: 0.0035 and 0.0025.
        assert!((mean - 3.0).abs() < 0.02 && (variance - 0.25).abs() < 0.015, "{mean} {variance}");
        let same = gaussian.sample(&mut Pass::evaluate(&mut parameters));
        assert_eq!(same.into_data(), gaussian.mu.into_data());
    }
}
