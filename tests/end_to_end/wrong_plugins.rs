//! A file that is not a plugin of this ABI is refused before anything runs.

use std::path::PathBuf;

use fs_err as fs;
use molarena_tests::{TestArena, library};

use crate::{chains, compile, names};

/// Requests a component of `plugin`, which is the file `path`; returns how the run is refused.
fn refusal(arena: &TestArena, plugin: &str, path: PathBuf) -> String {
    chains(arena);
    arena.method("wrong", &format!("{plugin}/any"), "{}");
    let named = path.display().to_string();
    let output = arena.run(&[path], &["--dataset", "chains", "--method", "wrong"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.starts_with("error [E-HOST-004]: "), "{}", output.stderr);
    assert!(output.stderr.contains(&named), "{}", output.stderr);
    for folder in ["store/records", "store/steps", "store/work"] {
        assert_eq!(names(arena, folder), [""; 0]);
    }
    output.stderr
}

#[test]
fn another_major_version_of_the_abi() {
    let stderr = refusal(&TestArena::new(), "fixture-wrong-abi", library("fixture_wrong_abi"));
    assert!(stderr.contains("speaks ABI 2.7, this molarena speaks 1.2"), "{stderr}");
}

#[test]
fn a_text() {
    let arena = TestArena::new();
    let path = arena.write("libmolarena_text.so", "not a library");
    let stderr = refusal(&arena, "text", path);
    assert!(stderr.contains("the file is not a library of this system (ELF)"), "{stderr}");
}

#[test]
fn a_library_that_exports_nothing() {
    let arena = TestArena::new();
    let source = arena.write("empty.c", "int unrelated;\n");
    let path = compile(&arena, &source, "libmolarena_empty.so");
    let stderr = refusal(&arena, "empty", path);
    assert!(stderr.contains("does not export `molarena_plugin_v1`"), "{stderr}");
}

#[test]
fn a_plugin_under_another_name() {
    let arena = TestArena::new();
    let path = arena.path("libmolarena_other.so");
    fs::copy(library("fixture_hostile"), &path).unwrap();
    let stderr = refusal(&arena, "other", path);
    assert!(stderr.contains("it calls itself `fixture-hostile`, but its file name says `other`"), "{stderr}");
}
