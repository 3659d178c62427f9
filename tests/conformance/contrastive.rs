//! The contrastive aligners give the same results natively and through the C table, bit for bit; batches of profiles cross it.

mod shared;

use std::sync::LazyLock;

use molarena_contrastive::{Cloome, Cosine, InfoCore, NoOptions};
use molarena_host::plugin::loader::LoadedPlugin;
use molarena_sdk::{
    Bits, Call, Component, Corpus, Decoder, Dense, Encoder, Graphs, Inputs, NodeKind, Profiles,
};
use shared::{Watcher, same, same_matrix};

static PLUGIN: LazyLock<LoadedPlugin> = LazyLock::new(|| shared::open("molarena_contrastive"));

const MOLECULES: usize = 12;
const COLUMNS: usize = 3;

/// Molecules of one atom and fingerprints of 64 bits, each with a profile in one of three batches.
struct World {
    words: Vec<u64>,
    offsets: Vec<i64>,
    no_bonds: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    values: Vec<f32>,
    batches: Vec<u32>,
    kinds: Vec<u8>,
    nodes: Vec<u64>,
}

impl World {
    fn new() -> Self {
        Self {
            words: (0..MOLECULES as u64).map(|row| (1 << row) | 1 << (row + 20)).collect(),
            offsets: (0..=MOLECULES as i64).collect(),
            no_bonds: vec![0; MOLECULES + 1],
            atoms: (0..MOLECULES as i8).map(|row| [5 + row % 3, 0, 4, 5, row % 4, 0, 2, 0, 0]).collect(),
            values: (0..MOLECULES * COLUMNS)
                .map(|place| if place == 7 { f32::NAN } else { (place * 37 % 101) as f32 / 101.0 })
                .collect(),
            batches: (0..MOLECULES as u32).map(|row| row % 3).collect(),
            kinds: [vec![0; MOLECULES], vec![NodeKind::Morphology as u8; MOLECULES]].concat(),
            nodes: (0..2 * MOLECULES as u64).collect(),
        }
    }

    fn inputs(&self) -> Inputs<'_> {
        let graphs = Graphs::new(&self.offsets, &self.no_bonds, &self.atoms, &[], &[]).unwrap();
        let bits = Bits::new(&self.words, MOLECULES, 64).unwrap();
        Inputs { bits: Some(bits), ..Inputs::from_graphs(graphs) }
    }

    fn corpus(&self) -> Corpus<'_> {
        let (molecules, profiles) = self.nodes.split_at(MOLECULES);
        Corpus {
            node_kinds: &self.kinds,
            molecules: self.inputs(),
            molecule_nodes: molecules,
            spaces: vec![Profiles {
                space: "cells",
                kind: NodeKind::Morphology,
                nodes: profiles,
                values: Dense::new(&self.values, MOLECULES, COLUMNS).unwrap(),
                batches: Some(&self.batches),
                cell_counts: None,
            }],
            edge_sources: molecules,
            edge_targets: profiles,
            edge_weights: &[1.0; MOLECULES],
        }
    }
}

fn native(component: &str, config: &str) -> Box<dyn Encoder> {
    match component {
        "cloome" => Box::new(Cloome::new(serde_json::from_str(config).unwrap()).unwrap()),
        _ => Box::new(InfoCore::new(serde_json::from_str(config).unwrap()).unwrap()),
    }
}

#[test]
fn aligners_are_equal_on_both_sides() {
    let world = World::new();
    let call = Call::new(3, 2);
    let cloome = r#"{"width": 8, "molecule_width": 8, "profile_width": 8, "epochs": 3, "batch_size": 6, "learning_rate": 0.01}"#;
    let infocore = cloome.replace("\"width\"", "\"classifier_width\": 4, \"queue\": 10, \"width\"");
    for (component, config) in [
        ("cloome", cloome.to_owned()),
        ("cloome", cloome.replace("\"width\"", "\"objective\": \"clip\", \"noise\": 0.2, \"width\"")),
        ("infocore", infocore.clone()),
        ("infocore", infocore.replace("\"width\"", "\"form\": \"simclr\", \"width\"")),
        ("infocore", infocore.replace("\"width\"", "\"molecules\": \"graphs\", \"width\"")),
    ] {
        let mut encoder = native(component, &config);
        let mut table = PLUGIN.encoder(component, &config).unwrap();
        let inputs = world.inputs();
        let untrained = same_matrix(encoder.encode(&inputs, &call), table.encode(&inputs, &call)).unwrap();
        same(encoder.fit(&world.corpus(), &call), table.fit(&world.corpus(), &call)).unwrap();
        let state = same(encoder.save(), table.save()).unwrap();
        let vectors = same_matrix(encoder.encode(&inputs, &call), table.encode(&inputs, &call)).unwrap();
        assert_eq!((vectors.rows, vectors.columns), (MOLECULES, 8));
        assert_ne!(untrained, vectors, "{component} {config}");
        assert!(vectors.values.iter().all(|value| value.is_finite()));
        let mut decoder = Cosine::new(NoOptions {}).unwrap();
        let mut decoder_table = PLUGIN.decoder("cosine", "{}").unwrap();
        same(decoder.load(&state), decoder_table.load(&state)).unwrap();
        let candidates = Dense::new(&world.values, MOLECULES, COLUMNS).unwrap();
        let scores = same_matrix(
            decoder.score(&vectors.view(), &candidates, "cells", &call),
            decoder_table.score(&vectors.view(), &candidates, "cells", &call),
        );
        assert!(scores.unwrap().values.iter().all(|score| (-1.001..1.001).contains(score)));
        same(
            decoder.decode(&vectors.view(), "cells", &call).map(|_| ()),
            decoder_table.decode(&vectors.view(), "cells", &call).map(|_| ()),
        )
        .unwrap_err();
    }
}

#[test]
fn batches_cross_the_table() {
    let world = World::new();
    let one = vec![5; MOLECULES];
    let mut corpus = world.corpus();
    corpus.spaces[0].batches = Some(&one);
    let call = Call::new(0, 1);
    let config = r#"{"epochs": 1, "batch_size": 6}"#;
    let error = PLUGIN.encoder("infocore", config).unwrap().fit(&corpus, &call).unwrap_err();
    assert!(error.to_string().contains("are of one batch"), "{error}");
}

#[test]
fn a_cancelled_training_goes_on_from_its_checkpoint() {
    let world = World::new();
    let config = r#"{"width": 8, "molecule_width": 8, "profile_width": 8, "epochs": 3, "batch_size": 6}"#;
    let trained = |call: &Call<'_>| {
        let mut encoder = PLUGIN.encoder("cloome", config).unwrap();
        encoder.fit(&world.corpus(), call).unwrap();
        encoder.save().unwrap()
    };
    let whole = trained(&Call::new(3, 1));
    let folder = tempfile::tempdir().unwrap();
    let watcher = Watcher::cancelling_after(2);
    let call = Call::new(3, 1).with_hooks(&watcher).with_folder(folder.path());
    let error = PLUGIN.encoder("cloome", config).unwrap().fit(&world.corpus(), &call).unwrap_err();
    assert!(error.to_string().contains("cancelled by the arena"), "{error}");
    assert_eq!(trained(&Call::new(3, 1).with_folder(folder.path())), whole);
}
