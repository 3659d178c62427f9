//! The executor `slurm` on a real Slurm of two virtual nodes.

mod cluster;
mod faults;
mod measured;
mod requests;
mod same;

use std::{
    fmt::Write as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use molarena_tests::{Output, TestArena, library};

/// Asks the controller often, and takes a result for lost soon.
const EXECUTOR: &str = "[executor]\nkind = \"slurm\"\npoll = \"300ms\"\nfile_delay = \"1s\"\n";
const LIMITS: &str = "limits = { wall = \"5m\", memory = \"500MiB\" }\n";

fn plugins() -> Vec<PathBuf> {
    ["fixture_hostile", "fixture_kinds", "molarena_baselines"].map(library).to_vec()
}

/// An arena with a dataset `chains` of 60 small molecules.
fn arena() -> TestArena {
    let arena = TestArena::new();
    let ends = ["", "O", "N", "F", "Cl", "C#N", "C(=O)O", "c1ccccc1", "c1ccncc1", "C1CCCCC1"];
    let mut csv = "smiles,value\n".to_owned();
    for (row, (length, end)) in (1..=6).flat_map(|length| ends.map(|end| (length, end))).enumerate() {
        writeln!(csv, "{}{end},{}", "C".repeat(length), (row / 10) as f32 + 0.25 * (row % 10) as f32)
            .unwrap();
    }
    arena.dataset("chains", "regression", &["value"], &csv, &molarena_data::sha256_hex(csv.as_bytes()));
    arena
}

/// Writes the suite `suite.toml` with some lines before its groups of cells.
fn suite(arena: &TestArena, lines: &str, groups: &str) {
    let text = format!("schema = \"molarena.suite/1\"\nname = \"s\"\n{LIMITS}{lines}\n{groups}");
    arena.write("suite.toml", text);
}

/// A group of `seeds` cells of one method on `chains`.
fn cells(method: &str, seeds: usize) -> String {
    format!("[[cells]]\ndatasets = [\"chains\"]\nmethods = [\"{method}\"]\nseeds = {seeds}\n")
}

fn arguments(arena: &TestArena, more: &[&str]) -> Vec<String> {
    arena.run_arguments(&plugins(), &[&["suite.toml"], more].concat())
}

fn command(cluster: &cluster::Cluster, arena: &TestArena, more: &[&str]) -> Command {
    let arguments = arguments(arena, more);
    cluster.molarena(arena, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

fn run(cluster: &cluster::Cluster, arena: &TestArena, more: &[&str]) -> Output {
    read(&command(cluster, arena, more).output().unwrap())
}

fn start(cluster: &cluster::Cluster, arena: &TestArena, more: &[&str]) -> Child {
    command(cluster, arena, more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn read(output: &std::process::Output) -> Output {
    Output {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The boards of a store without costs, in each format.
fn boards(arena: &TestArena) -> [String; 3] {
    ["md", "csv", "json"].map(|format| {
        let output = arena.molarena(&["board", "--store", "store", "--no-cost", "--format", format]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    })
}

/// The names in the store's folder of jobs that are folders, lists or scripts of jobs.
fn jobs(arena: &TestArena) -> Vec<String> {
    let entries = std::fs::read_dir(arena.path("store/jobs")).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| name != "lock" && name != "name").collect()
}
