//! The contents of a context graph, in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::graph::{ContextGraph, Counts, EdgeKind, MoleculeFailure, NodeKind};

/// A summary of a context graph.
#[derive(Clone, Debug, Serialize)]
pub struct ContextSummary {
    /// The manifest's id.
    pub id: String,
    /// The manifest's title.
    pub title: String,
    /// Whether the data are simulated.
    pub simulated: bool,
    /// The graph's [`ContextGraph::key`].
    pub key: String,
    /// Number of nodes.
    pub nodes: usize,
    /// Number of edges.
    pub edges: usize,
    /// Nodes of each kind, and their degrees.
    pub node_kinds: Vec<NodeSummary>,
    /// Edges by kind and by the kinds of their ends.
    pub edge_kinds: Vec<EdgeSummary>,
    /// Bits of a molecule's fingerprint.
    pub fingerprint_bits: usize,
    /// Radius of a molecule's fingerprint.
    pub fingerprint_radius: u32,
    /// The feature spaces.
    pub spaces: Vec<SpaceSummary>,
    /// Number of molecules left out.
    pub left_out: usize,
    /// Rows whose SMILES cannot be read.
    pub failures: Vec<MoleculeFailure>,
    /// Counts of everything else that was left out or changed.
    pub counts: Counts,
    /// Files without a digest in the manifest: path and the sha256 found.
    pub unverified: Vec<(String, String)>,
}

/// Nodes of one kind.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NodeSummary {
    /// The kind.
    pub kind: NodeKind,
    /// Number of nodes.
    pub nodes: usize,
    /// Mean number of edges per node.
    pub mean_degree: f64,
    /// Largest number of edges of a node.
    pub max_degree: usize,
    /// Nodes without an edge.
    pub isolated: usize,
}

/// Edges of one kind between two kinds of nodes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EdgeSummary {
    /// The kind.
    pub kind: EdgeKind,
    /// Kinds of the ends, in the order of their values.
    pub ends: [NodeKind; 2],
    /// Number of edges.
    pub edges: usize,
    /// Mean weight.
    pub mean_weight: f64,
    /// The smallest weight.
    pub min_weight: f32,
    /// The largest weight.
    pub max_weight: f32,
}

/// A feature space.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SpaceSummary {
    /// Name.
    pub name: String,
    /// Kind of the nodes.
    pub kind: NodeKind,
    /// Number of rows.
    pub rows: usize,
    /// Molecules or genes that have such a row.
    pub owners: usize,
    /// Number of columns.
    pub columns: usize,
    /// Number of missing values.
    pub missing: usize,
    /// Columns with a single value.
    pub constant_columns: usize,
    /// Columns that lost all their values when molecules were left out.
    pub emptied_columns: usize,
}

impl ContextSummary {
    /// Summarises a graph.
    pub fn new(graph: &ContextGraph) -> Self {
        Self {
            id: graph.id.clone(),
            title: graph.title.clone(),
            simulated: graph.simulated,
            key: graph.key.clone(),
            nodes: graph.node_kinds.len(),
            edges: graph.edges.len(),
            node_kinds: nodes(graph),
            edge_kinds: edges(graph),
            fingerprint_bits: graph.fingerprint_bits,
            fingerprint_radius: graph.fingerprint_radius,
            spaces: spaces(graph),
            left_out: graph.left_out,
            failures: graph.failures.clone(),
            counts: graph.counts.clone(),
            unverified: graph.unverified.clone(),
        }
    }
}

fn nodes(graph: &ContextGraph) -> Vec<NodeSummary> {
    let mut degrees = vec![0_usize; graph.node_kinds.len()];
    for edge in &graph.edges {
        degrees[edge.source as usize] += 1;
        degrees[edge.target as usize] += 1;
    }
    let summary = |kind| {
        let of_kind = graph.node_kinds.iter().zip(&degrees).filter(|(other, _)| **other == kind);
        let degrees: Vec<usize> = of_kind.map(|(_, degree)| *degree).collect();
        let mean = degrees.iter().sum::<usize>() as f64 / degrees.len() as f64;
        let isolated = degrees.iter().filter(|degree| **degree == 0).count();
        let max_degree = *degrees.iter().max()?;
        Some(NodeSummary { kind, nodes: degrees.len(), mean_degree: mean, max_degree, isolated })
    };
    NodeKind::ALL.into_iter().filter_map(summary).collect()
}

fn edges(graph: &ContextGraph) -> Vec<EdgeSummary> {
    let mut groups: BTreeMap<(EdgeKind, [NodeKind; 2]), Vec<f32>> = BTreeMap::new();
    for edge in &graph.edges {
        let mut ends = [edge.source, edge.target].map(|node| graph.node_kinds[node as usize]);
        ends.sort_unstable();
        groups.entry((edge.kind, ends)).or_default().push(edge.weight);
    }
    let summary = |((kind, ends), weights): (_, Vec<f32>)| EdgeSummary {
        kind,
        ends,
        edges: weights.len(),
        mean_weight: weights.iter().copied().map(f64::from).sum::<f64>() / weights.len() as f64,
        min_weight: weights.iter().copied().fold(f32::INFINITY, f32::min),
        max_weight: weights.iter().copied().fold(0.0, f32::max),
    };
    groups.into_iter().map(summary).collect()
}

fn spaces(graph: &ContextGraph) -> Vec<SpaceSummary> {
    let summary = |space: &super::Space| {
        let mut owners: Vec<usize> =
            graph.profiles_of(&space.name).into_iter().map(|(_, molecule)| molecule).collect();
        owners.sort_unstable();
        owners.dedup();
        SpaceSummary {
            name: space.name.clone(),
            kind: space.kind,
            rows: space.len(),
            owners: if space.kind == NodeKind::Gene { space.len() } else { owners.len() },
            columns: space.columns,
            missing: space.values.iter().filter(|value| value.is_nan()).count(),
            constant_columns: space.bounds.iter().filter(|[low, high]| low == high).count(),
            emptied_columns: space.bounds.iter().filter(|[low, _]| low.is_nan()).count(),
        }
    };
    graph.spaces.iter().map(summary).collect()
}
