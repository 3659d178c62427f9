//! Plugins that exist, and plugins that are missing, broken or foreign: exit code 3.

use std::{path::PathBuf, process::Command};

use molarena_host::plugin::search;
use molarena_tests::{Output, TestArena, binary, library};

use crate::support::{check, toy};

/// Runs a method with `component`, whose plugin is among `plugins`.
#[track_caller]
fn refused(name: &str, component: &str, plugins: &[PathBuf], arena: &TestArena) {
    arena.method("odd", component, "{}");
    let output = arena.run(plugins, &["--dataset", "toy", "--method", "odd"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    check(name, arena, &output);
    let records = fs_err::read_dir(arena.path("store/records")).unwrap().count();
    assert_eq!(records, 0, "a refused plugin leaves no record");
}

#[test]
fn plugins_that_cannot_be_used_are_refused() {
    let arena = toy();
    refused("unknown-plugin", "nowhere/svm", &[], &arena);
    refused("unknown-component", "baselines/svm", &[], &arena);
    refused("component-of-another-kind", "fixture-kinds/linear", &[library("fixture_kinds")], &arena);
    refused("missing-plugin-file", "broken/x", &[arena.path("libmolarena_broken.so")], &arena);
    let text = arena.write("libmolarena_broken.so", "this is no library, only a text that is long enough");
    refused("plugin-that-is-no-library", "broken/x", &[text], &arena);
    let empty = arena.write("libmolarena_empty.so", "");
    refused("plugin-that-is-empty", "empty/x", &[empty], &arena);
    let foreign = library("fixture_wrong_abi");
    refused("plugin-of-another-abi", "fixture-wrong-abi/x", &[foreign], &arena);
    let renamed = arena.path("libmolarena_other.so");
    fs_err::copy(library("fixture_kinds"), &renamed).unwrap();
    refused("plugin-of-another-name", "other/x", &[renamed], &arena);
}

/// Runs `molarena` from a folder that holds only a copy of it and `plugins`.
fn alone(arena: &TestArena, plugins: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = arena.path("bin");
    fs_err::create_dir_all(&folder).unwrap();
    let program = folder.join("molarena");
    let files = plugins.iter().map(|(name, id)| (library(name), folder.join(search::file_name(id))));
    for (from, to) in files.chain([(binary(), program.clone())]).filter(|(_, to)| !to.exists()) {
        // A separate process writes the copy: if another thread forks here, the fork keeps the program open and it is
        // "busy".
        assert!(Command::new("cp").args([from, to]).status().unwrap().success());
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(arena.path("")).env_clear().env("HOME", arena.path(""));
    let output = command.output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn plugins_are_listed_and_described() {
    let arena = TestArena::new();
    let plugins = [("molarena_baselines", "baselines"), ("fixture_kinds", "fixture-kinds")];
    check("plugin-list-of-none", &arena, &alone(&arena, &[], &["plugin", "list"]));
    check("plugin-list", &arena, &alone(&arena, &plugins, &["plugin", "list"]));
    check("plugin-info", &arena, &alone(&arena, &plugins, &["plugin", "info", "fixture-kinds"]));
    let json = alone(&arena, &plugins, &["plugin", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "molarena.plugins/1");
    assert_eq!(json["plugins"].as_array().unwrap().len(), 2);
    let json = alone(&arena, &plugins, &["plugin", "info", "baselines", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["description"]["id"], "baselines");
    let unknown = alone(&arena, &plugins, &["plugin", "info", "nowhere"]);
    assert_eq!(unknown.code, Some(3));
    check("plugin-info-unknown", &arena, &unknown);

    arena.write("bin/libmolarena_broken.so", "this is no library, only a text that is long enough");
    let output = alone(&arena, &plugins, &["plugin", "list"]);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    check("plugin-list-with-a-broken-one", &arena, &output);
}

#[test]
fn the_doctor_looks_at_everything() {
    let arena = toy();
    let plugins = [("molarena_baselines", "baselines")];
    let arguments = ["doctor", "--data-dir", "data", "--datasets-dir", "datasets", "--store", "store"];
    let output = alone(&arena, &plugins, &arguments);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let names = ["machine", "confinement", "data", "plugins", "devices", "store"];
    for name in names {
        let found = output.stdout.lines().any(|line| line[5..].starts_with(&format!("{name}: ")));
        assert!(found, "no {name} in {}", output.stdout);
    }
    assert!(output.stdout.contains("molarena data fetch --all"), "{}", output.stdout);
    let arguments: Vec<&str> = arguments.into_iter().chain(["--json"]).collect();
    let json = alone(&arena, &plugins, &arguments);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let checks = json["checks"].as_array().unwrap();
    assert_eq!(checks.iter().map(|check| check["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    assert!(!arena.path("store").exists(), "the doctor changes nothing");
}
