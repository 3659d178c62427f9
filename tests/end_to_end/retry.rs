//! A failed cell stays failed until a retry is requested.

use molarena_tests::TestArena;

use crate::{chains, hostile, json, row};

#[test]
fn failed_cells_run_again_when_asked() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("good", "fixture-hostile/good", "{}");
    arena.method("slow", "fixture-hostile/good", "{ sleep_ms = 4500 }");
    let run = |arguments: &[&str]| {
        let both = ["--dataset", "chains", "--method", "good", "--method", "slow", "--json"];
        let output = arena.run(&hostile(), &[&both, arguments].concat());
        let summary = json(&output.stdout);
        (output.code, ["scored", "failed", "resumed"].map(|count| summary[count].as_u64().unwrap()))
    };
    assert_eq!(run(&["--wall-limit", "2s"]), (Some(10), [1, 1, 0]));
    assert_eq!(row(&arena, "slow")["failed"], serde_json::json!({ "timeout": 1 }));
    assert_eq!(run(&[]), (Some(10), [0, 1, 1]));
    assert_eq!(run(&["--retry-failed"]), (Some(0), [1, 0, 1]));
    let (good, slow) = (row(&arena, "good"), row(&arena, "slow"));
    assert_eq!((&slow["mean"], &slow["failed"]), (&good["mean"], &serde_json::json!({})));
}
