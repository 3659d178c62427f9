//! Graph neural networks on molecules: graph isomorphism and graph convolutional layers with bond embeddings, a virtual node,
//! batch norm, residuals and dropout (Xu et al. 2019; Kipf and Welling 2017; Hu et al. 2020, 2021).

mod batch;
mod network;

pub use batch::{ATOM_FEATURES, BOND_FEATURES, GraphBatch, MoleculeGraphs};
pub use network::{Convolution, GraphNetwork, Readout};

#[cfg(test)]
mod tests;
