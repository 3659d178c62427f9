//! The program's help texts.

use std::fmt::Write as _;

use molarena_tests::{TestArena, python::repository};

use crate::support::check;

/// The chapter of the book that has every command's help.
const REFERENCE: &str = "docs/src/commands.md";

/// The help of a command and of those below it, as a chapter of the book.
fn reference(arena: &TestArena, command: &str, chapter: &mut String) {
    let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
    let output = arena.molarena(&arguments);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{command}");
    assert!(!output.stdout.contains('\u{1b}'), "colour codes in a pipe: {command}");
    let name = format!("molarena {command}");
    write!(chapter, "\n## {}\n\n```text\n{}```\n", name.trim(), output.stdout).unwrap();
    let commands = output.stdout.split("\nCommands:\n").nth(1).unwrap_or_default();
    let commands = commands.split("\n\n").next().unwrap_or_default().lines();
    // A longer description goes on in a line that begins further to the right.
    let names = commands.filter_map(|line| {
        line.strip_prefix("  ")?.split_whitespace().next().filter(|_| !line.starts_with("   "))
    });
    for name in names.filter(|name| *name != "help") {
        reference(arena, format!("{command} {name}").trim(), chapter);
    }
}

#[test]
fn the_command_reference_is_the_help() {
    let arena = TestArena::new();
    let mut chapter = String::from(
        "# Commands\n\nWhat `molarena COMMAND --help` prints. A test makes this chapter: `MOLARENA_UPDATE=1 cargo test -p \
         molarena-tests --test commands -- reference`.\n",
    );
    reference(&arena, "", &mut chapter);
    let path = repository(REFERENCE);
    if std::env::var_os("MOLARENA_UPDATE").is_some() {
        fs_err::write(&path, &chapter).unwrap();
    }
    let committed = fs_err::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(chapter.lines()).find(|(one, other)| one != other);
    assert!(committed == chapter, "{REFERENCE} is not the help: {differs:?}; make it with MOLARENA_UPDATE=1");
    assert!(chapter.matches("\n## molarena").count() > 35, "only some commands are found");
}

#[test]
fn a_wrong_command_line_is_explained() {
    let arena = TestArena::new();
    for (name, arguments) in [
        ("no-arguments", vec![]),
        ("unknown-verb", vec!["rum"]),
        ("unknown-option", vec!["run", "--datasett", "toy"]),
        ("run-without-selection", vec!["run"]),
        ("run-with-a-dataset-only", vec!["run", "--dataset", "toy"]),
        ("unknown-split", vec!["run", "--dataset", "toy", "--method", "m", "--split", "scafold"]),
        ("bad-wall-limit", vec!["run", "--dataset", "toy", "--method", "m", "--wall-limit", "soon"]),
        ("bad-memory-limit", vec!["run", "--dataset", "toy", "--method", "m", "--memory-limit", "much"]),
        ("no-jobs", vec!["run", "--dataset", "toy", "--method", "m", "--jobs", "0"]),
        ("unknown-format", vec!["board", "--format", "html5"]),
        ("fetch-nothing", vec!["data", "fetch"]),
    ] {
        let output = arena.molarena(&arguments);
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
        check(name, &arena, &output);
    }
}

#[test]
fn the_version_and_completions_are_printed() {
    let arena = TestArena::new();
    check("version", &arena, &arena.molarena(&["--version"]));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let output = arena.molarena(&["completions", shell]);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{shell}");
        assert!(output.stdout.contains("molarena") && output.stdout.contains("shuffle-labels"), "{shell}");
    }
}
