//! Encoders that are fine-tuned end to end with a head on labels.

use molarena_tests::{Output, TestArena, library, python};
use ndarray::Array2;
use serde_json::{Value, json};

use crate::{chains, hostile, json as parsed, pretraining::world, records, row};

/// A method without a baseline, whose encoder is fine-tuned.
fn method(arena: &TestArena, name: &str, features: &str, encoder: &str, finetune: &str, more: &str) {
    let text = format!(
        "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"{features}\" }}\n{more}\n\
         encoder = {{ component = \"{encoder}, finetune = {finetune} }}\n"
    );
    arena.write(&format!("methods/{name}.toml"), text);
}

/// A witness that is fine-tuned, pretrained on the demo world's context graph for `steps` steps.
fn pretrained(arena: &TestArena, name: &str, steps: usize, finetune: &str, more: &str) {
    let encoder = format!(
        "fixture-kinds/witness\", corpus = \"demo-context\", leave_out = [], config = {{ steps = {steps} }}"
    );
    method(arena, name, "smiles", &encoder, finetune, more);
}

fn run(arena: &TestArena, dataset: &str, methods: &[&str], more: &[&str]) -> Output {
    let mut arguments = vec!["--dataset", dataset, "--jobs", "2"];
    arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
    arguments.extend(more);
    let mut libraries = hostile();
    libraries.extend(["fixture_kinds", "molarena_baselines"].map(library));
    arena.run(&libraries, &arguments)
}

fn record(arena: &TestArena, method: &str) -> Value {
    let found = records(arena).into_iter().find(|record| record["method"] == method);
    found.unwrap_or_else(|| panic!("no record of {method}"))
}

fn predictions(arena: &TestArena, method: &str) -> Array2<f32> {
    let key = record(arena, method)["fit_key"].as_str().unwrap().to_owned();
    ndarray_npy::read_npy(arena.artifact(&key, "test.npy")).unwrap()
}

#[test]
fn a_pretrained_encoder_learns_from_molecules_and_labels_without_an_encoding() {
    let arena = world("{ steps = 2 }", "[]");
    pretrained(&arena, "tuned", 2, "{ smoothing = 2.0 }", "");
    method(&arena, "from-nothing", "smiles", "fixture-kinds/witness\"", "{ smoothing = 2.0 }", "");
    let output = run(&arena, "demo", &["tuned", "from-nothing"], &["--seeds", "2"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!((arena.steps("pretrain").len(), arena.steps("encode").len()), (1, 0));
    let fits = arena.steps("fit");
    assert_eq!(fits.len(), 4, "the seed draws the head");
    let tuned = record(&arena, "tuned");
    assert_eq!(tuned["confined"], row(&arena, "tuned")["confined"]);
    let composition = &tuned["composition"];
    assert_eq!(composition["finetune"], json!({ "smoothing": 2.0 }));
    assert_eq!(
        (&composition["baseline"], &composition["encoder"]["component"]),
        (&Value::Null, &"fixture-kinds/witness".into())
    );
    assert_eq!(composition["pretraining"]["corpus"], "demo-context");
    assert_eq!(tuned["pretrain_cost"]["workers"], 1);
    assert_eq!(tuned["corpora"], json!(["an unpublished corpus", "toy"]));
    // The model starts from the pretraining's state: without it the predictions are others.
    assert_ne!(predictions(&arena, "tuned"), predictions(&arena, "from-nothing"));
    assert!(row(&arena, "tuned")["mean"].is_number());

    // A method with a baseline has the steps that it had, and names no fine-tuning.
    let output = run(&arena, "demo", &["witness", "tuned"], &["--seeds", "2", "--json"]);
    assert_eq!((output.code, &parsed(&output.stdout)["resumed"]), (Some(0), &2.into()), "{}", output.stderr);
    assert_eq!(
        (arena.steps("pretrain").len(), arena.steps("encode").len()),
        (1, 1),
        "one pretraining for both"
    );
    assert!(record(&arena, "witness")["composition"].get("finetune").is_none());
    let info = arena.molarena(&[
        "plugin",
        "info",
        "fixture-kinds",
        "--plugin",
        library("fixture_kinds").to_str().unwrap(),
    ]);
    assert!(
        info.stdout.contains("can be fine-tuned, by `finetune = { ... }` of a method's `encoder`"),
        "{}",
        info.stdout
    );
    assert_eq!(info.stdout.matches("can be fine-tuned").count(), 1, "{}", info.stdout);
}

#[test]
fn it_is_tuned_varied_and_part_of_an_ensemble() {
    let arena = TestArena::new();
    chains(&arena);
    let witness = "fixture-kinds/witness\"";
    method(&arena, "tuned", "smiles", witness, "{}", "tune = { grid = { smoothing = [1000, 0.01, 1] } }");
    method(&arena, "one", "smiles", witness, "{ smoothing = 0.01 }", "");
    arena.method("knn", "baselines/knn", "{ k = 3 }");
    arena.write(
        "methods/both.toml",
        "schema = \"molarena.method/1\"\nname = \"both\"\nensemble = { members = [\"one\", \"knn\"] }\n",
    );
    let output = run(&arena, "chains", &["tuned", "one", "both"], &[]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let search = &record(&arena, "tuned")["search"];
    let settings: Vec<&Value> =
        search["candidates"].as_array().unwrap().iter().map(|candidate| &candidate["config"]).collect();
    // The schema's numbers are numbers, whether whole or not.
    assert_eq!(json!(settings), json!([{ "smoothing": 1000 }, { "smoothing": 0.01 }, { "smoothing": 1 }]));
    assert_ne!(search["chosen"], 0, "so much smoothing is the mean: {search}");
    let members = &record(&arena, "both")["composition"]["members"];
    assert_eq!(members[0]["composition"]["finetune"], json!({ "smoothing": 0.01 }));
    arena.write(
        "suite.toml",
        "schema = \"molarena.suite/1\"\nname = \"s\"\n[[cells]]\ndatasets = [\"chains\"]\nmethods = [\"one\"]\nseeds = 1\n\
         vary = { \"encoder.finetune.smoothing\" = [0.5, 2.0] }\n",
    );
    let arguments = arena.run_arguments(&[library("fixture_kinds")], &["suite.toml"]);
    let output = arena.molarena(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let varied = record(&arena, "one[smoothing=2.0]");
    assert_eq!(varied["composition"]["finetune"], json!({ "smoothing": 2.0 }));
}

#[test]
fn a_model_is_trained_used_and_made_again() {
    let arena = world("{ steps = 2 }", "[]");
    pretrained(&arena, "tuned", 2, "{}", "tune = { grid = { smoothing = [0.5, 2.0] } }");
    assert_eq!(run(&arena, "demo", &["tuned"], &[]).code, Some(0));
    arena.write("new.csv", "smiles\nCCO\nc1ccccc1O\nCCCCCCCCN\n");
    let plugin = library("fixture_kinds").display().to_string();
    let molarena = |arguments: &[&str]| {
        let output = arena.molarena(&[arguments, &["--plugin", &plugin]].concat());
        assert_eq!(output.code, Some(0), "{arguments:?}: {}", output.stderr);
        output
    };
    let places = [
        "--data-dir",
        "data",
        "--methods-dir",
        "methods",
        "--store",
        "store",
        "--dataset",
        "demo",
        "--method",
        "tuned",
    ];
    molarena(&[&["train", "--output", "model"], &places[..]].concat());
    let model: Value = parsed(&fs_err::read_to_string(arena.path("model/model.json")).unwrap());
    let member = &model["members"][0];
    assert_eq!(member["baseline"]["used"]["component"], "fixture-kinds/witness");
    assert!([0.5, 2.0].map(|value| json!({ "smoothing": value })).contains(&member["finetune"]), "{member}");
    assert_eq!(member["encoder"], Value::Null);
    molarena(&[
        "predict",
        "--model",
        "model",
        "--input",
        "new.csv",
        "--output",
        "by-model.csv",
        "--store",
        "store",
    ]);
    molarena(&[&["predict", "--input", "new.csv", "--output", "at-once.csv"], &places[..]].concat());
    let text = |name: &str| fs_err::read_to_string(arena.path(name)).unwrap();
    assert_eq!(text("by-model.csv"), text("at-once.csv"));
    assert_eq!(text("by-model.csv").lines().count(), 4);

    let again = molarena(&["reproduce", "--store", "store", "--method", "tuned", "--data-dir", "data"]);
    assert!(again.stdout.contains("identical, largest difference of predictions 0.0000"), "{}", again.stdout);
    let embed = ["embed", "new.csv", "--output", "z.csv", "--method", "tuned", "--plugin", &plugin];
    let embed = arena.molarena(&[&embed[..], &places[..6]].concat());
    assert_eq!(embed.code, Some(2), "{}", embed.stderr);
    assert!(
        embed.stderr.contains("name a method that has this encoder without `finetune`"),
        "{}",
        embed.stderr
    );
}

#[test]
fn what_cannot_be_fine_tuned_is_refused_before_data_are_read() {
    let arena = TestArena::new();
    chains(&arena);
    // Nothing of this dataset can be read.
    fs_err::remove_dir_all(arena.path("data")).unwrap();
    let refused = |features: &str, encoder: &str, finetune: &str, more: &str, parts: &[&str]| {
        method(&arena, "refused", features, encoder, finetune, more);
        let output = run(&arena, "chains", &["methods/refused.toml"], &[]);
        assert_eq!(output.code, Some(2), "{encoder} {finetune} {more}: {}", output.stderr);
        for part in parts {
            assert!(output.stderr.contains(part), "{part}: {}", output.stderr);
        }
    };
    let library = library("fixture_kinds");
    refused(
        "smiles",
        "fixture-kinds/untrainable\"",
        "{}",
        "",
        &[
            "method `refused`: encoder `fixture-kinds/untrainable` of the plugin ",
            library.to_str().unwrap(),
            "cannot be fine-tuned: it does not offer molarena.encoder.finetune/1; take `finetune` out of the method and name a \
             `baseline`, or use an encoder that offers it: witness",
            "E-HOST-022",
        ],
    );
    let witness = "fixture-kinds/witness\"";
    let of = "configuration of `fixture-kinds/witness`: finetune: ";
    refused("smiles", witness, "{ smothing = 1.0 }", "", &[of, "smothing"]);
    refused("smiles", witness, "{ smoothing = -1.0 }", "", &[of, "`smoothing` is -1, must be above 0"]);
    refused("smiles", witness, "{}", "tune = { grid = { k = [1, 2] } }", &[of, "k"]);
    refused(
        "graphs",
        witness,
        "{}",
        "",
        &["`fixture-kinds/witness` takes `smiles`, but the features give `graphs`"],
    );
    refused("smiles", witness, "3", "", &["encoder.finetune must be a table"]);
    let head = "encoder.finetune predicts with a head of its own: a method with it has no `baseline`, `decoder` or `join`";
    refused("smiles", witness, "{}", "baseline = { component = \"baselines/knn\" }", &[head]);
    refused("smiles", witness, "{}", "join = { kind = \"descriptors\" }", &[head]);
}

#[test]
fn what_a_hostile_model_does_is_a_row_with_its_reason() {
    let arena = TestArena::new();
    chains(&arena);
    let endings = [
        ("good", "", ""),
        ("nan", "not-finite", "1 of 6 values are NaN or infinite, the first at row 5, column 0"),
        ("panic", "panic", "panicked: the hostile plugin panics"),
        ("segfault", "signal", "SIGSEGV"),
        ("wrong-shape", "wrong-shape", "expected 6 x 1, the plugin gave 6 x 2"),
    ];
    for (name, ..) in endings {
        method(&arena, name, "morgan", &format!("fixture-hostile/{name}\""), "{}", "");
    }
    let output = run(&arena, "chains", &endings.map(|(name, ..)| name), &[]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    for (name, reason, message) in &endings[1..] {
        let row = row(&arena, name);
        assert_eq!(row["failed"], json!({ *reason: 1 }), "{row}");
        assert!(row["failures"][0]["message"].as_str().unwrap().contains(message), "{row}");
    }
    assert!(row(&arena, "good")["mean"].is_number());
}

#[test]
fn an_encoder_in_python_is_fine_tuned() {
    let Some(environment) = python::environment() else { return };
    let arena = TestArena::new();
    chains(&arena);
    let plugin = python::plugin(&arena.path(""), environment);
    method(&arena, "scaled", "smiles", "python-fixture/scaled\"", "{ steps = 200 }", "");
    method(&arena, "fixed", "smiles", "python-fixture/lengths\"", "{}", "");
    method(&arena, "wrong", "smiles", "python-fixture/scaled\"", "{ steps = 0 }", "");
    arena.method("constant", "baselines/constant", "{}");
    let run = |methods: &[&str]| {
        let mut arguments = vec!["--dataset", "chains"];
        arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
        arena.run(&[plugin.clone(), library("molarena_baselines")], &arguments)
    };
    let output = run(&["scaled", "constant"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let score = |name: &str| row(&arena, name)["mean"].as_f64().unwrap();
    assert!(score("scaled") < 0.8 * score("constant"), "{} {}", score("scaled"), score("constant"));
    assert_eq!(record(&arena, "scaled")["composition"]["finetune"], json!({ "steps": 200 }));
    let refused = run(&["fixed"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("python-fixture/lengths` of the plugin ")
            && refused.stderr.contains(": scaled"),
        "{}",
        refused.stderr
    );
    let refused = run(&["wrong"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("finetune: ") && refused.stderr.contains("steps"), "{}", refused.stderr);
}
