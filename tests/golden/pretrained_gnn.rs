//! Vectors of the networks of Hu et al. 2020, by `PyTorch` (`tests/golden/pretrained_gnn.py`).

use std::path::{Path, PathBuf};

use molarena_chem::{Graphs as Computed, Molecule};
use molarena_gnn::{Convolution, Pretrained, PretrainedConfig};
use molarena_sdk::{Call, Component, Encoder, Graphs, Inputs, Matrix};
use molarena_tests::data_dir;

fn network(weights: &str) -> PretrainedConfig {
    let convolution = match weights {
        "gin_small.pth" => return PretrainedConfig { convolution: Convolution::Gin, layers: 2, width: 16 },
        other if other.contains("graphsage") => Convolution::GraphSage,
        other if other.contains("gat") => Convolution::Gat,
        _ => Convolution::Gcn,
    };
    PretrainedConfig { convolution, layers: 5, width: 300 }
}

/// The file of weights, if it is here.
fn file(weights: &str) -> Option<PathBuf> {
    if weights == "gin_small.pth" {
        return Some(Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(weights));
    }
    Some(data_dir()?.join("weights").join(weights))
}

fn encode(network: &mut Pretrained, smiles: &[&str]) -> molarena_sdk::Result<Matrix> {
    let molecules: Vec<Molecule> = smiles.iter().map(|smiles| Molecule::parse(smiles).unwrap()).collect();
    let computed = Computed::new(&molecules);
    let graphs = Graphs::new(
        &computed.atom_ptr,
        &computed.bond_ptr,
        &computed.atom_features,
        &computed.bonds,
        &computed.bond_features,
    )?;
    network.encode(&Inputs::from_graphs(graphs), &Call::new(0, 2))
}

#[test]
fn vectors_equal_those_of_pytorch() {
    let table = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden/pretrained_gnn.csv");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(table).unwrap().into_records().map(Result::unwrap).collect();
    let mut compared = 0;
    for of_file in rows.chunk_by(|one, other| one[0] == other[0]) {
        let Some(path) = file(&of_file[0][0]) else { continue };
        let mut network = Pretrained::new(network(&of_file[0][0])).unwrap();
        let bytes = fs_err::read(path).unwrap();
        network.load(&bytes).unwrap();
        let smiles: Vec<&str> = of_file.iter().map(|row| &row[1]).collect();
        let found = encode(&mut network, &smiles).unwrap();
        for (row, vector) in of_file.iter().zip(found.values.chunks_exact(found.columns)) {
            // GAT takes the exponential of large scores: in single precision PyTorch itself is apart by 1.1e-5 for alanine.
            let share = if row[0].contains("gat") { 1e-4 } else { 1e-5 };
            let limit = share * vector.iter().fold(1.0f32, |largest, value| largest.max(value.abs()));
            for (expected, &value) in row.iter().skip(2).zip(vector) {
                let expected: f32 = expected.parse().unwrap();
                assert!((value - expected).abs() <= limit, "{} {}: {value} for {expected}", &row[0], &row[1]);
                compared += 1;
            }
        }
        assert_eq!(network.save().unwrap(), bytes);
    }
    assert!(compared >= 120, "{compared}");
}

#[test]
fn a_state_dict_of_another_network_is_refused_by_its_tensor() {
    let bytes = fs_err::read(file("gin_small.pth").unwrap()).unwrap();
    let message = |config: PretrainedConfig| {
        let error = Pretrained::new(config).unwrap().load(&bytes).unwrap_err();
        error.to_string()
    };
    let right = network("gin_small.pth");
    for (config, part) in [
        (
            PretrainedConfig { convolution: Convolution::Gcn, ..right.clone() },
            "no tensor `gnns.0.linear.weight`",
        ),
        (PretrainedConfig { layers: 3, ..right.clone() }, "no tensor `gnns.2."),
        (PretrainedConfig { layers: 1, ..right.clone() }, "has a tensor `batch_norms.1."),
        (PretrainedConfig { width: 300, ..right }, "has the shape [120, 16], must have [120, 300]"),
    ] {
        let message = message(config);
        assert!(message.contains(part), "{message}");
    }
    let mut network = Pretrained::new(network("gin_small.pth")).unwrap();
    for cut in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        let message = network.load(&bytes[..cut]).unwrap_err().to_string();
        assert!(message.contains("PyTorch file"), "{cut}: {message}");
    }
}

/// What the networks have no vector for, on all molecules of the datasets: the rows that need them would fail.
#[test]
fn every_molecule_of_the_datasets_has_a_vector() {
    let Some(data) = data_dir() else { return };
    let mut network =
        Pretrained::new(PretrainedConfig { convolution: Convolution::Gcn, layers: 1, width: 4 }).unwrap();
    for (dataset, without) in [("chembl2k", 0), ("broad6k", 0), ("toxcast", 0), ("biogen3k", 0)] {
        let path = data.join(dataset).join("assays.csv.gz");
        let mut table =
            csv::Reader::from_reader(flate2::read::GzDecoder::new(fs_err::File::open(path).unwrap()));
        let column = table.headers().unwrap().iter().position(|name| name == "smiles").unwrap();
        let smiles: Vec<String> = table.records().map(|row| row.unwrap()[column].to_owned()).collect();
        let refused: Vec<&String> =
            smiles.iter().filter(|smiles| encode(&mut network, &[smiles.as_str()]).is_err()).collect();
        assert_eq!(refused.len(), without, "{dataset}: {refused:?}");
    }
}
