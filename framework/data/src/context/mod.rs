//! Context graphs: what encoders are pretrained on.
//!
//! A context graph joins molecules, genes and cell profiles (section 4.1 of the `InfoAlign` paper, arXiv 2406.12056). It is
//! built from the files that a [`ContextManifest`] names, without the molecules of the datasets under evaluation:
//!
//! [`Catalog`](crate::Catalog) -> [`ContextManifest`] -> [`ContextGraph::build`] -> [`ContextSummary`].

mod build;
mod cache;
mod cluster;
mod edges;
mod features;
mod graph;
mod manifest;
mod matrix;
mod nodes;
mod scale;
mod similar;
mod summary;
#[cfg(test)]
mod tests;

pub use graph::{
    ContextGraph, Counts, Edge, EdgeKind, Molecule, MoleculeFailure, NodeKind, Progress, Space, Step,
};
pub use manifest::{
    CONTEXT_SCHEMA, ColumnGenes, ContextFile, ContextManifest, EdgeEnd, EdgeList, FingerprintSpec, GeneTable,
    Measure, MoleculeTable, RepeatedIds, SimilaritySpec, SpaceSpec, Unknown,
};
pub use matrix::{MatrixFile, read_npy};
pub use summary::{ContextSummary, EdgeSummary, NodeSummary, SpaceSummary};
