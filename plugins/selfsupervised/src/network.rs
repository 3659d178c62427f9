//! Passes of the graph network over lists of graphs.

use std::sync::Arc;

use burn::tensor::Tensor;
use molarena_nn::{
    Pass,
    gnn::{GraphNetwork, Readout},
    kernels::{Segments, segment_max, segment_mean, segment_sum},
};
use molarena_sdk::Result;

use crate::graphs::GraphList;

/// Vectors of the graphs, `f32[graphs, d]`.
pub(crate) fn molecules(network: &GraphNetwork, pass: &mut Pass<'_>, list: &GraphList) -> Result<Tensor<2>> {
    Ok(network.forward(pass, &list.batch()?))
}

/// Vectors of the atoms, `f32[atoms, d]`, before the readout. The network has no virtual node: the configuration of an objective
/// that reads atoms is refused otherwise.
pub(crate) fn atoms(network: &GraphNetwork, pass: &mut Pass<'_>, list: &GraphList) -> Result<Tensor<2>> {
    let network = GraphNetwork { readout: Readout::Sum, ..network.clone() };
    Ok(network.forward(pass, &list.batch_of_atoms()?))
}

/// The network's readout of atoms' vectors, `f32[graphs, d]`.
pub(crate) fn read_out(network: &GraphNetwork, atoms: Tensor<2>, segments: &Arc<Segments>) -> Tensor<2> {
    match network.readout {
        Readout::Sum => segment_sum(atoms, segments),
        Readout::Max => segment_max(atoms, segments),
        Readout::Mean => segment_mean(atoms, segments),
    }
}
