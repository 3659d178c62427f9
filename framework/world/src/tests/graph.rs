//! The context graph of a simulated world, as the data layer builds it.

use std::collections::{BTreeMap, BTreeSet};

use molarena_data::context::{ContextGraph, ContextManifest, ContextSummary, EdgeKind, NodeKind};
use molarena_data::{Dataset, PreparedDataset};

use crate::parameters::Parameters;
use crate::simulate::simulate;

/// Everything that must be equal in equal graphs, NaN included.
fn fingerprint(graph: &ContextGraph) -> (String, Vec<u32>) {
    let values = graph.spaces.iter().flat_map(|space| &space.values).map(|value| value.to_bits()).collect();
    (serde_json::to_string(graph).unwrap(), values)
}

const WORLD: Parameters = Parameters {
    seed: 0,
    molecules: 60,
    context_molecules: 250,
    genes: 40,
    expression_columns: 20,
    morphology_columns: 10,
    expression_profiles: 300,
    morphology_profiles: 330,
    gene_edges: 60,
    batches: 3,
};

#[test]
fn a_simulated_world_is_a_context_graph_whatever_the_threads() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = simulate(&WORLD, folder.path(), false, &mut |_| ()).unwrap();
    let mut manifest = simulated.context;
    let build = |manifest: &ContextManifest, threads| {
        ContextGraph::build(manifest, folder.path(), &BTreeSet::new(), None, threads, &mut |_| ()).unwrap()
    };
    let graph = build(&manifest, 1);
    assert_eq!(graph.node_kinds.len(), WORLD.nodes());
    let listed =
        |graph: &ContextGraph| graph.edges.iter().filter(|edge| edge.kind != EdgeKind::Similar).count();
    assert_eq!(listed(&graph), WORLD.edges());
    assert!(graph.simulated && graph.failures.is_empty());
    assert!(
        graph.edges.iter().all(|edge| edge.source < edge.target && edge.weight > 0.0 && edge.weight <= 1.0)
    );

    manifest.similarity.threshold = 0.4;
    manifest.similarity.sparsity = 0.9;
    let graph = build(&manifest, 1);
    assert_eq!(fingerprint(&graph), fingerprint(&build(&manifest, 3)));
    let mut alike: BTreeMap<NodeKind, usize> = BTreeMap::new();
    for edge in graph.edges.iter().filter(|edge| edge.kind == EdgeKind::Similar) {
        *alike.entry(graph.node_kinds[edge.source as usize]).or_default() += 1;
    }
    let most = |rows: usize| (rows * (rows - 1) / 2) as f64 * (1.0 - 0.9);
    for (kind, rows) in [(NodeKind::Expression, 300), (NodeKind::Morphology, 330)] {
        let found = alike[&kind];
        assert!(found > 20 && found as f64 <= most(rows), "{kind}: {found}");
    }
    let summary = ContextSummary::new(&graph);
    assert_eq!((summary.nodes, summary.edges), (graph.node_kinds.len(), graph.edges.len()));
    assert_eq!(summary.edge_kinds.iter().map(|kind| kind.edges).sum::<usize>(), summary.edges);
    let ends: f64 = summary.node_kinds.iter().map(|kind| kind.mean_degree * kind.nodes as f64).sum();
    assert_eq!(ends.round() as usize, 2 * summary.edges);
    assert_eq!(summary.spaces[0].owners, 256, "every molecule has an expression profile");
}

#[test]
fn labelled_molecules_leave_a_simulated_world() {
    let folder = tempfile::tempdir().unwrap();
    let simulated = simulate(&WORLD, folder.path(), false, &mut |_| ()).unwrap();
    let dataset = Dataset::load(&simulated.manifests[0], folder.path()).unwrap();
    let labelled = PreparedDataset::new(dataset).unwrap().identities();
    let graph =
        ContextGraph::build(&simulated.context, folder.path(), &labelled, None, 0, &mut |_| ()).unwrap();
    assert_eq!((graph.left_out, graph.molecules.len()), (6, 250));
    assert!(graph.molecules.iter().all(|molecule| !labelled.contains(&molecule.identity)));
}
