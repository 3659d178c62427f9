//! The demo world: simulated, run and ranked as its documentation states.

use molarena_tests::TestArena;
use serde_json::Value;

/// By what a method can know, best first.
const PLANTED: [&str; 5] = ["demo-oracle", "demo-profiles", "morgan-rf", "morgan-knn", "constant"];

/// The boards of `suites/demo.toml`'s methods on the world of a seed, classification first.
fn boards(seed: &str, id: &str) -> Vec<Value> {
    let arena = TestArena::new();
    let made = arena.molarena(&["data", "simulate", "--output", "data", "--seed", seed]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    assert!(made.stdout.contains("simulated data: says nothing about chemistry"), "{}", made.stdout);
    let regression = format!("{id}-regression");
    let mut arguments = vec!["run", "--data-dir", "data", "--datasets-dir", "data", "--store", "store"];
    arguments.extend(["--dataset", id, "--dataset", &regression]);
    arguments.extend(PLANTED.iter().flat_map(|method| ["--method", method]));
    let run = arena.molarena(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let boards = arena.boards();
    boards["boards"].as_array().unwrap().clone()
}

/// The mean score of each method of [`PLANTED`], x100.
fn scores(board: &Value) -> Vec<f64> {
    let rows = board["rows"].as_array().unwrap();
    let of =
        |method: &&str| rows.iter().find(|row| row["method"] == *method).unwrap()["mean"].as_f64().unwrap();
    PLANTED.iter().map(|method| 100.0 * of(method)).collect()
}

#[test]
fn the_planted_order_is_found() {
    let worlds = [boards("0", "demo"), boards("1", "demo-s1"), boards("2", "demo-s2")];
    for (kind, higher_is_better, margins) in
        [(0, 1.0, [2.0, 3.0, 5.0, 10.0]), (1, -1.0, [5.0, 1.0, 3.0, 3.0])]
    {
        let scores: Vec<Vec<f64>> = worlds.iter().map(|boards| scores(&boards[kind])).collect();
        assert!(worlds.iter().all(|boards| boards[kind]["simulated"] == true));
        for (pair, margin) in margins.into_iter().enumerate() {
            let gaps: Vec<f64> =
                scores.iter().map(|scores| higher_is_better * (scores[pair] - scores[pair + 1])).collect();
            let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
            let names = (PLANTED[pair], PLANTED[pair + 1]);
            assert!(mean > margin && gaps.iter().all(|gap| *gap > 0.0), "{names:?}: {gaps:?} of {scores:?}");
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
