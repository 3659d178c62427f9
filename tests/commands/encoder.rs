//! A method with an encoder, and one whose plugin fails.

use molarena_tests::{TestArena, library};

use crate::support::{check, toy};

fn encoder_method(arena: &TestArena, name: &str, features: &str, config: &str) {
    arena.write(
        &format!("methods/{name}.toml"),
        format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {features}\n\
             encoder = {{ component = \"fixture-kinds/atom-counts\", config = {config} }}\n\
             baseline = {{ component = \"fixture-kinds/nearest-centroid\" }}\n"
        ),
    );
}

#[test]
fn an_encoder_and_a_baseline_run_in_one_method() {
    let arena = toy();
    encoder_method(&arena, "counts", "{ kind = \"graphs\" }", "{ width = 12 }");
    // The arena's own floor takes dense features as well.
    arena.write(
        "methods/counts-rf.toml",
        "schema = \"molarena.method/1\"\nname = \"counts-rf\"\nfeatures = { kind = \"graphs\" }\n\
         encoder = { component = \"fixture-kinds/atom-counts\" }\n\
         baseline = { component = \"baselines/rf\", config = { n_trees = 10 } }\n",
    );
    let plugins = [library("fixture_kinds")];
    let arguments = ["--dataset", "toy", "--method", "counts", "--method", "counts-rf", "--jobs", "1"];
    let output = arena.run(&plugins, &arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("encoder", &arena, &output);
    let boards = arena.boards();
    let rows = boards["boards"][0]["rows"].as_array().unwrap();
    assert!(rows.len() == 2 && rows.iter().all(|row| row["mean"].is_number()), "{rows:?}");
    for record in arena.stored("records") {
        let record: serde_json::Value = serde_json::from_slice(&fs_err::read(record).unwrap()).unwrap();
        assert_eq!(record["composition"]["encoder"]["component"], "fixture-kinds/atom-counts");
        assert_eq!(record["composition"]["encoder"]["sha256"].as_str().unwrap().len(), 64);
    }
}

#[test]
fn features_of_the_wrong_kind_and_unknown_keys_of_an_encoder_are_refused() {
    let arena = toy();
    encoder_method(&arena, "bits", "{ kind = \"morgan\" }", "{}");
    encoder_method(&arena, "key", "{ kind = \"graphs\" }", "{ widht = 12 }");
    encoder_method(&arena, "no-width", "{ kind = \"graphs\" }", "{ width = 0 }");
    for name in ["bits", "key", "no-width"] {
        let output = arena.run(&[library("fixture_kinds")], &["--dataset", "toy", "--method", name]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        check(&format!("encoder-{name}"), &arena, &output);
    }
}

#[test]
fn failures_in_an_encoder_are_rows_with_a_reason() {
    let arena = toy();
    encoder_method(&arena, "panics", "{ kind = \"graphs\" }", "{ panic_at_row = 3 }");
    let arguments = ["--dataset", "toy", "--method", "panics", "--jobs", "1"];
    let output = arena.run(&[library("fixture_kinds")], &arguments);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    check("encoder-failures", &arena, &output);
    check("encoder-failures-board", &arena, &arena.molarena(&["board", "--store", "store", "--no-cost"]));
}

#[test]
fn a_configuration_that_the_encoder_refuses_is_refused_before_anything_runs() {
    let arena = toy();
    encoder_method(&arena, "no-width", "{ kind = \"graphs\" }", "{ width = 0 }");
    let output = arena.run(&[library("fixture_kinds")], &["--dataset", "toy", "--method", "no-width"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    check("encoder-that-refuses", &arena, &output);
}
