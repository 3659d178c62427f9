//! The network on a device.

use burn::{
    module::{Module, Param, RunningState},
    nn::{BatchNorm, BatchNormConfig},
    tensor::{Device, Tensor, TensorData, activation::gelu},
};
use molarena_sdk::{Call, Matrix, Result};

use super::weights::{Architecture, LinearWeights, NormWeights, Weights};
use crate::{Batch, Features, Random};

/// Number of molecules predicted at once. Smaller batches are padded with zeros: products of another height may sum in
/// another order, and a prediction must not depend on the other molecules.
const HEIGHT: usize = 256;

/// A multi-layer perceptron on a device.
#[derive(Module, Debug)]
pub struct Mlp {
    hidden: Vec<Hidden>,
    head: Linear,
    dropout: f64,
}

/// A hidden layer: linear map, batch norm, GELU, dropout.
#[derive(Module, Debug)]
struct Hidden {
    linear: Linear,
    norm: Option<BatchNorm>,
}

/// The linear map x W + b.
#[derive(Module, Debug)]
struct Linear {
    weight: Param<Tensor<2>>,
    bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// The linear map to `outputs` values.
    fn new(weights: &LinearWeights, outputs: usize, device: &Device) -> Self {
        let shape = [weights.weight.len() / outputs, outputs];
        let bias = |bias: &Vec<f32>| Param::from_data(TensorData::new(bias.clone(), [outputs]), device);
        Self {
            weight: Param::from_data(TensorData::new(weights.weight.clone(), shape), device),
            bias: weights.bias.as_ref().map(bias),
        }
    }

    fn forward(&self, input: &Batch) -> Tensor<2> {
        let product = input.times(self.weight.val());
        match &self.bias {
            Some(bias) => product + bias.val().unsqueeze(),
            None => product,
        }
    }

    fn weights(&self) -> LinearWeights {
        let bias = self.bias.as_ref().map(|bias| values(bias.val()));
        LinearWeights { weight: values(self.weight.val()), bias }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().expect("weights are f32")
}

fn norm(weights: &NormWeights, device: &Device) -> BatchNorm {
    let tensor =
        |values: &[f32]| Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), device);
    let mut norm = BatchNormConfig::new(weights.gamma.len()).init(device);
    norm.gamma = Param::from_tensor(tensor(&weights.gamma));
    norm.beta = Param::from_tensor(tensor(&weights.beta));
    norm.running_mean = RunningState::new(tensor(&weights.mean));
    norm.running_var = RunningState::new(tensor(&weights.variance));
    norm
}

fn norm_weights(norm: &BatchNorm) -> NormWeights {
    NormWeights {
        gamma: values(norm.gamma.val()),
        beta: values(norm.beta.val()),
        mean: values(norm.running_mean.value_sync()),
        variance: values(norm.running_var.value_sync()),
    }
}

impl Mlp {
    /// The network with `weights`; it can be trained if `device` computes gradients.
    pub fn new(architecture: &Architecture, weights: &Weights, device: &Device) -> Result<Self> {
        weights.check(architecture)?;
        let layers = weights.hidden.iter().zip(&architecture.hidden);
        let layer = |((linear, batch_norm), &width): (&(LinearWeights, Option<NormWeights>), _)| Hidden {
            linear: Linear::new(linear, width, device),
            norm: batch_norm.as_ref().map(|weights| norm(weights, device)),
        };
        Ok(Self {
            hidden: layers.map(layer).collect(),
            head: Linear::new(&weights.head, architecture.outputs, device),
            dropout: architecture.dropout,
        })
    }

    /// The weights as arrays.
    pub fn weights(&self) -> Weights {
        let layer = |hidden: &Hidden| (hidden.linear.weights(), hidden.norm.as_ref().map(norm_weights));
        Weights { hidden: self.hidden.iter().map(layer).collect(), head: self.head.weights() }
    }

    /// Outputs, `f32[n, tasks]`: logits or numbers. With `dropout`, values of the hidden layers are dropped.
    pub fn forward(&self, input: &Batch, mut dropout: Option<&mut Random>) -> Tensor<2> {
        let mut input = input.clone();
        for layer in &self.hidden {
            let mut output = layer.linear.forward(&input);
            if let Some(norm) = &layer.norm {
                output = norm.forward(output);
            }
            output = gelu(output);
            if let Some(random) = dropout.as_deref_mut().filter(|_| self.dropout > 0.0) {
                let (shape, device) = (output.shape(), output.device());
                let mask = random.mask(shape.num_elements(), self.dropout);
                output = output * Tensor::from_data(TensorData::new(mask, shape), &device);
            }
            input = Batch::Dense(output);
        }
        self.head.forward(&input)
    }
}

/// Outputs of a network that is not training, `f32[n, tasks]`. A row does not depend on the other rows.
pub fn predict(network: &Mlp, features: &Features, device: &Device, call: &Call<'_>) -> Result<Matrix> {
    let (rows, columns) = (features.rows(), network.head.weight.dims()[1]);
    let mut outputs = Vec::with_capacity(rows * columns);
    for start in (0..rows).step_by(HEIGHT) {
        call.check()?;
        let chunk: Vec<usize> = (start..rows.min(start + HEIGHT)).collect();
        let output = network.forward(&features.batch(&chunk, HEIGHT, device), None);
        outputs.extend(&values(output)[..chunk.len() * columns]);
    }
    Matrix::new(rows, columns, outputs)
}
