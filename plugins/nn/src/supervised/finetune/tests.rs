use std::sync::atomic::{AtomicUsize, Ordering};

use molarena_sdk::{Hooks, OwnedLabels};

use super::*;
use crate::{
    Random,
    gnn::{Convolution, GraphNetwork, Readout},
};

/// The shared graph network under this trait.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Plain(GraphNetwork);

impl GraphEncoder for Plain {
    fn width(&self) -> usize {
        self.0.width
    }

    fn layers(&self) -> usize {
        self.0.layers
    }

    fn slots(&self) -> Slots {
        let mut slots = Slots::default();
        self.0.slots(&mut slots);
        slots
    }

    fn forward(&self, pass: &mut Pass<'_>, batch: &GraphBatch) -> Tensor<2> {
        self.0.forward(pass, batch)
    }

    fn with_dropout(self, dropout: f64) -> Self {
        Self(GraphNetwork { dropout, ..self.0 })
    }
}

fn plain() -> Plain {
    Plain(GraphNetwork {
        convolution: Convolution::Gin,
        layers: 2,
        width: 8,
        virtual_node: false,
        readout: Readout::Mean,
        dropout: 0.0,
    })
}

fn config() -> FineTuneConfig {
    FineTuneConfig {
        epochs: 6,
        dropout: 0.1,
        learning_rate: 1e-2,
        batch_size: 8,
        ..FineTuneConfig::default()
    }
}

/// Chains of one to six carbons with an oxygen at the end of every other one.
struct Chains {
    offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    kinds: Vec<[i8; 3]>,
}

impl Chains {
    fn new(rows: usize) -> Self {
        let mut chains = Self {
            offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            kinds: Vec::new(),
        };
        for row in 0..rows {
            let length = 1 + row / 2 % 6;
            let last = if row % 2 == 0 { 7 } else { 5 };
            chains.atoms.extend((0..length).map(|atom| {
                let element = if atom + 1 == length { last } else { 5 };
                [element, 0, 2, 5, 0, 0, 2, 0, 0]
            }));
            chains.bonds.extend((1..length as u32).map(|atom| [atom - 1, atom]));
            chains.kinds.extend((1..length).map(|_| [0, 0, 0]));
            chains.offsets.push(chains.atoms.len() as i64);
            chains.bond_offsets.push(chains.bonds.len() as i64);
        }
        chains
    }

    fn inputs(&self) -> Inputs<'_> {
        let Self { offsets, bond_offsets, atoms, bonds, kinds } = self;
        Inputs::from_graphs(Graphs::new(offsets, bond_offsets, atoms, bonds, kinds).unwrap())
    }
}

/// Whether a chain ends in oxygen; and its length, where it is known.
fn labels(kind: TaskKind, rows: usize) -> OwnedLabels {
    let value = |row: usize| match kind {
        TaskKind::Classification => [f32::from(u8::from(row.is_multiple_of(2))), f32::NAN],
        TaskKind::Regression => {
            [(row / 2 % 6) as f32, if row.is_multiple_of(3) { f32::NAN } else { row as f32 }]
        }
    };
    OwnedLabels::from_nan(kind, rows, 2, (0..rows).flat_map(value).collect()).unwrap()
}

fn fit(model: &mut FineTuned<Plain>, kind: TaskKind, call: &Call<'_>) -> Result<()> {
    let (train, valid) = (Chains::new(48), Chains::new(16));
    let (train_labels, valid_labels) = (labels(kind, 48), labels(kind, 16));
    model.fit(&train.inputs(), &train_labels.view(), &valid.inputs(), &valid_labels.view(), call)
}

fn predicted(model: &mut FineTuned<Plain>) -> Matrix {
    model.predict(&Chains::new(20).inputs(), &Call::new(0, 1)).unwrap()
}

fn weights() -> Arrays {
    plain().slots().random(&mut Random::of(5, 0, 0))
}

fn trained(weights: Option<&Arrays>, config: FineTuneConfig, kind: TaskKind) -> FineTuned<Plain> {
    let mut model = FineTuned::new(plain(), weights, config).unwrap();
    fit(&mut model, kind, &Call::new(3, 1)).unwrap();
    model
}

fn weights_of(model: &FineTuned<Plain>) -> &Arrays {
    &model.model.as_ref().unwrap().networks.as_ref().unwrap().1[0]
}

/// Largest change of a trained parameter of the encoder, and of the head, from the start.
fn moved(model: &FineTuned<Plain>, start: &Arrays) -> f32 {
    let after = weights_of(model);
    let names = plain().slots().0.into_iter().filter(|slot| slot.trained).map(|slot| slot.name);
    let change = |name: String| {
        let pairs = after.arrays[&name].values().iter().zip(start.arrays[&name].values());
        pairs.map(|(after, before)| (after - before).abs()).fold(0.0, f32::max)
    };
    names.map(change).fold(0.0, f32::max)
}

#[test]
fn classes_and_numbers_are_learnt_and_a_seed_repeats() {
    let longer = || FineTuneConfig { epochs: 40, dropout: 0.0, ..config() };
    let mut model = trained(Some(&weights()), longer(), TaskKind::Classification);
    let classes = predicted(&mut model);
    // The epoch is chosen by the order of the predictions, not by where 0.5 is.
    let of = |label: usize| classes.values.iter().step_by(2).skip(1 - label).step_by(2).copied();
    assert!(of(0).fold(0.0, f32::max) < of(1).fold(1.0, f32::min), "{classes:?}");
    let probabilities = classes.values.iter().all(|value| (0.0..=1.0).contains(value));
    assert!(probabilities && classes.values[1] == 0.5, "nothing is known of the second task");
    let again = predicted(&mut trained(Some(&weights()), longer(), TaskKind::Classification));
    assert_eq!(classes, again);
    let numbers = predicted(&mut trained(None, longer(), TaskKind::Regression));
    let error = |row: usize| (numbers.values[row * 2] - (row / 2 % 6) as f32).abs();
    let mean = (0..20).map(error).sum::<f32>() / 20.0;
    assert!(mean < 1.0, "a constant is wrong by 1.5, this by {mean}");
}

#[test]
fn training_starts_from_the_weights_and_changes_them_all_at_their_rates() {
    let start = weights();
    let still = FineTuneConfig { learning_rate: 1e-9, head_learning_rate: Some(1e-2), ..config() };
    let fixed = trained(Some(&start), still, TaskKind::Classification);
    assert!(moved(&fixed, &start) < 1e-6, "{}", moved(&fixed, &start));
    let head = weights_of(&fixed).arrays["head.0.linear.weight"].clone();
    let other = FineTuneConfig { learning_rate: 1e-9, head_learning_rate: Some(1e-9), ..config() };
    let other = trained(Some(&start), other, TaskKind::Classification);
    assert_ne!(
        weights_of(&other).arrays["head.0.linear.weight"],
        head,
        "the head learns at a rate of its own"
    );
    let whole = trained(Some(&start), config(), TaskKind::Classification);
    let unmoved: Vec<String> = plain()
        .slots()
        .0
        .into_iter()
        .filter(|slot| slot.trained && weights_of(&whole).arrays[&slot.name] == start.arrays[&slot.name])
        .map(|slot| slot.name)
        .collect();
    assert_eq!(unmoved, [""; 0], "every parameter is trained");
    let statistic = "graph_encoder.batch_norms.0.running_mean";
    assert_ne!(
        weights_of(&whole).arrays[statistic],
        start.arrays[statistic],
        "batch norm is in training mode"
    );
    let random = trained(None, config(), TaskKind::Classification);
    assert!(moved(&random, &start) > 0.1, "without weights it starts elsewhere");
}

#[test]
fn a_model_is_restored_without_weights_and_damaged_ones_are_refused() {
    let mut model = trained(Some(&weights()), config(), TaskKind::Classification);
    let state = model.save().unwrap();
    let mut other = FineTuned::new(plain(), None, config()).unwrap();
    assert_eq!(other.tasks(), 0);
    assert!(other.save().unwrap_err().to_string().contains("`save` needs `fit` or `load` first"));
    other.load(&state).unwrap();
    assert_eq!(other.tasks(), 2);
    assert_eq!(predicted(&mut other), predicted(&mut model));
    assert_eq!(other.save().unwrap(), state);
    for damaged in [&state[..state.len() - 1], &state[..state.len() / 2], b"tune\x01\0\0\0", b""] {
        assert!(other.load(damaged).is_err());
    }
    for layers in [0, 1, usize::MAX] {
        let mut damaged = other.model.clone().unwrap();
        damaged.networks.as_mut().unwrap().0.encoder.0.layers = layers;
        let error = other.load(&HEADER.save(&damaged).unwrap()).unwrap_err();
        assert!(error.to_string().contains("is damaged"), "{layers}: {error}");
    }
}

#[test]
fn a_cancelled_fit_ends_and_values_out_of_range_are_named() {
    struct Impatient(AtomicUsize);
    impl Hooks for Impatient {
        fn progress(&self, _: f64, _: &str) {}
        fn cancelled(&self) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed) > 3
        }
    }
    let mut model = FineTuned::new(plain(), None, config()).unwrap();
    let impatient = Impatient(AtomicUsize::new(0));
    let error = fit(&mut model, TaskKind::Classification, &Call::new(0, 1).with_hooks(&impatient));
    assert_eq!(error.unwrap_err(), Error::cancelled("cancelled by the arena"));
    for (text, part) in [
        (r#"{"width": 0}"#, "`width` is 0, must be at least 1"),
        (r#"{"batch_size": 1}"#, "`batch_size` is 1, must be at least 2"),
        (r#"{"epochs": 0}"#, "`epochs` is 0, must be at least 1"),
        (r#"{"patience": 0}"#, "`patience` is 0, must be at least 1"),
        (r#"{"dropout": 1.0}"#, "`dropout` is 1, must be in [0, 1)"),
        (r#"{"learning_rate": 0.0}"#, "`learning_rate` is 0, must be above 0"),
        (r#"{"head_learning_rate": -1.0}"#, "`head_learning_rate` is -1, must be above 0"),
        (r#"{"weight_decay": -1.0}"#, "`weight_decay` is -1, must be at least 0"),
    ] {
        let config: FineTuneConfig = serde_json::from_str(text).unwrap();
        assert_eq!(FineTuned::new(plain(), None, config).unwrap_err().to_string(), part);
    }
    assert!(serde_json::from_str::<FineTuneConfig>(r#"{"lr": 1.0}"#).is_err());
}
