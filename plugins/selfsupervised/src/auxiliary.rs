//! Networks beside the graph network that pretraining needs and the encoder drops.

use std::sync::Arc;

use burn::tensor::{Tensor, activation::relu};
use molarena_nn::{
    After, Pass, Slots, Stack, Start, Style,
    gnn::{ATOM_FEATURES, BOND_FEATURES, GraphBatch},
    kernels::{Neighbours, edge_sum},
    sparse_product,
};

/// A linear map.
pub(crate) fn linear(name: &str, inputs: usize, outputs: usize) -> Stack {
    perceptron(name, 0, inputs, inputs, outputs)
}

/// A perceptron with rectifiers and without dropout.
pub(crate) fn perceptron(name: &str, layers: usize, inputs: usize, hidden: usize, outputs: usize) -> Stack {
    let name = name.to_owned();
    Stack { name, inputs, layers, hidden, outputs, style: Style::Rectifier, dropout: 0.0 }
}

/// A graph isomorphism layer with bond embeddings (Xu et al. 2019, Hu et al. 2020) on given vectors of atoms: a perceptron of
/// one hidden layer, twice as wide as its input, on `(1 + epsilon) h + sum over neighbours of ReLU(h' + e)`. The vector e belongs
/// to the combination of a bond's features.
#[derive(Clone, Debug)]
pub(crate) struct Isomorphism {
    pub(crate) name: String,
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
}

impl Isomorphism {
    fn perceptron(&self) -> Stack {
        perceptron(&format!("{}.mlp", self.name), 1, self.inputs, 2 * self.inputs, self.outputs)
    }

    pub(crate) fn slots(&self, slots: &mut Slots) {
        slots.embedding(format!("{}.bonds.weight", self.name), BOND_FEATURES.iter().product(), self.inputs);
        slots.push(format!("{}.eps", self.name), &[1], true, Start::Constant(0.0));
        self.perceptron().slots(slots);
    }

    /// `f32[atoms, outputs]` of `f32[atoms, inputs]`.
    pub(crate) fn forward(
        &self,
        pass: &mut Pass<'_>,
        atoms: Tensor<2>,
        bonds: &Arc<Neighbours>,
    ) -> Tensor<2> {
        let table = pass.parameter(&format!("{}.bonds.weight", self.name));
        let share = pass.parameter(&format!("{}.eps", self.name)) + 1.0;
        self.perceptron().forward(pass, edge_sum(atoms, table, share, bonds))
    }
}

/// A graph isomorphism network: layers with batch norm and, except for the last, a rectifier after it.
#[derive(Clone, Debug)]
pub(crate) struct IsomorphismNetwork {
    pub(crate) name: String,
    pub(crate) layers: usize,
    pub(crate) width: usize,
}

impl IsomorphismNetwork {
    fn layer(&self, layer: usize) -> Isomorphism {
        let name = format!("{}.layers.{layer}", self.name);
        Isomorphism { name, inputs: self.width, outputs: self.width }
    }

    pub(crate) fn slots(&self, slots: &mut Slots) {
        slots.embedding(format!("{}.atoms.weight", self.name), ATOM_FEATURES.iter().sum(), self.width);
        for layer in 0..self.layers {
            self.layer(layer).slots(slots);
            slots.norm(&format!("{}.norms.{layer}", self.name), self.width);
        }
    }

    /// Vectors of the atoms, `f32[atoms, width]`.
    pub(crate) fn forward(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        let table = pass.parameter(&format!("{}.atoms.weight", self.name));
        let bonds = Arc::new(batch.neighbours().clone());
        let mut atoms = sparse_product(batch.atom_features(), table);
        for layer in 0..self.layers {
            let next = self.layer(layer).forward(pass, atoms, &bonds);
            let after = After { rectified: layer + 1 < self.layers, ..After::default() };
            atoms = pass.norm(&format!("{}.norms.{layer}", self.name), next, after);
        }
        atoms
    }
}

/// The parametric rectifier of He et al. 2015 with one slope, which starts at 1/4.
pub(crate) fn prelu_slots(slots: &mut Slots, name: &str) {
    slots.push(name, &[1], true, Start::Constant(0.25));
}

/// `x` where it is positive, and the slope times `x` elsewhere.
pub(crate) fn prelu(pass: &Pass<'_>, name: &str, input: Tensor<2>) -> Tensor<2> {
    let slope = pass.parameter(name);
    relu(input.clone()) - relu(-input) * slope
}
