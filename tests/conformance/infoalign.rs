//! The encoder and the decoder of `InfoAlign` give the same results natively and through the C table, bit for bit.

mod shared;

use std::sync::LazyLock;

use molarena_host::{
    plugin::loader::LoadedDecoder, plugin::loader::LoadedEncoder, plugin::loader::LoadedPlugin,
};
use molarena_infoalign::{InfoAlign, InfoAlignDecoder};
use molarena_sdk::{
    Bits, Call, Component, Corpus, Decoder, Dense, Encoder, Graphs, Inputs, NodeKind, Profiles,
};
use shared::{Watcher, bits_of, same, same_matrix};

static PLUGIN: LazyLock<LoadedPlugin> = LazyLock::new(|| shared::open("molarena_infoalign"));

const SMALL: &str = r#"{"layers": 2, "width": 8, "dropout": 0.2, "epochs": 3, "batch_size": 4, "learning_rate": 0.01, "walk_length": 2}"#;
const MOLECULES: usize = 9;

/// Chains of one to nine carbons and nitrogens, with bits that depend on the length.
struct World {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
    words: Vec<u64>,
    nodes: Vec<u64>,
}

const NAN: f32 = f32::NAN;
const MORPHOLOGY: [f32; 6] = [0.25, NAN, 1.0, 0.5, 0.0, 0.75];
const EXPRESSION: [f32; 4] = [0.125, 0.5, 0.875, NAN];

impl World {
    fn new() -> Self {
        let mut this = Self {
            atom_offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            bond_features: Vec::new(),
            words: (0..MOLECULES as u64).map(|row| (1 << row) | 1 << (row + 20)).collect(),
            nodes: (0..MOLECULES as u64).collect(),
        };
        for length in 1..=MOLECULES as u32 {
            this.atoms.extend((0..length).map(|atom| [5 + (atom % 2) as i8, 0, 4, 5, 2, 0, 2, 0, 0]));
            this.bonds.extend((1..length).map(|atom| [atom - 1, atom]));
            this.bond_features.extend((1..length).map(|atom| [(atom % 3) as i8, 0, 1]));
            this.atom_offsets.push(this.atoms.len() as i64);
            this.bond_offsets.push(this.bonds.len() as i64);
        }
        this
    }

    fn graphs(&self) -> Graphs<'_> {
        let (atoms, bonds) = (&self.atom_offsets, &self.bond_offsets);
        Graphs::new(atoms, bonds, &self.atoms, &self.bonds, &self.bond_features).unwrap()
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs::from_graphs(self.graphs())
    }

    /// Molecule 8 has no edge.
    fn corpus(&self) -> Corpus<'_> {
        let space = |space, kind, nodes, values| Profiles {
            space,
            kind,
            nodes,
            values,
            batches: None,
            cell_counts: None,
        };
        let bits = Bits::new(&self.words, MOLECULES, 32).unwrap();
        Corpus {
            node_kinds: &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 2, 3, 3],
            molecules: Inputs { bits: Some(bits), ..self.inputs() },
            molecule_nodes: &self.nodes,
            spaces: vec![
                space("cells", NodeKind::Morphology, &[10, 11], Dense::new(&MORPHOLOGY, 2, 3).unwrap()),
                space("l1000", NodeKind::Expression, &[12, 13], Dense::new(&EXPRESSION, 2, 2).unwrap()),
            ],
            edge_sources: &[0, 1, 2, 3, 9, 4, 5, 6],
            edge_targets: &[10, 11, 12, 13, 4, 5, 6, 7],
            edge_weights: &[1.0, 1.0, 1.0, 1.0, 0.5, 0.9, 0.8, 0.85],
        }
    }
}

fn encoders(config: &str) -> (InfoAlign, LoadedEncoder) {
    let native = InfoAlign::new(serde_json::from_str(config).unwrap()).unwrap();
    (native, PLUGIN.encoder("infoalign", config).unwrap())
}

fn decoders(config: &str) -> (InfoAlignDecoder, LoadedDecoder) {
    let native = InfoAlignDecoder::new(serde_json::from_str(config).unwrap()).unwrap();
    (native, PLUGIN.decoder("infoalign", config).unwrap())
}

fn trained(world: &World, config: &str, call: &Call<'_>) -> Vec<u8> {
    let mut encoder = InfoAlign::new(serde_json::from_str(config).unwrap()).unwrap();
    encoder.fit(&world.corpus(), call).unwrap();
    encoder.save().unwrap()
}

#[test]
fn training_encoding_and_decoding_are_equal_on_both_sides() {
    let world = World::new();
    let call = Call::new(3, 2);
    for config in [
        SMALL.to_owned(),
        SMALL.replace("\"layers\"", "\"decode_from\": \"sample\", \"transition\": \"weight\", \"layers\""),
        SMALL.replace(
            "\"layers\"",
            "\"convolution\": \"gcn\", \"readout\": \"mean\", \"virtual_node\": false, \"layers\"",
        ),
        SMALL.replace(
            "\"layers\"",
            "\"without\": [\"molecule\"], \"valid_share\": 0.3, \"patience\": 1, \"layers\"",
        ),
    ] {
        let (mut native, mut table) = encoders(&config);
        let untrained =
            same_matrix(native.encode(&world.inputs(), &call), table.encode(&world.inputs(), &call)).unwrap();
        same(native.fit(&world.corpus(), &call), table.fit(&world.corpus(), &call)).unwrap();
        let state = same(native.save(), table.save()).unwrap();
        let vectors =
            same_matrix(native.encode(&world.inputs(), &call), table.encode(&world.inputs(), &call)).unwrap();
        assert_ne!(untrained, vectors);
        assert!(vectors.values.iter().all(|value| value.is_finite()));
        let (mut loaded, mut loaded_table) = encoders(&config);
        same(loaded.load(&state), loaded_table.load(&state)).unwrap();
        assert_eq!(bits_of(&loaded.encode(&world.inputs(), &Call::new(9, 1)).unwrap()), bits_of(&vectors));

        let (mut decoder, mut decoder_table) = decoders("{}");
        same(decoder.load(&state), decoder_table.load(&state)).unwrap();
        let z = vectors.view();
        let profiles =
            same_matrix(decoder.decode(&z, "cells", &call), decoder_table.decode(&z, "cells", &call))
                .unwrap();
        assert_eq!((profiles.rows, profiles.columns), (MOLECULES, 3));
        assert!(profiles.values.iter().all(|value| (0.0..=1.0).contains(value)));
        let candidates = Dense::new(&MORPHOLOGY, 2, 3).unwrap();
        let scores = same_matrix(
            decoder.score(&z, &candidates, "cells", &call),
            decoder_table.score(&z, &candidates, "cells", &call),
        );
        assert!(scores.unwrap().values.iter().all(|score| score.is_finite() && *score < 0.0));
    }
}

#[test]
fn neither_threads_nor_company_change_a_bit_but_seeds_do() {
    let world = World::new();
    let state = trained(&world, SMALL, &Call::new(3, 1));
    assert_eq!(trained(&world, SMALL, &Call::new(3, 2)), state);
    assert_ne!(trained(&world, SMALL, &Call::new(4, 1)), state);
    let (mut encoder, _) = encoders(SMALL);
    encoder.load(&state).unwrap();
    let together = encoder.encode(&world.inputs(), &Call::new(0, 2)).unwrap();
    let last = world.atom_offsets[MOLECULES - 1] as usize;
    let bonds = world.bond_offsets[MOLECULES - 1] as usize;
    let (atom_count, bond_count) = (world.atoms.len() - last, world.bonds.len() - bonds);
    let (atom_offsets, bond_offsets) = ([0, atom_count as i64], [0, bond_count as i64]);
    let (pairs, features) = (&world.bonds[bonds..], &world.bond_features[bonds..]);
    let graphs = Graphs::new(&atom_offsets, &bond_offsets, &world.atoms[last..], pairs, features);
    let alone = encoder.encode(&Inputs::from_graphs(graphs.unwrap()), &Call::new(0, 1)).unwrap();
    assert_eq!(alone.values, together.values[(MOLECULES - 1) * 8..]);
}

#[test]
fn a_training_that_was_killed_goes_on_to_the_same_weights() {
    let world = World::new();
    let whole = trained(&world, SMALL, &Call::new(3, 1));
    let folder = tempfile::tempdir().unwrap();
    for reports in [2, 3] {
        let watcher = Watcher::cancelling_after(reports);
        let call = Call::new(3, 1).with_hooks(&watcher).with_folder(folder.path());
        let (mut encoder, _) = encoders(SMALL);
        assert_eq!(encoder.fit(&world.corpus(), &call).unwrap_err().message, "cancelled by the arena");
    }
    assert!(folder.path().join("checkpoint.safetensors").exists());
    assert_eq!(trained(&world, SMALL, &Call::new(3, 1).with_folder(folder.path())), whole);
    let log = fs_err::read_to_string(folder.path().join("training.csv")).unwrap();
    assert!(
        log.starts_with("epoch,learning_rate,loss,loss_molecule,loss_morphology,loss_expression,kl,valid_loss,seconds\n1,0.01,"),
        "{log}"
    );
    assert_eq!(log.lines().count(), 4);
}

/// `cpu` alone, unless `MOLARENA_TEST_FEATURES` contains `molarena-infoalign/libtorch`.
#[test]
fn devices_that_every_machine_has_agree() {
    let world = World::new();
    let on_cpu = Call::new(3, 1);
    let state = trained(&world, SMALL, &on_cpu);
    let close = |one: &[f32], two: &[f32], tolerance: f32, what: &str| {
        let largest = one.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let difference = one.iter().zip(two).map(|(one, two)| (one - two).abs()).fold(0.0, f32::max);
        assert!(difference < tolerance * largest, "{what}: {difference} of {largest}");
    };
    let encoder = &PLUGIN.description().components[0];
    for device in encoder.devices.iter().filter(|device| !device.contains(':')) {
        let call = Call { device, ..on_cpu };
        let (mut here, mut there) = encoders(SMALL);
        here.load(&state).unwrap();
        there.load(&state).unwrap();
        let vectors = here.encode(&world.inputs(), &on_cpu).unwrap();
        close(&vectors.values, &there.encode(&world.inputs(), &call).unwrap().values, 1e-5, device);
        let (mut decoder, mut decoder_there) = decoders("{}");
        decoder.load(&state).unwrap();
        decoder_there.load(&state).unwrap();
        let profiles = decoder.decode(&vectors.view(), "cells", &on_cpu).unwrap();
        let profiles_there = decoder_there.decode(&vectors.view(), "cells", &call).unwrap();
        close(&profiles.values, &profiles_there.values, 1e-5, device);
        // Training uses the same walks, order and dropout, so only the rounding differs.
        let (_, mut there) = encoders(SMALL);
        there.fit(&world.corpus(), &call).unwrap();
        close(&vectors.values, &there.encode(&world.inputs(), &call).unwrap().values, 1e-2, device);
    }
}

#[test]
fn bad_input_is_refused_in_words() {
    let world = World::new();
    let refused = |config: &str, corpus: &Corpus<'_>, call: &Call<'_>| {
        let (mut encoder, _) = encoders(config);
        encoder.fit(corpus, call).unwrap_err().message
    };
    let call = Call::new(0, 1);
    let missing = Corpus { edge_targets: &[10, 11, 12, 14, 4, 5, 6, 7], ..world.corpus() };
    let error = refused(SMALL, &missing, &call);
    assert!(error.contains("edge 3 joins 3 and 14, but there are 14 nodes"), "{error}");
    let bare = Corpus { molecules: world.inputs(), ..world.corpus() };
    assert!(refused(SMALL, &bare, &call).contains("its molecules have no fingerprints"));
    let error = refused(SMALL, &world.corpus(), &Call { device: "cuda:0", ..call });
    assert!(error.contains("device `cuda:0`") && error.contains("cpu"), "{error}");
    let (mut decoder, _) = decoders("{}");
    let z = Dense::new(&[0.0; 8], 1, 8).unwrap();
    assert!(decoder.decode(&z, "cells", &call).unwrap_err().message.contains("no weights"));
    let state = trained(&world, SMALL, &call);
    decoder.load(&state).unwrap();
    let error = decoder.decode(&z, "morphology", &call).unwrap_err().message;
    assert_eq!(error, "space `morphology` has no decoder; there are: molecule, cells, l1000");
    let narrow = Dense::new(&[0.0; 7], 1, 7).unwrap();
    let error = decoder.decode(&narrow, "cells", &call).unwrap_err().message;
    assert_eq!(error, "z has 7 columns, the decoder was trained on 8");
    for damaged in [&state[..state.len() - 1], b"no weights at all"] {
        assert!(decoder.load(damaged).unwrap_err().message.contains("safetensors"));
    }
}
