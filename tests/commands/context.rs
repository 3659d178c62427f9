//! `molarena data` with context graphs.

use std::fmt::Write;

use molarena_tests::{Output, TestArena};
use ndarray::Array2;
use ndarray_npy::NpzWriter;

use crate::support::{check, edit, toy};

const MANIFEST: &str = r#"
schema = "molarena.context/1"
id = "tiny"
title = "Tiny"
description = "for tests"
licence = "none"

[[molecules]]
file = "tiny/molecules.csv"
id = "mol_id"
smiles = "smiles"

[[genes]]
file = "tiny/genes.csv"
columns = ["gene"]

[[spaces]]
name = "expression"
kind = "expression"
table = "tiny/expression.csv"
molecule = "mol_id"
features = "tiny/expression.npz"
columns = 2
column_genes = { file = "tiny/genes.csv", gene = "gene", top_share = 0.25 }

[[edges]]
file = "tiny/edges.csv"
source = { node = "gene", column = "source" }
target = { node = "gene", column = "target" }
kind = "interacts"
"#;

/// The arena of the dataset `toy` and a context graph of four molecules: one is in `toy`, and one cannot be read.
fn tiny() -> TestArena {
    let arena = toy();
    for folder in ["datasets/tiny", "data/tiny"] {
        fs_err::create_dir_all(arena.path(folder)).unwrap();
    }
    let texts = [
        ("molecules.csv", "mol_id,smiles\na,CCO\nb,c1ccc2ccccc2c1 |&1:2|\nc,C1CC\nd,c1ccc2cccnc2c1\n"),
        ("genes.csv", "gene\n10\n20\n"),
        ("expression.csv", "mol_id\na\nb\nd\nd\n"),
        ("edges.csv", "source,target\n10,20\n"),
    ];
    for (name, text) in texts {
        fs_err::write(arena.path(&format!("data/tiny/{name}")), text).unwrap();
    }
    let path = arena.path("data/tiny/expression.npz");
    let mut npz = NpzWriter::new_compressed(fs_err::File::create(&path).unwrap());
    let values = vec![1.0_f32, 9.0, f32::NAN, 3.0, 4.0, -7.0, 2.0, 2.0];
    npz.add_array("data", &Array2::from_shape_vec((4, 2), values).unwrap()).unwrap();
    npz.finish().unwrap();
    let mut manifest = MANIFEST.to_owned();
    for name in ["molecules.csv", "genes.csv", "expression.csv", "edges.csv"] {
        let digest = molarena_data::sha256_file(arena.path(&format!("data/tiny/{name}"))).unwrap();
        writeln!(manifest, "[[files]]\npath = \"tiny/{name}\"\nsha256 = \"{digest}\"")
            .expect("a String takes every write");
    }
    // The archive contains its time.
    manifest += "[[files]]\npath = \"tiny/expression.npz\"\nunverified = true\n";
    fs_err::write(arena.path("datasets/tiny/context.toml"), manifest).unwrap();
    arena
}

fn data(arena: &TestArena, verb: &[&str], folder: &str) -> Output {
    let places = ["--data-dir", folder, "--datasets-dir", "datasets"];
    let arguments: Vec<&str> = ["data"].iter().chain(verb).chain(&places).copied().collect();
    arena.molarena(&arguments)
}

#[test]
fn a_context_graph_is_described() {
    let arena = tiny();
    let output = data(&arena, &["info", "tiny"], "data");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("context-info", &arena, &output);
    let json = data(&arena, &["info", "tiny", "--json", "--leave-out", "toy"], "data");
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "molarena.context-info/1");
    // Ethanol is in `toy`.
    assert_eq!((&json["left_out"], &json["counts"]["left_out_profiles"]), (&1.into(), &1.into()));
    assert_eq!((&json["leave_out"][0], &json["spaces"][0]["rows"]), (&"toy".into(), &3.into()));
    assert_eq!(json["failures"][0]["row"], 3);
}

#[test]
fn a_damaged_cached_graph_is_told_and_built_again() {
    let arena = tiny();
    let info = || data(&arena, &["info", "tiny", "--cache", "cache"], "data");
    let first = info();
    assert_eq!((first.code, first.stderr.as_str()), (Some(0), ""), "{}", first.stdout);
    assert_eq!(info().stdout, first.stdout);
    let file = fs_err::read_dir(arena.path("cache")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs_err::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&file, bytes).unwrap();
    let again = info();
    assert!(again.stderr.contains("the graph is built again"), "{}", again.stderr);
    assert_eq!(again.stdout, first.stdout);
    assert_eq!(info().stderr, "");
}

#[test]
fn context_graphs_are_listed_verified_and_fetched() {
    let arena = tiny();
    let list = data(&arena, &["list"], "data").stdout;
    let line = list.lines().find(|line| line.starts_with("tiny ")).unwrap();
    assert!(line.contains("expression 2") && line.contains("yes") && line.ends_with("Tiny"), "{line}");
    let json: serde_json::Value =
        serde_json::from_str(&data(&arena, &["list", "--json"], "data").stdout).unwrap();
    let contexts = json["contexts"].as_array().unwrap();
    assert!(contexts.iter().any(|context| context["manifest"]["id"] == "tiny" && context["fetched"] == true));

    check("context-fetch", &arena, &data(&arena, &["fetch", "tiny", "--mirror", "data"], "empty"));
    let output = data(&arena, &["verify", "tiny"], "empty");
    assert_eq!(output.code, Some(0), "{}", output.stdout);
    check("context-verify", &arena, &output);
    edit(&arena, "data/tiny/edges.csv", "10,20", "20,10");
    let output = data(&arena, &["verify"], "data");
    assert_eq!(output.code, Some(5));
    let wrong = output.stdout.lines().find(|line| line.contains("edges.csv")).unwrap();
    assert!(wrong.contains("wrong sha256"), "{wrong}");
    assert!(!output.stdout.contains("context-open"), "a graph without a file there is passed over");
    let output = data(&arena, &["info", "tiny"], "data");
    assert_eq!(output.code, Some(5), "{}", output.stderr);
}

#[test]
fn what_is_wrong_in_a_context_graph_is_named() {
    let arena = tiny();
    let digest = || molarena_data::sha256_file(arena.path("data/tiny/edges.csv")).unwrap();
    let before = digest();
    edit(&arena, "data/tiny/edges.csv", "10,20", "10,30");
    edit(&arena, "datasets/tiny/context.toml", &before, &digest());
    let output = data(&arena, &["info", "tiny"], "data");
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    check("context-unknown-gene", &arena, &output);
    let output = data(&arena, &["info", "toy", "--leave-out", "toy"], "data");
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    check("context-option-of-a-dataset", &arena, &output);
    let output = data(&arena, &["info", "tiny", "--leave-out", "toi"], "data");
    assert_eq!(output.code, Some(2), "{}", output.stderr);
}
