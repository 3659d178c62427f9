//! The reference's features and vectors of `MiniMol`, from real weights (`../shared/golden/minimol`).

use std::{ops::Range, path::PathBuf};

use molarena_chem::Molecule;
use molarena_onnx::{
    Given, Onnx, OnnxConfig,
    network::{Network, Tensor, Values},
    runtime, tensor,
};
use molarena_sdk::{Call, Component, Encoder, Graphs, Inputs};
use molarena_tests::python::onnxruntime;
use ndarray::{Array2, ArrayView2};
use ndarray_npy::NpzReader;

/// A file below the folder that `variable` names; a panic where data are required, `None` with a message elsewhere.
fn file(variable: &str, path: &str) -> Option<PathBuf> {
    let found = std::env::var_os(variable).map(|folder| PathBuf::from(folder).join(path));
    let found = found.filter(|path| path.exists());
    if found.is_none() {
        assert!(std::env::var_os("MOLARENA_REQUIRE_DATA").is_none(), "{variable} has no {path}");
        eprintln!("skipped: {variable} has no {path}");
    }
    found
}

/// Inputs of the graph by name, and what this plugin fills them with.
const INPUTS: [(&str, Given); 5] = [
    ("feat", Given::GraphiumAtoms),
    ("edge_feat", Given::GraphiumBonds),
    ("laplacian_eigvec", Given::LaplacianVectors),
    ("laplacian_eigval", Given::LaplacianValues),
    ("rw_return_probs", Given::WalkReturns),
];

/// The reference's molecules, what it gives the network for them, and the network's vectors.
struct Golden {
    smiles: Vec<String>,
    /// The atoms and the directed bonds of each molecule.
    rows: Vec<[Range<usize>; 2]>,
    /// In the order of [`INPUTS`].
    inputs: [Array2<f32>; 5],
    bonds: Array2<i64>,
    vectors: Array2<f32>,
}

impl Golden {
    fn read() -> Option<Self> {
        let golden = file("MOLARENA_GOLDEN", "minimol")?;
        let open = |name: &str| NpzReader::new(fs_err::File::open(golden.join(name)).unwrap()).unwrap();
        let mut inputs = open("inputs.npz");
        let (mut smiles, mut rows) = (Vec::new(), Vec::new());
        let (mut atom, mut bond) = (0, 0);
        for molecule in csv::Reader::from_path(golden.join("molecules.csv")).unwrap().records() {
            let molecule = molecule.unwrap();
            let count = |column: usize| molecule[column].parse::<usize>().unwrap();
            smiles.push(molecule[0].to_owned());
            rows.push([atom..atom + count(2), bond..bond + count(3)]);
            (atom, bond) = (atom + count(2), bond + count(3));
        }
        let golden = Self {
            smiles,
            rows,
            inputs: INPUTS.map(|(name, _)| inputs.by_name(name).unwrap()),
            bonds: inputs.by_name("edge_index").unwrap(),
            vectors: open("fingerprints.npz").by_name("fingerprints").unwrap(),
        };
        assert_eq!((atom, bond), (golden.inputs[0].nrows(), golden.bonds.ncols()), "all molecules");
        Some(golden)
    }

    /// An input's rows of a molecule.
    fn input(&self, molecule: usize, number: usize) -> ArrayView2<'_, f32> {
        let [atoms, bonds] = &self.rows[molecule];
        let rows = if INPUTS[number].0 == "edge_feat" { bonds } else { atoms };
        self.inputs[number].slice(ndarray::s![rows.clone(), ..])
    }

    /// The atoms of each directed bond of a molecule.
    fn directed(&self, molecule: usize) -> Vec<[usize; 2]> {
        let bonds = self.rows[molecule][1].clone();
        bonds.map(|bond| [0, 1].map(|end| self.bonds[[end, bond]] as usize)).collect()
    }
}

/// One molecule as components get it.
struct Graph {
    offsets: [[i64; 2]; 2],
    graph: molarena_chem::MoleculeGraph,
}

impl Graph {
    fn of(smiles: &str) -> Self {
        let graph = Molecule::parse(smiles).unwrap().graph();
        let offsets = [graph.atom_features.len(), graph.bonds.len()].map(|count| [0, count as i64]);
        Self { offsets, graph }
    }

    fn inputs(&self) -> Inputs<'_> {
        let ([atoms, bonds], graph) = (&self.offsets, &self.graph);
        let graphs =
            Graphs::new(atoms, bonds, &graph.atom_features, &graph.bonds, &graph.bond_features).unwrap();
        Inputs::from_graphs(graphs)
    }

    fn rows(&self, given: Given) -> Array2<f32> {
        let Tensor { shape, values } = tensor(given, &self.inputs(), 0..1, None).unwrap();
        let Values::Floats(values) = values else { panic!("numbers") };
        Array2::from_shape_vec((shape[0], shape[1]), values).unwrap()
    }

    fn directed(&self) -> Vec<[usize; 2]> {
        let both = |&[one, other]: &[u32; 2]| [[one, other], [other, one]];
        self.graph.bonds.iter().flat_map(both).map(|ends| ends.map(|atom| atom as usize)).collect()
    }
}

/// Finds for each row of `ours` another of `theirs`, and returns the largest difference. The reference's atoms are in another order.
fn matched(ours: &[Vec<f32>], theirs: &[Vec<f32>]) -> f32 {
    assert_eq!(ours.len(), theirs.len());
    let (mut free, mut largest): (Vec<&Vec<f32>>, f32) = (theirs.iter().collect(), 0.0);
    for row in ours {
        let distance = |other: &Vec<f32>| {
            row.iter().zip(other).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
        };
        let distances: Vec<f32> = free.iter().map(|other| distance(other)).collect();
        let nearest =
            (0..free.len()).min_by(|&one, &other| distances[one].total_cmp(&distances[other])).unwrap();
        largest = largest.max(distances[nearest]);
        free.swap_remove(nearest);
    }
    largest
}

fn side_by_side(parts: &[ArrayView2<'_, f32>], row: usize) -> Vec<f32> {
    parts.iter().flat_map(|part| part.row(row).to_vec()).collect()
}

/// Everything but the eigenvectors is the reference's to the last digit of its 16 bits. Its eigenvectors have the sign, and of several
/// of one eigenvalue the vectors, that LAPACK happened to return, so only what does not depend on that is compared.
#[test]
fn features_are_the_reference_s() {
    let Some(golden) = Golden::read() else { return };
    let (mut single, mut largest) = (0, 0f32);
    for (number, smiles) in golden.smiles.iter().enumerate() {
        let graph = Graph::of(smiles);
        let ours = INPUTS.map(|(_, given)| graph.rows(given));
        let theirs = [0, 1, 2, 3, 4].map(|input| golden.input(number, input));
        let atoms = |inputs: [ArrayView2<'_, f32>; 3]| -> Vec<Vec<f32>> {
            (0..inputs[0].nrows()).map(|row| side_by_side(&inputs, row)).collect()
        };
        let of_ours = atoms([ours[0].view(), ours[3].view(), ours[4].view()]);
        let of_theirs = atoms([theirs[0], theirs[3], theirs[4]]);
        // Half a step of 16 bits below 8, the largest values.
        let difference = matched(&of_ours, &of_theirs);
        assert!(difference < 4e-3, "atoms of {smiles}: {difference}");
        largest = largest.max(difference);
        let bonds = |atoms: &[Vec<f32>], directed: Vec<[usize; 2]>, kinds: ArrayView2<'_, f32>| {
            let row = |(bond, [from, to]): (usize, [usize; 2])| {
                [&atoms[from][..], &kinds.row(bond).to_vec(), &atoms[to]].concat()
            };
            directed.into_iter().enumerate().map(row).collect::<Vec<_>>()
        };
        let difference = matched(
            &bonds(&of_ours, graph.directed(), ours[1].view()),
            &bonds(&of_theirs, golden.directed(number), theirs[1]),
        );
        assert!(difference < 4e-3, "bonds of {smiles}: {difference}");
        // Vectors of an eigenvalue of their own, up to the sign. Whether the last has one is not known.
        if smiles.contains('.') {
            continue;
        }
        let values = theirs[3].row(0);
        for column in 0..7.min(graph.graph.atom_features.len()) {
            let apart = |other: usize| (values[other] - values[column]).abs() > 0.01;
            if (column > 0 && !apart(column - 1)) || (column + 1 < 8 && !apart(column + 1)) {
                continue;
            }
            let vector = |inputs: &ArrayView2<'_, f32>| {
                let mut elements: Vec<f32> = inputs.column(column).iter().map(|value| value.abs()).collect();
                elements.sort_by(f32::total_cmp);
                vec![elements]
            };
            let difference = matched(&vector(&ours[2].view()), &vector(&theirs[2]));
            assert!(difference < 4e-3, "eigenvector {column} of {smiles}: {difference}");
            single += 1;
        }
    }
    assert!(single > 1000, "{single} vectors of an eigenvalue of their own");
    println!("largest difference {largest}, {single} eigenvectors compared");
}

/// The encoder of the method `minimol-mlp`, with random weights if there is a seed.
fn encoder(random: Option<u64>) -> Option<Onnx> {
    let folder = onnxruntime()?;
    let weights = file("MOLARENA_DATA", "weights/minimol/minimol_v1.onnx")?;
    runtime::open(&[folder.to_owned()]).unwrap();
    let method =
        fs_err::read_to_string(molarena_tests::python::repository("leaderboards/methods/minimol-mlp.toml"))
            .unwrap();
    let method: toml::Table = toml::from_str(&method).unwrap();
    let mut config: OnnxConfig = method["encoder"]["config"].clone().try_into().unwrap();
    config.random = random;
    let mut encoder = Onnx::new(config).unwrap();
    encoder.load(&fs_err::read(weights).unwrap()).unwrap();
    Some(encoder)
}

/// Vectors do not depend on how a molecule is written. They are near the reference's, whose eigenvectors have other signs.
#[test]
fn vectors_with_other_eigenvectors_are_near_the_reference_s() {
    let Some(golden) = Golden::read() else { return };
    let Some(mut encoder) = encoder(None) else { return };
    let mut vector = |smiles: &str| {
        let graph = Graph::of(smiles);
        encoder.encode(&graph.inputs(), &Call::new(0, 1)).unwrap().values
    };
    let (mut distances, mut spelled) = (Vec::new(), 0f32);
    for (number, smiles) in golden.smiles.iter().enumerate() {
        let found = vector(smiles);
        let other = vector(&Molecule::parse(smiles).unwrap().canonical_smiles(true));
        let difference = found.iter().zip(&other).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
        spelled = spelled.max(difference);
        let expected = golden.vectors.row(number);
        let norm =
            |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
        let apart = norm(&mut found.iter().zip(expected).map(|(one, other)| one - other));
        distances.push(apart / norm(&mut expected.iter().copied()));
    }
    distances.sort_by(f32::total_cmp);
    let (median, largest) = (distances[distances.len() / 2], distances[distances.len() - 1]);
    println!("spellings {spelled}, distances relative to the length: median {median}, largest {largest}");
    assert!(spelled < 1e-4, "{spelled}");
    assert!(median < 0.005 && largest < 0.06, "median {median}, largest {largest}");
}

#[test]
fn the_network_gives_the_reference_vectors_for_its_inputs() {
    let Some(golden) = Golden::read() else { return };
    let Some(folder) = onnxruntime() else { return };
    let Some(weights) = file("MOLARENA_DATA", "weights/minimol/minimol_v1.onnx") else { return };
    runtime::open(&[folder.to_owned()]).unwrap();
    let mut network = Network::new(&fs_err::read(weights).unwrap(), 1).unwrap();
    let mut largest = 0f32;
    for molecule in 0..golden.smiles.len() {
        let integers = |name: &'static str, shape: Vec<usize>, values: Vec<i64>| {
            (name, Tensor { shape, values: Values::Integers(values) })
        };
        let mut given: Vec<_> = (0..INPUTS.len())
            .map(|input| {
                let part = golden.input(molecule, input);
                let shape = vec![part.nrows(), part.ncols()];
                (INPUTS[input].0, Tensor { shape, values: Values::Floats(part.iter().copied().collect()) })
            })
            .collect();
        let [atoms, bonds] = golden.rows[molecule].clone();
        let index = golden.bonds.slice(ndarray::s![.., bonds.clone()]).iter().copied().collect();
        given.push(integers("edge_index", vec![2, bonds.len()], index));
        given.push(integers("batch", vec![atoms.len()], vec![0; atoms.len()]));
        given.push(("graph_slots", Tensor { shape: vec![1], values: Values::Floats(vec![0.0]) }));
        let (shape, found) = network.run(given, "fingerprint").unwrap();
        assert_eq!(shape, [1, 512], "molecule {molecule}");
        for (found, expected) in found.iter().zip(golden.vectors.row(molecule)) {
            largest = largest.max((found - expected).abs());
        }
    }
    assert!(largest < 1e-4, "the largest difference is {largest}");
    println!("the largest difference is {largest}");
}

/// Of one seed they are equal, and none is the released network's or constant.
#[test]
fn random_weights_are_of_the_seed() {
    let graphs = ["CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C"].map(Graph::of);
    let mut found = Vec::new();
    for random in [None, Some(1), Some(1), Some(2)] {
        let Some(mut encoder) = encoder(random) else { return };
        let mut vector = |graph: &Graph| encoder.encode(&graph.inputs(), &Call::new(0, 1)).unwrap().values;
        found.push([vector(&graphs[0]), vector(&graphs[1])]);
    }
    assert!(found.iter().flatten().flatten().all(|value| value.is_finite()));
    assert!(found.iter().all(|[one, other]| one != other));
    assert_eq!(found[1], found[2]);
    assert!(found[0] != found[1] && found[1] != found[3]);
}
