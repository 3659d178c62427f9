//! The simulated world that the store's records were scored on.

use std::collections::{BTreeMap, BTreeSet};

use molarena_tests::TestArena;
use serde_json::Value;

use crate::{documents, encoders, fixture, read};

/// As in the fixture's `make.sh`.
const SIMULATE: &str = "data simulate --output data --molecules 120 --context-molecules 60 --genes 20 \
                        --expression-columns 10 --morphology-columns 10 --expression-profiles 80 \
                        --morphology-profiles 90 --gene-edges 30 --batches 2";

/// The arena with the world in its data folder.
fn world() -> TestArena {
    let arena = TestArena::new();
    let output = arena.molarena(&SIMULATE.split_whitespace().collect::<Vec<_>>());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    arena
}

#[test]
fn the_world_is_the_same_to_the_byte() {
    let arena = world();
    let sums = read(&fixture().join("SHA256SUMS"));
    assert!(sums.lines().count() > 10, "{sums}");
    for line in sums.lines() {
        let (expected, name) = line.split_once("  ").unwrap();
        let found = molarena_data::sha256_file(arena.path("data").join(name)).unwrap();
        assert_eq!(found, expected, "{name}");
    }
}

/// The store was made with chemistry 1, which is part of the keys of its context graphs. Under the chemistry of today
/// each of these graphs has one other key, and different graphs have different ones.
#[test]
fn each_context_graph_of_the_store_has_one_key_today() {
    let arena = world();
    let key = |left_out: &[&str]| {
        let always =
            ["data", "info", "demo-44bb9105-context", "--data-dir", "data", "--datasets-dir", "data"];
        let left_out = left_out.iter().flat_map(|id| ["--leave-out", id]);
        let output = arena.molarena(&always.into_iter().chain(left_out).collect::<Vec<_>>());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let key = output.stdout.lines().find_map(|line| line.strip_prefix("key "));
        key.expect("a line with the key").to_owned()
    };
    let mut today: BTreeMap<String, String> = BTreeMap::new();
    let mut compare = |stored: &Value, key: String| {
        let known = today.entry(stored.as_str().unwrap().to_owned()).or_insert_with(|| key.clone());
        assert_eq!(*known, key, "{stored}");
    };
    let whole = key(&[]);
    for (_, record) in documents("matches") {
        compare(&record["context_key"], whole.clone());
    }
    let mut compared = 0;
    for (_, record) in encoders() {
        let left_out = record["corpus"]["leave_out"].as_array().unwrap();
        let left_out: Vec<&str> = left_out.iter().map(|id| id.as_str().unwrap()).collect();
        if left_out.iter().all(|id| id.starts_with("demo-")) {
            compare(&record["corpus"]["key"], key(&left_out));
            compared += 1;
        }
    }
    assert!(compared > 5, "{compared}");
    let distinct: BTreeSet<&String> = today.values().collect();
    assert_eq!(distinct.len(), today.len(), "{today:?}");
    assert!(today.len() > 1 && today.iter().all(|(stored, today)| stored != today), "{today:?}");
}
