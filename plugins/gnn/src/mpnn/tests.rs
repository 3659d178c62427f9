use molarena_nn::{Parameters, Random, gnn::MoleculeGraphs, supervised::Predictor};
use molarena_sdk::{Baseline, Call, Component, Graphs, Inputs, OwnedLabels, TaskKind};

use super::*;

/// Chains and rings of carbon with one oxygen or nitrogen, with the features of the Open Graph Benchmark that matter here.
struct Sample {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    kinds: Vec<[i8; 3]>,
    /// Whether the molecule has an oxygen and a ring, and its number of atoms.
    truth: Vec<[f32; 2]>,
}

impl Sample {
    fn new(rows: usize, seed: u64) -> Self {
        let mut random = Random::of(seed, 0, 0);
        let mut sample = Self {
            atom_offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            kinds: Vec::new(),
            truth: Vec::new(),
        };
        for _ in 0..rows {
            let (length, oxygen, ring) = (3 + random.below(6), random.below(2), random.below(2));
            let special = random.below(length);
            for atom in 0..length {
                let element = if atom == special { 6 + oxygen as i8 } else { 5 };
                sample.atoms.push([element, 0, 4, 5, 2, 0, 2, 0, 0]);
            }
            for atom in 1..length as u32 {
                sample.bonds.push([atom - 1, atom]);
            }
            if ring == 1 {
                sample.bonds.push([length as u32 - 1, 0]);
            }
            sample.kinds.resize(sample.bonds.len(), [0, 0, 0]);
            sample.atom_offsets.push(sample.atoms.len() as i64);
            sample.bond_offsets.push(sample.bonds.len() as i64);
            sample.truth.push([(oxygen * ring) as f32, length as f32]);
        }
        sample
    }

    fn graphs(&self) -> Graphs<'_> {
        Graphs::new(&self.atom_offsets, &self.bond_offsets, &self.atoms, &self.bonds, &self.kinds).unwrap()
    }

    /// A task; the same with every third label missing; one without labels.
    fn labels(&self, kind: TaskKind) -> OwnedLabels {
        let of = |(row, [class, number]): (usize, &[f32; 2])| {
            let label = if kind == TaskKind::Classification { *class } else { 100.0 + 10.0 * number };
            [label, if row % 3 == 0 { f32::NAN } else { label }, f32::NAN]
        };
        let values = self.truth.iter().enumerate().flat_map(of).collect();
        OwnedLabels::from_nan(kind, self.truth.len(), 3, values).unwrap()
    }
}

fn mpnn(json: &str) -> MessagePassing {
    MessagePassing::new(serde_json::from_str(json).unwrap()).unwrap()
}

const MESSAGES: [&str; 3] = ["directed", "gin", "gcn"];

fn fitted(messages: &str, kind: TaskKind) -> (MessagePassing, Sample) {
    let (train, valid) = (Sample::new(150, 1), Sample::new(60, 2));
    let mut mpnn = mpnn(&format!(
        r#"{{"messages": "{messages}", "depth": 3, "message_width": 16, "width": 16, "batch_size": 16, "epochs": 30,
             "learning_rate": 0.01}}"#
    ));
    let inputs = [&train, &valid].map(|sample| Inputs::from_graphs(sample.graphs()));
    let labels = [&train, &valid].map(|sample| sample.labels(kind));
    mpnn.fit(&inputs[0], &labels[0].view(), &inputs[1], &labels[1].view(), &Call::new(3, 1)).unwrap();
    (mpnn, Sample::new(80, 3))
}

#[test]
fn it_learns_what_a_graph_shows() {
    for messages in MESSAGES {
        let (mut mpnn, test) = fitted(messages, TaskKind::Classification);
        let found = mpnn.predict(&Inputs::from_graphs(test.graphs()), &Call::new(0, 1)).unwrap();
        let right = |task: usize| {
            let rows = test.truth.iter().zip(found.values.chunks_exact(3));
            rows.filter(|(truth, row)| (row[task] > 0.5) == (truth[0] > 0.5)).count()
        };
        assert!(right(0) >= 76 && right(1) >= 76, "{messages}: {} {} of 80", right(0), right(1));
        assert!(found.values.chunks_exact(3).all(|row| row[2] == 0.5));
    }
}

#[test]
fn it_predicts_numbers() {
    let (mut mpnn, test) = fitted("directed", TaskKind::Regression);
    let found = mpnn.predict(&Inputs::from_graphs(test.graphs()), &Call::new(0, 1)).unwrap();
    let errors = test.truth.iter().zip(found.values.chunks_exact(3));
    let mean = errors.map(|(truth, row)| (row[0] - 100.0 - 10.0 * truth[1]).abs()).sum::<f32>() / 80.0;
    // The mean deviation of the labels is 15.
    assert!(mean < 3.0, "{mean}");
}

#[test]
fn saved_and_loaded_it_predicts_the_same_and_company_changes_nothing() {
    for messages in MESSAGES {
        let (mut fitted, test) = fitted(messages, TaskKind::Classification);
        let all = fitted.predict(&Inputs::from_graphs(test.graphs()), &Call::new(0, 1)).unwrap();
        let state = fitted.save().unwrap();
        let mut loaded = mpnn("{}");
        loaded.load(&state).unwrap();
        let again = loaded.predict(&Inputs::from_graphs(test.graphs()), &Call::new(9, 2)).unwrap();
        assert_eq!(all, again, "{messages}");
        let first = Sample::new(1, 3);
        let alone = loaded.predict(&Inputs::from_graphs(first.graphs()), &Call::new(0, 1)).unwrap();
        assert_eq!(alone.values, all.values[..3], "{messages}");
        assert!(loaded.load(&state[..state.len() - 1]).is_err());
        assert!(loaded.load(&state[4..]).is_err());
    }
}

fn has_all_gradients<P: Predictor>(network: &P, molecules: &P::Molecules<'_>) {
    let device = burn::tensor::Device::flex().autodiff();
    let slots = network.slots();
    let mut arrays = slots.random(&mut Random::of(1, 0, 0));
    let mut parameters = Parameters::take(&slots, &mut arrays, &device).unwrap();
    let mut random = Random::of(2, 0, 0);
    let mut pass = molarena_nn::Pass::train(&mut parameters, &mut random);
    let gradients = network.forward(&mut pass, molecules, &[0, 1, 2, 3]).sum().backward();
    let with = parameters.trained().filter(|(_, parameter)| parameter.grad(&gradients).is_some()).count();
    assert_eq!(with, slots.0.iter().filter(|slot| slot.trained).count());
}

#[test]
fn every_parameter_has_a_gradient() {
    let sample = Sample::new(4, 5);
    for messages in MESSAGES {
        let config: MessagePassingConfig = serde_json::from_str(&format!(
            r#"{{"messages": "{messages}", "message_width": 4, "width": 5, "dropout": 0.1, "readout": "mean"}}"#
        ))
        .unwrap();
        if config.messages == Messages::Directed {
            has_all_gradients(&config.directed(2), &Molecules::new(&sample.graphs()));
        } else {
            has_all_gradients(&config.atoms(2), &MoleculeGraphs::new(sample.graphs()).unwrap());
        }
    }
}

#[test]
fn wrong_options_are_named() {
    for (json, message) in [
        (r#"{"depth": 0}"#, "`depth` is 0, must be at least 1"),
        (r#"{"batch_size": 1}"#, "`batch_size` is 1, must be at least 2"),
        (r#"{"dropout": 1.0}"#, "`dropout` is 1, must be in [0, 1)"),
        (r#"{"learning_rate": 0.0}"#, "`learning_rate` is 0, must be above 0"),
        (
            r#"{"messages": "gin", "readout": "norm"}"#,
            "`readout` is norm, must be sum or mean for messages between atoms",
        ),
        (r#"{"epochs": 2}"#, "`warm_up_epochs` is 2, must be at least 0 and below `epochs`"),
    ] {
        let error = MessagePassing::new(serde_json::from_str(json).unwrap()).unwrap_err();
        assert_eq!(error.message, message);
    }
}
