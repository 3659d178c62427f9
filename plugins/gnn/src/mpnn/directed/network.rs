//! The network.

use burn::tensor::{Tensor, activation::relu};
use molarena_nn::{
    Parameters, Pass, Slots, Stack, Start,
    kernels::{segment_mean, segment_sum},
    sparse_product,
    supervised::Predictor,
};
use molarena_sdk::{Call, Matrix, Result};
use serde::{Deserialize, Serialize};

use super::{
    features::ATOM_COLUMNS,
    molecules::{Batch, MESSAGE_COLUMNS, Molecules},
};

/// Shape of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Directed {
    /// Number of states of a message, at least 1.
    pub depth: usize,
    /// Width of a message.
    pub message_width: usize,
    /// A molecule's vector is the sum over its atoms divided by this; the mean if there is none.
    pub norm: Option<f64>,
    /// Probability in [0, 1) that training drops a value.
    pub dropout: f64,
    /// What predicts from the vector.
    pub head: Stack,
}

/// Atoms, messages and molecules of a batch in predicting. They are fixed, because products of another height may sum in another
/// order, and a prediction must not depend on the other molecules.
const SIZES: [usize; 3] = [2048, 4608, 128];

const INPUT: &str = "message_passing.W_i";
const HIDDEN: &str = "message_passing.W_h";
const OUTPUT: &str = "message_passing.W_o";

impl Directed {
    fn outputs_of(&self, pass: &mut Pass<'_>, batch: &Batch) -> Tensor<2> {
        let weight = |pass: &Pass<'_>, name: &str| pass.parameter(&format!("{name}.weight"));
        let start = sparse_product(&batch.messages, weight(pass, INPUT).transpose());
        let mut messages = relu(start.clone());
        for _ in 1..self.depth {
            let sums = sparse_product(&batch.before, messages);
            let passed = start.clone() + sums.matmul(weight(pass, HIDDEN).transpose());
            messages = pass.dropped(relu(passed), self.dropout);
        }
        let received = sparse_product(&batch.at_atoms, messages);
        let output = weight(pass, OUTPUT);
        let of_atoms = output.clone().narrow(1, 0, ATOM_COLUMNS).transpose();
        let of_messages = output.narrow(1, ATOM_COLUMNS, self.message_width).transpose();
        let atoms = sparse_product(&batch.atoms, of_atoms)
            + received.matmul(of_messages)
            + pass.parameter(&format!("{OUTPUT}.bias"));
        let atoms = pass.dropped(relu(atoms), self.dropout);
        let vectors = match self.norm {
            Some(norm) => segment_sum(atoms, &batch.molecules) / norm,
            None => segment_mean(atoms, &batch.molecules),
        };
        self.head.forward(pass, vectors)
    }
}

impl Predictor for Directed {
    type Molecules<'a> = Molecules;
    const NAME: &str = "mpnn";

    fn outputs(&self) -> usize {
        self.head.outputs
    }

    fn count(molecules: &Molecules) -> usize {
        molecules.count()
    }

    /// The names are those of chemprop's state dicts, but for the head's.
    fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        let mut without_bias = |name: &str, inputs: usize| {
            let start = Start::Uniform(1.0 / (inputs as f64).sqrt());
            slots.push(format!("{name}.weight"), &[self.message_width, inputs], true, start);
        };
        without_bias(INPUT, MESSAGE_COLUMNS);
        if self.depth > 1 {
            without_bias(HIDDEN, self.message_width);
        }
        slots.linear(OUTPUT, ATOM_COLUMNS + self.message_width, self.message_width);
        self.head.slots(&mut slots);
        slots
    }

    fn forward(&self, pass: &mut Pass<'_>, molecules: &Molecules, rows: &[usize]) -> Tensor<2> {
        self.outputs_of(pass, &molecules.batch(rows, [0; 3]))
    }

    fn predict(&self, parameters: &mut Parameters, molecules: &Molecules, call: &Call<'_>) -> Result<Matrix> {
        let count = molecules.count();
        let mut outputs = Vec::with_capacity(count * self.head.outputs);
        let mut next = 0;
        while next < count {
            call.check()?;
            let first = next;
            let mut sizes = [0, 0, 1];
            // A batch has room for a molecule of padding; a single molecule may exceed it.
            while next < count {
                let [atoms, messages] = molecules.size(next);
                let with = [sizes[0] + atoms, sizes[1] + messages, sizes[2] + 1];
                if next > first && with.iter().zip(SIZES).any(|(&size, most)| size > most) {
                    break;
                }
                (sizes, next) = (with, next + 1);
            }
            let rows: Vec<usize> = (first..next).collect();
            let output = self.outputs_of(&mut Pass::evaluate(parameters), &molecules.batch(&rows, SIZES));
            let output: Vec<f32> = output.into_data().try_into_vec().expect("outputs are f32");
            outputs.extend(&output[..rows.len() * self.head.outputs]);
        }
        Matrix::new(count, self.head.outputs, outputs)
    }
}
