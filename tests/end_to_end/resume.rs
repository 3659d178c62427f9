//! A killed or interrupted run resumes where it stopped.

use std::{
    os::unix::fs::MetadataExt,
    path::PathBuf,
    process::{Child, Stdio},
};

use molarena_tests::TestArena;

use crate::{chains, hostile, json, names, signal, wait_until, workers};

const CELLS: usize = 10;
const ARGUMENTS: [&str; 9] =
    ["--dataset", "chains", "--method", "slow", "--seeds", "10", "--jobs", "1", "--json"];

fn arena() -> TestArena {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("slow", "fixture-hostile/good", "{ sleep_ms = 300 }");
    arena
}

/// Starts a run and waits until some of its cells are finished.
fn start(arena: &TestArena) -> Child {
    let arguments = arena.run_arguments(&hostile(), &ARGUMENTS);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut command = arena.command(&arguments);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("two cells", || arena.stored("records").len() >= 2);
    child
}

/// Path, inode and modification time of each record.
fn identities(arena: &TestArena) -> Vec<(PathBuf, u64, i64, i64)> {
    let paths = arena.stored("records").into_iter();
    let identity = |path: PathBuf| {
        let metadata = path.metadata().unwrap();
        (path, metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
    };
    paths.map(identity).collect()
}

fn boards(arena: &TestArena) -> [String; 3] {
    ["md", "csv", "json"].map(|format| {
        let output = arena.molarena(&["board", "--store", "store", "--no-cost", "--format", format]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    })
}

/// Runs the same command again: only the missing cells run, and the board equals that of an undisturbed run.
fn finish(arena: &TestArena) {
    let before = identities(arena);
    assert!(before.len() < CELLS, "the run ended before it was stopped");
    let output = arena.run(&hostile(), &ARGUMENTS);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let summary = json(&output.stdout);
    assert_eq!(summary["resumed"], before.len());
    assert_eq!(summary["scored"], CELLS - before.len());
    let lines = output.stderr.lines().filter(|line| line.contains(" slow seed ")).count();
    assert_eq!(lines, CELLS - before.len(), "{}", output.stderr);
    let after = identities(arena);
    assert_eq!(after.len(), CELLS);
    assert!(before.iter().all(|identity| after.contains(identity)), "{before:?} {after:?}");

    let undisturbed = self::arena();
    let output = undisturbed.run(&hostile(), &ARGUMENTS);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(boards(arena), boards(&undisturbed));
}

#[test]
fn as_many_cells_run_at_a_time_as_there_are_jobs() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("slow", "fixture-hostile/good", "{ sleep_ms = 1000 }");
    let arguments = ["--dataset", "chains", "--method", "slow", "--seeds", "4", "--jobs", "2"];
    let arguments = arena.run_arguments(&hostile(), &arguments);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let run = arena.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_until("the store", || arena.path("store/work").is_dir());
    wait_until("two workers at a time", || workers(&arena).len() == 2);
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(arena.stored("records").len(), 4);
}

#[test]
fn a_killed_run_goes_on_with_the_missing_cells() {
    let arena = arena();
    let mut run = start(&arena);
    run.kill().unwrap();
    run.wait().unwrap();
    wait_until("the end of orphaned workers", || workers(&arena).is_empty());
    finish(&arena);
}

#[test]
fn an_interrupted_run_says_so_and_goes_on() {
    let arena = arena();
    let run = start(&arena);
    signal(run.id(), "INT");
    let output = run.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("interrupted; finished cells are stored"), "{stderr}");
    assert!(workers(&arena).is_empty());
    assert_eq!(names(&arena, "store/work"), [""; 0]);
    assert!(arena.stored("records").len() >= 2);
    finish(&arena);
}
