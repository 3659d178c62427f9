//! Intervals on boards, and comparisons of rows.

use std::fmt::Write;

use molarena_tests::{TestArena, copy};
use serde_json::Value;

use crate::support::{check, dataset, toy};

/// An arena with the records of both methods of the dataset `toy`, two seeds each.
fn ran() -> TestArena {
    let arena = toy();
    let run = arena
        .run(&[], &["--dataset", "toy", "--method", "constant-test", "--method", "knn-test", "--seeds", "2"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    arena
}

fn json(arena: &TestArena, arguments: &[&str]) -> Value {
    let output = arena.molarena(arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).unwrap()
}

const PLACES: [&str; 6] = ["--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"];

fn with_places<'a>(arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &PLACES].concat()
}

#[test]
fn boards_have_intervals_where_the_labels_are() {
    let arena = ran();
    let output = arena.molarena(&with_places(&["board", "--no-cost"]));
    check("board-with-intervals", &arena, &output);
    // What was resampled is kept, and the bytes are the same.
    let measures = |arena: &TestArena| {
        let names = fs_err::read_dir(arena.path("store/cache")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("measure-")).count()
    };
    assert_eq!(measures(&arena), 2);
    assert_eq!(arena.molarena(&with_places(&["board", "--no-cost"])).stdout, output.stdout);
    fs_err::rename(arena.path("data"), arena.path("elsewhere")).unwrap();
    let without = arena.molarena(&with_places(&["board", "--no-cost"]));
    assert_eq!(without.code, Some(0), "{}", without.stderr);
    assert!(without.stdout.contains("- No intervals: "), "{}", without.stdout);
    assert!(!without.stdout.contains("% interval"), "{}", without.stdout);
}

#[test]
fn boards_and_comparisons_can_be_cut_to_a_group_of_tasks() {
    let arena = ran();
    let mean = |row: &Value| row["mean"].as_f64().unwrap();
    let whole = json(&arena, &with_places(&["board", "--format", "json"]));
    let of_task = whole["boards"][0]["rows"][0]["per_task"]["toxic"]["mean"].as_f64().unwrap();
    let manifest = "datasets/toy/dataset.toml";
    crate::support::edit(
        &arena,
        manifest,
        "[protocol]",
        "[tasks.groups]\nsecond = [\"toxic\"]\n\n[protocol]",
    );
    let cut = json(&arena, &with_places(&["board", "--format", "json", "--group", "second"]));
    let board = &cut["boards"][0];
    assert_eq!(board["tasks"], serde_json::json!(["toxic"]));
    assert_eq!(board["notes"][0], "Only the tasks of the group second: toxic.");
    let row = &board["rows"][0];
    assert_eq!(row["method"], whole["boards"][0]["rows"][0]["method"]);
    // The mean over the only task is that task's, and its interval is about it.
    assert!((of_task - mean(row)).abs() < 1e-12, "{of_task} {row}");
    let uncertainty = &row["statistics"];
    let [low, high] = ["low", "high"].map(|end| uncertainty[end].as_f64().unwrap());
    assert!(low <= mean(row) && mean(row) <= high, "{uncertainty}");
    let compared = ["compare", "knn-test", "constant-test", "--format", "json", "--group", "second"];
    let compared = json(&arena, &with_places(&compared));
    assert_eq!(compared[0]["tasks"].as_array().unwrap().len(), 1, "{compared}");
    let unknown = arena.molarena(&with_places(&["board", "--group", "third"]));
    assert_eq!(unknown.code, Some(4), "{}", unknown.stderr);
    let said = "no dataset here names a group of tasks `third`: toy";
    assert!(unknown.stderr.contains(said), "{}", unknown.stderr);
    crate::support::edit(&arena, manifest, "second = [\"toxic\"]", "second = [\"harmless\"]");
    let wrong = arena.molarena(&with_places(&["board", "--group", "second"]));
    assert!(wrong.stderr.contains("tasks.groups.second"), "{}", wrong.stderr);
}

#[test]
fn twins_are_counted_and_left_out() {
    let arena = TestArena::new();
    // Row 0 and the last row are stereoisomers; all molecules are acyclic or have scaffolds of their own.
    let stereo = ["C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"];
    let mut csv = String::from("smiles,active,part\n");
    for (index, smiles) in crate::support::molecules().iter().enumerate() {
        let part = ["train", "train", "valid", "test"][index % 4];
        writeln!(csv, "{smiles},{},{part}", index / 4 % 2).unwrap();
    }
    writeln!(csv, "{},1,train\n{},0,test", stereo[0], stereo[1]).unwrap();
    arena.write("own.csv", &csv);
    arena.method("look-up-test", "baselines/look-up", "{}");
    let method = arena.path("methods/look-up-test.toml");
    let text = fs_err::read_to_string(&method).unwrap();
    let features = text.lines().find(|line| line.starts_with("features")).unwrap();
    fs_err::write(&method, text.replace(features, "features = { kind = \"smiles\" }")).unwrap();
    let run = arena.run(
        &[],
        &["--csv", "own.csv", "--task", "active", "--split", "column:part", "--method", "look-up-test"],
    );
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(run.stdout.contains("1 of the test molecules have a twin in training"), "{}", run.stdout);
}

#[test]
fn a_row_against_itself_is_the_same() {
    let arena = ran();
    let output = arena.molarena(&with_places(&["compare", "knn-test", "knn-test"]));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stdout.contains("**The same: all predictions are equal.**"), "{}", output.stdout);
    let comparison = &json(&arena, &with_places(&["compare", "knn-test", "knn-test", "--format", "json"]))[0];
    for (member, expected) in [("difference", 0.0), ("low", 0.0), ("high", 0.0), ("p_value", 1.0)] {
        assert_eq!(comparison[member], expected, "{member}");
    }
    assert_eq!(
        (&comparison["wins"], &comparison["ties"], &comparison["losses"]),
        (&0.into(), &2.into(), &0.into())
    );
    assert_eq!(comparison["verdict"], "same");
    let page = arena.molarena(&with_places(&["compare", "knn-test", "knn-test", "--format", "html"])).stdout;
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"), "{page}");
    assert!(page.contains("<strong>The same: all predictions are equal.</strong>"), "{page}");
}

#[test]
fn a_comparison_agrees_with_the_board_and_turns_round() {
    let arena = ran();
    let boards = json(&arena, &with_places(&["board", "--format", "json"]));
    let mean = |name: &str| {
        let rows = boards["boards"][0]["rows"].as_array().unwrap();
        rows.iter().find(|row| row["method"] == name).unwrap()["mean"].as_f64().unwrap()
    };
    let of = |one: &str, other: &str| {
        json(&arena, &with_places(&["compare", one, other, "--format", "json"]))[0].clone()
    };
    let (there, back) = (of("knn-test", "constant-test"), of("constant-test", "knn-test"));
    let number = |value: &Value| value.as_f64().unwrap();
    assert!((number(&there["difference"]) - (mean("knn-test") - mean("constant-test"))).abs() < 1e-12);
    assert!((number(&there["difference"]) + number(&back["difference"])).abs() < 1e-12);
    assert!((number(&there["low"]) + number(&back["high"])).abs() < 1e-12);
    assert_eq!(there["p_value"], back["p_value"]);
    assert_eq!((&there["wins"], &there["losses"]), (&back["losses"], &back["wins"]));
    assert_eq!(there["seeds"], serde_json::json!([0, 1]));
    // One store against a copy of it.
    copy(&arena.path("store"), &arena.path("copy"));
    let twice = json(
        &arena,
        &with_places(&["compare", "knn-test", "constant-test", "--other-store", "copy", "--format", "json"]),
    );
    assert_eq!(twice[0]["difference"], there["difference"]);
}

#[test]
fn one_reference_against_all() {
    let arena = ran();
    let output = arena.molarena(&with_places(&["compare", "--reference", "constant-test"]));
    check("compare-with-a-reference", &arena, &output);
    let comparison =
        &json(&arena, &with_places(&["compare", "--reference", "constant-test", "--format", "json"]))[0];
    assert_eq!(comparison["rows"].as_array().unwrap().len(), 1);
    assert_eq!(comparison["rows"][0]["row"], "knn-test");
}

#[test]
fn comparisons_that_cannot_be_made() {
    let arena = ran();
    for (name, arguments) in [
        ("compare-unknown-row", &["compare", "knn-test", "nothing"] as &[&str]),
        ("compare-one-row", &["compare", "knn-test"]),
        ("compare-unknown-reference", &["compare", "--reference", "nothing"]),
        ("compare-bad-confidence", &["compare", "knn-test", "constant-test", "--confidence", "1"]),
        ("compare-bad-margin", &["compare", "knn-test", "constant-test", "--margin", "-1"]),
    ] {
        check(name, &arena, &arena.molarena(&with_places(arguments)));
    }
    // A prediction file that is gone, and data that are gone.
    dataset(&arena, "toy", "classification", &["active"], "smiles,active\nC,1\nCC,0\n");
    check(
        "compare-other-data",
        &arena,
        &arena.molarena(&with_places(&["compare", "knn-test", "constant-test"])),
    );
}
