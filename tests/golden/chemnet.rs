//! The reference's vectors of `ChemNet`, from real weights (`../shared/golden/chemnet`).

use molarena_chem::Molecule;
use molarena_features::{Features, OwnedSmiles};
use molarena_language::{ChemNet, ChemNetConfig};
use molarena_sdk::{Call, Component, Encoder, Matrix, Result};
use molarena_tests::{data_dir, golden_dir};
use ndarray::Array2;
use ndarray_npy::NpzReader;

/// The file of the real weights, if it is here.
fn weights() -> Option<Vec<u8>> {
    Some(fs_err::read(data_dir()?.join("weights/chemnet/ChemNet_v0.13_pretrained.pt")).unwrap())
}

fn chemnet(truncate: bool, weights: Option<&[u8]>) -> ChemNet {
    let mut chemnet = ChemNet::new(ChemNetConfig { truncate }).unwrap();
    if let Some(weights) = weights {
        chemnet.load(weights).unwrap();
    }
    chemnet
}

fn encode(chemnet: &mut ChemNet, smiles: &[String], seed: u64) -> Result<Matrix> {
    chemnet.encode(&Features::Smiles(OwnedSmiles::new(smiles)).inputs(), &Call::new(seed, 2))
}

/// The reference's molecules: canonical SMILES without stereo.
fn molecules() -> Option<Vec<String>> {
    let mut table = csv::Reader::from_path(golden_dir()?.join("minimol/molecules.csv")).unwrap();
    let smiles =
        table.records().map(|row| Molecule::parse(&row.unwrap()[0]).unwrap().canonical_smiles(false));
    Some(smiles.collect())
}

#[test]
fn vectors_equal_those_of_the_reference() {
    let (Some(golden), Some(smiles), Some(weights)) = (golden_dir(), molecules(), weights()) else { return };
    let mut file = NpzReader::new(fs_err::File::open(golden.join("chemnet/vectors.npz")).unwrap()).unwrap();
    let expected: Array2<f32> = file.by_name("vectors").unwrap();
    let mut chemnet = chemnet(false, Some(&weights));
    let found = encode(&mut chemnet, &smiles, 0).unwrap();
    assert_eq!((found.rows, found.columns), expected.dim());
    let differences = found.values.iter().zip(&expected).map(|(found, expected)| (found - expected).abs());
    let largest = differences.fold(0.0, f32::max);
    println!("the largest difference is {largest}");
    assert!(largest < 1e-5, "{largest}");
    // Company changes nothing.
    let some = encode(&mut chemnet, &smiles[40..41], 0).unwrap();
    assert_eq!(some.values, found.values[40 * found.columns..41 * found.columns]);
}

#[test]
fn what_is_longer_than_the_context_is_refused_or_cut_off() {
    let smiles = ["C".repeat(400), "C".repeat(349)];
    let error = encode(&mut chemnet(false, None), &smiles, 1).unwrap_err().to_string();
    assert!(
        error.contains("molecule 0 has more than 349 symbols") && error.contains("truncate = true"),
        "{error}"
    );
    let cut = encode(&mut chemnet(true, None), &smiles, 1).unwrap();
    assert_eq!(cut.values[..cut.columns], cut.values[cut.columns..]);
}

#[test]
fn random_weights_derive_from_the_seed() {
    let smiles = ["CCO".to_owned(), "c1ccccc1".to_owned()];
    let random = |seed| encode(&mut chemnet(false, None), &smiles, seed).unwrap().values;
    assert_eq!(random(3), random(3));
    assert_ne!(random(3), random(4));
    assert!(random(3).iter().all(|value| value.is_finite()));
}

#[test]
fn other_files_are_refused_with_the_reason() {
    let message = |bytes: &[u8]| {
        let error = ChemNet::new(ChemNetConfig::default()).unwrap().load(bytes).unwrap_err();
        error.to_string()
    };
    assert!(
        message(b"PK\x03\x04").contains("no file of torch.save from before"),
        "{}",
        message(b"PK\x03\x04")
    );
    let (Some(weights), Some(data)) = (weights(), data_dir()) else { return };
    let cut = message(&weights[..weights.len() - 1]);
    assert!(cut.contains("it ends before its array"), "{cut}");
    assert!(message(&weights[..1000]).contains("pickle is damaged"), "{}", message(&weights[..1000]));
    // Real weights of another network.
    let other = fs_err::read(data.join("weights/pretrain-gnns_gcn_contextpred.pth")).unwrap();
    assert!(message(&other).contains("the file is not that of ChemNet"), "{}", message(&other));
    let state = chemnet(false, Some(&weights)).save().unwrap();
    assert_eq!(state, weights);
}
