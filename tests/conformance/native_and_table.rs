//! Components of each kind give the same results natively and through the C table of the built library.

mod shared;

use std::panic::{AssertUnwindSafe, catch_unwind};

use fixture_kinds::{
    AtomCounts, AtomCountsConfig, Device, Linear, LinearConfig, NearestCentroid, NearestCentroidConfig,
    TunedWitness, Untrainable, Witness,
};
use molarena_abi as abi;
use molarena_host::{
    plugin::loader::LoadError, plugin::loader::LoadedBaseline, plugin::loader::LoadedDecoder,
    plugin::loader::LoadedEncoder, plugin::loader::LoadedPlugin,
};
use molarena_sdk::{
    Baseline, Call, Component, ComponentDescription, ComponentKind, Corpus, Decoder, Dense, Encoder, Error,
    FineTune, Graphs, Inputs, NodeKind, OwnedLabels, Profiles, Smiles, TaskKind,
};
use shared::{Watcher, same, same_matrix};

fn plugin() -> LoadedPlugin {
    shared::open("fixture_kinds")
}

fn call() -> Call<'static> {
    Call::new(7, 2)
}

fn atom(number: i8) -> [i8; 9] {
    [number - 1, 0, 2, 5, 1, 0, 2, 0, 0]
}

/// Ethanol, an empty molecule, four carbons with a nitrogen, and oganesson.
struct Molecules {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
}

impl Molecules {
    fn new() -> Self {
        let atoms = [6, 6, 8, /**/ 6, 6, 6, 6, 7, /**/ 118].map(atom).to_vec();
        let bonds = vec![[0, 1], [1, 2], /**/ [0, 1], [1, 2], [2, 3], [3, 4]];
        let bond_features = vec![[0, 0, 0]; 5].into_iter().chain([[2, 0, 1]]).collect();
        Self {
            atom_offsets: vec![0, 3, 3, 8, 9],
            bond_offsets: vec![0, 2, 2, 6, 6],
            atoms,
            bonds,
            bond_features,
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        let (atoms, bonds) = (&self.atom_offsets, &self.bond_offsets);
        Inputs::from_graphs(Graphs::new(atoms, bonds, &self.atoms, &self.bonds, &self.bond_features).unwrap())
    }
}

/// A context graph of four molecules, two genes, three morphology profiles and one expression profile.
fn corpus(molecules: &Molecules) -> Corpus<'_> {
    const NAN: f32 = f32::NAN;
    const MORPHOLOGY: [f32; 9] = [0.5, NAN, -1.0, 1.5, NAN, 2.0, -0.25, NAN, NAN];
    let space = |space, kind, nodes, values| Profiles {
        space,
        kind,
        nodes,
        values,
        batches: None,
        cell_counts: None,
    };
    Corpus {
        node_kinds: &[0, 0, 0, 0, 1, 1, 2, 2, 2, 3],
        molecules: molecules.inputs(),
        molecule_nodes: &[2, 0, 1, 3],
        spaces: vec![
            space("cell-painting", NodeKind::Morphology, &[6, 7, 8], Dense::new(&MORPHOLOGY, 3, 3).unwrap()),
            space("l1000", NodeKind::Expression, &[9], Dense::new(&[0.125, NAN], 1, 2).unwrap()),
            space("gène", NodeKind::Gene, &[4, 5], Dense::new(&[1.0, -2.0], 2, 1).unwrap()),
            space("morgan", NodeKind::Molecule, &[3, 1], Dense::new(&[0.0, 1.0, 1.0, 0.0], 2, 2).unwrap()),
            space("empty", NodeKind::Gene, &[], Dense::new(&[], 0, 5).unwrap()),
        ],
        edge_sources: &[0, 1, 2, 6],
        edge_targets: &[4, 5, 6, 9],
        edge_weights: &[1.0, 0.5, 0.25, 0.75],
    }
}

fn encoders(json: &str) -> (AtomCounts, LoadedEncoder) {
    let config: AtomCountsConfig = serde_json::from_str(json).unwrap();
    (AtomCounts::new(config).unwrap(), plugin().encoder("atom-counts", json).unwrap())
}

fn decoders(json: &str) -> (Linear, LoadedDecoder) {
    let config: LinearConfig = serde_json::from_str(json).unwrap();
    (Linear::new(config).unwrap(), plugin().decoder("linear", json).unwrap())
}

fn baselines() -> (NearestCentroid, LoadedBaseline) {
    let native = NearestCentroid::new(NearestCentroidConfig::default()).unwrap();
    (native, plugin().baseline("nearest-centroid", "{}").unwrap())
}

#[test]
fn the_description_is_that_of_the_components() {
    let plugin = plugin();
    let description = plugin.description();
    assert_eq!(
        (description.id.as_str(), description.licence.as_str()),
        ("fixture-kinds", "MIT OR Apache-2.0")
    );
    let wanted = [
        (ComponentKind::Encoder, AtomCounts::INFO),
        (ComponentKind::Encoder, Untrainable::INFO),
        (ComponentKind::Encoder, Witness::INFO),
        (ComponentKind::Decoder, Linear::INFO),
        (ComponentKind::Baseline, Device::INFO),
        (ComponentKind::Baseline, NearestCentroid::INFO),
    ];
    assert_eq!(description.components.len(), wanted.len());
    for (component, (kind, info)) in description.components.iter().zip(wanted) {
        assert_eq!((component.kind, component.id.as_str()), (kind, info.id));
        assert_eq!(component.summary, info.summary);
        assert_eq!((component.inputs.as_slice(), component.determinism), (info.inputs, info.determinism));
        let devices: Vec<&str> = component.devices.iter().map(String::as_str).collect();
        assert_eq!((devices.as_slice(), component.corpora.len()), (info.devices, info.corpora.len()));
        assert_eq!(component.config_schema["additionalProperties"], false, "{}", component.id);
    }
}

#[test]
fn an_encoder_encodes_the_same_before_and_after_training_and_loading() {
    let molecules = Molecules::new();
    let inputs = molecules.inputs();
    let (mut native, mut table) = encoders(r#"{"width": 5}"#);
    let counts = same_matrix(native.encode(&inputs, &call()), table.encode(&inputs, &call())).unwrap();
    // Modulo 5 the columns are 0 for carbon (5), 1 for nitrogen (6), 2 for oxygen (7) and 2 for oganesson (117).
    assert_eq!(counts.values[..5], [2.0, 0.0, 1.0, 0.0, 0.0]);
    assert_eq!((&counts.values[5..10], counts.values[17]), ([0.0; 5].as_slice(), 1.0));

    let corpus = corpus(&molecules);
    same(native.fit(&corpus, &call()), table.fit(&corpus, &call())).unwrap();
    let state = same(native.save(), table.save()).unwrap();
    let scaled = same_matrix(native.encode(&inputs, &call()), table.encode(&inputs, &call())).unwrap();
    assert_ne!(scaled, counts);

    // Each side loads the other side's saved state; both states have the same bytes.
    let (mut native, mut table) = encoders(r#"{"width": 5}"#);
    same(native.load(&state), table.load(&state)).unwrap();
    let again = same_matrix(native.encode(&inputs, &call()), table.encode(&inputs, &call())).unwrap();
    assert_eq!(again, scaled);
}

#[test]
fn no_molecules_are_encoded_to_no_rows() {
    let graphs = Graphs::new(&[0], &[0], &[], &[], &[]).unwrap();
    let inputs = Inputs::from_graphs(graphs);
    let (mut native, mut table) = encoders("{}");
    let vectors = same_matrix(native.encode(&inputs, &call()), table.encode(&inputs, &call())).unwrap();
    assert_eq!((vectors.rows, vectors.columns), (0, 16));
}

#[test]
fn everything_of_a_corpus_reaches_the_encoder() {
    let molecules = Molecules::new();
    let state = |corpus: &Corpus<'_>| {
        let (mut native, mut table) = encoders("{}");
        same(native.fit(corpus, &call()), table.fit(corpus, &call())).unwrap();
        same(native.save(), table.save()).unwrap()
    };
    let whole = state(&corpus(&molecules));
    let mut changed = vec![corpus(&molecules); 5];
    changed[0].edge_weights = &[1.0, 0.5, 0.5, 0.75];
    changed[1].edge_targets = &[4, 5, 3, 9];
    changed[2].spaces.swap(0, 1);
    changed[3].spaces[0].values =
        Dense::new(&[0.5, 0.0, -1.0, 1.5, 0.0, 2.0, -0.25, 0.0, 0.0], 3, 3).unwrap();
    changed[4].node_kinds = &[0, 0, 0, 0, 1, 1, 2, 2, 1, 3];
    for (index, corpus) in changed.iter().enumerate() {
        assert_ne!(state(corpus), whole, "change {index} was not seen");
    }
    let mut alone = corpus(&molecules);
    (alone.spaces, alone.edge_sources, alone.edge_targets, alone.edge_weights) = (vec![], &[], &[], &[]);
    assert_ne!(state(&alone), whole);
}

const SPACES: &str = r#"{"width": 3, "seed": 11, "spaces": {"cell-painting": 4, "l1000": 2}}"#;
const Z: [f32; 6] = [1.0, -0.5, 2.0, 0.0, 0.25, -3.0];

#[test]
fn a_decoder_decodes_and_scores_the_same_before_and_after_loading() {
    let z = Dense::new(&Z, 2, 3).unwrap();
    let candidates = [0.5, f32::NAN, 1.0, -1.0, 0.0, 2.0, f32::NAN, f32::NAN, 1.0, 1.0, 1.0, 1.0];
    let candidates = Dense::new(&candidates, 3, 4).unwrap();
    let (mut native, mut table) = decoders(SPACES);
    let mut profiles = Vec::new();
    for (space, columns) in [("cell-painting", 4), ("l1000", 2)] {
        let (left, right) = (native.decode(&z, space, &call()), table.decode(&z, space, &call()));
        let decoded = same_matrix(left, right).unwrap();
        assert_eq!((decoded.rows, decoded.columns), (2, columns));
        profiles.push(decoded);
    }
    let score = |native: &mut Linear, table: &mut LoadedDecoder| {
        let left = native.score(&z, &candidates, "cell-painting", &call());
        same_matrix(left, table.score(&z, &candidates, "cell-painting", &call())).unwrap()
    };
    let scores = score(&mut native, &mut table);
    assert_eq!((scores.rows, scores.columns), (2, 3));
    assert!(scores.values.iter().all(|&score| score <= 0.0));
    let itself = native.score(&z, &profiles[0].view(), "cell-painting", &call()).unwrap();
    assert_eq!([itself.values[0], itself.values[3]], [0.0, 0.0]);

    let state = same(native.save(), table.save()).unwrap();
    let (mut native, mut table) = decoders("{}");
    same(native.load(&state), table.load(&state)).unwrap();
    assert_eq!(score(&mut native, &mut table), scores);
}

#[test]
fn a_baseline_predicts_the_same_before_and_after_loading() {
    let x: Vec<f32> = (0..24u16).map(|i| f32::from(i * 37 % 19)).collect();
    let (train, valid) = (Dense::new(&x, 8, 3).unwrap(), Dense::new(&[], 0, 3).unwrap());
    let (train, valid) = (Inputs::from_dense(train), Inputs::from_dense(valid));
    let y: Vec<f32> = (0..16u8).map(|i| if i % 5 == 0 { f32::NAN } else { f32::from(i % 3 / 2) }).collect();
    for kind in [TaskKind::Classification, TaskKind::Regression] {
        let y = OwnedLabels::from_nan(kind, 8, 2, y.clone()).unwrap();
        let none = OwnedLabels::from_nan(kind, 0, 2, vec![]).unwrap();
        let (mut native, mut table) = baselines();
        let left = native.fit(&train, &y.view(), &valid, &none.view(), &call());
        same(left, table.fit(&train, &y.view(), &valid, &none.view(), &call())).unwrap();
        let predict = |native: &mut NearestCentroid, table: &mut LoadedBaseline| {
            same_matrix(native.predict(&train, &call()), table.predict(&train, 2, &call())).unwrap()
        };
        let predictions = predict(&mut native, &mut table);
        assert_eq!((predictions.rows, predictions.columns), (8, 2));
        let state = same(native.save(), table.save()).unwrap();
        let (mut native, mut table) = baselines();
        same(native.load(&state), table.load(&state)).unwrap();
        assert_eq!(predict(&mut native, &mut table), predictions);
        // A number of tasks other than the arena's is not a result.
        let error = table.predict(&train, 3, &call()).unwrap_err();
        let shape = LoadError::Shape { expected_rows: 8, expected_columns: 3, rows: 8, columns: 2 };
        assert_eq!(error, shape);
    }
}

const SMILES: &str = "CCOCCCCNCCCCCCCC";
const OFFSETS: [i64; 6] = [0, 3, 5, 5, 8, 16];

fn witnesses(state: Option<&[u8]>) -> (Witness, LoadedEncoder) {
    let mut native = Witness::new(serde_json::from_str("{}").unwrap()).unwrap();
    let mut table = plugin().encoder("witness", "{}").unwrap();
    if let Some(state) = state {
        same(native.load(state), table.load(state)).unwrap();
    }
    (native, table)
}

fn models(state: Option<&[u8]>, json: &str) -> (TunedWitness, LoadedBaseline) {
    let (native, table) = witnesses(state);
    let config = serde_json::from_str(json).unwrap();
    // Both encoders are dropped here: a model does not need its encoder.
    (native.finetune(config).unwrap(), table.finetune(json).unwrap())
}

#[test]
fn a_fine_tuned_model_is_the_same_on_either_side() {
    let folder = tempfile::tempdir().unwrap();
    let molecules = Inputs::from_smiles(Smiles::new(SMILES, &OFFSETS).unwrap());
    let mut trained = Witness::new(serde_json::from_str(r#"{"steps": 3}"#).unwrap()).unwrap();
    let graphs = Molecules::new();
    let corpus = Corpus { molecules, ..corpus(&graphs) };
    trained.fit(&corpus, &call().with_folder(folder.path())).unwrap();
    let state = Encoder::save(&trained).unwrap();

    let none = Inputs::from_smiles(Smiles::new("", &[0]).unwrap());
    let (nan, fit_call) = (f32::NAN, call());
    let values = vec![0.0, nan, 1.0, nan, nan, nan, 1.0, nan, 0.0, nan];
    let labels = OwnedLabels::from_nan(TaskKind::Classification, 5, 2, values).unwrap();
    let no_labels = OwnedLabels::from_nan(TaskKind::Classification, 0, 2, vec![]).unwrap();
    let fitted = |state: Option<&[u8]>| {
        let (mut native, mut table) = models(state, r#"{"smoothing": 2.0}"#);
        let left = native.fit(&molecules, &labels.view(), &none, &no_labels.view(), &fit_call);
        same(left, table.fit(&molecules, &labels.view(), &none, &no_labels.view(), &fit_call)).unwrap();
        (native, table)
    };
    let predict = |(native, table): &mut (TunedWitness, LoadedBaseline)| {
        same_matrix(native.predict(&molecules, &fit_call), table.predict(&molecules, 2, &fit_call)).unwrap()
    };
    let mut pair = fitted(Some(&state));
    let predictions = predict(&mut pair);
    assert_eq!((predictions.rows, predictions.columns), (5, 2));
    assert_ne!(predict(&mut fitted(None)), predictions, "a model starts from the encoder's state");
    let saved = same(pair.0.save(), pair.1.save()).unwrap();
    // The state of a model is whole: the encoder that it is loaded into has none.
    let mut restored = models(None, r#"{"smoothing": 2.0}"#);
    same(restored.0.load(&saved), restored.1.load(&saved)).unwrap();
    assert_eq!(predict(&mut restored), predictions);
    let error = same(restored.0.load(b"x"), restored.1.load(b"x")).unwrap_err();
    assert_eq!(error, Error::data("state is not a stored `witness-tuned/1`"));

    let impatient = Watcher::cancelling_after(0);
    let cancelled = fit_call.with_hooks(&impatient);
    let (mut native, mut table) = models(None, "{}");
    let left = native.fit(&molecules, &labels.view(), &none, &no_labels.view(), &cancelled);
    let right = table.fit(&molecules, &labels.view(), &none, &no_labels.view(), &cancelled);
    assert_eq!(same(left, right), Err(Error::cancelled("cancelled by the arena")));
}

#[test]
fn fine_tuning_is_offered_by_name_and_refused_in_words() {
    let plugin = plugin();
    let offered = |component: &&ComponentDescription| component.finetune.is_some();
    let components = &plugin.description().components;
    assert_eq!(components.iter().filter(offered).map(|one| one.id.as_str()).collect::<Vec<_>>(), ["witness"]);
    let schema = &components.iter().find(offered).unwrap().finetune.as_ref().unwrap().config_schema;
    assert_eq!(
        (&schema["additionalProperties"], &schema["properties"]["smoothing"]["default"]),
        (&false.into(), &1.0.into())
    );
    let (native, table) = witnesses(None);
    let refused = |json: &str| match table.finetune(json).unwrap_err() {
        LoadError::Call { status: abi::MOLARENA_ERROR_INVALID_CONFIG, message } => message,
        other => panic!("{other}"),
    };
    let out_of_range = native.finetune(serde_json::from_str(r#"{"smoothing": 0}"#).unwrap()).unwrap_err();
    assert_eq!(refused(r#"{"smoothing": 0}"#), out_of_range.message);
    assert!(refused(r#"{"smothing": 1}"#).starts_with("fine-tuning of `witness`: unknown field `smothing`"));
    // An encoder of the same plugin that does not offer it.
    let other = plugin.encoder("atom-counts", "{}").unwrap().finetune("{}").unwrap_err();
    let message = "encoder `atom-counts` cannot be fine-tuned; put a baseline on its vectors".to_owned();
    assert_eq!(other, LoadError::Call { status: abi::MOLARENA_ERROR_UNSUPPORTED, message });
}

#[test]
fn errors_have_the_same_status_and_text() {
    let molecules = Molecules::new();
    let z = Dense::new(&Z, 2, 3).unwrap();
    let (mut native, mut table) = decoders(SPACES);
    let unknown =
        same_matrix(native.decode(&z, "rna", &call()), table.decode(&z, "rna", &call())).unwrap_err();
    let text = "no feature space `rna`; there are: [cell-painting, l1000]";
    assert_eq!(unknown, Error::invalid_argument(text));
    assert_eq!(
        same_matrix(native.score(&z, &z, "rna", &call()), table.score(&z, &z, "rna", &call())),
        Err(unknown)
    );
    let (left, right) = (native.score(&z, &z, "l1000", &call()), table.score(&z, &z, "l1000", &call()));
    let text = "candidates have 3 columns, space `l1000` has 2";
    assert_eq!(same_matrix(left, right), Err(Error::invalid_argument(text)));
    let narrow = Dense::new(&Z, 3, 2).unwrap();
    let (left, right) = (native.decode(&narrow, "l1000", &call()), table.decode(&narrow, "l1000", &call()));
    assert_eq!(same_matrix(left, right).unwrap_err().status, abi::MOLARENA_ERROR_INVALID_ARGUMENT);
    let error = same(native.load(b"no state"), table.load(b"no state")).unwrap_err();
    assert_eq!(error, Error::data("state is not a stored `linear/1`"));

    let (mut native, mut table) = encoders("{}");
    let error = same(native.save(), table.save()).unwrap_err();
    assert_eq!(error, Error::invalid_argument("`save` needs `fit` or `load` first"));
    let dense = Inputs::from_dense(z);
    let error = same_matrix(native.encode(&dense, &call()), table.encode(&dense, &call())).unwrap_err();
    assert_eq!(error, Error::unsupported("input `graphs` is needed, given: [dense]"));
    let mut broken = corpus(&molecules);
    broken.edge_targets = &[4, 5, 10, 9];
    let error = same(native.fit(&broken, &call()), table.fit(&broken, &call())).unwrap_err();
    assert_eq!(error, Error::data("edge 2 ends at node 10, which is none"));
    // An error is not a panic: the instance stays usable.
    let inputs = molecules.inputs();
    same_matrix(native.encode(&inputs, &call()), table.encode(&inputs, &call())).unwrap();
}

#[test]
fn a_wrong_configuration_is_named() {
    let plugin = plugin();
    let status_and_text = |error: LoadError| match error {
        LoadError::Call { status, message } => (status, message),
        other => panic!("{other}"),
    };
    let table = status_and_text(plugin.encoder("atom-counts", r#"{"width": 0}"#).unwrap_err());
    let native = AtomCounts::new(AtomCountsConfig { width: 0, panic_at_row: None }).unwrap_err();
    assert_eq!(table, (native.status, native.message));
    assert_eq!(table.0, abi::MOLARENA_ERROR_INVALID_CONFIG);
    let zero = r#"{"spaces": {"l1000": 0}}"#;
    let table = status_and_text(plugin.decoder("linear", zero).unwrap_err());
    let native = Linear::new(serde_json::from_str(zero).unwrap()).unwrap_err();
    assert_eq!(table, (native.status, native.message));
    for (json, named) in [(r#"{"widht": 4}"#, "widht"), (r#"{"width": "4"}"#, "\"4\""), ("[", "line 1")] {
        let (status, message) = status_and_text(plugin.encoder("atom-counts", json).unwrap_err());
        assert_eq!(status, abi::MOLARENA_ERROR_INVALID_CONFIG);
        let error = serde_json::from_str::<AtomCountsConfig>(json).unwrap_err();
        assert_eq!(message, format!("configuration of `atom-counts`: {error}"));
        assert!(message.contains(named), "{message}");
    }
    // Without a configuration the default one applies.
    plugin.encoder("atom-counts", "").unwrap();
}

#[test]
fn an_unknown_component_is_named_with_the_known() {
    let plugin = plugin();
    let texts = [
        (
            plugin.encoder("gin", "{}").unwrap_err(),
            "no encoder `gin` in this plugin; it has: [atom-counts, untrainable, witness]",
        ),
        (plugin.decoder("mlp", "{}").unwrap_err(), "no decoder `mlp` in this plugin; it has: [linear]"),
        (
            plugin.baseline("rf", "{}").unwrap_err(),
            "no baseline `rf` in this plugin; it has: [device, nearest-centroid]",
        ),
    ];
    for (error, text) in texts {
        let status = abi::MOLARENA_ERROR_INVALID_ARGUMENT;
        assert_eq!(error, LoadError::Call { status, message: text.into() });
    }
}

#[test]
fn a_panic_is_a_status_and_poisons_that_instance_only() {
    let molecules = Molecules::new();
    let inputs = molecules.inputs();
    let (mut native, mut table) = encoders(r#"{"panic_at_row": 2}"#);
    let payload = catch_unwind(AssertUnwindSafe(|| native.encode(&inputs, &call()))).unwrap_err();
    let text = payload.downcast_ref::<String>().unwrap();
    let error = table.encode(&inputs, &call()).unwrap_err();
    let status = abi::MOLARENA_ERROR_PANIC;
    assert_eq!(error, LoadError::Call { status, message: format!("panicked: {text}") });
    assert_eq!(text, "asked to panic at row 2");

    let (status, message) = (abi::MOLARENA_ERROR_POISONED, "an earlier call panicked; only destroy is left");
    let poisoned = LoadError::Call { status, message: message.into() };
    assert_eq!(table.encode(&inputs, &call()).unwrap_err(), poisoned);
    assert_eq!(table.fit(&corpus(&molecules), &call()).unwrap_err(), poisoned);
    assert_eq!(table.save().unwrap_err(), poisoned);
    assert_eq!(table.load(&[]).unwrap_err(), poisoned);
    drop(table);
    let (_, mut other) = encoders(r#"{"panic_at_row": 4}"#);
    other.encode(&inputs, &call()).unwrap();
}

#[test]
fn progress_reaches_the_caller_and_cancelling_the_plugin() {
    let molecules = Molecules::new();
    let inputs = molecules.inputs();
    let (mut native, mut table) = encoders("{}");
    let watched = |cancel_after: usize, run: &mut dyn FnMut(&Call<'_>)| {
        let watcher = Watcher::cancelling_after(cancel_after);
        let call = Call { device: "cpu:0", ..Call::new(u64::MAX, 3) };
        run(&call.with_hooks(&watcher));
        watcher.seen.into_inner().unwrap()
    };
    let left = watched(usize::MAX, &mut |call| drop(native.encode(&inputs, call).unwrap()));
    let right = watched(usize::MAX, &mut |call| drop(table.encode(&inputs, call).unwrap()));
    assert_eq!(left, right);
    assert_eq!((left.len(), &left[3]), (4, &(1.0, format!("seed {}, 3 threads, cpu:0", u64::MAX))));

    let cancelled = Error::cancelled("cancelled by the arena");
    let mut results = (None, None);
    let left = watched(2, &mut |call| results.0 = Some(native.encode(&inputs, call)));
    let right = watched(2, &mut |call| results.1 = Some(table.encode(&inputs, call)));
    assert_eq!((left.len(), left), (2, right));
    assert_eq!(same_matrix(results.0.unwrap(), results.1.unwrap()), Err(cancelled.clone()));
    // A cancelled instance is not poisoned.
    same_matrix(native.encode(&inputs, &call()), table.encode(&inputs, &call())).unwrap();

    let impatient = Watcher::cancelling_after(0);
    let call = call().with_hooks(&impatient);
    let z = Dense::new(&Z, 2, 3).unwrap();
    let (mut native, mut table) = decoders(SPACES);
    let result = same_matrix(native.decode(&z, "l1000", &call), table.decode(&z, "l1000", &call));
    assert_eq!(result, Err(cancelled.clone()));
    let corpus = corpus(&molecules);
    let (mut native, mut table) = encoders("{}");
    assert_eq!(same(native.fit(&corpus, &call), table.fit(&corpus, &call)), Err(cancelled));
}
