//! A plugin in C gets the same scores as its twin in Rust.

use molarena_tests::TestArena;

use crate::{compile, compile_against, regression, row};

/// Every third label of the second task is missing.
fn gaps(arena: &TestArena) {
    regression(arena, "gaps", 2, |row, task| match (row % 3, task) {
        (0, 1) => String::new(),
        _ => format!("{}", row as f32 * 0.5 - 3.0 * task as f32),
    });
}

#[test]
fn the_c_plugin_scores_as_the_baseline() {
    let arena = TestArena::new();
    gaps(&arena);
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

/// `first-minor/molarena.h` is the header of ABI 1.0, as it was: a library that knows no more keeps loading.
#[test]
fn a_library_of_the_first_minor_version_scores_the_same() {
    let source = xtask::root().join("tests/fixtures/c-plugin/constant.c");
    let mean = |header: &str| {
        let arena = TestArena::new();
        gaps(&arena);
        let library = compile_against(&arena, &source, "libmolarena_c_plugin.so", header);
        arena.method("c", "c-plugin/constant", "{}");
        let output = arena.run(&[library], &["--dataset", "gaps", "--method", "c"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        row(&arena, "c")["mean"].clone()
    };
    assert_eq!(mean("tests/fixtures/c-plugin/first-minor"), mean("framework/abi/include"));
}
