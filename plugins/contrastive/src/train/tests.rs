//! Training on a small corpus.

use std::sync::Mutex;

use molarena_sdk::{Bits, Decoder, Dense, Encoder, Hooks, Inputs, Profiles};

use super::*;
use crate::{
    Cloome, Cosine, InfoCore,
    config::{CloomeConfig, InfoCoreConfig},
};
use molarena_sdk::Component;

const MOLECULES: usize = 60;
const COLUMNS: usize = 6;
const BATCHES: u32 = 3;

/// Molecules whose six bits show in six columns; each has two profiles, in batches that move a column.
struct World {
    words: Vec<u64>,
    kinds: Vec<u8>,
    molecule_nodes: Vec<u64>,
    profile_nodes: Vec<u64>,
    values: Vec<f32>,
    batches: Vec<u32>,
    edges: [Vec<u64>; 2],
}

impl World {
    fn new() -> Self {
        let mut random = Random::of(1, 0, 0);
        let words: Vec<u64> = (0..MOLECULES).map(|number| number as u64 + 1).collect();
        let (mut values, mut batches, mut edges) = (Vec::new(), Vec::new(), [Vec::new(), Vec::new()]);
        for profile in 0..2 * MOLECULES {
            let molecule = profile % MOLECULES;
            let batch = random.below(BATCHES as usize) as u32;
            batches.push(batch);
            for column in 0..COLUMNS {
                let bit = (words[molecule] >> column & 1) as f64;
                let shift = if column as u32 == batch { 0.2 } else { 0.0 };
                values.push((0.2 + 0.4 * bit + shift + 0.05 * random.unit()) as f32);
            }
            edges[0].push(molecule as u64);
            edges[1].push((MOLECULES + profile) as u64);
        }
        Self {
            words,
            kinds: [vec![0; MOLECULES], vec![2; 2 * MOLECULES]].concat(),
            molecule_nodes: (0..MOLECULES as u64).collect(),
            profile_nodes: (MOLECULES as u64..3 * MOLECULES as u64).collect(),
            values,
            batches,
            edges,
        }
    }

    fn molecules(&self) -> Inputs<'_> {
        Inputs::from_bits(Bits::new(&self.words, MOLECULES, 64).unwrap())
    }

    fn candidates(&self) -> Dense<'_> {
        Dense::new(&self.values, 2 * MOLECULES, COLUMNS).unwrap()
    }

    fn corpus(&self) -> Corpus<'_> {
        Corpus {
            node_kinds: &self.kinds,
            molecules: self.molecules(),
            molecule_nodes: &self.molecule_nodes,
            spaces: vec![Profiles {
                space: "cells",
                kind: NodeKind::Morphology,
                nodes: &self.profile_nodes,
                values: self.candidates(),
                batches: Some(&self.batches),
                cell_counts: None,
            }],
            edge_sources: &self.edges[0],
            edge_targets: &self.edges[1],
            edge_weights: &[1.0; 2 * MOLECULES],
        }
    }
}

fn cloome(json: &str) -> Cloome {
    let config: CloomeConfig = serde_json::from_str(json).unwrap();
    let small = CloomeConfig { width: 16, molecule_width: 32, profile_width: 32, batch_size: 20, ..config };
    Cloome::new(small).unwrap()
}

fn infocore(json: &str) -> InfoCore {
    let config: InfoCoreConfig = serde_json::from_str(json).unwrap();
    let small = InfoCoreConfig {
        width: 16,
        molecule_width: 32,
        molecule_layers: 2,
        profile_width: 32,
        classifier_width: 16,
        queue: 50,
        momentum: 0.9,
        classifier_momentum: 0.9,
        noise: 0.1,
        learning_rate: 5e-3,
        batch_size: 20,
        ..config
    };
    InfoCore::new(small).unwrap()
}

/// Share of the molecules with a profile of their own among the ten best of all profiles.
fn hits(encoder: &mut dyn Encoder, world: &World) -> f64 {
    let call = Call::new(0, 1);
    let z = encoder.encode(&world.molecules(), &call).unwrap();
    let mut decoder = Cosine::new(crate::NoOptions {}).unwrap();
    decoder.load(&encoder.save().unwrap()).unwrap();
    assert_eq!(decoder.columns("cells").unwrap(), COLUMNS);
    let scores = decoder.score(&z.view(), &world.candidates(), "cells", &call).unwrap();
    let hit = |(molecule, scores): (usize, &[f32])| {
        let better = |own: f32| scores.iter().filter(|score| **score > own).count();
        [molecule, molecule + MOLECULES].iter().any(|&own| better(scores[own]) < 10)
    };
    let rows = scores.values.chunks_exact(2 * MOLECULES).enumerate();
    rows.filter(|row| hit(*row)).count() as f64 / MOLECULES as f64
}

#[test]
fn every_form_learns_and_shuffled_pairs_do_not() {
    let world = World::new();
    // Of 120 profiles, two are a molecule's own: ten at random have one of them with probability 0.16.
    for json in [
        r#"{"epochs": 40, "learning_rate": 5e-3}"#,
        r#"{"epochs": 40, "learning_rate": 5e-3, "objective": "clip"}"#,
    ] {
        let mut encoder = cloome(json);
        encoder.fit(&world.corpus(), &Call::new(0, 2)).unwrap();
        assert!(hits(&mut encoder, &world) > 0.6, "{json}: {}", hits(&mut encoder, &world));
    }
    for json in [
        r#"{"epochs": 40, "form": "simclr"}"#,
        r#"{"epochs": 40, "form": "simclr", "weight_gradient": 0.5}"#,
        r#"{"epochs": 40, "form": "simclr", "correct_batches": false}"#,
        r#"{"epochs": 40, "form": "moco"}"#,
        r#"{"epochs": 40, "form": "moco", "correct_batches": false}"#,
    ] {
        let mut encoder = infocore(json);
        encoder.fit(&world.corpus(), &Call::new(0, 2)).unwrap();
        assert!(hits(&mut encoder, &world) > 0.6, "{json}: {}", hits(&mut encoder, &world));
    }
    let mut encoder = infocore(r#"{"epochs": 5, "form": "simclr", "shuffle_pairs": true}"#);
    encoder.fit(&world.corpus(), &Call::new(0, 2)).unwrap();
    assert!(hits(&mut encoder, &world) < 0.5, "{}", hits(&mut encoder, &world));
}

#[test]
fn threads_and_company_change_nothing() {
    let world = World::new();
    let state = |threads| {
        let mut encoder = infocore(r#"{"epochs": 3}"#);
        encoder.fit(&world.corpus(), &Call::new(7, threads)).unwrap();
        encoder.save().unwrap()
    };
    assert_eq!(state(1), state(2));
    let mut encoder = infocore("{}");
    encoder.load(&state(1)).unwrap();
    let call = Call::new(0, 1);
    let all = encoder.encode(&world.molecules(), &call).unwrap();
    let one = Inputs::from_bits(Bits::new(&world.words[5..6], 1, 64).unwrap());
    assert_eq!(encoder.encode(&one, &call).unwrap().values, all.values[5 * 16..6 * 16]);
}

/// Cancels after a number of calls.
struct Impatient(std::sync::atomic::AtomicIsize);

impl Hooks for Impatient {
    fn progress(&self, _: f64, _: &str) {}

    fn cancelled(&self) -> bool {
        self.0.fetch_sub(1, std::sync::atomic::Ordering::SeqCst) <= 0
    }
}

#[test]
fn a_training_that_was_stopped_ends_with_the_same_bytes() {
    let world = World::new();
    for json in [
        r#"{"epochs": 6, "form": "moco"}"#,
        r#"{"epochs": 6, "form": "simclr", "valid_share": 0.2, "patience": 5}"#,
        r#"{"epochs": 6, "form": "moco", "correct_batches": false}"#,
    ] {
        let whole = {
            let mut encoder = infocore(json);
            encoder.fit(&world.corpus(), &Call::new(3, 1)).unwrap();
            encoder.save().unwrap()
        };
        let folder = tempfile::tempdir().unwrap();
        let mut stops = 0;
        let parts = loop {
            let hooks = Impatient(std::sync::atomic::AtomicIsize::new(9 + stops));
            let mut encoder = infocore(json);
            let call = Call::new(3, 1).with_folder(folder.path()).with_hooks(&hooks);
            match encoder.fit(&world.corpus(), &call) {
                Ok(()) => break encoder.save().unwrap(),
                Err(_) => stops += 1,
            }
            assert!(stops < 50, "it gets nowhere");
        };
        assert!(stops > 1, "{stops}");
        assert_eq!(whole, parts, "{json}");
    }
}

/// Keeps what it is told.
#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Hooks for Listener {
    fn progress(&self, _: f64, message: &str) {
        self.0.lock().unwrap().push(message.to_owned());
    }

    fn cancelled(&self) -> bool {
        false
    }
}

#[test]
fn without_batches_it_says_that_it_is_infonce() {
    let world = World::new();
    let mut corpus = world.corpus();
    corpus.spaces[0].batches = None;
    let listener = Listener::default();
    let mut encoder = infocore(r#"{"epochs": 2}"#);
    encoder.fit(&corpus, &Call::new(0, 1).with_hooks(&listener)).unwrap();
    let said = listener.0.lock().unwrap();
    assert_eq!(said[0], "space `cells` has no batches: InfoCORE is InfoNCE here");
    // The same as without the correction, and as on a corpus whose batches are not looked at.
    let mut plain = infocore(r#"{"epochs": 2, "correct_batches": false}"#);
    plain.fit(&world.corpus(), &Call::new(0, 1)).unwrap();
    assert_eq!(plain.save().unwrap(), encoder.save().unwrap());
}

#[test]
fn a_corpus_that_cannot_be_aligned_is_refused() {
    let world = World::new();
    let message = |corpus: &Corpus<'_>, json: &str| {
        infocore(json).fit(corpus, &Call::new(0, 1)).unwrap_err().to_string()
    };
    let one_batch = vec![4; 2 * MOLECULES];
    let mut corpus = world.corpus();
    corpus.spaces[0].batches = Some(&one_batch);
    assert_eq!(
        message(&corpus, "{}"),
        "corpus: all profiles of the space `cells` are of one batch, so that there is nothing to correct; say \
         `correct_batches = false`, which is InfoNCE"
    );
    let equal = vec![0.5; 2 * MOLECULES * COLUMNS];
    let mut corpus = world.corpus();
    corpus.spaces[0].values = Dense::new(&equal, 2 * MOLECULES, COLUMNS).unwrap();
    assert_eq!(message(&corpus, "{}"), "corpus: all profiles of the space `cells` are equal");
    let few =
        Corpus { edge_sources: &world.edges[0][..10], edge_targets: &world.edges[1][..10], ..world.corpus() };
    assert_eq!(message(&few, "{}"), "`batch_size` is 20, but 10 molecules have a profile: say at most 10");
    assert_eq!(
        message(&world.corpus(), r#"{"valid_share": 0.9}"#),
        "`batch_size` is 20, but 6 molecules with a profile are left to train on, and 54 are held out: say at most 6"
    );
    let elsewhere = message(&world.corpus(), r#"{"space": "nuclei"}"#);
    assert_eq!(elsewhere, "corpus: no space of profiles is called `nuclei`; there is: cells");
    let mut decoder = Cosine::new(crate::NoOptions {}).unwrap();
    let error = decoder.columns("cells").unwrap_err().to_string();
    assert_eq!(error, "the networks are not trained: name a `corpus` in the method's encoder");
    let mut encoder = cloome(r#"{"epochs": 1}"#);
    encoder.fit(&world.corpus(), &Call::new(0, 1)).unwrap();
    decoder.load(&encoder.save().unwrap()).unwrap();
    let error = decoder.columns("nuclei").unwrap_err().to_string();
    assert_eq!(error, "space `nuclei` has no profile encoder; there is one of: cells");
}
