//! What a hostile encoder or decoder does becomes a row with its reason, as what a baseline does.

use molarena_tests::{TestArena, library};
use serde_json::Value;

use crate::{chains, hostile, json, names, pretraining::world, processes, row, workers};

/// The component, the reason for its failure (none: it is scored), and a part of the message, for encoders and decoders
/// alike.
const ENDINGS: [(&str, Option<&str>, &str); 23] = [
    ("abort", Some("signal"), "SIGABRT"),
    ("allocate", Some("memory"), "over the limit of 300"),
    ("big-file", Some("error"), "File too large"),
    ("calls", None, ""),
    ("children", Some("memory"), "over the limit of 300"),
    ("closed", None, ""),
    ("daemon", None, ""),
    ("deep", None, ""),
    ("error", Some("error"), "the hostile plugin does not like these data"),
    ("exit", Some("no-result"), "exit code 0"),
    ("fill", Some("disk"), "MiB in its folder"),
    ("fork", None, ""),
    ("good", None, ""),
    ("loop", Some("timeout"), "over the limit of 15s"),
    ("memory-files", Some("memory"), "over the limit of 300"),
    ("nan", Some("not-finite"), "NaN or infinite"),
    ("noisy", Some("panic"), "the noisy plugin panics"),
    ("panic", Some("panic"), "the hostile plugin panics"),
    ("panic-thread", Some("panic"), "the hostile thread panics"),
    ("processes", Some("processes"), "over the limit of 1024 processes"),
    ("segfault", Some("signal"), "SIGSEGV"),
    ("shared-mapping", Some("memory"), "over the limit of 300"),
    ("wrong-shape", Some("wrong-shape"), "expected"),
];
const LIMITS: [&str; 6] = ["--wall-limit", "15s", "--memory-limit", "300MiB", "--disk-limit", "100MiB"];

/// The configuration of a component; children sleep `seconds`.
fn config(name: &str, seconds: &str) -> String {
    match name {
        "daemon" | "fork" => format!("{{ seconds = \"{seconds}\" }}"),
        _ => "{}".into(),
    }
}

/// Longer than any test; the process id distinguishes parallel runs.
fn seconds(tag: u32) -> String {
    format!("{tag}.{}", std::process::id())
}

#[test]
fn encoders() {
    let arena = TestArena::new();
    chains(&arena);
    let seconds = seconds(4343);
    let mut arguments = vec!["--dataset", "chains", "--jobs", "2"];
    for (name, ..) in ENDINGS {
        let text = format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"morgan\" }}\n\
             encoder = {{ component = \"fixture-hostile/{name}\", config = {} }}\n\
             baseline = {{ component = \"fixture-kinds/nearest-centroid\" }}\n",
            config(name, &seconds)
        );
        arena.write(&format!("methods/{name}.toml"), text);
        arguments.extend(["--method", name]);
    }
    arguments.extend(LIMITS);
    let output = arena.run(&[hostile(), vec![library("fixture_kinds")]].concat(), &arguments);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    assert_eq!((processes(&seconds), workers(&arena)), (Vec::new(), Vec::new()));
    assert_eq!(names(&arena, "store/work"), [""; 0]);
    let good = row(&arena, "good");
    for (name, reason, message) in ENDINGS {
        let row = row(&arena, name);
        match reason {
            Some(reason) => {
                assert_eq!(row["failed"], serde_json::json!({ reason: 1 }), "{row}");
                assert!(row["failures"][0]["message"].as_str().unwrap().contains(message), "{row}");
            }
            None => assert_eq!((&row["failed"], &row["mean"]), (&json("{}"), &good["mean"]), "{name}: {row}"),
        }
    }
}

#[test]
fn decoders() {
    let arena = world("{}", "[]");
    let seconds = seconds(4444);
    let mut methods = Vec::new();
    for (name, ..) in ENDINGS {
        let text = format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"morgan\" }}\n\
             encoder = {{ component = \"fixture-hostile/good\" }}\n\
             decoder = {{ component = \"fixture-hostile/{name}\", config = {} }}\n",
            config(name, &seconds)
        );
        arena.write(&format!("methods/{name}.toml"), text);
        methods.push(format!("{name:?}"));
    }
    let suite = format!(
        "schema = \"molarena.suite/1\"\nname = \"m\"\n[limits]\nwall = \"15s\"\nmemory = \"300MiB\"\ndisk = \"100MiB\"\n\
         [[match]]\ncontext = \"demo-context\"\nspaces = [\"morphology\"]\nmethods = [{}]\nseeds = 1\n",
        methods.join(", ")
    );
    arena.write("suite.toml", suite);
    let output = arena.run(&hostile(), &["suite.toml", "--jobs", "2"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    assert_eq!((processes(&seconds), workers(&arena)), (Vec::new(), Vec::new()));
    assert_eq!(names(&arena, "store/work"), [""; 0]);
    let records: Vec<Value> =
        arena.stored("matches").iter().map(|path| json(&fs_err::read_to_string(path).unwrap())).collect();
    for (name, reason, message) in ENDINGS {
        let record =
            records.iter().find(|record| record["method"] == name).unwrap_or_else(|| panic!("{name}"));
        let outcome = &record["outcome"];
        assert_eq!(outcome["reason"].as_str(), reason, "{name}: {record}");
        assert!(outcome["message"].as_str().unwrap_or_default().contains(message), "{name}: {record}");
    }
}
