//! Shape and weights of a network as plain data.

use molarena_sdk::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::Random;

/// Shape of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Architecture {
    /// Number of features of a molecule, at least 1.
    pub inputs: usize,
    /// Width of each hidden layer, at least 1.
    pub hidden: Vec<usize>,
    /// Number of tasks, at least 1.
    pub outputs: usize,
    /// Whether hidden layers have batch norm.
    pub batch_norm: bool,
    /// Probability in [0, 1) that training drops a hidden value.
    pub dropout: f64,
}

impl Architecture {
    /// Numbers of inputs and outputs of each hidden layer.
    fn layers(&self) -> impl Iterator<Item = (usize, usize)> {
        let inputs = std::iter::once(self.inputs).chain(self.hidden.iter().copied());
        inputs.zip(self.hidden.iter().copied())
    }

    /// Number of inputs of the head.
    fn last(&self) -> usize {
        self.hidden.last().copied().unwrap_or(self.inputs)
    }
}

/// Weights of a linear map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearWeights {
    /// `f32[inputs, outputs]`.
    pub weight: Vec<f32>,
    /// `f32[outputs]`; `None` before a batch norm, which cancels any bias.
    pub bias: Option<Vec<f32>>,
}

/// Weights and running statistics of a batch norm, each `f32[width]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NormWeights {
    /// Gamma, the factor after normalising.
    pub gamma: Vec<f32>,
    /// Beta, the addend after normalising.
    pub beta: Vec<f32>,
    /// Running mean over the batches.
    pub mean: Vec<f32>,
    /// Running variance over the batches.
    pub variance: Vec<f32>,
}

/// Weights of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// The hidden layers; each has a batch norm if the architecture says so.
    pub hidden: Vec<(LinearWeights, Option<NormWeights>)>,
    /// The linear map from the last hidden layer to the tasks.
    pub head: LinearWeights,
}

impl LinearWeights {
    /// Weights and biases uniform in +-1 / sqrt(inputs), as in `PyTorch`.
    fn random(inputs: usize, outputs: usize, bias: bool, random: &mut Random) -> Self {
        let bound = 1.0 / (inputs as f64).sqrt();
        let weight = random.uniform(inputs * outputs, bound);
        Self { weight, bias: bias.then(|| random.uniform(outputs, bound)) }
    }

    fn fits(&self, inputs: usize, outputs: usize, bias: bool) -> bool {
        let biased = self.bias.as_ref().map_or(!bias, |values| bias && values.len() == outputs);
        inputs.checked_mul(outputs) == Some(self.weight.len()) && biased
    }
}

impl NormWeights {
    fn new(width: usize) -> Self {
        let (zeros, ones) = (vec![0.0; width], vec![1.0; width]);
        Self { gamma: ones.clone(), beta: zeros.clone(), mean: zeros, variance: ones }
    }

    fn fits(&self, width: usize) -> bool {
        [&self.gamma, &self.beta, &self.mean, &self.variance].iter().all(|values| values.len() == width)
    }
}

impl Weights {
    /// The initial weights of a training.
    pub fn random(architecture: &Architecture, random: &mut Random) -> Self {
        let layer = |(inputs, outputs)| {
            let norm = architecture.batch_norm.then(|| NormWeights::new(outputs));
            (LinearWeights::random(inputs, outputs, !architecture.batch_norm, random), norm)
        };
        let hidden = architecture.layers().map(layer).collect();
        Self { hidden, head: LinearWeights::random(architecture.last(), architecture.outputs, true, random) }
    }

    /// Returns an error if the weights do not fit `architecture`.
    pub fn check(&self, architecture: &Architecture) -> Result<()> {
        let layer = |((linear, norm), (inputs, outputs)): (&(LinearWeights, Option<NormWeights>), _)| {
            let normed = norm
                .as_ref()
                .map_or(!architecture.batch_norm, |norm| architecture.batch_norm && norm.fits(outputs));
            linear.fits(inputs, outputs, !architecture.batch_norm) && normed
        };
        let fits = self.hidden.len() == architecture.hidden.len()
            && self.hidden.iter().zip(architecture.layers()).all(layer)
            && self.head.fits(architecture.last(), architecture.outputs, true);
        if fits {
            Ok(())
        } else {
            Err(Error::data("state of the network is damaged: weights and layers do not fit"))
        }
    }
}
