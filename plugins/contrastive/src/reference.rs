//! Compares with the outputs of the reference implementations (`golden/contrastive`).

use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor, TensorData, activation::log_softmax, activation::softmax};
use molarena_nn::{Arrays, Parameters, Pass, Stack, Style};
use ndarray::{ArrayD, IxDyn};
use ndarray_npy::NpzReader;

use crate::{
    losses::{Anchors, Others, clip, cloob, infocore_moco, infocore_simclr, infoloob},
    model::{MoleculeShape, ProfileShape, Shape},
};

/// The folder of reference outputs. If there is none, returns `None` and says so on standard error.
fn golden() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/golden");
    let path = std::env::var_os("MOLARENA_GOLDEN").map_or(beside, PathBuf::from).join("contrastive");
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

struct Losses(NpzReader<fs_err::File>);

impl Losses {
    fn open(golden: &Path) -> Self {
        Self(NpzReader::new(fs_err::File::open(golden.join("losses.npz")).unwrap()).unwrap())
    }

    fn values(&mut self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let array: ArrayD<f32> = self.0.by_name::<ndarray::OwnedRepr<f32>, IxDyn>(name).unwrap();
        (array.shape().to_vec(), array.into_iter().collect())
    }

    fn tensor(&mut self, name: &str) -> Tensor<2> {
        let (shape, values) = self.values(name);
        Tensor::from_data(TensorData::new(values, [shape[0], shape[1]]), &Device::flex())
    }

    fn number(&mut self, name: &str) -> f64 {
        let array: ArrayD<f64> = self.0.by_name::<ndarray::OwnedRepr<f64>, IxDyn>(name).unwrap();
        array.into_iter().next().unwrap()
    }

    /// Asserts that the values called `name` are those of `found` within 1e-5 of the larger of 1 and their size.
    fn assert_close(&mut self, name: &str, found: &[f32]) {
        let (_, expected) = self.values(name);
        assert_eq!(found.len(), expected.len(), "{name}");
        for (place, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (found - expected).abs() / expected.abs().max(1.0);
            assert!(error < 1e-5, "{name}[{place}]: {found}, expected {expected}");
        }
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap()
}

#[test]
fn losses_of_cloome_are_those_of_the_reference() {
    let Some(golden) = golden() else { return };
    let mut losses = Losses::open(&golden);
    let [a, b] = ["cloob_a", "cloob_b"].map(|name| losses.tensor(name));
    let inverse = Tensor::full([1, 1], losses.number("inv_tau") as f32, &Device::flex());
    let beta = losses.number("scale_hopfield") as f32;
    for (name, found) in [
        ("loss_cloob", cloob(&a, &b, &inverse, beta)),
        ("loss_clip", clip(a.clone(), b.clone(), &inverse)),
        ("loss_infoloob", infoloob(a, b, &inverse)),
    ] {
        let (found, expected) = (f64::from(found.into_scalar::<f32>()), losses.number(name));
        assert!((found - expected).abs() < 1e-5 * expected.abs(), "{name}: {found}, expected {expected}");
    }
}

/// The reference's networks: perceptrons with layer norms, a linear map after the molecules' one, and two classifiers.
fn shape() -> Shape {
    let stack = |name: &str, inputs, layers, hidden, outputs| Stack {
        name: name.to_owned(),
        inputs,
        layers,
        hidden,
        outputs,
        style: Style::LayerNorm,
        dropout: 0.1,
    };
    Shape {
        molecule: MoleculeShape::Bits(stack("molecule", 40, 2, 28, 16)),
        head: Some(stack("head", 16, 0, 1, 16)),
        profile: Some(ProfileShape {
            space: "expression".to_owned(),
            network: stack("profile", 20, 2, 24, 16),
        }),
        classifiers: Some(
            ["molecule", "profile"].map(|side| stack(&format!("classifier.{side}"), 16, 1, 12, 5)),
        ),
        temperature: None,
    }
}

/// Weights under our names; `encoder` and `classifiers` are prefixes of the reference's.
fn parameters(arrays: &Arrays, encoder: &str, classifiers: &str) -> Parameters {
    let mut named = Arrays::default();
    for (prefix, name) in [
        (format!("{encoder}.dc_encoder."), "molecule"),
        (format!("{encoder}.dc_projhead."), "head"),
        (format!("{encoder}.ges_encoder."), "profile"),
        (format!("{classifiers}.gesdc_classifier_d."), "classifier.molecule"),
        (format!("{classifiers}.gesdc_classifier_g."), "classifier.profile"),
    ] {
        for (theirs, array) in &arrays.arrays {
            // A hidden layer is a linear map, a norm, an activation and dropout.
            let Some(rest) = theirs.strip_prefix(&format!("{prefix}network.")) else { continue };
            let (place, part) = rest.split_once('.').unwrap();
            let place: usize = place.parse().unwrap();
            let kind = if place.is_multiple_of(4) { "linear" } else { "norm" };
            named.arrays.insert(format!("{name}.{}.{kind}.{part}", place / 4), array.clone());
        }
    }
    let parameters = Parameters::take(&shape().slots(), &mut named, &Device::flex()).unwrap();
    assert!(named.arrays.is_empty(), "{:?}", named.arrays.keys());
    parameters
}

/// Places of molecules and of profiles, and the logits of their classifiers.
fn places(parameters: &mut Parameters, losses: &mut Losses) -> ([Tensor<2>; 2], [Tensor<2>; 2]) {
    let shape = shape();
    let MoleculeShape::Bits(network) = &shape.molecule else { unreachable!() };
    let mut pass = Pass::evaluate(parameters);
    let vectors = network.forward(&mut pass, losses.tensor("infocore_drug"));
    let molecules = shape.place(&mut pass, vectors);
    let profiles = shape.place_profile(&mut pass, losses.tensor("infocore_profile"));
    let [of_molecules, of_profiles] = shape.classifiers.as_ref().unwrap();
    let logits = [
        of_molecules.forward(&mut pass, molecules.clone()),
        of_profiles.forward(&mut pass, profiles.clone()),
    ];
    ([molecules, profiles], logits)
}

fn cross_entropy(logits: Tensor<2>, batches: &Tensor<2>) -> Vec<f32> {
    values(-(log_softmax(logits, 1) * batches.clone()).sum_dim(1))
}

#[test]
fn losses_of_infocore_are_those_of_the_reference() {
    let Some(golden) = golden() else { return };
    let mut losses = Losses::open(&golden);
    let arrays = Arrays::from_pytorch(&golden.join("infocore-simclr.pt")).unwrap();
    let (places, logits) = places(&mut parameters(&arrays, "encoder", "clf"), &mut losses);
    losses.assert_close("simclr_dc_latent", &values(places[0].clone()));
    losses.assert_close("simclr_ges_latent", &values(places[1].clone()));
    let batches = losses.tensor("infocore_batch_onehot");
    // In the file, the classifiers' losses have the names of their logits.
    losses.assert_close("simclr_d_logit", &cross_entropy(logits[0].clone(), &batches));
    losses.assert_close("simclr_g_logit", &cross_entropy(logits[1].clone(), &batches));
    let probabilities = logits.map(|logits| softmax(logits, 1));
    for (name, side) in [("simclr_loss_dc", 0), ("simclr_loss_ges", 1)] {
        let anchors = Anchors {
            vectors: places[side].clone(),
            probabilities: probabilities[side].clone(),
            batches: batches.clone(),
        };
        let others =
            Others { vectors: places[1 - side].clone(), probabilities: probabilities[1 - side].clone() };
        losses.assert_close(name, &values(infocore_simclr(&anchors, &others, 0.1, 5.0)));
    }
}

#[test]
fn losses_against_keys_are_those_of_the_reference() {
    let Some(golden) = golden() else { return };
    let mut losses = Losses::open(&golden);
    let mut arrays = Arrays::from_pytorch(&golden.join("infocore-moco.pt")).unwrap();
    let mut queue = |name: &str, rows: usize| {
        let values = arrays.take(name, &[rows, 48]).unwrap();
        Tensor::<2>::from_data(TensorData::new(values, [rows, 48]), &Device::flex()).transpose()
    };
    let queues = [("queue_dc", "queue_dclogit"), ("queue_ges", "queue_geslogit")].map(|(vectors, logits)| {
        Others { vectors: queue(vectors, 16), probabilities: softmax(queue(logits, 5), 1) }
    });
    let (queries, query_logits) = places(&mut parameters(&arrays, "encoder_q", "clf_q"), &mut losses);
    let (keys, key_logits) = places(&mut parameters(&arrays, "encoder_k", "clf_k"), &mut losses);
    let [query_probabilities, key_probabilities] =
        [query_logits, key_logits].map(|logits| logits.map(|logits| softmax(logits, 1)));
    let batches = losses.tensor("infocore_batch_onehot");
    for (name, side) in [("moco_loss_dc", 0), ("moco_loss_ges", 1)] {
        let anchors = Anchors {
            vectors: queries[side].clone(),
            probabilities: query_probabilities[side].clone(),
            batches: batches.clone(),
        };
        let keys =
            Others { vectors: keys[1 - side].clone(), probabilities: key_probabilities[1 - side].clone() };
        losses.assert_close(name, &values(infocore_moco(&anchors, &keys, &queues[1 - side], 0.1, 5.0)));
    }
}
