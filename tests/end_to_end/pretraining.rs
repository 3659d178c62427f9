//! Encoders that are trained on a context graph before the cells that use them.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::{Child, Stdio},
};

use molarena_chem::Molecule;
use molarena_tests::{Output, TestArena, library};
use serde_json::Value;

use crate::{files, json, names, records, signal, wait_until, workers};

/// An arena with the demo world, and the method `witness`.
pub(crate) fn world(config: &str, leave_out: &str) -> TestArena {
    let arena = TestArena::new();
    let made = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    witness(&arena, "witness", config, leave_out);
    arena
}

fn witness(arena: &TestArena, name: &str, config: &str, leave_out: &str) {
    let text = format!(
        "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"smiles\" }}\n\
         encoder = {{ component = \"fixture-kinds/witness\", corpus = \"demo-context\", config = {config}, \
         leave_out = {leave_out} }}\nbaseline = {{ component = \"fixture-kinds/nearest-centroid\" }}\n"
    );
    arena.write(&format!("methods/{name}.toml"), text);
}

fn arguments(arena: &TestArena, more: &[&str]) -> Vec<String> {
    arena.run_arguments(&[library("fixture_kinds")], &[&["--jobs", "2"], more].concat())
}

fn run(arena: &TestArena, more: &[&str]) -> Output {
    let arguments = arguments(arena, more);
    arena.molarena(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn start(arena: &TestArena, more: &[&str]) -> Child {
    let arguments = arguments(arena, more);
    let mut command = arena.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The folder of the only pretraining of a store.
fn encoder(arena: &TestArena) -> PathBuf {
    let folders = files(arena, "store/encoders");
    assert_eq!(folders.len(), 1, "{folders:?}");
    folders[0].clone()
}

/// The record of the pretraining that has this folder.
fn record_of(arena: &TestArena, folder: &Path) -> Value {
    arena.step(&folder.file_name().unwrap().to_string_lossy())
}

fn lines(folder: &Path, name: &str) -> Vec<String> {
    let text = fs_err::read_to_string(folder.join("work").join(name)).unwrap_or_default();
    text.lines().map(ToOwned::to_owned).collect()
}

fn identities<S: AsRef<str>>(smiles: impl IntoIterator<Item = S>) -> BTreeSet<String> {
    smiles.into_iter().map(|smiles| Molecule::parse(smiles.as_ref()).unwrap().identity()).collect()
}

fn smiles_of(arena: &TestArena, table: &str) -> BTreeSet<String> {
    let text = fs_err::read_to_string(arena.path(table)).unwrap();
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let column = reader.headers().unwrap().iter().position(|name| name == "smiles").unwrap();
    identities(reader.records().map(|record| record.unwrap()[column].to_owned()))
}

const BOTH: [&str; 6] = ["--dataset", "demo", "--dataset", "demo-regression", "--method", "witness"];

#[test]
fn one_pretraining_serves_all_seeds_and_datasets_and_sees_no_molecule_of_theirs() {
    let arena = world("{ steps = 2 }", "[\"demo\", \"demo-regression\"]");
    let output = run(&arena, &[&BOTH[..], &["--seeds", "3"]].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let folder = encoder(&arena);
    assert_eq!(lines(&folder, "starts.txt"), ["0"]);
    let record = record_of(&arena, &folder);
    assert_eq!(record["confined"], true);
    assert_eq!(record["cost"]["workers"], 1);
    assert_eq!(record["corpus"]["leave_out"], serde_json::json!(["demo", "demo-regression"]));

    let seen = identities(lines(&folder, "smiles.txt"));
    let (demo, context) =
        (smiles_of(&arena, "data/demo/assays.csv"), smiles_of(&arena, "data/demo/molecules.csv"));
    assert!(seen.is_disjoint(&demo));
    let left_out = context.intersection(&demo).count();
    assert!(left_out > 0, "the demo world has molecules in both");
    assert_eq!(record["corpus"]["left_out"], left_out);
    assert_eq!(record["corpus"]["nodes"]["molecule"], seen.len());
    assert_eq!(seen.len() + left_out, context.len());

    let records = records(&arena);
    assert_eq!(records.len(), 6);
    for cell in records {
        let pretraining = &cell["composition"]["pretraining"];
        assert_eq!(pretraining["key"], record["key"]);
        assert_eq!(
            (&pretraining["corpus"], &pretraining["left_out"]),
            (&"demo-context".into(), &left_out.into())
        );
        for part in ["wall_s", "cpu_s", "peak_rss_mb", "threads", "workers"] {
            assert_eq!(cell["pretrain_cost"][part], record["cost"][part], "{part}");
        }
    }
    // Both datasets have the same molecules, which are encoded once, whatever the seed.
    assert_eq!((arena.steps("encode").len(), arena.steps("fit").len()), (1, 6));
    // Nothing runs twice, and another pretraining seed is another pretraining.
    let again = run(&arena, &[&BOTH[..], &["--seeds", "3", "--json"]].concat());
    assert_eq!(json(&again.stdout)["resumed"], 6, "{}", again.stderr);
    assert_eq!(lines(&folder, "starts.txt"), ["0"]);
    let text = fs_err::read_to_string(arena.path("methods/witness.toml")).unwrap();
    arena.write("methods/witness.toml", text.replace("config =", "pretrain_seed = 1, config ="));
    assert_eq!(run(&arena, &BOTH).code, Some(0));
    assert_eq!(files(&arena, "store/encoders").len(), 2);
}

#[test]
fn without_a_list_each_dataset_leaves_by_itself() {
    let arena = world("{}", "[]");
    let text = fs_err::read_to_string(arena.path("methods/witness.toml")).unwrap();
    arena.write("methods/witness.toml", text.replace(", leave_out = []", ""));
    assert_eq!(run(&arena, &["--dataset", "demo", "--method", "witness"]).code, Some(0));
    let record = record_of(&arena, &encoder(&arena));
    assert_eq!(record["corpus"]["leave_out"], serde_json::json!(["demo"]));
    assert!(record["corpus"]["left_out"].as_u64().unwrap() > 0);
}

const SLOW: &str = "{ steps = 12, step_ms = 150 }";
const ONE: [&str; 4] = ["--dataset", "demo", "--method", "witness"];

/// Starts a run and waits until the third step of its pretraining.
fn start_and_wait(arena: &TestArena) -> Child {
    let child = start(arena, &ONE);
    let steps = || {
        let folder = files(arena, "store/encoders").pop();
        folder.is_some_and(|folder| lines(&folder, "training.csv").len() >= 3)
    };
    wait_until("three steps", steps);
    child
}

/// Runs the same command again: the training resumes from its checkpoint, and its cost includes both workers.
fn finish(arena: &TestArena) {
    wait_until("the end of orphaned workers", || workers(arena).is_empty());
    let folder = encoder(arena);
    assert!(arena.steps("pretrain").is_empty());
    let output = run(arena, &ONE);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let starts: Vec<u64> = lines(&folder, "starts.txt").iter().map(|line| line.parse().unwrap()).collect();
    assert!(starts.len() == 2 && starts[0] == 0 && starts[1] >= 2, "{starts:?}");
    let steps = lines(&folder, "training.csv");
    let distinct: BTreeSet<&String> = steps.iter().collect();
    assert_eq!(distinct.len(), 12, "{steps:?}");
    // The step at which it was killed may occur twice.
    assert!(steps.len() <= 13, "{steps:?}");
    let cost = &record_of(arena, &folder)["cost"];
    assert_eq!(cost["workers"], 2);
    assert!(!folder.join("spent.json").exists());
}

#[test]
fn a_killed_pretraining_goes_on_from_its_checkpoint() {
    let arena = world(SLOW, "[]");
    let mut child = start_and_wait(&arena);
    child.kill().unwrap();
    child.wait().unwrap();
    finish(&arena);
}

#[test]
fn an_interrupted_pretraining_goes_on_from_its_checkpoint() {
    let arena = world(SLOW, "[]");
    let child = start_and_wait(&arena);
    signal(child.id(), "INT");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(names(&arena, "store/work"), [""; 0]);
    finish(&arena);
}

#[test]
fn two_runs_on_one_store_pretrain_once() {
    let arena = world(SLOW, "[]");
    let runs = [start(&arena, &ONE), start(&arena, &[&ONE[..], &["--seeds", "2"]].concat())];
    for child in runs {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(lines(&encoder(&arena), "starts.txt"), ["0"]);
    assert_eq!(records(&arena).len(), 2);
}

#[test]
fn a_failed_pretraining_is_the_failure_of_all_its_cells_until_it_is_tried_again() {
    let arena = world("{ steps = 4, panic_at_step = 2 }", "[]");
    let output = run(&arena, &[&ONE[..], &["--seeds", "2"]].concat());
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    for record in records(&arena) {
        assert_eq!(record["outcome"]["reason"], "panic");
        assert_eq!(record["outcome"]["message"], "pretraining: panicked: asked to panic at step 2");
    }
    let folder = encoder(&arena);
    assert_eq!(record_of(&arena, &folder)["outcome"]["status"], "failed");
    // The failure stays until a retry is requested; the retry resumes from the checkpoint.
    assert_eq!(run(&arena, &[&ONE[..], &["--seeds", "3"]].concat()).code, Some(10));
    assert_eq!(lines(&folder, "starts.txt"), ["0"]);
    assert_eq!(run(&arena, &[&ONE[..], &["--retry-failed"]].concat()).code, Some(10));
    assert_eq!(lines(&folder, "starts.txt"), ["0", "2"]);
    assert_eq!(record_of(&arena, &folder)["cost"]["workers"], 2);
}

#[test]
fn a_pretraining_cannot_read_the_data_and_ends_at_its_limit() {
    let arena = TestArena::new();
    let data = arena.path("data/demo/assays.csv").display().to_string();
    let made = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    witness(&arena, "witness", &format!("{{ read = {data:?} }}"), "[]");
    assert_eq!(run(&arena, &ONE).code, Some(10));
    let failure = records(&arena)[0]["outcome"].clone();
    assert_eq!(failure["reason"], "error");
    // Without a file system of its own, the worker finds the file and may not open it.
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains("No such file") || message.contains("Permission denied"), "{failure}");

    witness(&arena, "endless", "{ steps = 100000, step_ms = 20 }", "[]");
    arena.write(
        "suite.toml",
        "schema = \"molarena.suite/1\"\nname = \"s\"\nlimits = { wall = \"1m\", pretrain = { wall = \"1s\" } }\n\
         [[cells]]\ndatasets = [\"demo\"]\nmethods = [\"endless\"]\nseeds = 1\n",
    );
    assert_eq!(run(&arena, &["suite.toml"]).code, Some(10));
    let records = records(&arena);
    let endless = records.iter().find(|record| record["method"] == "endless").unwrap();
    assert_eq!(endless["outcome"]["reason"], "timeout");
    assert_eq!(endless["outcome"]["message"], "pretraining: over the limit of 1s");
}

#[test]
fn predict_and_embed_use_the_encoders_of_the_store() {
    let arena = world("{ steps = 3 }", "[]");
    assert_eq!(run(&arena, &ONE).code, Some(0));
    arena.write("new.csv", "smiles\nCCO\nc1ccccc1O\n");
    let plugin = library("fixture_kinds").display().to_string();
    let places = ["--data-dir", "data", "--methods-dir", "methods", "--store", "store", "--plugin", &plugin];
    let predict =
        ["predict", "--dataset", "demo", "--method", "witness", "--input", "new.csv", "--output", "p.csv"];
    let output = arena.molarena(&[&predict[..], &places[..]].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let folder = encoder(&arena);
    assert_eq!(lines(&folder, "starts.txt"), ["0"], "the run's encoder");
    // Nothing is evaluated, so no molecule is removed.
    let embed = ["embed", "new.csv", "--method", "witness", "--output", "z.csv"];
    let output = arena.molarena(&[&embed[..], &places[..]].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let all = smiles_of(&arena, "data/demo/molecules.csv").len();
    let text = fs_err::read_to_string(arena.path("z.csv")).unwrap();
    let vector = text.lines().nth(1).unwrap();
    assert!(vector.ends_with(&format!(",3,{all},3")), "{text}");
    assert_eq!(files(&arena, "store/encoders").len(), 2);
}
