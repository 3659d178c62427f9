//! Perceptrons inside larger networks.

use burn::tensor::{
    Tensor,
    activation::{relu, silu},
};
use serde::{Deserialize, Serialize};

use crate::{After, Pass, Slots};

/// Hidden layers of one width, and a linear map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stack {
    /// Name in files.
    pub name: String,
    /// Width of the input.
    pub inputs: usize,
    /// Number of hidden layers; without any, the stack is linear.
    pub layers: usize,
    /// Width of a hidden layer.
    pub hidden: usize,
    /// Width of the output.
    pub outputs: usize,
    /// What follows the linear map of a hidden layer.
    pub style: Style,
    /// Probability in [0, 1) that training drops a hidden value.
    pub dropout: f64,
}

/// What follows the linear map of a hidden layer, before dropout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// Batch norm and a rectifier.
    BatchNorm,
    /// Layer norm and `SiLU`.
    LayerNorm,
    /// A rectifier.
    Rectifier,
}

impl Stack {
    /// The stack's parameters.
    pub fn slots(&self, slots: &mut Slots) {
        for layer in 0..self.layers {
            let inputs = if layer == 0 { self.inputs } else { self.hidden };
            match self.style {
                Style::BatchNorm => {
                    slots.linear_before_norm(&self.linear(layer), inputs, self.hidden);
                    slots.norm(&self.norm(layer), self.hidden);
                }
                Style::LayerNorm => {
                    slots.linear(&self.linear(layer), inputs, self.hidden);
                    slots.layer_norm(&self.norm(layer), self.hidden);
                }
                Style::Rectifier => slots.linear(&self.linear(layer), inputs, self.hidden),
            }
        }
        let inputs = if self.layers == 0 { self.inputs } else { self.hidden };
        slots.linear(&self.linear(self.layers), inputs, self.outputs);
    }

    fn linear(&self, layer: usize) -> String {
        format!("{}.{layer}.linear", self.name)
    }

    fn norm(&self, layer: usize) -> String {
        format!("{}.{layer}.norm", self.name)
    }

    /// Outputs, `f32[n, outputs]`.
    pub fn forward(&self, pass: &mut Pass<'_>, input: Tensor<2>) -> Tensor<2> {
        let mut rows = input;
        for layer in 0..self.layers {
            let (linear, norm) = (self.linear(layer), self.norm(layer));
            rows = match self.style {
                Style::BatchNorm => {
                    let after = After { rectified: true, dropout: self.dropout, residual: None };
                    pass.linear_and_norm(&linear, &norm, rows, after)
                }
                Style::LayerNorm => {
                    let mapped = pass.linear(&linear, rows);
                    let active = silu(pass.layer_norm(&norm, mapped));
                    pass.dropped(active, self.dropout)
                }
                Style::Rectifier => pass.dropped(relu(pass.linear(&linear, rows)), self.dropout),
            };
        }
        pass.linear(&self.linear(self.layers), rows)
    }
}
