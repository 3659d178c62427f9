//! An ONNX file with real weights gives the reference's vectors (`../shared/golden/minimol`).

use std::path::PathBuf;

use molarena_onnx::{
    network::{Network, Tensor, Values},
    runtime,
};
use molarena_tests::python::onnxruntime;
use ndarray::Array2;
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

#[test]
fn minimol_gives_the_reference_vectors() {
    let Some(folder) = onnxruntime() else { return };
    let Some(weights) = file("MOLARENA_DATA", "weights/minimol/minimol_v1.onnx") else { return };
    let Some(golden) = file("MOLARENA_GOLDEN", "minimol") else { return };
    runtime::open(&[folder.to_owned()]).unwrap();
    let mut network = Network::new(&fs_err::read(weights).unwrap(), 1).unwrap();
    let mut inputs = NpzReader::new(fs_err::File::open(golden.join("inputs.npz")).unwrap()).unwrap();
    let names = ["feat", "edge_feat", "laplacian_eigvec", "laplacian_eigval", "rw_return_probs"];
    let features =
        names.map(|name| inputs.by_name::<_, ndarray::Ix2>(name).map(|of: Array2<f32>| of).unwrap());
    let bonds: Array2<i64> = inputs.by_name("edge_index").unwrap();
    let mut vectors = NpzReader::new(fs_err::File::open(golden.join("fingerprints.npz")).unwrap()).unwrap();
    let expected: Array2<f32> = vectors.by_name("fingerprints").unwrap();
    let mut molecules = csv::Reader::from_path(golden.join("molecules.csv")).unwrap();
    let (mut atom, mut bond, mut largest) = (0, 0, 0f32);
    for (row, molecule) in molecules.records().enumerate() {
        let molecule = molecule.unwrap();
        let count = |column: usize| molecule[column].parse::<usize>().unwrap();
        let (atoms, edges) = (atom..atom + count(2), bond..bond + count(3));
        (atom, bond) = (atoms.end, edges.end);
        let floats = |name: &'static str, of: &Array2<f32>, rows: std::ops::Range<usize>| {
            let part = of.slice(ndarray::s![rows, ..]);
            let shape = vec![part.nrows(), part.ncols()];
            (name, Tensor { shape, values: Values::Floats(part.iter().copied().collect()) })
        };
        let integers = |name: &'static str, shape: Vec<usize>, values: Vec<i64>| {
            (name, Tensor { shape, values: Values::Integers(values) })
        };
        let mut given: Vec<_> = names
            .iter()
            .zip(&features)
            .map(|(&name, of)| {
                floats(name, of, if name == "edge_feat" { edges.clone() } else { atoms.clone() })
            })
            .collect();
        let index = bonds.slice(ndarray::s![.., edges.clone()]).iter().copied().collect();
        given.push(integers("edge_index", vec![2, edges.len()], index));
        given.push(integers("batch", vec![atoms.len()], vec![0; atoms.len()]));
        given.push(("graph_slots", Tensor { shape: vec![1], values: Values::Floats(vec![0.0]) }));
        let (shape, found) = network.run(given, "fingerprint").unwrap();
        assert_eq!(shape, [1, 512], "molecule {row}");
        for (found, expected) in found.iter().zip(expected.row(row)) {
            largest = largest.max((found - expected).abs());
        }
    }
    assert_eq!((atom, bond), (features[0].nrows(), bonds.ncols()), "all molecules");
    assert!(largest < 1e-4, "the largest difference is {largest}");
    println!("the largest difference is {largest}");
}
