//! Simulates and runs the demo world, and checks the ranking that its documentation states.

use molarena_tests::TestArena;
use serde_json::Value;

/// Methods by what they can know, best first; the order within a line is free.
const PLANTED: [&[&str]; 5] =
    [&["demo-oracle"], &["demo-profiles"], &["morgan-rf", "morgan-gp"], &["morgan-knn"], &["constant"]];

/// The boards of the methods in `suites/demo.toml` on the world with this seed, classification first.
fn boards(seed: &str, id: &str) -> Vec<Value> {
    let arena = TestArena::new();
    let made = arena.molarena(&["data", "simulate", "--output", "data", "--seed", seed]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stdout.contains("simulated data: says nothing about chemistry"), "{}", made.stdout);
    let regression = format!("{id}-regression");
    let mut arguments = vec!["run", "--data-dir", "data", "--datasets-dir", "data", "--store", "store"];
    arguments.extend(["--dataset", id, "--dataset", &regression]);
    arguments.extend(PLANTED.concat().iter().flat_map(|method| ["--method", method]));
    let run = arena.molarena(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let boards = arena.boards();
    boards["boards"].as_array().unwrap().clone()
}

/// The worst and the best score of each line of [`PLANTED`], x100; errors are negated, so higher is better.
fn scores(board: &Value) -> Vec<(f64, f64)> {
    let sign = if board["metric"] == "mae" { -100.0 } else { 100.0 };
    let rows = board["rows"].as_array().unwrap();
    let of = |method: &&str| {
        sign * rows.iter().find(|row| row["method"] == *method).unwrap()["mean"].as_f64().unwrap()
    };
    let ends = |methods: &&[&str]| {
        let scores: Vec<f64> = methods.iter().map(of).collect();
        (
            scores.iter().copied().fold(f64::INFINITY, f64::min),
            scores.into_iter().fold(f64::NEG_INFINITY, f64::max),
        )
    };
    PLANTED.iter().map(ends).collect()
}

#[test]
fn the_planted_order_is_found() {
    let worlds = [boards("0", "demo"), boards("1", "demo-s1"), boards("2", "demo-s2")];
    // The smallest mean distance from each line to the next over the three worlds.
    for (kind, margins) in [(0, [2.0, 4.0, 5.0, 10.0]), (1, [5.0, 1.0, 2.0, 3.0])] {
        assert!(worlds.iter().all(|boards| boards[kind]["simulated"] == true));
        let scores: Vec<Vec<(f64, f64)>> = worlds.iter().map(|boards| scores(&boards[kind])).collect();
        for (line, margin) in margins.into_iter().enumerate() {
            let gaps: Vec<f64> = scores.iter().map(|scores| scores[line].0 - scores[line + 1].1).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let found = mean > margin && gaps.iter().all(|gap| *gap > 0.0);
            assert!(found, "{:?} above {:?}: {gaps:?} of {scores:?}", PLANTED[line], PLANTED[line + 1]);
        }
    }
}

#[test]
fn a_world_is_fetched_verified_and_said_to_be_simulated() {
    let arena = TestArena::new();
    let data = ["--data-dir", "data"];
    let molarena = |arguments: &[&str]| {
        let output = arena.molarena(&[arguments, &data].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    };
    assert!(molarena(&["data", "fetch", "demo", "demo-regression"]).contains("truth.npz: written"));
    let verified = molarena(&["data", "verify", "demo", "demo-regression"]);
    assert!(verified.lines().all(|line| line.ends_with(": ok")), "{verified}");
    assert!(molarena(&["data", "list"]).contains("Demo (simulated)"));
    for json in [false, true] {
        let info = if json { vec!["data", "info", "demo", "--json"] } else { vec!["data", "info", "demo"] };
        let text = molarena(&info);
        let wanted =
            if json { "\"simulated\": true" } else { "simulated data: says nothing about chemistry" };
        assert!(text.contains(wanted), "{text}");
    }
    arena.write("data/demo/assays.csv", "other");
    let refused = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    assert!(refused.stderr.contains("assays.csv is there with other bytes"), "{}", refused.stderr);
    let wrong = arena.molarena(&["data", "simulate", "--output", "data", "--genes", "3"]);
    assert_eq!(wrong.code, Some(2), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("--genes: 3 is not from 150"), "{}", wrong.stderr);
}
