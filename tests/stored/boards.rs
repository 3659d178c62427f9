//! Boards and figures of the store, byte for byte.

use std::path::Path;

use fs_err as fs;
use molarena_tests::{TestArena, copy};

use crate::{fixture, read};

/// An arena whose folder `store` is a copy of the fixture.
fn arena() -> TestArena {
    let arena = TestArena::new();
    for folder in ["records", "fits", "matches", "encoders"] {
        copy(&fixture().join(folder), &arena.path("store").join(folder));
    }
    arena
}

#[track_caller]
fn same(name: &str, found: &str) {
    let expected = read(&fixture().join("boards").join(name));
    if found != expected {
        let differs = found.lines().zip(expected.lines()).position(|(found, expected)| found != expected);
        let line = differs.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
        let at = |text: &str| text.lines().nth(line).unwrap_or("the end").to_owned();
        panic!("{name}, line {}:\nfound    {}\nexpected {}", line + 1, at(found), at(&expected));
    }
}

#[test]
fn boards_are_those_of_the_build_that_made_the_store() {
    let arena = arena();
    for (name, arguments) in [
        ("boards.md", "--format md"),
        ("boards-no-cost.md", "--format md --no-cost"),
        ("boards.csv", "--format csv"),
        ("boards-no-cost.csv", "--format csv --no-cost"),
        ("boards.json", "--format json"),
        ("boards-no-cost.json", "--format json --no-cost"),
        ("matches.csv", "--format csv --matches"),
        ("matches-no-cost.csv", "--format csv --matches --no-cost"),
    ] {
        let arguments: Vec<&str> =
            "board --store store --no-intervals".split(' ').chain(arguments.split(' ')).collect();
        let output = arena.molarena(&arguments);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        same(name, &output.stdout);
    }
}

#[test]
fn figures_are_those_of_the_build_that_made_the_store() {
    let arena = arena();
    let datasets = "--dataset demo-44bb9105 --dataset demo-44bb9105-regression";
    let sweep = |parameter: &str| format!("-x {parameter} {datasets}");
    for what in [sweep("baseline.config.k"), sweep("encoder.config.width"), "--ranks".into()] {
        let arguments: Vec<&str> = "plot --store store -o plots".split(' ').chain(what.split(' ')).collect();
        let output = arena.molarena(&arguments);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    }
    let log = fs::read_dir(arena.path("store/encoders")).unwrap().map(|entry| entry.unwrap().path());
    let log = log.map(|folder| folder.join("work/training.csv"));
    // The fixture plugin writes another kind of log.
    let log = log.filter(|path| fs::read_to_string(path).is_ok_and(|text| text.starts_with("epoch"))).min();
    let log = log.unwrap().display().to_string();
    let output = arena.molarena(&["plot", "--training", &log, "-o", "plots/training.svg"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
        names.sort();
        names
    };
    let made = names(&arena.path("plots"));
    assert_eq!(made, names(&fixture().join("boards/plots")));
    for name in made {
        same(&format!("plots/{name}"), &read(&arena.path("plots").join(&name)));
    }
}
