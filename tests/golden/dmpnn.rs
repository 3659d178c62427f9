//! A D-MPNN with given weights, against chemprop itself (tests/golden/dmpnn.py).

use std::path::Path;

use molarena_chem::{Graphs as Computed, Molecule};
use molarena_gnn::{Directed, Molecules};
use molarena_nn::{Arrays, Stack, Style, supervised::Predictor};
use molarena_sdk::{Call, Graphs};

#[test]
fn outputs_equal_those_of_chemprop() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let table = csv::Reader::from_path(folder.join("dmpnn.csv")).unwrap();
    let rows: Vec<csv::StringRecord> = table.into_records().map(Result::unwrap).collect();
    let molecules: Vec<Molecule> = rows.iter().map(|row| Molecule::parse(&row[0]).unwrap()).collect();
    let computed = Computed::new(&molecules);
    let graphs = Graphs::new(
        &computed.atom_ptr,
        &computed.bond_ptr,
        &computed.atom_features,
        &computed.bonds,
        &computed.bond_features,
    );
    let head = Stack {
        name: "predictor".to_owned(),
        inputs: 16,
        layers: 2,
        hidden: 12,
        outputs: 3,
        style: Style::Rectifier,
        dropout: 0.0,
    };
    let network = Directed { depth: 4, message_width: 16, norm: Some(100.0), dropout: 0.0, head };
    let mut weights = Arrays::from_pytorch(&folder.join("dmpnn_small.pth")).unwrap();
    // In chemprop a layer of the head after the first follows an activation and dropout.
    for (layer, theirs) in ["ffn.0.0", "ffn.1.2", "ffn.2.2"].iter().enumerate() {
        for part in ["weight", "bias"] {
            let array = weights.arrays.remove(&format!("predictor.{theirs}.{part}")).unwrap();
            weights.arrays.insert(format!("predictor.{layer}.linear.{part}"), array);
        }
    }
    let mut parameters = network.load(&weights, &molarena_nn::device("cpu").unwrap()).unwrap();
    let molecules = Molecules::new(&graphs.unwrap());
    let found = network.predict(&mut parameters, &molecules, &Call::new(0, 1)).unwrap();
    for (row, values) in rows.iter().zip(found.values.chunks_exact(3)) {
        for (expected, &value) in row.iter().skip(1).zip(values) {
            let expected: f32 = expected.parse().unwrap();
            assert!(
                (value - expected).abs() < 2e-6 * expected.abs().max(1.0),
                "{}: {value} for {expected}",
                &row[0]
            );
        }
    }
}
