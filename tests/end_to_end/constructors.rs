//! A library does its worst when it is opened, before it says that it is a plugin: in a worker, so the host goes on.

use molarena_tests::TestArena;

use crate::compile;

#[test]
fn a_constructor_ends_no_host() {
    let arena = TestArena::new();
    let source = xtask::root().join("tests/fixtures/c-plugin/constructor.c");
    let library = compile(&arena, &source, "libmolarena_constructor.so").display().to_string();
    for command in [
        &["plugin", "list", "--plugin", &library][..],
        &["plugin", "info", "--plugin", &library, "constructor"],
    ] {
        let output = arena.molarena(command);
        let said = output.stdout + &output.stderr;
        assert!(output.code.is_some(), "killed: {said}");
        assert!(said.contains("does not export `molarena_plugin_v1`"), "{command:?}: {said}");
        assert!(!said.contains("is set") && !said.contains("is killed"), "{said}");
    }
}
