//! Whatever a plugin does becomes a row with its reason, and the other rows are not affected.

use molarena_tests::TestArena;
use ndarray::Array2;

use crate::{chains, hostile, names, processes, records, row, rows, split, workers};

/// The method, whose name is the component's, the reason for its failure, and a part of the message.
const FAILURES: [(&str, &str, &str); 19] = [
    ("abort", "signal", "SIGABRT"),
    ("allocate", "memory", "over the limit of 300"),
    ("big-file", "error", "File too large"),
    ("children", "memory", "over the limit of 300"),
    ("error", "error", "the hostile plugin does not like these data"),
    ("exit", "no-result", "exit code 0"),
    ("fill", "disk", "MiB in its folder"),
    ("forge", "no-result", "test-predictions.npy"),
    ("loop", "timeout", "over the limit of 15s"),
    ("memory-files", "memory", "over the limit of 300"),
    ("nan", "not-finite", "1 of 6 values are NaN or infinite, the first at row 5, column 0"),
    ("noisy", "panic", "the noisy plugin panics"),
    ("panic", "panic", "the hostile plugin panics"),
    ("panic-thread", "panic", "the hostile thread panics"),
    ("pipes", "error", "(refused system calls: mknodat)"),
    ("processes", "processes", "over the limit of 1024 processes"),
    ("segfault", "signal", "SIGSEGV"),
    ("shared-mapping", "memory", "over the limit of 300"),
    ("wrong-shape", "wrong-shape", "expected 6 x 1, the plugin gave 6 x 2"),
];
/// These leave a child process behind and are still scored.
const PARENTS: [&str; 2] = ["daemon", "fork"];
/// These leave folders behind that are hard to remove, and are scored.
const LITTERERS: [&str; 2] = ["closed", "deep"];

/// The true test labels, in a file that the host can read.
fn write_answers(arena: &TestArena) {
    let test = split().test;
    let labels = test.iter().map(|row| (row / 10) as f32 + 0.25 * (row % 10) as f32).collect();
    let answers = Array2::from_shape_vec((test.len(), 1), labels).unwrap();
    ndarray_npy::write_npy(arena.path("data/answers.npy"), &answers).unwrap();
}

#[test]
fn every_failure_is_a_row_with_its_reason() {
    let arena = TestArena::new();
    chains(&arena);
    write_answers(&arena);
    // Longer than any test; the process id distinguishes parallel runs of this test.
    let seconds = format!("4242.{}", std::process::id());
    let mut methods = vec!["good"];
    arena.method("good", "fixture-hostile/good", "{}");
    for (name, _, _) in FAILURES {
        let config = match name {
            "forge" => format!("{{ target = {:?} }}", arena.path("data/answers.npy")),
            _ => "{}".into(),
        };
        arena.method(name, &format!("fixture-hostile/{name}"), &config);
        methods.push(name);
    }
    for name in PARENTS {
        arena.method(name, &format!("fixture-hostile/{name}"), &format!("{{ seconds = \"{seconds}\" }}"));
        methods.push(name);
    }
    for name in LITTERERS {
        arena.method(name, &format!("fixture-hostile/{name}"), "{}");
        methods.push(name);
    }
    let limits = ["--wall-limit", "15s", "--memory-limit", "300MiB", "--disk-limit", "100MiB"];
    let mut arguments = vec!["--dataset", "chains", "--jobs", "2"];
    arguments.extend(limits);
    arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
    let output = arena.run(&hostile(), &arguments);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    assert!(
        output.stdout.contains("24 cells: 5 scored now, 0 finished before, 19 failed"),
        "{}",
        output.stdout
    );
    assert_eq!(processes(&seconds), [""; 0], "children outlive their cells");
    assert_eq!(workers(&arena), [""; 0]);
    assert_eq!(names(&arena, "store/work"), [""; 0]);

    assert_eq!(rows(&arena).len(), methods.len());
    let markdown = arena.molarena(&["board", "--store", "store"]).stdout;
    for (name, reason, message) in FAILURES {
        let row = row(&arena, name);
        assert_eq!(row["failed"], serde_json::json!({ reason: 1 }), "{row}");
        assert!(row["failures"][0]["message"].as_str().unwrap().contains(message), "{row}");
        assert!(row["mean"].is_null(), "{row}");
        let line = markdown.lines().find(|line| line.starts_with(&format!("| {name} ")));
        assert!(line.is_some_and(|line| line.contains(&format!("{reason} 1"))), "{line:?}\n{markdown}");
    }
    let good = row(&arena, "good");
    for name in PARENTS.into_iter().chain(LITTERERS) {
        assert_eq!(row(&arena, name)["mean"], good["mean"]);
    }
    assert!(good["mean"].as_f64().unwrap() > 0.0 && good["failed"] == serde_json::json!({}), "{good}");

    // The end of megabytes of output is kept.
    let records = records(&arena);
    let noisy = records.iter().find(|record| record["method"] == "noisy").unwrap();
    let kept = noisy["outcome"]["output"].as_str().unwrap();
    assert!(kept.len() <= 4096 && kept.contains("the noisy plugin panics"), "{} bytes: {kept}", kept.len());
}
