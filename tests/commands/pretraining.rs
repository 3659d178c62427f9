//! Requests for pretraining, varied parameters and matching that are refused, and their messages.

use molarena_tests::{Output, TestArena, library};

use crate::support::{check, toy};

const ENCODER: &str = "fixture-kinds/witness";

/// Writes a method on SMILES with an encoder and the lines `more`.
fn method(arena: &TestArena, name: &str, encoder: &str, keys: &str, more: &str) {
    arena.write(
        &format!("methods/{name}.toml"),
        format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"smiles\" }}\n\
             encoder = {{ component = \"{encoder}\"{keys} }}\n{more}\n"
        ),
    );
}

const BASELINE: &str = "baseline = { component = \"fixture-kinds/nearest-centroid\" }";

fn run(arena: &TestArena, arguments: &[&str]) -> Output {
    arena.run(&[library("fixture_kinds")], &[arguments, &["--jobs", "1"]].concat())
}

/// An arena with the demo world.
fn demo() -> TestArena {
    let arena = toy();
    let made = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    arena
}

#[test]
fn methods_that_cannot_be_pretrained() {
    let arena = toy();
    let refused = |name: &str, keys: &str| {
        method(&arena, name, ENCODER, keys, BASELINE);
        let output = run(&arena, &["--dataset", "toy", "--method", name]);
        assert!(matches!(output.code, Some(2 | 5)), "{:?} {}", output.code, output.stderr);
        check(name, &arena, &output);
    };
    refused("pretrain-unknown-corpus", ", corpus = \"nowhere\"");
    refused("pretrain-unknown-dataset", ", corpus = \"demo-context\", leave_out = [\"nothing\"]");
    refused("pretrain-no-data", ", corpus = \"demo-context\"");
    method(&arena, "pretrain-no-corpus", ENCODER, ", leave_out = [\"toy\"]", BASELINE);
    let path = "methods/pretrain-no-corpus.toml";
    let text = fs_err::read_to_string(arena.path(path)).unwrap();
    fs_err::remove_file(arena.path(path)).unwrap();
    arena.write("own.toml", text);
    check("pretrain-no-corpus", &arena, &run(&arena, &["--dataset", "toy", "--method", "own.toml"]));
}

#[test]
fn an_encoder_without_training_fails_by_name() {
    let arena = demo();
    method(&arena, "untrainable", "fixture-kinds/untrainable", ", corpus = \"demo-context\"", BASELINE);
    let output = run(&arena, &["--dataset", "demo", "--method", "untrainable"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    check("pretrain-without-fit", &arena, &output);
}

#[test]
fn varied_keys_that_are_not_there() {
    let arena = toy();
    method(&arena, "witness", ENCODER, ", corpus = \"demo-context\"", BASELINE);
    let refused = |name: &str, vary: &str| {
        let text = format!(
            "schema = \"molarena.suite/1\"\nname = \"s\"\n[[cells]]\ndatasets = [\"toy\"]\nmethods = [\"witness\"]\n\
             seeds = 1\nvary = {vary}\n"
        );
        arena.write("suite.toml", text);
        let output = run(&arena, &["suite.toml"]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        check(name, &arena, &output);
    };
    refused("vary-unknown-key", "{ \"encoder.config.betta\" = [1e-9, 1e-6] }");
    refused("vary-no-part", "{ \"decoder.config.k\" = [1, 2] }");
    refused("vary-no-value", "{ \"encoder.config.steps\" = [] }");
}

#[test]
fn matches_that_cannot_be() {
    let arena = demo();
    method(&arena, "no-decoder", ENCODER, ", corpus = \"demo-context\"", BASELINE);
    let refused = |name: &str, group: &str| {
        let text = format!("schema = \"molarena.suite/1\"\nname = \"s\"\n[[match]]\n{group}\nseeds = 1\n");
        arena.write("suite.toml", text);
        let output = run(&arena, &["suite.toml"]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        check(name, &arena, &output);
    };
    let on = |spaces: &str, method: &str| {
        format!("context = \"demo-context\"\nspaces = {spaces}\nmethods = [\"{method}\"]")
    };
    refused("match-no-decoder", &on("[\"expression\"]", "no-decoder"));
    refused("match-unknown-space", &on("[\"morphologie\"]", "random-ranking"));
    refused("match-no-space", &on("[]", "random-ranking"));
    refused("match-other-corpus", &on("[\"expression\"]", "profile-knn"));
    let output = run(&arena, &["--dataset", "toy", "--method", "random-ranking"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    check("match-only-method", &arena, &output);
}
