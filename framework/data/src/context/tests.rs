//! Graphs of small made-up files.

mod errors;
mod published;
mod world;

use std::collections::BTreeSet;

use super::*;
use world::{Made, identity};

/// Edges as (source, target, kind, weight in thousandths).
fn edges(graph: &ContextGraph) -> Vec<(u64, u64, EdgeKind, u32)> {
    let edge = |edge: &Edge| (edge.source, edge.target, edge.kind, (edge.weight * 1000.0).round() as u32);
    graph.edges.iter().map(edge).collect()
}

/// Everything that must be equal in equal graphs, NaN included.
fn fingerprint(graph: &ContextGraph) -> (String, Vec<u32>) {
    let values = graph.spaces.iter().flat_map(|space| &space.values).map(|value| value.to_bits()).collect();
    (serde_json::to_string(graph).unwrap(), values)
}

#[test]
fn a_small_graph_is_as_counted_by_hand() {
    let made = Made::new();
    let graph = made.build().unwrap();
    let kinds: Vec<u8> = graph.node_kinds.iter().map(|kind| *kind as u8).collect();
    // m0 to m3 (m4 is m0 again), genes 11, 12, 13, three expression and two morphology profiles.
    assert_eq!(kinds, [0, 0, 0, 0, 1, 1, 1, 3, 3, 3, 2, 2]);
    let names: Vec<&str> = graph.molecules.iter().map(|molecule| molecule.name.as_str()).collect();
    assert_eq!(names, ["m0", "m1", "m2", "m3"]);
    assert_eq!(graph.molecules[1].smiles, "CCO", "the extension is cut off");
    assert_eq!(graph.genes, ["11", "12", "13"]);
    assert_eq!((graph.failures.len(), graph.failures[0].row, graph.failures[0].name.as_str()), (1, 6, "m5"));
    assert_eq!(graph.failures[0].file, "made/molecules.csv");

    let expression = graph.space("expression").unwrap();
    assert_eq!(expression.names, ["12", "11"]);
    assert_eq!(expression.bounds, [[-4.0, 4.0], [1.0, 3.0]]);
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&expression.values), bits(&[0.0, 0.0, 1.0, f32::NAN, 0.75, 1.0]));
    assert_eq!((&expression.nodes[..], &expression.rows[..]), (&[7, 8, 9][..], &[1, 2, 4][..]));
    assert_eq!(graph.profiles_of("expression"), [(0, 0), (1, 1), (2, 0)]);
    assert_eq!(graph.profiles_of("morphology"), [(0, 2), (1, 3)]);
    assert_eq!(graph.profiles_of("nothing"), []);

    let (perturbs, regulates) = (EdgeKind::Perturbs, EdgeKind::Regulates);
    // The largest two of five expression values, -4 and 4, join m0 and m1 to gene 12 (node 5). The list joins
    // m0 to gene 12 again, with a smaller weight, and m2 to gene 13.
    let expected = vec![
        (0, 5, regulates, 1000),
        (0, 7, perturbs, 1000),
        (0, 9, perturbs, 1000),
        (1, 5, regulates, 1000),
        (1, 8, perturbs, 1000),
        (2, 6, regulates, 1000),
        (2, 10, perturbs, 1000),
        (3, 11, perturbs, 1000),
        // Also listed as interacts: of equal weights, the first kind stays.
        (4, 5, regulates, 1000),
        (5, 6, regulates, 1000),
    ];
    assert_eq!(edges(&graph), expected);
    let counts = Counts {
        molecule_rows: 6,
        merged_molecules: 1,
        cut_smiles: 1,
        profiles_without_molecule: 1,
        edges_of_left_molecules: 1,
        void_edges: 1,
        repeated_edges: 2,
        constant_columns: 1,
        ..Counts::default()
    };
    assert_eq!((graph.counts, graph.left_out), (counts, 0));
}

#[test]
fn molecules_leave_with_their_profiles_before_anything_is_computed() {
    let made = Made::new();
    let graph = made.build_without(&["CCO", "c1ccccc1"]).unwrap();
    assert_eq!(graph.left_out, 1, "benzene is not in the graph");
    let names: Vec<&str> = graph.molecules.iter().map(|molecule| molecule.name.as_str()).collect();
    assert_eq!(names, ["m0", "m2", "m3"]);
    assert!(graph.molecules.iter().all(|molecule| molecule.identity != identity("CCO")));
    assert_eq!(graph.counts.left_out_profiles, 1);
    let expression = graph.space("expression").unwrap();
    // Without the profile of m1, the range of the first column is different.
    assert_eq!((expression.bounds[0], expression.len()), ([-4.0, 2.0], 2));
    assert_eq!(graph.profiles_of("expression"), [(0, 0), (1, 0)]);
    assert_ne!(graph.key, made.build().unwrap().key);
}

#[test]
fn rows_of_a_sample_are_evenly_spread_and_called_by_file_and_row() {
    let sample = |rows: usize| {
        let keys = format!(
            "smiles = \"smiles\"\n\n[[molecules]]\nfile = \"made/more.csv\"\nsmiles = \"SMILES\"\nsample = {rows}"
        );
        let list = "SMILES\nCCCC\nCCCCC\nCCCCCC\nCCCCCCC\nCCCCCCCC\n";
        Made::new().text("more.csv", list).edit("smiles = \"smiles\"", &keys)
    };
    let names = |rows| {
        let graph = sample(rows).build().unwrap();
        graph.molecules[4..].iter().map(|molecule| molecule.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(2), ["made/more.csv:1", "made/more.csv:3"]);
    assert_eq!(names(5).len(), 5);
    let many = sample(6).build().unwrap_err().to_string();
    assert!(many.contains("molecules[1].sample: is 6, but made/more.csv has 5 rows"), "{many}");
    let none = sample(0).parse().unwrap_err().to_string();
    assert!(none.contains("molecules[1].sample: is 0"), "{none}");
}

#[test]
fn a_molecule_leaves_whatever_its_id_and_spelling() {
    let made = Made::new();
    // m0 and m4 are one molecule.
    let graph = made.build_without(&["C1CCCCC1CC(=O)[O-].[H+]", "OC(=O)CC1CCCCC1"]).unwrap();
    assert_eq!((graph.left_out, graph.counts.merged_molecules), (1, 1));
    assert_eq!(graph.counts.left_out_profiles, 2);
    assert_eq!(graph.counts.edges_of_left_molecules, 2);
}

#[test]
fn a_column_that_leaves_with_its_molecules_stays_and_is_counted() {
    let made = Made::new().matrix("expression.npz", 2, &[-4.0, 1.0, 4.0, f32::NAN, 0.0, 0.0, 2.0, f32::NAN]);
    let graph = made.build().unwrap();
    assert_eq!((graph.counts.emptied_columns, graph.counts.constant_columns), (0, 2));
    let made = made.matrix("expression.npz", 2, &[-4.0, f32::NAN, 4.0, 1.0, 0.0, 0.0, 2.0, f32::NAN]);
    let graph = made.build_without(&["CCO"]).unwrap();
    assert_eq!(graph.counts.emptied_columns, 1);
    let bounds = graph.space("expression").unwrap().bounds[1];
    assert!(bounds[0].is_nan() && bounds[1].is_nan());
}

#[test]
fn the_cache_gives_the_same_graph_and_a_damaged_file_is_not_trusted() {
    let made = Made::new();
    let cache = tempfile::tempdir().unwrap();
    let mut notes = Vec::new();
    let mut build = || {
        let nothing = BTreeSet::new();
        let mut steps = Vec::new();
        let mut tell = |progress: Progress<'_>| match progress {
            Progress::Note(note) => notes.push(note.to_owned()),
            Progress::At { step, .. } => steps.push(step),
        };
        let graph =
            ContextGraph::build(&made.manifest(), made.folder(), &nothing, Some(cache.path()), 1, &mut tell)
                .unwrap();
        (fingerprint(&graph), steps.contains(&Step::Molecules))
    };
    let (first, read_molecules) = build();
    assert!(read_molecules);
    assert_eq!(build(), (first.clone(), false));
    let file = fs_err::read_dir(cache.path()).unwrap().next().unwrap().unwrap().path();
    let good = fs_err::read(&file).unwrap();
    for damage in [0, 9, 40, good.len() / 2, good.len() - 70, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[damage] ^= 1;
        fs_err::write(&file, bytes).unwrap();
        assert_eq!(build(), (first.clone(), true), "byte {damage}");
        assert_eq!(fs_err::read(&file).unwrap(), good);
    }
    for bytes in [&good[..10], &good[..good.len() - 1], &[good.as_slice(), b"x"].concat()] {
        fs_err::write(&file, bytes).unwrap();
        assert_eq!(build(), (first.clone(), true));
    }
    assert_eq!(notes.len(), 9);
    assert!(
        notes.iter().all(|note| note.contains(".context: ") && note.ends_with("the graph is built again"))
    );
    assert_eq!(fs_err::read_dir(cache.path()).unwrap().count(), 1, "nothing temporary stays");
}
