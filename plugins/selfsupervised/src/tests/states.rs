//! States: killed trainings, threads, seeds, what is refused.

use molarena_nn::{Array, Arrays};
use molarena_sdk::{Call, Component, Corpus, Encoder, Graphs, Hooks, Inputs};

use super::corpus::{World, encoder, small};
use crate::{EncoderConfig, ObjectiveConfig, SelfSupervised};

fn trained(world: &World, config: &EncoderConfig, call: &Call<'_>) -> Vec<u8> {
    let mut encoder = encoder(config);
    encoder.fit(&world.corpus(), call).unwrap();
    encoder.save().unwrap()
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
fn a_training_that_was_stopped_ends_with_the_same_bytes_with_any_number_of_threads() {
    let world = World::new(60);
    for name in ObjectiveConfig::NAMES {
        let config = small(name);
        let whole = trained(&world, &config, &Call::new(3, 2));
        let folder = tempfile::tempdir().unwrap();
        let mut stops = 0;
        let parts = loop {
            let hooks = Impatient(std::sync::atomic::AtomicIsize::new(6 + stops));
            let mut encoder = encoder(&config);
            let call = Call::new(3, 1).with_folder(folder.path()).with_hooks(&hooks);
            match encoder.fit(&world.corpus(), &call) {
                Ok(()) => break encoder.save().unwrap(),
                Err(error) => assert_eq!(error.message, "cancelled by the arena", "{name}"),
            }
            stops += 1;
            assert!(stops < 50, "{name} gets nowhere");
        };
        assert!(stops > 1, "{name}: {stops}");
        assert!(whole == parts, "{name}");
        assert!(whole != trained(&world, &config, &Call::new(4, 1)), "{name} does not depend on the seed");
    }
}

#[test]
fn untrained_weights_derive_from_the_seed_and_states_are_read_back() {
    let world = World::new(20);
    let config = small("graphcl");
    let vectors =
        |encoder: &mut SelfSupervised, seed| encoder.encode(&world.inputs(), &Call::new(seed, 1)).unwrap();
    let mut untrained = encoder(&config);
    let random = vectors(&mut untrained, 1);
    assert_eq!(random, vectors(&mut untrained, 1));
    assert_ne!(random, vectors(&mut untrained, 2));
    assert!(untrained.save().is_err());
    let state = trained(&world, &config, &Call::new(1, 1));
    // A state brings its own shape.
    let mut loaded = encoder(&EncoderConfig { width: 8, ..small("dsla") });
    loaded.load(&state).unwrap();
    assert_eq!((loaded.width(), loaded.save().unwrap()), (16, state.clone()));
    let trained = vectors(&mut loaded, 2);
    assert_ne!(trained, random);
    assert_eq!(trained, vectors(&mut loaded, 9));
    let refused = |bytes: &[u8]| encoder(&config).load(bytes).unwrap_err().message;
    assert!(refused(&state[..state.len() - 1]).starts_with("weights are no safetensors"));
    let mut arrays = Arrays::from_safetensors(&state).unwrap();
    let shape = arrays.notes.remove("selfsupervised").unwrap();
    assert_eq!(
        refused(&arrays.to_safetensors().unwrap()),
        "weights are safetensors, but not of a self-supervised graph network"
    );
    arrays.notes.insert("selfsupervised".into(), shape);
    arrays.arrays.insert("objective.more".into(), Array::new(&[1], vec![0.0]));
    let refusal = refused(&arrays.to_safetensors().unwrap());
    assert_eq!(refusal, "weights have a tensor `objective.more` that is unknown");
}

#[test]
fn errors_name_the_parameter() {
    for (json, message) in [
        (r#"{"layers": 0}"#, "`layers` is 0, must be at least 1"),
        (r#"{"dropout": 1.0}"#, "`dropout` is 1, must be in [0, 1)"),
        (r#"{"learning_rate": 0.0}"#, "`learning_rate` is 0, must be above 0"),
        (
            r#"{"patience": 3, "valid_share": 0.0}"#,
            "`patience` is 3, must be 0 without a `valid_share` to choose by",
        ),
        (
            r#"{"virtual_node": true}"#,
            "`virtual_node` is true, must be false with the objective `attrmask`, which reads atoms",
        ),
        (r#"{"objective": {"name": "attrmask", "share": 1.0}}"#, "`objective.share` is 1, must be in (0, 1)"),
        (
            r#"{"objective": {"name": "contextpred", "context_size": 0}}"#,
            "`objective.context_size` is 0, must be at least 1",
        ),
        (
            r#"{"objective": {"name": "graphcl", "augmentations": []}}"#,
            "`objective.augmentations` is empty, must have at least one",
        ),
        (
            r#"{"objective": {"name": "joao", "temperature": -0.1}}"#,
            "`objective.temperature` is -0.1, must be above 0",
        ),
        (
            r#"{"objective": {"name": "graphlog", "local_epochs": 10}}"#,
            "`objective.local_epochs` is 10, must be below `epochs`, which is 10",
        ),
        (
            r#"{"objective": {"name": "mgssl", "vocabulary": 0}}"#,
            "`objective.vocabulary` is 0, must be at least 1",
        ),
        (
            r#"{"objective": {"name": "graphmae", "gamma": 0.5}}"#,
            "`objective.gamma` is 0.5, must be at least 1",
        ),
        (
            r#"{"objective": {"name": "dsla", "perturbations": 1}}"#,
            "`objective.perturbations` is 1, must be at least 2",
        ),
    ] {
        let config: EncoderConfig = serde_json::from_str(json).unwrap();
        assert_eq!(SelfSupervised::new(config).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_virtual_node_is_for_objectives_that_read_no_atoms() {
    for name in ObjectiveConfig::NAMES {
        let config = EncoderConfig { virtual_node: true, ..small(name) };
        let reads_atoms = !["graphcl", "joao", "dsla"].contains(name);
        assert_eq!(SelfSupervised::new(config).is_err(), reads_atoms, "{name}");
    }
    let world = World::new(20);
    trained(&world, &EncoderConfig { virtual_node: true, ..small("joao") }, &Call::new(0, 1));
}

/// Whether the schema takes a configuration as serde does.
#[test]
fn unknown_keys_are_refused() {
    let schema = serde_json::to_value(schemars::schema_for!(EncoderConfig)).unwrap();
    let objective = &schema["$defs"]["ObjectiveConfig"]["oneOf"];
    let kinds = objective.as_array().unwrap();
    assert_eq!(kinds.len(), ObjectiveConfig::NAMES.len());
    for (kind, name) in kinds.iter().zip(ObjectiveConfig::NAMES) {
        assert_eq!(kind["properties"]["name"]["const"], *name, "{kind:#}");
        assert_eq!(kind["additionalProperties"], false, "{kind:#}");
        let read = |more: &str| {
            let json = format!(r#"{{"objective": {{"name": "{name}"{more}}}}}"#);
            serde_json::from_str::<EncoderConfig>(&json)
        };
        let config = read("").unwrap();
        assert_eq!(Some(&config.objective), ObjectiveConfig::named(name).as_ref());
        assert!(read(r#", "depth": 3"#).unwrap_err().to_string().contains("depth"), "{name}");
    }
    assert!(serde_json::from_str::<EncoderConfig>(r#"{"objective": {"name": "moco"}}"#).is_err());
    assert!(serde_json::from_str::<EncoderConfig>(r#"{"depth": 3}"#).is_err());
}

#[test]
fn a_corpus_that_is_too_small_or_without_graphs_is_refused() {
    let world = World::new(2);
    let message = |corpus: &Corpus<'_>| {
        let config = EncoderConfig { valid_share: 0.5, ..small("attrmask") };
        encoder(&config).fit(corpus, &Call::new(0, 1)).unwrap_err().message
    };
    assert_eq!(
        message(&world.corpus()),
        "corpus: 2 molecules, of which 1 are held out; training needs at least 2"
    );
    let bare = Corpus { molecules: Inputs::default(), ..world.corpus() };
    assert!(message(&bare).starts_with("input `graphs` is needed"));
}

/// Single atoms: nothing can be contrasted with, moved, predicted or generated, except for masked atoms.
#[test]
fn molecules_of_one_atom_are_no_fault() {
    let (offsets, none, nodes) = ([0, 1, 2, 3, 4], [0; 5], [0, 1, 2, 3]);
    let atoms = [5, 6, 7, 5].map(|element| [element, 0, 4, 5, 3, 0, 2, 0, 0]);
    let graphs = Graphs::new(&offsets, &none, &atoms, &[], &[]).unwrap();
    let world = World::new(1);
    let corpus = Corpus { molecules: Inputs::from_graphs(graphs), molecule_nodes: &nodes, ..world.corpus() };
    for name in ObjectiveConfig::NAMES {
        let mut encoder = encoder(&small(name));
        encoder.fit(&corpus, &Call::new(0, 1)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let vectors = encoder.encode(&corpus.molecules, &Call::new(0, 1)).unwrap();
        assert!(vectors.values.iter().all(|value| value.is_finite()), "{name}");
    }
}
