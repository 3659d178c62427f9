//! The self-supervised encoder gives the same results natively and through the C table, bit for bit, with every objective.

mod shared;

use std::sync::LazyLock;

use molarena_host::{plugin::loader::LoadedEncoder, plugin::loader::LoadedPlugin};
use molarena_sdk::{Call, Component, Corpus, Encoder, Graphs, Inputs};
use molarena_selfsupervised::{ObjectiveConfig, SelfSupervised};
use shared::{Watcher, bits_of, same, same_matrix};

static PLUGIN: LazyLock<LoadedPlugin> = LazyLock::new(|| shared::open("molarena_selfsupervised"));

const MOLECULES: usize = 9;

/// A small network; molecules have contexts from two bonds on.
fn small(objective: &str) -> String {
    format!(
        r#"{{"objective": {{"name": "{objective}"}}, "layers": 2, "width": 8, "dropout": 0.2, "epochs": 3, "batch_size": 4, "learning_rate": 0.01, "valid_share": 0.3}}"#
    )
}

/// Chains of one to nine carbons and nitrogens, the first three atoms of each closed to a ring.
struct World {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
    nodes: Vec<u64>,
}

impl World {
    fn new() -> Self {
        let mut this = Self {
            atom_offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            bond_features: Vec::new(),
            nodes: (0..MOLECULES as u64).collect(),
        };
        for length in 1..=MOLECULES as u32 {
            this.atoms.extend((0..length).map(|atom| [5 + (atom % 2) as i8, 0, 4, 5, 2, 0, 2, 0, 0]));
            this.bonds.extend((1..length).map(|atom| [atom - 1, atom]));
            this.bonds.extend((length > 2).then_some([0, 2]));
            this.bond_features.resize(this.bonds.len(), [0, 0, 0]);
            this.atom_offsets.push(this.atoms.len() as i64);
            this.bond_offsets.push(this.bonds.len() as i64);
        }
        this
    }

    fn inputs(&self) -> Inputs<'_> {
        let (atoms, bonds) = (&self.atom_offsets, &self.bond_offsets);
        Inputs::from_graphs(Graphs::new(atoms, bonds, &self.atoms, &self.bonds, &self.bond_features).unwrap())
    }

    fn corpus(&self) -> Corpus<'_> {
        Corpus {
            node_kinds: &[0; MOLECULES],
            molecules: self.inputs(),
            molecule_nodes: &self.nodes,
            spaces: Vec::new(),
            edge_sources: &[],
            edge_targets: &[],
            edge_weights: &[],
        }
    }
}

fn encoders(config: &str) -> (SelfSupervised, LoadedEncoder) {
    let native = SelfSupervised::new(serde_json::from_str(config).unwrap()).unwrap();
    (native, PLUGIN.encoder("selfsupervised", config).unwrap())
}

fn trained(world: &World, config: &str, call: &Call<'_>) -> Vec<u8> {
    let (mut encoder, _) = encoders(config);
    encoder.fit(&world.corpus(), call).unwrap();
    encoder.save().unwrap()
}

#[test]
fn every_objective_is_equal_on_both_sides() {
    let world = World::new();
    let call = Call::new(3, 2);
    for objective in ObjectiveConfig::NAMES {
        let config = small(objective);
        let (mut native, mut table) = encoders(&config);
        let untrained =
            same_matrix(native.encode(&world.inputs(), &call), table.encode(&world.inputs(), &call)).unwrap();
        same(native.fit(&world.corpus(), &call), table.fit(&world.corpus(), &call)).unwrap();
        let state = same(native.save(), table.save()).unwrap();
        let vectors =
            same_matrix(native.encode(&world.inputs(), &call), table.encode(&world.inputs(), &call)).unwrap();
        assert_ne!(untrained, vectors, "{objective}");
        assert!(vectors.values.iter().all(|value| value.is_finite()), "{objective}");
        let (mut loaded, mut loaded_table) = encoders(&config);
        same(loaded.load(&state), loaded_table.load(&state)).unwrap();
        assert_eq!(bits_of(&loaded.encode(&world.inputs(), &Call::new(9, 1)).unwrap()), bits_of(&vectors));
        assert!(state == trained(&world, &config, &Call::new(3, 1)), "{objective}: threads change the state");
    }
}

#[test]
fn a_molecule_is_the_same_in_any_company() {
    let world = World::new();
    let (mut encoder, _) = encoders(&small("attrmask"));
    encoder.load(&trained(&world, &small("attrmask"), &Call::new(3, 1))).unwrap();
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
    let config = small("graphlog");
    let whole = trained(&world, &config, &Call::new(3, 1));
    let folder = tempfile::tempdir().unwrap();
    for reports in [2, 3] {
        let watcher = Watcher::cancelling_after(reports);
        let call = Call::new(3, 1).with_hooks(&watcher).with_folder(folder.path());
        let (mut encoder, _) = encoders(&config);
        assert_eq!(encoder.fit(&world.corpus(), &call).unwrap_err().message, "cancelled by the arena");
    }
    assert!(folder.path().join("checkpoint.safetensors").exists());
    assert_eq!(trained(&world, &config, &Call::new(3, 1).with_folder(folder.path())), whole);
    let log = fs_err::read_to_string(folder.path().join("training.csv")).unwrap();
    let head =
        "epoch,learning_rate,loss,loss_atoms,loss_molecules,loss_prototypes,valid_loss,seconds\n1,0.01,";
    assert!(log.starts_with(head), "{log}");
    assert_eq!(log.lines().count(), 4);
}

/// `cpu` alone, unless `MOLARENA_TEST_FEATURES` contains `molarena-selfsupervised/libtorch`.
#[test]
fn devices_that_every_machine_has_agree() {
    let world = World::new();
    let on_cpu = Call::new(3, 1);
    let encoder = &PLUGIN.description().components[0];
    for device in encoder.devices.iter().filter(|device| !device.contains(':')) {
        for objective in ObjectiveConfig::NAMES {
            let config = small(objective);
            let (mut here, mut there) = encoders(&config);
            here.fit(&world.corpus(), &on_cpu).unwrap();
            // Training draws the same numbers, so only the rounding differs.
            there.fit(&world.corpus(), &Call { device, ..on_cpu }).unwrap();
            let vectors = here.encode(&world.inputs(), &on_cpu).unwrap().values;
            let others = there.encode(&world.inputs(), &Call { device, ..on_cpu }).unwrap().values;
            let largest = vectors.iter().fold(0f32, |largest, value| largest.max(value.abs()));
            let difference =
                vectors.iter().zip(&others).map(|(one, other)| (one - other).abs()).fold(0.0, f32::max);
            assert!(difference <= 1e-2 * largest, "{objective} on {device}: {difference} of {largest}");
        }
    }
}

#[test]
fn bad_input_is_refused_in_words() {
    let world = World::new();
    let (mut encoder, mut table) = encoders(&small("edgepred"));
    let bare = Corpus { molecules: Inputs::default(), ..world.corpus() };
    let error = same(encoder.fit(&bare, &Call::new(0, 1)), table.fit(&bare, &Call::new(0, 1))).unwrap_err();
    assert!(error.message.starts_with("input `graphs` is needed"), "{error}");
    let call = Call { device: "cuda:0", ..Call::new(0, 1) };
    let error = encoder.fit(&world.corpus(), &call).unwrap_err().message;
    assert!(error.contains("device `cuda:0`") && error.contains("cpu"), "{error}");
    let state = trained(&world, &small("edgepred"), &Call::new(0, 1));
    for damaged in [&state[..state.len() - 1], b"no weights at all"] {
        assert!(encoder.load(damaged).unwrap_err().message.contains("safetensors"));
    }
    for unknown in [
        r#"{"depth": 3}"#,
        r#"{"objective": {"name": "graphcl", "depth": 3}}"#,
        r#"{"objective": {"name": "moco"}}"#,
    ] {
        assert!(PLUGIN.encoder("selfsupervised", unknown).is_err(), "{unknown}");
    }
}
