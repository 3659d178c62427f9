//! The network's shape, and its passes.

use burn::tensor::{Tensor, activation::gelu};
use molarena_sdk::{Call, Matrix, Result};
use serde::{Deserialize, Serialize};

use crate::{After, Batch, Features, Parameters, Pass, Slots, Start, supervised::Predictor};

/// Number of molecules predicted at once. Smaller batches are padded with zeros: products of another height may sum in
/// another order, and a prediction must not depend on the other molecules.
const HEIGHT: usize = 256;

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

fn weight(layer: usize) -> String {
    format!("{layer}.weight")
}

fn bias(layer: usize) -> String {
    format!("{layer}.bias")
}

fn norm(layer: usize) -> String {
    format!("{layer}.norm")
}

impl Architecture {
    /// Outputs, `f32[n, tasks]`: logits or numbers.
    pub fn outputs_of(&self, pass: &mut Pass<'_>, input: &Batch) -> Tensor<2> {
        let mut input = input.clone();
        let head = self.hidden.len();
        for layer in 0..head {
            let mut output = input.times(pass.parameter(&weight(layer)));
            output = if self.batch_norm {
                pass.norm(&norm(layer), output, After::default())
            } else {
                output + pass.parameter(&bias(layer))
            };
            input = Batch::Dense(pass.dropped(gelu(output), self.dropout));
        }
        input.times(pass.parameter(&weight(head))) + pass.parameter(&bias(head))
    }
}

impl Predictor for Architecture {
    type Molecules<'a> = Features;
    const NAME: &str = "mlp";

    fn outputs(&self) -> usize {
        self.outputs
    }

    fn count(molecules: &Features) -> usize {
        molecules.rows()
    }

    /// The weight of a linear map x W is `f32[inputs, outputs]`, whose rows products with sparse
    /// rows need. Weights and biases start uniform in +-1 / sqrt(inputs), as in `PyTorch`; a batch norm cancels any bias.
    fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        let head = self.hidden.len();
        let mut inputs = self.inputs;
        for (layer, &outputs) in self.hidden.iter().chain([&self.outputs]).enumerate() {
            let start = Start::Uniform(1.0 / (inputs as f64).sqrt());
            slots.push(weight(layer), &[inputs, outputs], true, start);
            if layer < head && self.batch_norm {
                slots.norm(&norm(layer), outputs);
            } else {
                slots.push(bias(layer), &[outputs], true, start);
            }
            inputs = outputs;
        }
        slots
    }

    fn forward(&self, pass: &mut Pass<'_>, molecules: &Features, rows: &[usize]) -> Tensor<2> {
        let batch = molecules.batch(rows, 0, pass.device());
        self.outputs_of(pass, &batch)
    }

    fn predict(&self, parameters: &mut Parameters, features: &Features, call: &Call<'_>) -> Result<Matrix> {
        let rows = features.rows();
        let mut outputs = Vec::with_capacity(rows * self.outputs);
        for start in (0..rows).step_by(HEIGHT) {
            call.check()?;
            let chunk: Vec<usize> = (start..rows.min(start + HEIGHT)).collect();
            let mut pass = Pass::evaluate(parameters);
            let batch = features.batch(&chunk, HEIGHT, pass.device());
            let output: Vec<f32> =
                self.outputs_of(&mut pass, &batch).into_data().try_into_vec().expect("outputs are f32");
            outputs.extend(&output[..chunk.len() * self.outputs]);
        }
        Matrix::new(rows, self.outputs, outputs)
    }
}
