//! The networks.

use std::sync::Arc;

use burn::tensor::{
    Int, Tensor, TensorData,
    activation::{leaky_relu, relu},
};
use molarena_nn::{
    After, Pass, Slots, SparseRows, Start,
    gnn::{ATOM_FEATURES, BOND_FEATURES, GraphBatch, MoleculeGraphs},
    kernels::{Segments, segment_max, segment_mean, segment_sum},
    sparse_product,
    supervised::GraphEncoder,
};
use molarena_sdk::{Error, Graphs, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How atoms exchange messages; each atom is also its own neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Convolution {
    /// Graph isomorphism network (Xu et al. 2019).
    Gin,
    /// Graph convolutional network (Kipf and Welling 2017).
    Gcn,
    /// `GraphSAGE` (Hamilton et al. 2017): the mean over neighbours, scaled to length 1.
    GraphSage,
    /// Graph attention network (Velickovic et al. 2018) with two heads. As in the released code, the attention of each
    /// sender's messages adds up to 1, not that of each receiver's.
    Gat,
}

/// The network's shape.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    pub(super) convolution: Convolution,
    pub(super) layers: usize,
    pub(super) width: usize,
    /// Probability in [0, 1) that training drops a value after each layer.
    pub(super) dropout: f64,
}

/// Rows of the tables of elements, chirality tags, bond types and bond directions. The last element and the last bond
/// type stand for what pretraining hides, the last but one bond type for an atom's bond to itself.
const ELEMENTS: usize = 120;
const CHIRALITIES: usize = 3;
const BOND_TYPES: usize = 6;
const DIRECTIONS: usize = 3;

/// The type of an atom's bond to itself; those of bonds are below.
const SELF: usize = 4;

const HEADS: usize = 2;
/// Slope of the rectifier of attention below 0.
const SLOPE: f64 = 0.2;

/// Refuses atoms and bonds that the networks have no vector for; the error names the molecule.
pub(super) fn check(graphs: &Graphs<'_>) -> Result<()> {
    for row in 0..graphs.rows() {
        let refuse = |what: &str| {
            Err(Error::invalid_argument(format!(
                "molecule {row} has {what}, for which the network has no vector"
            )))
        };
        for atom in &graphs.atom_features[graphs.atom_range(row)] {
            if usize::try_from(atom[0]).is_ok_and(|element| element + 1 >= ATOM_FEATURES[0]) {
                return refuse("an atom of no element");
            }
            if usize::try_from(atom[1]).is_ok_and(|chirality| chirality >= CHIRALITIES) {
                return refuse("an atom whose stereo is not tetrahedral");
            }
        }
        let mut bonds = graphs.bond_features[graphs.bond_range(row)].iter();
        if bonds.any(|bond| usize::try_from(bond[0]).is_ok_and(|kind| kind >= SELF)) {
            return refuse("a bond that is not single, double, triple or aromatic");
        }
    }
    Ok(())
}

impl GraphEncoder for Network {
    fn width(&self) -> usize {
        self.width
    }

    fn layers(&self) -> usize {
        self.layers
    }

    fn molecules<'m>(graphs: Graphs<'m>) -> Result<MoleculeGraphs<'m>> {
        check(&graphs)?;
        MoleculeGraphs::new(graphs)
    }

    /// Under the names of the released files.
    fn slots(&self) -> Slots {
        let width = self.width;
        let mut slots = Slots::default();
        slots.embedding("x_embedding1.weight", ELEMENTS, width);
        slots.embedding("x_embedding2.weight", CHIRALITIES, width);
        for layer in 0..self.layers {
            let name = format!("gnns.{layer}");
            let heads = if self.convolution == Convolution::Gat { HEADS } else { 1 };
            slots.embedding(format!("{name}.edge_embedding1.weight"), BOND_TYPES, heads * width);
            slots.embedding(format!("{name}.edge_embedding2.weight"), DIRECTIONS, heads * width);
            match self.convolution {
                Convolution::Gin => {
                    slots.linear(&format!("{name}.mlp.0"), width, 2 * width);
                    slots.linear(&format!("{name}.mlp.2"), 2 * width, width);
                }
                Convolution::Gcn | Convolution::GraphSage => {
                    slots.linear(&format!("{name}.linear"), width, width);
                }
                Convolution::Gat => {
                    slots.linear(&format!("{name}.weight_linear"), width, heads * width);
                    let start = Start::Uniform((6.0 / (heads + 2 * width) as f64).sqrt());
                    slots.push(format!("{name}.att"), &[1, heads, 2 * width], true, start);
                    slots.push(format!("{name}.bias"), &[width], true, Start::Constant(0.0));
                }
            }
            slots.norm(&format!("batch_norms.{layer}"), width);
        }
        slots
    }

    /// The mean over the atoms of the last layer.
    fn forward(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        let messages = Messages::new(self.convolution, batch);
        let none = ATOM_FEATURES.iter().sum::<usize>() - ATOM_FEATURES[0] - CHIRALITIES;
        let elements = pass.parameter("x_embedding1.weight").narrow(0, 0, ATOM_FEATURES[0]);
        let chiralities = pass.parameter("x_embedding2.weight");
        let zeros = Tensor::zeros([none, self.width], pass.device());
        let mut atoms =
            sparse_product(batch.atom_features(), Tensor::cat(vec![elements, chiralities, zeros], 0));
        for layer in 0..self.layers {
            let name = format!("gnns.{layer}");
            // No bond has a direction: it depends on how the SMILES is written, not on the molecule.
            let types = pass.parameter(&format!("{name}.edge_embedding1.weight")).narrow(0, 0, SELF + 1);
            let bonds = types + pass.parameter(&format!("{name}.edge_embedding2.weight")).narrow(0, 0, 1);
            let told = |atoms: Tensor<2>| {
                sparse_product(&messages.received, Tensor::cat(vec![atoms, bonds.clone()], 0))
            };
            let next = match self.convolution {
                Convolution::Gin => {
                    let hidden = relu(pass.linear(&format!("{name}.mlp.0"), told(atoms)));
                    pass.linear(&format!("{name}.mlp.2"), hidden)
                }
                Convolution::Gcn => told(pass.linear(&format!("{name}.linear"), atoms)),
                Convolution::GraphSage => {
                    let mean = told(pass.linear(&format!("{name}.linear"), atoms));
                    // The root has no gradient at 0.
                    let length = mean.clone().powi_scalar(2).sum_dim(1).clamp_min(1e-24).sqrt();
                    mean / length
                }
                Convolution::Gat => self.attention(pass, &name, &messages, atoms, &bonds),
            };
            let after = After { rectified: layer + 1 < self.layers, dropout: self.dropout, residual: None };
            atoms = pass.norm(&format!("batch_norms.{layer}"), next, after);
        }
        segment_mean(atoms, batch.segments())
    }

    fn with_dropout(self, dropout: f64) -> Self {
        Self { dropout, ..self }
    }
}

impl Network {
    fn attention(
        self,
        pass: &Pass<'_>,
        name: &str,
        messages: &Messages,
        atoms: Tensor<2>,
        bonds: &Tensor<2>,
    ) -> Tensor<2> {
        let width = self.width;
        let index = |values: &[i32]| {
            let data = TensorData::new(values.to_vec(), [values.len()]);
            Tensor::<1, Int>::from_data(data, pass.device())
        };
        let mapped = pass.linear(&format!("{name}.weight_linear"), atoms);
        let receivers = mapped.clone().select(0, index(&messages.receivers));
        let senders =
            mapped.select(0, index(&messages.senders)) + bonds.clone().select(0, index(&messages.types));
        let attention = pass.parameter(&format!("{name}.att"));
        let heads = (0..HEADS).map(|head| {
            let part = |rows: &Tensor<2>| rows.clone().narrow(1, head * width, width);
            let weights = |from| attention.clone().narrow(0, head, 1).narrow(1, from, width);
            let score =
                (part(&receivers) * weights(0)).sum_dim(1) + (part(&senders) * weights(width)).sum_dim(1);
            let score = leaky_relu(score, SLOPE);
            let largest = segment_max(score.clone(), &messages.by_sender).select(0, index(&messages.senders));
            let share = (score - largest).exp();
            let sums = segment_sum(share.clone(), &messages.by_sender);
            let share = share / sums.select(0, index(&messages.senders));
            sparse_product(&messages.by_receiver, part(&senders) * share)
        });
        let sum = heads.reduce(|one, other| one + other).expect("there are heads");
        sum / HEADS as f64 + pass.parameter(&format!("{name}.bias"))
    }
}

/// The messages of a batch: each bond in both directions, and each atom's to itself. They are sorted by the sender.
struct Messages {
    /// What an atom receives, `[atoms, atoms + 5]`: the weights of the atoms, and after them those of the bond types.
    received: Arc<SparseRows>,
    senders: Vec<i32>,
    receivers: Vec<i32>,
    types: Vec<i32>,
    /// The messages of each sender.
    by_sender: Arc<Segments>,
    /// `[atoms, messages]`: 1 where the atom receives the message.
    by_receiver: Arc<SparseRows>,
}

impl Messages {
    fn new(convolution: Convolution, batch: &GraphBatch) -> Self {
        let neighbours = batch.neighbours();
        let atoms = neighbours.atoms();
        let degrees: Vec<f32> = neighbours.degrees().map(|degree| 1.0 + degree as f32).collect();
        let weight = |receiver: usize, sender: usize| match convolution {
            Convolution::Gin | Convolution::Gat => 1.0,
            Convolution::Gcn => 1.0 / (degrees[receiver] * degrees[sender]).sqrt(),
            Convolution::GraphSage => 1.0 / degrees[receiver],
        };
        let kinds: usize = BOND_FEATURES[1..].iter().product();
        let mut received = SparseRows::new(atoms + SELF + 1);
        let (mut senders, mut receivers, mut types) = (Vec::new(), Vec::new(), Vec::new());
        for atom in 0..atoms {
            let mut heard: Vec<(usize, usize)> =
                neighbours.messages(atom).map(|(other, kind, _)| (other, kind / kinds)).collect();
            heard.push((atom, SELF));
            heard.sort_unstable();
            let mut by_type = [0.0; SELF + 1];
            for &(sender, kind) in &heard {
                by_type[kind] += weight(atom, sender);
            }
            let atoms_heard = heard.iter().map(|&(sender, _)| (sender as u32, weight(atom, sender)));
            let types_heard = by_type.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
            received
                .push(atoms_heard.chain(types_heard.map(|(kind, &weight)| ((atoms + kind) as u32, weight))));
            // Whom an atom hears, it tells.
            for (receiver, kind) in heard {
                senders.push(atom as i32);
                receivers.push(receiver as i32);
                types.push(kind as i32);
            }
        }
        let mut heard_by = vec![Vec::new(); atoms];
        for (message, &receiver) in receivers.iter().enumerate() {
            heard_by[receiver as usize].push((message as u32, 1.0));
        }
        let mut by_receiver = SparseRows::new(receivers.len());
        for messages in heard_by {
            by_receiver.push(messages);
        }
        let by_sender = Segments::new(neighbours.degrees().map(|degree| degree + 1));
        Self {
            received: Arc::new(received),
            senders,
            receivers,
            types,
            by_sender: Arc::new(by_sender),
            by_receiver: Arc::new(by_receiver),
        }
    }
}
