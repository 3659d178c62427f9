//! The perceptron that predicts from a molecule's vector.

use burn::tensor::{Tensor, activation::relu};
use molarena_nn::{Pass, Slots};
use serde::{Deserialize, Serialize};

/// Hidden layers with a rectifier and dropout, and a linear map. Its parameters have the names of chemprop's state dicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Number of hidden layers.
    pub layers: usize,
    /// Width of these layers.
    pub width: usize,
    /// Probability in [0, 1) that training drops a value.
    pub dropout: f64,
    /// Number of tasks, at least 1.
    pub outputs: usize,
}

/// The layers after the first follow an activation and dropout.
fn layer(number: usize) -> String {
    format!("predictor.ffn.{number}.{}", if number == 0 { 0 } else { 2 })
}

impl Head {
    pub(super) fn slots(&self, inputs: usize, slots: &mut Slots) {
        for number in 0..=self.layers {
            let inputs = if number == 0 { inputs } else { self.width };
            let outputs = if number == self.layers { self.outputs } else { self.width };
            slots.linear(&layer(number), inputs, outputs);
        }
    }

    pub(super) fn forward(&self, pass: &mut Pass<'_>, mut rows: Tensor<2>) -> Tensor<2> {
        for number in 0..=self.layers {
            rows = pass.linear(&layer(number), rows);
            if number < self.layers {
                rows = pass.dropped(relu(rows), self.dropout);
            }
        }
        rows
    }
}
