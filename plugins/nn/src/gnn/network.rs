//! The network: turns atoms into one vector per molecule.

use std::sync::{Arc, LazyLock};

use burn::tensor::{Tensor, TensorData, activation::relu};
use serde::{Deserialize, Serialize};

use super::batch::{ATOM_FEATURES, BOND_FEATURES, GraphBatch, bond_kinds};
use crate::{
    After, Pass, Slots, SparseRows, Start,
    kernels::{Neighbours, add_to_segments, edge_sum, segment_max, segment_mean, segment_sum},
    sparse_product,
};

static BONDS: LazyLock<Arc<SparseRows>> = LazyLock::new(|| Arc::new(bond_kinds()));

/// How atoms exchange messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Convolution {
    /// Graph isomorphism network (Xu et al. 2019) with bond embeddings (Hu et al. 2020).
    Gin,
    /// Graph convolutional network (Kipf and Welling 2017) with bond embeddings (Hu et al. 2021).
    Gcn,
}

/// How atoms are combined into a molecule's vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readout {
    /// The sum over atoms.
    Sum,
    /// The mean over atoms.
    Mean,
    /// The largest value over atoms.
    Max,
}

/// Shape of a graph neural network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GraphNetwork {
    /// How atoms exchange messages.
    pub convolution: Convolution,
    /// Number of layers, at least 1.
    pub layers: usize,
    /// Width d of atoms and molecules, at least 1.
    pub width: usize,
    /// Whether each molecule has a virtual node that is joined to all its atoms (Gilmer et al. 2017).
    pub virtual_node: bool,
    /// How atoms are combined into a molecule's vector.
    pub readout: Readout,
    /// Probability in [0, 1) that training drops a value after each layer.
    pub dropout: f64,
}

const PREFIX: &str = "graph_encoder";

impl GraphNetwork {
    /// The network's parameters. Their names are those of the reference implementation of `InfoAlign`, which follows
    /// the Open Graph Benchmark's.
    pub fn slots(&self, slots: &mut Slots) {
        let width = self.width;
        for (feature, &values) in ATOM_FEATURES.iter().enumerate() {
            slots.embedding(
                format!("{PREFIX}.atom_encoder.atom_embedding_list.{feature}.weight"),
                values,
                width,
            );
        }
        if self.virtual_node {
            slots.push(
                format!("{PREFIX}.virtualnode_embedding.weight"),
                &[1, width],
                true,
                Start::Constant(0.0),
            );
        }
        for layer in 0..self.layers {
            let convolution = format!("{PREFIX}.convs.{layer}");
            for (feature, &values) in BOND_FEATURES.iter().enumerate() {
                let name = format!("{convolution}.bond_encoder.bond_embedding_list.{feature}.weight");
                slots.embedding(name, values, width);
            }
            match self.convolution {
                Convolution::Gin => {
                    slots.push(format!("{convolution}.eps"), &[1], true, Start::Constant(0.0));
                    slots.linear_before_norm(&format!("{convolution}.mlp.0"), width, 2 * width);
                    slots.norm(&format!("{convolution}.mlp.1"), 2 * width);
                    slots.linear_before_norm(&format!("{convolution}.mlp.3"), 2 * width, width);
                }
                Convolution::Gcn => {
                    slots.linear(&format!("{convolution}.linear"), width, width);
                    slots.embedding(format!("{convolution}.root_emb.weight"), 1, width);
                }
            }
            slots.norm(&format!("{PREFIX}.batch_norms.{layer}"), width);
        }
        for layer in 0..self.virtual_layers() {
            let name = format!("{PREFIX}.mlp_virtualnode_list.{layer}");
            slots.linear_before_norm(&format!("{name}.0"), width, 2 * width);
            slots.norm(&format!("{name}.1"), 2 * width);
            slots.linear_before_norm(&format!("{name}.3"), 2 * width, width);
            slots.norm(&format!("{name}.4"), width);
        }
    }

    /// Between layers the virtual node receives messages from the atoms.
    fn virtual_layers(&self) -> usize {
        if self.virtual_node { self.layers - 1 } else { 0 }
    }

    /// Vectors of the molecules, `f32[molecules, d]`.
    pub fn forward(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        let tables = (0..ATOM_FEATURES.len()).map(|feature| {
            pass.parameter(&format!("{PREFIX}.atom_encoder.atom_embedding_list.{feature}.weight"))
        });
        let mut atoms = sparse_product(&batch.atoms, Tensor::cat(tables.collect(), 0));
        let neighbours = match self.convolution {
            Convolution::Gin => Arc::clone(&batch.neighbours),
            Convolution::Gcn => batch.normalised(),
        };
        let mut node = self.virtual_node.then(|| {
            let start = pass.parameter(&format!("{PREFIX}.virtualnode_embedding.weight"));
            start.expand([batch.molecules(), self.width])
        });
        for layer in 0..self.layers {
            if let Some(node) = &node {
                atoms = add_to_segments(atoms, node.clone(), &batch.segments);
            }
            let next = self.layer(pass, layer, atoms.clone(), &neighbours);
            if layer < self.virtual_layers() {
                node = node.map(|node| self.tell_virtual_node(pass, layer, node, atoms, batch));
            }
            atoms = next;
        }
        match self.readout {
            Readout::Sum => segment_sum(atoms, &batch.segments),
            Readout::Max => segment_max(atoms, &batch.segments),
            Readout::Mean => segment_mean(atoms, &batch.segments),
        }
    }

    /// A convolution, batch norm, rectifier (except after the last layer), dropout and residual.
    fn layer(
        &self,
        pass: &mut Pass<'_>,
        layer: usize,
        atoms: Tensor<2>,
        neighbours: &Arc<Neighbours>,
    ) -> Tensor<2> {
        let convolution = format!("{PREFIX}.convs.{layer}");
        let norm = format!("{PREFIX}.batch_norms.{layer}");
        let tables = (0..BOND_FEATURES.len()).map(|feature| {
            pass.parameter(&format!("{convolution}.bond_encoder.bond_embedding_list.{feature}.weight"))
        });
        let table = sparse_product(&BONDS, Tensor::cat(tables.collect(), 0));
        let after = After {
            rectified: layer + 1 < self.layers,
            dropout: self.dropout,
            residual: Some(atoms.clone()),
        };
        match self.convolution {
            Convolution::Gin => {
                let share = pass.parameter(&format!("{convolution}.eps")) + 1.0;
                let sums = edge_sum(atoms, table, share, neighbours);
                let inner = After { rectified: true, ..After::default() };
                let names = ["mlp.0", "mlp.1", "mlp.3"].map(|part| format!("{convolution}.{part}"));
                let hidden = pass.linear_and_norm(&names[0], &names[1], sums, inner);
                pass.linear_and_norm(&names[2], &norm, hidden, after)
            }
            Convolution::Gcn => {
                let mapped = pass.linear(&format!("{convolution}.linear"), atoms);
                let own = relu(mapped.clone() + pass.parameter(&format!("{convolution}.root_emb.weight")));
                let shares: Vec<f32> =
                    neighbours.degrees().map(|degree| 1.0 / (1.0 + degree as f32)).collect();
                let shape = [shares.len(), 1];
                let shares = Tensor::<2>::from_data(TensorData::new(shares, shape), pass.device());
                let none = Tensor::zeros([1, 1], pass.device());
                let sums = edge_sum(mapped, table, none, neighbours) + own * shares;
                pass.norm(&norm, sums, after)
            }
        }
    }

    fn tell_virtual_node(
        &self,
        pass: &mut Pass<'_>,
        layer: usize,
        node: Tensor<2>,
        atoms: Tensor<2>,
        batch: &GraphBatch,
    ) -> Tensor<2> {
        let names = ["0", "1", "3", "4"].map(|part| format!("{PREFIX}.mlp_virtualnode_list.{layer}.{part}"));
        let heard = segment_sum(atoms, &batch.segments) + node.clone();
        let inner = After { rectified: true, ..After::default() };
        let hidden = pass.linear_and_norm(&names[0], &names[1], heard, inner);
        let after = After { rectified: true, dropout: self.dropout, residual: Some(node) };
        pass.linear_and_norm(&names[2], &names[3], hidden, after)
    }
}
