//! Tests the whole arena, from the command line to the board.

mod as_nobody;
mod believe;
mod c_plugin;
mod channels;
mod combined;
mod constructors;
mod demo;
mod determinism;
mod failures;
mod finetune;
mod hidden_labels;
mod kinds;
mod matching;
mod pretraining;
mod processes;
mod profiles;
mod resume;
mod retry;
mod shuffled;
mod steps;
mod weights;
mod wrong_plugins;

use std::{
    fmt::Write as _,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use fs_err as fs;
use molarena_data::{Protocol, Split};
use molarena_tests::{TestArena, library};
use serde_json::Value;

/// Far longer than anything takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn hostile() -> Vec<PathBuf> {
    vec![library("fixture_hostile")]
}

/// 60 small molecules: chains of one to six carbons with ten different ends.
fn molecules() -> Vec<String> {
    let ends = ["", "O", "N", "F", "Cl", "C#N", "C(=O)O", "c1ccccc1", "c1ccncc1", "C1CCCCC1"];
    (1..=6).flat_map(|length| ends.map(|end| "C".repeat(length) + end)).collect()
}

/// A regression dataset of [`molecules`] with `tasks` tasks; `label` returns the text of each label.
fn regression(arena: &TestArena, id: &str, tasks: usize, label: impl Fn(usize, usize) -> String) {
    let names: Vec<String> = (1..=tasks).map(|task| format!("task {task}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut csv = format!("smiles,{}\n", names.join(","));
    for (row, smiles) in molecules().iter().enumerate() {
        let labels: Vec<String> = (0..tasks).map(|task| label(row, task)).collect();
        writeln!(csv, "{smiles},{}", labels.join(",")).unwrap();
    }
    arena.dataset(id, "regression", &names, &csv, &molarena_data::sha256_hex(csv.as_bytes()));
}

/// A dataset `chains` with one task: a number that grows with the chain length and depends on the chain's end.
fn chains(arena: &TestArena) {
    regression(arena, "chains", 1, |row, _| format!("{}", (row / 10) as f32 + 0.25 * (row % 10) as f32));
}

/// The random split of [`molecules`] with seed 0, which every dataset here uses.
fn split() -> Split {
    Protocol::Random.split(&vec![String::new(); molecules().len()], 0)
}

/// The rows of the only board of a store.
fn rows(arena: &TestArena) -> Vec<Value> {
    let boards = arena.boards();
    assert_eq!(boards["boards"].as_array().unwrap().len(), 1, "{boards}");
    boards["boards"][0]["rows"].as_array().unwrap().clone()
}

/// The row of a method.
fn row(arena: &TestArena, method: &str) -> Value {
    let rows = rows(arena);
    rows.iter().find(|row| row["method"] == method).unwrap_or_else(|| panic!("{method}: {rows:?}")).clone()
}

/// The records of a store.
fn records(arena: &TestArena) -> Vec<Value> {
    arena.stored("records").iter().map(|path| json(&fs::read_to_string(path).unwrap())).collect()
}

/// The files of a folder by name; empty if the folder does not exist.
fn files(arena: &TestArena, folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(arena.path(folder)).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The names of [`files`].
fn names(arena: &TestArena, folder: &str) -> Vec<String> {
    let names = files(arena, folder).into_iter();
    names.map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned()).collect()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Waits until `done` returns true.
fn wait_until(what: &str, done: impl Fn() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "{what} takes too long");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The command lines of running processes that contain `text`.
fn processes(text: &str) -> Vec<String> {
    let folders = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    // A process may end during the look-up; one that has ended but is not yet collected has no command line.
    let lines = folders.filter_map(|folder| fs::read(folder.join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.contains(text)).collect()
}

/// The workers of an arena. With namespaces, each is three processes with the same command line.
fn workers(arena: &TestArena) -> Vec<String> {
    let store = fs::canonicalize(arena.path("store")).unwrap();
    let mut workers = processes(&store.join("work").display().to_string());
    workers.sort();
    workers.dedup();
    workers
}

/// Sends a signal to a process, under the name that `kill` uses.
fn signal(process: u32, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status().unwrap();
    assert!(status.success());
}

/// Compiles C to a library `name` in the arena's folder.
fn compile(arena: &TestArena, source: &std::path::Path, name: &str) -> PathBuf {
    compile_against(arena, source, name, "framework/abi/include")
}

/// Compiles a plugin against the header in a folder of the repository.
fn compile_against(arena: &TestArena, source: &std::path::Path, name: &str, header: &str) -> PathBuf {
    let output = arena.path(name);
    let run = Command::new("cc")
        .args(["-std=c99", "-shared", "-fPIC", "-I"])
        .arg(xtask::root().join(header))
        .args([source, std::path::Path::new("-o"), &output])
        .output()
        .expect("a C compiler");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    output
}
