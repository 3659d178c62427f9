//! A plugin in C gets the same scores as its twin in Rust.

use molarena_tests::TestArena;

use crate::{compile, regression, row};

#[test]
fn the_c_plugin_scores_as_the_baseline() {
    let arena = TestArena::new();
    // Every third label of the second task is missing.
    regression(&arena, "gaps", 2, |row, task| match (row % 3, task) {
        (0, 1) => String::new(),
        _ => format!("{}", row as f32 * 0.5 - 3.0 * task as f32),
    });
    let source = xtask::root().join("tests/fixtures/c-plugin/constant.c");
    let library = compile(&arena, &source, "libmolarena_c_plugin.so");
    arena.method("c", "c-plugin/constant", "{}");
    arena.method("rust", "baselines/constant", "{}");
    let output = arena.run(&[library], &["--dataset", "gaps", "--method", "c", "--method", "rust"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let (c, rust) = (row(&arena, "c"), row(&arena, "rust"));
    assert_eq!((&c["mean"], &c["per_task"]), (&rust["mean"], &rust["per_task"]));
    assert!(c["mean"].as_f64().unwrap() > 0.0);
}
