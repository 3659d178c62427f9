//! The program's help texts.

use molarena_tests::TestArena;

use crate::support::check;

#[test]
fn every_verb_has_help() {
    let arena = TestArena::new();
    let verbs = [
        "",
        "run",
        "board",
        "serve",
        "compare",
        "gate",
        "export",
        "export scores",
        "export predictions",
        "export split",
        "plot",
        "predict",
        "train",
        "replay",
        "store",
        "store verify",
        "store ls",
        "store show",
        "store rm",
        "store gc",
        "store merge",
        "schema",
        "embed",
        "data",
        "data list",
        "data fetch",
        "data verify",
        "data info",
        "data simulate",
        "audit",
        "plugin",
        "plugin list",
        "plugin info",
        "doctor",
        "completions",
    ];
    for verb in verbs {
        let arguments: Vec<&str> = verb.split_whitespace().chain(["--help"]).collect();
        let output = arena.molarena(&arguments);
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""), "{verb}");
        check(&format!("help {verb}").trim().replace(' ', "-"), &arena, &output);
    }
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
