//! `molarena audit`.

use std::fmt::Write;

use molarena_tests::{Output, TestArena, data_dir, library};
use serde_json::Value;

use crate::support::{check, classes, dataset, molecules, table, toy};

/// A table with a planted finding of each kind, and a column of the split.
const PLANTED: &str = "\
smiles,active,same,inverse,part
c1ccccc1CCO,1,1,0,train
OCCC1=CC=CC=C1,0,0,1,test
N[C@@H](CO)C(=O)O,1,1,0,train
N[C@H](CO)C(=O)O,1,1,0,test
Oc1ccccn1,0,0,1,train
O=c1cccc[nH]1,0,0,1,valid
CCCCN,1,1,0,train
CCCCN.Cl,1,1,0,test
CCCC(=O)O,0,0,1,valid
CCCC(=O)[O-],0,0,1,test
CCCCCCC,1,1,0,train
CCCCCCC,1,1,0,train
c1ccccc1CN,0,0,1,test
";

fn audit(arena: &TestArena, arguments: &[&str]) -> Output {
    let all = [&["audit", "--data-dir", "data", "--datasets-dir", "datasets"], arguments].concat();
    arena.molarena(&all)
}

fn json(output: &Output) -> Value {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    serde_json::from_str(&output.stdout).expect("an audit is JSON")
}

/// The pairs of rows of a kind, over all parts.
fn pairs(audit: &Value, kind: &str) -> u64 {
    let kinds = audit["twins"]["kinds"].as_array().expect("a list");
    let found = kinds.iter().find(|found| found["kind"] == kind).expect("all kinds are listed");
    found["pairs"].as_object().expect("counts").values().filter_map(Value::as_u64).sum()
}

#[test]
fn planted_findings_are_told_and_are_no_error() {
    let arena = TestArena::new();
    arena.write("my.csv", PLANTED);
    let table = ["--csv", "my.csv", "--tasks", "active,same,inverse", "--split", "column:part"];
    let output = audit(&arena, &table);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("audit-planted", &arena, &output);
    for line in output.stdout.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }

    let report = json(&audit(&arena, &[&table[..], &["--json"]].concat()));
    assert_eq!(report["schema"], "molarena.audit/1");
    let found = &report["datasets"][0];
    let kinds = ["repeat", "spelling", "isotope", "stereoisomer", "tautomer", "charge", "salt"];
    assert_eq!(kinds.map(|kind| pairs(found, kind)), [1, 1, 0, 1, 1, 1, 1]);
    assert_eq!(found["twins"]["test_rows_with_training_twin"], 2);
    assert_eq!(found["conflicts"]["molecules"], 1);
    assert_eq!(found["columns"]["same"].as_array().map(Vec::len), Some(3));
    let again = audit(&arena, &[&table[..], &["--format", "json"]].concat());
    assert_eq!(json(&again), report);
    let page = audit(&arena, &[&table[..], &["--format", "html"]].concat()).stdout;
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<title>Audit</title>"), "{page}");

    let strict = audit(&arena, &[&table[..], &["--strict"]].concat());
    assert_eq!((strict.code, strict.stdout), (Some(5), output.stdout));
}

#[test]
fn a_clean_table_passes_strictly() {
    let arena = TestArena::new();
    let mut text = String::from("smiles,active,part\n");
    for (row, smiles) in molecules().iter().enumerate() {
        writeln!(text, "{smiles},{},{}", row / 4 % 2, ["train", "valid", "test", "train"][row % 4]).unwrap();
    }
    arena.write("clean.csv", text);
    let output =
        audit(&arena, &["--csv", "clean.csv", "--tasks", "active", "--split", "column:part", "--strict"]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    check("audit-clean", &arena, &output);
}

#[test]
fn a_corpus_is_a_dataset_or_a_context_graph() {
    let arena = toy();
    dataset(&arena, "other", "classification", &["ACTIVE"], &table(&["ACTIVE"], classes));
    let report = json(&audit(&arena, &["toy", "--corpus", "other", "--json"]));
    let found = &report["datasets"][0]["corpora"][0];
    let rows = ["train_rows", "valid_rows", "test_rows"].map(|part| found[part].as_u64().unwrap());
    assert_eq!((rows.iter().sum::<u64>(), rows[2]), (40, 4));
    assert_eq!(found["assays"]["shared"], serde_json::json!(["active"]));
    let names = |report: &Value| -> Vec<String> {
        let datasets = report["datasets"].as_array().unwrap();
        datasets.iter().map(|found| found["dataset"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&json(&audit(&arena, &["--json"]))), ["other", "toy"]);
    assert_eq!(names(&json(&audit(&arena, &["toy", "toy", "--json"]))), ["toy"]);
}

#[test]
fn corpora_that_plugins_declare_are_looked_at_or_named() {
    let arena = toy();
    let plugin = library("fixture_kinds");
    let output = audit(&arena, &["toy", "--json", "--plugin", plugin.to_str().unwrap()]);
    let report = json(&output);
    let declared = report["declared"].as_array().unwrap();
    let told: Vec<_> = declared
        .iter()
        .filter(|one| one["component"] == "fixture-kinds/witness")
        .map(|one| (one["corpus"].as_str().unwrap(), one["unread"].is_null()))
        .collect();
    assert_eq!(told, [("an unpublished corpus", false), ("toy", true)], "{report}");
    assert_eq!(
        report["datasets"][0]["corpora"].as_array().map(Vec::len),
        Some(1),
        "each corpus is read once"
    );
    assert_eq!(report["datasets"][0]["corpora"][0]["corpus"], "toy");
    assert_eq!(report["datasets"][0]["corpora"][0]["test_rows"], 4);
    let text = audit(&arena, &["toy", "--plugin", plugin.to_str().unwrap()]).stdout;
    assert!(text.contains("an unpublished corpus, which cannot be read"), "{text}");
}

#[test]
fn boards_say_what_corpora_have_of_the_test_molecules() {
    let arena = toy();
    arena.write(
        "methods/pretrained.toml",
        "schema = \"molarena.method/1\"\nname = \"pretrained\"\nfeatures = { kind = \"smiles\" }\n\
         encoder = { component = \"fixture-kinds/witness\" }\n\
         baseline = { component = \"fixture-kinds/nearest-centroid\" }\n",
    );
    let methods = ["--dataset", "toy", "--method", "pretrained", "--method", "knn-test", "--jobs", "1"];
    let run = arena.run(&[library("fixture_kinds")], &methods);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let record = arena.stored("records").into_iter().map(|path| fs_err::read_to_string(path).unwrap());
    assert_eq!(record.filter(|record| record.contains("\"an unpublished corpus\"")).count(), 1);
    let board = |more: &[&str]| {
        let places = ["--store", "store", "--data-dir", "data", "--datasets-dir", "datasets", "--no-cost"];
        let output = arena.molarena(&[&["board"][..], &places, more].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    };
    let text = board(&[]);
    let row = |name: &str| text.lines().find(|line| line.starts_with(&format!("| {name}"))).unwrap();
    assert!(row("pretrained").contains("| an unpublished corpus ?, toy 100.0 % |"), "{text}");
    assert!(!row("knn-test").contains('%'), "{text}");
    let csv = board(&["--format", "csv"]);
    assert!(csv.contains("an unpublished corpus:;toy:1,\n"), "{csv}");
}

#[test]
fn shuffled_labels_are_compared_with_chance() {
    let arena = toy();
    let run = |more: &[&str]| {
        let all = ["--dataset", "toy", "--method", "knn-test", "--seeds", "2", "--jobs", "1"];
        let output = arena.run(&[], &[&all, more].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    };
    run(&[]);
    let report = json(&audit(&arena, &["toy", "--store", "store", "--json"]));
    assert_eq!(report["canaries"], serde_json::json!([]), "labels that are not shuffled are no canary");
    run(&["--shuffle-labels"]);
    let report = json(&audit(&arena, &["toy", "--store", "store", "--json"]));
    let canaries = report["canaries"].as_array().unwrap();
    assert_eq!(canaries.len(), 1, "{canaries:?}");
    let found = &canaries[0];
    assert_eq!(
        (&found["method"], &found["seeds"], &found["chance"]),
        (&"knn-test+shuffled".into(), &2.into(), &0.5.into())
    );
    assert!(found["mean"].is_number() && found["leaks"].is_boolean(), "{found}");
    let report = json(&audit(&arena, &["toy", "--json"]));
    assert!(report["canaries"].is_null());
}

#[test]
fn bad_requests_are_explained() {
    let arena = toy();
    dataset(&arena, "gone", "classification", &["a"], "smiles,a\nC,0\n");
    fs_err::remove_file(arena.path("data/gone/assays.csv")).unwrap();
    for (name, code, arguments) in [
        ("audit-unknown-dataset", 2, vec!["tox"]),
        ("audit-missing-file", 5, vec!["gone"]),
        ("audit-unknown-corpus", 2, vec!["toy", "--corpus", "context"]),
        ("audit-missing-corpus", 5, vec!["toy", "--corpus", "context-open"]),
        ("audit-unknown-split", 2, vec!["toy", "--split", "scafold"]),
        ("audit-column-without-table", 2, vec!["toy", "--split", "column:part"]),
        ("audit-id-and-table", 2, vec!["toy", "--csv", "my.csv"]),
        ("audit-format", 2, vec!["toy", "--format", "xml"]),
    ] {
        let output = audit(&arena, &arguments);
        assert_eq!(output.code, Some(code), "{name}: {}", output.stderr);
        check(name, &arena, &output);
    }
    let missing = audit(&arena, &["toy", "--store", "nowhere"]);
    assert!(missing.code != Some(0) && missing.stderr.contains("nowhere"), "{}", missing.stderr);
    let empty = TestArena::new();
    let output = empty.molarena(&["audit", "--data-dir", "data"]);
    assert_eq!(output.code, Some(4), "{}", output.stderr);
    check("audit-nothing", &empty, &output);
}

#[test]
fn the_published_datasets_have_the_twins_that_are_known() {
    let Some(data) = data_dir() else { return };
    let arena = TestArena::new();
    let output = arena.molarena(&[
        "audit",
        "--data-dir",
        data.to_str().unwrap(),
        "broad6k",
        "chembl2k",
        "toxcast",
        "--json",
    ]);
    let report = json(&output);
    let [broad, chembl, toxcast] = [0, 1, 2].map(|index| &report["datasets"][index]);
    let twins = |found: &Value| {
        (found["twins"]["test_rows_with_training_twin"].clone(), found["split"]["test"].clone())
    };
    assert_eq!(twins(broad), (643.into(), 1642.into()));
    assert_eq!(twins(chembl).0, 0);
    let thin = &toxcast["thin"];
    assert_eq!(toxcast["tasks"], 617);
    assert_eq!((thin["tasks"].as_array().map(Vec::len), &thin["without_score"]), (Some(116), &7.into()));
}
