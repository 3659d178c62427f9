//! The gate: a store against a baseline.

use molarena_tests::{TestArena, files};
use serde_json::Value;

use crate::support::{check, dataset, edit, table};

const PLACES: [&str; 4] = ["--data-dir", "data", "--datasets-dir", "datasets"];

/// A dataset of forty molecules with one number each, and a small forest.
fn arena() -> TestArena {
    let arena = TestArena::new();
    dataset(&arena, "toy", "regression", &["size"], &table(&["size"], size));
    arena.method("forest", "baselines/rf", "{ n_trees = 10 }");
    arena
}

fn size(row: usize, _: usize) -> String {
    format!("{}", (row * 7 % 10) as f32 / 10.0)
}

fn run(arena: &TestArena, store: &str, seeds: &str) {
    let output = arena.run(&[], &["--dataset", "toy", "--method", "forest", "--seeds", seeds]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    fs_err::rename(arena.path("store"), arena.path(store)).unwrap();
}

fn gate(arena: &TestArena, arguments: &[&str]) -> (Option<i32>, Value) {
    let output = arena.molarena(
        &[
            &["gate", "--baseline", "old", "--store", "new", "--format", "json"] as &[&str],
            arguments,
            &PLACES,
        ]
        .concat(),
    );
    let json = serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{}", output.stderr));
    (output.code, json)
}

/// Replaces the predictions of every fit in a store by others: `change` of the value and its row.
fn change(arena: &TestArena, store: &str, change: impl Fn(f32, usize) -> f32) {
    for path in files(&arena.path(store).join("steps")) {
        let text = fs_err::read_to_string(&path).unwrap();
        let mut step: Value = serde_json::from_str(&text).unwrap();
        if step["kind"] != "fit" {
            continue;
        }
        let sha256 = step["outcome"]["files"]["test.npy"].as_str().unwrap().to_owned();
        let folder = arena.path(store).join("artifacts");
        let bytes = fs_err::read(folder.join(&sha256[..2]).join(&sha256)).unwrap();
        let header = 10 + usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
        let mut changed = bytes[..header].to_vec();
        for (index, value) in bytes[header..].chunks_exact(4).enumerate() {
            let value = f32::from_le_bytes(value.try_into().unwrap());
            changed.extend(change(value, index).to_le_bytes());
        }
        let hash = molarena_data::sha256_hex(&changed);
        fs_err::create_dir_all(folder.join(&hash[..2])).unwrap();
        fs_err::write(folder.join(&hash[..2]).join(&hash), changed).unwrap();
        step["outcome"]["files"]["test.npy"] = hash.into();
        fs_err::write(&path, serde_json::to_string_pretty(&step).unwrap()).unwrap();
    }
}

#[test]
fn the_same_predictions_are_ok() {
    let arena = arena();
    run(&arena, "old", "3");
    run(&arena, "new", "3");
    let (code, gate) = gate(&arena, &[]);
    assert_eq!(code, Some(0), "{gate}");
    assert_eq!(gate["checks"][0]["reason"], "all predictions are the same");
    assert_eq!(gate["verdict"], "ok");
    let output = arena.molarena(
        &[&["gate", "--baseline", "old", "--store", "new", "--format", "html"] as &[&str], &PLACES].concat(),
    );
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.starts_with("<!DOCTYPE html>"), "{}", output.stdout);
    assert!(output.stdout.contains("<h2 id=p0>Gate: no row got worse</h2>"), "{}", output.stdout);
}

#[test]
fn a_worse_row_has_regressed() {
    let arena = arena();
    run(&arena, "old", "3");
    run(&arena, "new", "3");
    change(&arena, "new", |value, _| value + 1.0);
    let (code, json) = gate(&arena, &[]);
    assert_eq!(code, Some(20), "{json}");
    assert_eq!(json["checks"][0]["verdict"], "regressed");
    // The other way round it is a gain.
    fs_err::rename(arena.path("old"), arena.path("kept")).unwrap();
    fs_err::rename(arena.path("new"), arena.path("old")).unwrap();
    fs_err::rename(arena.path("kept"), arena.path("new")).unwrap();
    let (code, json) = gate(&arena, &["--junit", "gate.xml"]);
    assert_eq!(code, Some(0), "{json}");
    let junit = fs_err::read_to_string(arena.path("gate.xml")).unwrap();
    assert!(junit.contains("tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"0\""), "{junit}");
}

#[test]
fn a_difference_that_the_data_cannot_tell_is_inconclusive() {
    let arena = arena();
    run(&arena, "old", "3");
    run(&arena, "new", "3");
    // Some molecules get worse and some better.
    change(&arena, "new", |value, row| value + if row.is_multiple_of(2) { 0.1 } else { -0.1 });
    let (code, json) = gate(&arena, &[]);
    assert_eq!(code, Some(21), "{json}");
    assert_eq!(json["checks"][0]["verdict"], "inconclusive");
    // A margin that covers everything settles it.
    let (code, json) = gate(&arena, &["--margin", "1"]);
    assert_eq!(code, Some(0), "{json}");
}

#[test]
fn rows_of_other_data_and_missing_rows_are_not_comparable() {
    let arena = arena();
    run(&arena, "old", "1");
    let other = table(&["size"], |row, task| size(row + 2, task));
    dataset(&arena, "toy", "regression", &["size"], &other);
    run(&arena, "new", "1");
    let (code, json) = gate(&arena, &[]);
    assert_eq!(code, Some(22), "{json}");
    assert_eq!(json["checks"][0]["reason"], "the store's row is of other data");
    fs_err::create_dir_all(arena.path("none/records")).unwrap();
    let output =
        arena.molarena(&[&["gate", "--baseline", "old", "--store", "none"] as &[&str], &PLACES].concat());
    check("gate-missing-row", &arena, &output);
    let output =
        arena.molarena(&[&["gate", "--baseline", "none", "--store", "old"] as &[&str], &PLACES].concat());
    check("gate-empty-baseline", &arena, &output);
}

#[test]
fn a_row_that_fails_now_has_regressed() {
    let arena = arena();
    run(&arena, "old", "1");
    edit(&arena, "methods/forest.toml", "n_trees = 10", "n_trees = 100000");
    let output = arena
        .run(&[], &["--dataset", "toy", "--method", "forest", "--seeds", "1", "--memory-limit", "30MiB"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    fs_err::rename(arena.path("store"), arena.path("new")).unwrap();
    let (code, json) = gate(&arena, &[]);
    assert_eq!(code, Some(20), "{json}");
    assert!(json["checks"][0]["reason"].as_str().unwrap().starts_with("seed 0 fails now, "), "{json}");
}
