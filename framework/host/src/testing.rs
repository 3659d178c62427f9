//! A handmade context graph for tests.

use molarena_data::context::{ContextGraph, Counts, Edge, EdgeKind, Molecule, NodeKind, Space};

/// Three molecules, a gene, one morphology and two expression profiles; molecule 0 has one of each, molecule 2 the other
/// expression profile. 64-bit fingerprints.
pub(crate) fn small_graph() -> ContextGraph {
    use NodeKind::{Expression, Gene, Molecule as Mol, Morphology};
    let molecules = ["CCO", "c1ccccc1", "CC(=O)O"].iter().enumerate().map(|(node, smiles)| Molecule {
        node: node as u64,
        name: format!("m{node}"),
        smiles: (*smiles).to_owned(),
        identity: molarena_chem::Molecule::parse(smiles).unwrap().identity(),
    });
    let edge = |source, target| Edge { source, target, weight: 1.0, kind: EdgeKind::Perturbs };
    let space = |name: &str, kind, nodes: Vec<u64>, columns, values: Vec<f32>| Space {
        name: name.to_owned(),
        kind,
        columns,
        names: Vec::new(),
        rows: (1..=nodes.len() as u64).collect(),
        batches: Vec::new(),
        batch_names: Vec::new(),
        cell_counts: Vec::new(),
        nodes,
        values,
        bounds: vec![[-1.0, 3.0]; columns],
    };
    let expression = Space {
        batches: vec![1, 0],
        batch_names: vec!["plate 1".into(), "plate 2".into()],
        cell_counts: vec![40.0, f32::NAN],
        ..space("expression", Expression, vec![5, 6], 2, vec![0.0, 1.0, 1.0, f32::NAN])
    };
    ContextGraph {
        id: "small".into(),
        title: "Small".into(),
        simulated: true,
        node_kinds: vec![Mol, Mol, Mol, Gene, Morphology, Expression, Expression],
        molecules: molecules.collect(),
        fingerprints: vec![1, 2, 4],
        fingerprint_bits: 64,
        fingerprint_radius: 2,
        genes: vec!["g".into()],
        spaces: vec![space("morphology", Morphology, vec![4], 3, vec![0.0, 0.0, 0.0]), expression],
        edges: vec![edge(0, 4), edge(0, 5), edge(2, 6)],
        left_out: 0,
        failures: Vec::new(),
        counts: Counts::default(),
        unverified: Vec::new(),
        key: "0".repeat(64),
    }
}
