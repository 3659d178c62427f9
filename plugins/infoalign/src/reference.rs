//! Compares with the outputs of the reference implementation (`golden/infoalign`).

use std::{
    collections::BTreeMap,
    io::Read,
    path::{Path, PathBuf},
};

use burn::tensor::{Tensor, TensorData};
use molarena_chem::Molecule;
use molarena_nn::{Gaussian, Pass, gnn::MoleculeGraphs, with_threads};
use molarena_sdk::{Call, Graphs, Inputs};
use ndarray::{Array1, ArrayD, Ix1, IxDyn};
use ndarray_npy::NpzReader;

use crate::{
    config::{EncoderConfig, Modality, Params},
    model::Model,
    pretrain::loss,
    targets::BatchTargets,
};

/// The folder of reference outputs. If there is none, returns `None` and says so on standard error.
fn golden() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let path = std::env::var_os("MOLARENA_GOLDEN").map_or(beside, PathBuf::from).join("infoalign");
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("MOLARENA_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(
        !required,
        "MOLARENA_REQUIRE_DATA=1, but {} is not a folder: set MOLARENA_GOLDEN",
        path.display()
    );
    eprintln!("skipped: set MOLARENA_GOLDEN");
    None
}

fn params() -> Params {
    EncoderConfig { layers: 3, width: 48, ..EncoderConfig::default() }.check().unwrap()
}

fn model(golden: &Path) -> Model {
    Model::from_bytes(&fs_err::read(golden.join("checkpoint-small.pt")).unwrap(), Some(&params())).unwrap()
}

/// `U89` strings of an array file: four bytes per character, padded with zeros.
fn smiles(golden: &Path) -> Vec<String> {
    let file = fs_err::File::open(golden.join("forward.npz")).unwrap();
    let mut bytes = Vec::new();
    zip::ZipArchive::new(file).unwrap().by_name("smiles.npy").unwrap().read_to_end(&mut bytes).unwrap();
    let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = |row: &[u8]| {
        let characters = row.as_chunks::<4>().0.iter().map(|code| u32::from_le_bytes(*code));
        characters.take_while(|&code| code > 0).map(|code| char::from_u32(code).unwrap()).collect()
    };
    bytes[header..].chunks_exact(89 * 4).map(text).collect()
}

fn arrays(path: &Path, names: &[&'static str]) -> BTreeMap<&'static str, ArrayD<f32>> {
    let mut reader = NpzReader::new(fs_err::File::open(path).unwrap()).unwrap();
    let read = |&name: &&'static str| {
        let array: ArrayD<f32> = reader.by_name::<ndarray::OwnedRepr<f32>, IxDyn>(name).unwrap();
        (name, array)
    };
    names.iter().map(read).collect()
}

/// The molecules of the golden file as graphs.
struct Molecules {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
}

impl Molecules {
    fn read(golden: &Path) -> Self {
        let mut this = Self {
            atom_offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            bond_features: Vec::new(),
        };
        for smiles in smiles(golden) {
            let graph = Molecule::parse(&smiles).unwrap().graph();
            this.atoms.extend(&graph.atom_features);
            this.bonds.extend(&graph.bonds);
            this.bond_features.extend(&graph.bond_features);
            this.atom_offsets.push(this.atoms.len() as i64);
            this.bond_offsets.push(this.bonds.len() as i64);
        }
        this
    }

    fn graphs(&self) -> Graphs<'_> {
        Graphs::new(&self.atom_offsets, &self.bond_offsets, &self.atoms, &self.bonds, &self.bond_features)
            .unwrap()
    }
}

/// The largest difference divided by the largest expected value.
fn difference<'a>(found: impl IntoIterator<Item = &'a f32>, wanted: &ArrayD<f32>) -> f32 {
    let found: Vec<f32> = found.into_iter().copied().collect();
    assert_eq!(found.len(), wanted.len());
    let largest = wanted.iter().fold(0f32, |largest, value| largest.max(value.abs()));
    found.iter().zip(wanted).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max) / largest
}

fn values(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn the_forward_pass_is_that_of_the_reference() {
    let Some(golden) = golden() else { return };
    for name in molarena_nn::devices_found() {
        forward_pass_is_reproduced(&golden, &name);
    }
}

fn forward_pass_is_reproduced(golden: &Path, device_name: &str) {
    let device = molarena_nn::device(device_name).unwrap();
    let names = ["graph", "mu", "sigma", "mol", "gene", "cell", "expression"];
    let wanted = arrays(&golden.join("forward.npz"), &names);
    let kl: Array1<f32> = NpzReader::new(fs_err::File::open(golden.join("forward.npz")).unwrap())
        .unwrap()
        .by_name::<ndarray::OwnedRepr<f32>, Ix1>("kl")
        .unwrap();
    let (model, molecules) = (model(golden), Molecules::read(golden));
    let mut parameters = model.parameters(&device).unwrap();
    let mut pass = Pass::evaluate(&mut parameters);
    let rows: Vec<usize> = (0..66).collect();
    let batch = MoleculeGraphs::new(molecules.graphs()).unwrap().batch(&rows, 0, 0);
    let vectors = model.shape.network.forward(&mut pass, &batch);
    let gaussian = Gaussian::of(&pass, vectors.clone());
    let close = |name: &str, found: Vec<f32>| {
        let difference = difference(&found, &wanted[name]);
        assert!(difference < 1e-4, "{device_name}, {name}: {difference}");
    };
    close("graph", values(vectors));
    close("mu", values(gaussian.mu.clone()));
    close("sigma", values(gaussian.sigma.clone()));
    let difference = difference(&values(gaussian.divergence()), &kl.into_dyn());
    assert!(difference < 1e-4, "{device_name}, kl: {difference}");
    // In the file the logits of a modality's spaces stand side by side.
    let modalities = ["mol", "gene", "cell", "expression"];
    for (modality, name) in Modality::ALL.into_iter().zip(modalities) {
        let spaces = (0..6).filter(|&space| model.shape.spaces[space].modality == modality);
        let logits = spaces.map(|space| {
            let decoder = model.shape.decoder(space);
            let hidden = decoder.hidden(&mut pass, gaussian.mu.clone());
            decoder.logits(&pass, hidden)
        });
        let logits: Vec<Tensor<2>> = logits.collect();
        close(name, values(Tensor::cat(logits, 1)));
    }
    // The functions that the arena calls give the same result.
    let inputs = Inputs { rows: 66, graphs: Some(molecules.graphs()), ..Inputs::default() };
    let call = Call { device: device_name, ..Call::new(0, 2) };
    close("mu", with_threads(&call, || model.encode(&inputs, &call)).unwrap().unwrap().values);
}

#[test]
fn the_loss_is_that_of_the_reference() {
    let Some(golden) = golden() else { return };
    let forward = arrays(&golden.join("forward.npz"), &["mu", "sigma"]);
    let names = ["alpha", "target_mol", "target_gene", "target_cell", "target_expression"];
    let wanted = arrays(&golden.join("loss.npz"), &names);
    let wanted_losses =
        arrays(&golden.join("loss.npz"), &["loss_mol", "loss_gene", "loss_cell", "loss_expression"]);
    let model = model(&golden);
    let targets: Vec<BatchTargets> = (0..6)
        .map(|space| {
            let (modality, columns) = (model.shape.spaces[space].modality, model.shape.spaces[space].columns);
            let before = model.shape.spaces[..space].iter().filter(|other| other.modality == modality);
            let first: usize = before.map(|space| space.columns).sum();
            let name = names[1 + Modality::ALL.iter().position(|&other| other == modality).unwrap()];
            let mut targets = BatchTargets::new(columns);
            for molecule in 0..66 {
                for step in 0..5 {
                    let row: Vec<f32> = (first..first + columns)
                        .map(|column| wanted[name][[molecule, step, column]])
                        .collect();
                    if row.iter().any(|value| !value.is_nan()) {
                        targets.add_values(molecule, wanted["alpha"][[molecule, step]], &row);
                    }
                }
            }
            targets
        })
        .collect();
    for device in molarena_nn::devices_found() {
        loss_is_reproduced(&model, &targets, &forward, &wanted_losses, &device);
    }
}

fn loss_is_reproduced(
    model: &Model,
    targets: &[BatchTargets],
    forward: &BTreeMap<&str, ArrayD<f32>>,
    wanted_losses: &BTreeMap<&str, ArrayD<f32>>,
    device_name: &str,
) {
    let device = molarena_nn::device(device_name).unwrap();
    let tensor = |name: &str| {
        let values: Vec<f32> = forward[name].iter().copied().collect();
        Tensor::from_data(TensorData::new(values, [66, 48]), &device)
    };
    let gaussian = Gaussian { mu: tensor("mu"), sigma: tensor("sigma") };
    let mut parameters = model.parameters(&device).unwrap();
    let mut pass = Pass::evaluate(&mut parameters);
    let (total, parts) = loss(&model.shape, &params(), &mut pass, &gaussian, targets, &Modality::ALL);
    let parts = parts.into_iter().map(|part| f64::from(part.unwrap().into_scalar::<f32>()));
    let parts: Vec<f64> = parts.collect();
    let mut sum = 0.0;
    for (part, name) in parts.iter().zip(["loss_mol", "loss_gene", "loss_cell", "loss_expression"]) {
        let wanted = f64::from(*wanted_losses[name].iter().next().unwrap());
        assert!((part / wanted - 1.0).abs() < 1e-5, "{device_name}, {name}: {part}, wanted {wanted}");
        sum += wanted;
    }
    let total = f64::from(total.into_scalar::<f32>());
    assert!((total - sum - 1e-9 * parts[4]).abs() < 1e-3, "{total} {sum}");
}

#[test]
fn a_checkpoint_that_does_not_fit_is_refused_by_tensor() {
    let Some(golden) = golden() else { return };
    let bytes = fs_err::read(golden.join("checkpoint-small.pt")).unwrap();
    let message = |config: EncoderConfig| {
        Model::from_bytes(&bytes, Some(&config.check().unwrap())).unwrap_err().to_string()
    };
    let small = EncoderConfig { layers: 3, width: 48, ..EncoderConfig::default() };
    let error = message(EncoderConfig { width: 300, ..small.clone() });
    assert!(
        error.contains("atom_embedding_list.0.weight` has the shape [119, 48], must have [119, 300]"),
        "{error}"
    );
    let error = message(EncoderConfig { layers: 4, ..small.clone() });
    assert!(error.contains("weights have no tensor `graph_encoder.convs.3"), "{error}");
    let error = message(EncoderConfig { layers: 2, ..small });
    assert!(error.contains("that is unknown"), "{error}");
    let error = Model::from_bytes(&bytes[..bytes.len() / 2], Some(&params())).unwrap_err().to_string();
    assert!(!error.is_empty());
    // After a round trip through safetensors it is the same network.
    let model = model(&golden);
    let again = Model::from_bytes(&model.to_bytes().unwrap(), None).unwrap();
    assert_eq!((again.shape, again.weights), (model.shape, model.weights));
}
