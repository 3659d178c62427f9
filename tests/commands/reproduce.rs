//! Records made again.

use molarena_tests::{Output, TestArena, files, library};
use serde_json::Value;

use crate::support::{check, toy};

const PLACES: [&str; 4] = ["--data-dir", "data", "--datasets-dir", "datasets"];

fn reproduce(arena: &TestArena, arguments: &[&str]) -> Output {
    let plugin = library("molarena_baselines");
    let plugin = ["--plugin", plugin.to_str().unwrap()];
    arena.molarena(&[&["reproduce", "--store", "store"], arguments, &PLACES[..], &plugin[..]].concat())
}

fn ran() -> TestArena {
    let arena = toy();
    let methods = ["--method", "constant-test", "--method", "knn-test", "--seeds", "2"];
    let run = arena.run(&[], &[&["--dataset", "toy"], &methods[..]].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    arena
}

fn json(arena: &TestArena, path: &str) -> Value {
    serde_json::from_slice(&fs_err::read(arena.path(path)).unwrap()).unwrap()
}

fn rows(arena: &TestArena) -> Vec<Value> {
    arena.boards()["boards"][0]["rows"].as_array().unwrap().clone()
}

#[test]
fn a_record_comes_out_the_same_and_boards_say_so() {
    let arena = ran();
    assert!(rows(&arena).iter().all(|row| row.get("verified").is_none()));
    let output = reproduce(&arena, &["--method", "knn-test"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(
        output.stdout.contains("identical, largest difference of predictions 0.0000"),
        "{}",
        output.stdout
    );
    assert!(output.stdout.ends_with("2 records verified, 0 came out different\n"), "{}", output.stdout);
    for row in rows(&arena) {
        let expected = if row["method"] == "knn-test" { Some(2) } else { None };
        assert_eq!(row.get("verified").and_then(Value::as_u64), expected, "{row}");
    }
    let board = arena.molarena(&["board", "--store", "store", "--no-cost"]);
    assert!(board.stdout.contains("equal predictions: knn-test (2 of 2 seeds)."), "{}", board.stdout);
    // A removed record takes its mark along.
    let removed = arena.molarena(&["store", "rm", "--method", "knn-test", "--store", "store"]);
    assert_eq!(removed.code, Some(0), "{}", removed.stderr);
    assert!(removed.stdout.starts_with("removed 2 records"), "{}", removed.stdout);
    assert_eq!(files(&arena.path("store/reproductions")).len(), 0);
}

#[test]
fn changed_predictions_and_what_made_them_are_named() {
    let arena = ran();
    // The store says that other predictions were made: those of another configuration.
    let key =
        arena.molarena(&["store", "ls", "--keys", "--json", "--store", "store", "--method", "knn-test"]);
    let listed: Value = serde_json::from_str(&key.stdout).unwrap();
    let key = listed["cells"][0]["key"].as_str().unwrap().to_owned();
    let constant =
        arena.molarena(&["store", "ls", "--keys", "--json", "--store", "store", "--method", "constant-test"]);
    let listed: Value = serde_json::from_str(&constant.stdout).unwrap();
    let constant = listed["cells"][0]["key"].as_str().unwrap().to_owned();
    let step = |key: &str| {
        let record = json(&arena, &format!("store/records/{}/{key}.json", &key[..2]));
        let key = record["fit_key"].as_str().unwrap().to_owned();
        format!("store/steps/{}/{key}.json", &key[..2])
    };
    let (ours, theirs) = (step(&key), step(&constant));
    let mut changed = json(&arena, &ours);
    changed["outcome"]["files"] = json(&arena, &theirs)["outcome"]["files"].clone();
    arena.write(&ours, changed.to_string());
    let output = reproduce(&arena, &[&key[..12], "--json"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    let said: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!((&said["different"], &said["verified"]), (&1.into(), &0.into()));
    assert_eq!(said["reproductions"][0]["agreement"], "different");
    assert!(said["reproductions"][0]["largest_difference"].as_f64().unwrap() > 0.0);
    assert!(rows(&arena).iter().all(|row| row.get("verified").is_none()));
}

#[test]
fn the_second_run_may_be_kept_and_merged_with_its_mark() {
    let arena = ran();
    let output = reproduce(&arena, &["--dataset", "toy", "--into", "again"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let verify = arena.molarena(&["store", "verify", "--store", "again"]);
    assert!(verify.stdout.starts_with("4 scored cells"), "{}", verify.stdout);
    let merged = arena.molarena(&["store", "merge", "store", "--store", "all"]);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    assert_eq!(files(&arena.path("all/reproductions")).len(), 4);
}

#[test]
fn what_cannot_be_made_again_is_refused() {
    let arena = ran();
    for (name, arguments, code) in [
        ("reproduce-nothing", &[] as &[&str], 2),
        ("reproduce-unknown-key", &["ffffffffffff"], 4),
        ("reproduce-into-itself", &["--dataset", "toy", "--into", "store"], 2),
    ] {
        let output = reproduce(&arena, arguments);
        assert_eq!(output.code, Some(code), "{name}: {}", output.stderr);
        check(name, &arena, &output);
    }
    let absent = arena.molarena(&["reproduce", "--dataset", "toy", "--store", "absent"]);
    assert_eq!(absent.code, Some(4), "{}", absent.stderr);
    // Data that are not there are an error, not a difference.
    fs_err::remove_dir_all(arena.path("data")).unwrap();
    let output = reproduce(&arena, &["--method", "knn-test"]);
    assert_eq!(output.code, Some(5), "{}", output.stderr);
}
