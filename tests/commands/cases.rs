//! Requests that were once accepted, or answered wrongly: what each must do.

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use molarena_tests::{Output, TestArena};

use crate::support::{classes, table};

/// An arena with a table `t.csv` of classes, and molecules to predict in `new.csv`.
fn arena() -> TestArena {
    let arena = TestArena::new();
    arena.write("t.csv", table(&["y"], classes));
    arena.write("new.csv", "smiles\nCCO\nCCN\n");
    arena
}

fn molarena(arena: &TestArena, arguments: &str) -> Output {
    let places = "--data-dir data --datasets-dir datasets --methods-dir methods --store store";
    let all: Vec<&str> = arguments.split(' ').chain(places.split(' ')).collect();
    arena.molarena(&all)
}

#[track_caller]
fn refused(output: &Output, part: &str) {
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains(part), "no {part:?} in {}", output.stderr);
}

/// The cells of a board's column, by its number.
fn column(board: &str, number: usize) -> Vec<String> {
    let rows = board.lines().filter(|line| line.starts_with("| ") && line.contains('±'));
    let rows = rows.filter(|line| !line.contains("mean±sd"));
    rows.map(|row| row.split('|').nth(number).expect("a column").trim().to_owned()).collect()
}

#[test]
fn small_and_large_units_tell_methods_apart() {
    for (unit, exponent) in [("1e-9", "e-"), ("1e30", "e3")] {
        let arena = TestArena::new();
        let label = |row: usize, _: usize| format!("{}{}", 1 + row * 7 % 40, &unit[1..]);
        arena.write("t.csv", table(&["kd"], label));
        let output = molarena(&arena, "run --csv t.csv --split random --method constant --method morgan-rf");
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        // The mean and the task.
        for number in [4, 7] {
            let scores = column(&output.stdout, number);
            assert_eq!(scores.len(), 2, "{}", output.stdout);
            assert_ne!(scores[0], scores[1], "{}", output.stdout);
            assert!(scores.iter().all(|score| score.contains(exponent) && score.len() < 16), "{scores:?}");
        }
        // The lines of the run, and what is said of the table.
        assert!(output.stderr.lines().all(|line| line.len() < 160), "{}", output.stderr);
        assert!(!output.stderr.contains("mae 0.0000"), "{}", output.stderr);
    }
}

#[test]
fn a_configuration_fails_when_it_is_planned_or_never() {
    let arena = arena();
    let dry = |name: &str| molarena(&arena, &format!("run --csv t.csv --method {name} --dry-run"));
    arena.method("float", "baselines/rf", "{ n_trees = 1e1 }");
    arena.method("integer", "baselines/rf", "{ n_trees = 10 }");
    arena.method("zero", "baselines/rf", "{ n_trees = -0.0 }");
    arena.method("half", "baselines/rf", "{ n_trees = 10.5 }");
    arena.method("huge", "baselines/rf", "{ n_trees = 1e30 }");
    arena.method("negative", "baselines/rf", "{ n_trees = -1.0 }");
    arena.method("text", "baselines/rf", "{ n_trees = \"10\" }");
    arena.method("case", "baselines/knn", "{ weights = \"Uniform\" }");
    arena.method("range", "baselines/knn", "{ k = 0 }");
    for name in ["zero", "half", "huge", "negative", "text", "case", "range"] {
        refused(&dry(name), "configuration of `baselines/");
    }
    for (config, part) in [
        ("{ max_features = nan }", "`baseline.config.max_features` is NaN, must be a finite number"),
        ("{ max_features = -inf }", "is -inf, must be a finite number"),
        ("{ n_trees = 2024-01-01 }", "is the date 2024-01-01"),
        ("{ n_trees = 1, n_trees = 2 }", "duplicate key"),
        ("{ n_trees.deep = 1 }", "configuration of `baselines/rf`"),
    ] {
        arena.method("bad", "baselines/rf", config);
        // All files of the folder are read, so this one is not left there.
        fs_err::rename(arena.path("methods/bad.toml"), arena.path("bad.toml")).unwrap();
        refused(&dry("bad.toml"), part);
    }
}

#[test]
fn a_whole_number_is_an_integer_in_every_form() {
    let arena = arena();
    arena.method("float", "baselines/rf", "{ n_trees = 1e1 }");
    arena.write(
        "tuned.toml",
        "schema = \"molarena.method/1\"\nname = \"tuned\"\nfeatures = { kind = \"morgan\", bits = 256 }\n\
         baseline = { component = \"baselines/knn\" }\ntune = { grid = { k = [1.0, 3e0] } }\n",
    );
    let output = molarena(&arena, "run --csv t.csv --split random --method float --method tuned.toml");
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    let record = arena.stored("records").into_iter().map(|path| fs_err::read_to_string(path).unwrap());
    let record = record.filter(|record| record.contains("baselines/rf")).collect::<String>();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["composition"]["baseline"]["config"]["n_trees"].to_string(), "10");
    // Written as 10, it is the same fit.
    arena.method("float", "baselines/rf", "{ n_trees = 10 }");
    let again = molarena(&arena, "run --csv t.csv --split random --method float --json");
    assert!(again.stdout.contains("\"resumed\": 1"), "{}", again.stdout);
}

#[test]
fn a_missing_folder_of_the_output_is_refused_before_anything_is_trained() {
    let arena = arena();
    arena.write("file", "");
    for folder in ["nodir", "no/dir", "file"] {
        for arguments in [
            format!("predict --csv t.csv --method morgan-rf --input new.csv --output {folder}/p.csv"),
            format!("embed new.csv --output {folder}/x.npy"),
            format!("embed new.csv --method morgan-rf --output {folder}/x.npy"),
            format!("train --csv t.csv --method constant --output {folder}/model"),
            format!("run --csv t.csv --method constant --events {folder}/events.jsonl"),
        ] {
            refused(&molarena(&arena, &arguments), "folder");
        }
    }
    assert!(!arena.path("store").exists(), "nothing was started");
    let plot = ["plot", "--training", "t.csv", "--output", "nodir/x.svg"];
    refused(&arena.molarena(&plot), "make it first");
    refused(&arena.molarena(&["plot", "-x", "baseline.config.k", "-o", "no/dir"]), "make it first");
    refused(&arena.molarena(&["data", "simulate", "--output", "no/dir"]), "make it first");
}

#[test]
fn an_input_without_a_usual_column_names_the_option_of_the_input() {
    let arena = arena();
    arena.write("nohead.csv", "a,b\nCCO,1\n");
    let output = molarena(&arena, "predict --csv t.csv --method constant --input nohead.csv --output p.csv");
    assert!(output.stderr.contains("name it with --input-column"), "{}", output.stderr);
    assert_eq!(output.code, Some(5));
    let embed = molarena(&arena, "embed nohead.csv --output x.npy");
    assert!(embed.stderr.contains("name it with --smiles-column"), "{}", embed.stderr);
}

/// `command` under a limit of its address space in KiB.
fn limited(command: &Command, kibibytes: u64) -> Command {
    let mut limited = Command::new("/bin/sh");
    limited.arg("-c").arg(format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\"")).arg(command.get_program());
    limited.args(command.get_args()).stdin(Stdio::null());
    limited.current_dir(command.get_current_dir().expect("set")).env_clear().env("PATH", "/usr/bin:/bin");
    limited
}

#[test]
fn seeds_have_a_bound() {
    let arena = arena();
    for seeds in ["3000000", "2000001", "18446744073709551615"] {
        let arguments = ["run", "--csv", "t.csv", "--method", "constant", "--dry-run", "--seeds", seeds];
        let started = Instant::now();
        let output = limited(&arena.command(&arguments), 2_000_000).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains("name fewer seeds"), "{stderr}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn planning_ends_on_the_first_signal() {
    let arena = arena();
    // The reading of the table waits for the pipe's other end, which nobody opens.
    let made = Command::new("mkfifo").arg(arena.path("pipe.toml")).status().unwrap();
    assert!(made.success());
    for (signal, arguments) in [
        ("INT", vec!["run", "pipe.toml"]),
        (
            "TERM",
            "run --csv t.csv --split random --method constant --seeds 2000000 --dry-run".split(' ').collect(),
        ),
    ] {
        let mut child = arena.command(&arguments).stdout(Stdio::null()).process_group(0).spawn().unwrap();
        thread::sleep(Duration::from_secs(1));
        let (signal, id) = (format!("-{signal}"), child.id().to_string());
        assert!(Command::new("kill").args([&signal, &id]).status().unwrap().success());
        let signalled = Instant::now();
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{arguments:?}");
        assert!(signalled.elapsed() < Duration::from_secs(10), "{:?}", signalled.elapsed());
    }
}

#[test]
fn the_counts_of_two_runs_at_once_add_up() {
    let arena = arena();
    let arguments = "run --csv t.csv --split random --method constant --method morgan-rf --method morgan-gp --seeds 5 --store store --json --jobs 2";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let start = || arena.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let runs = [start(), start()].map(|run| run.wait_with_output().unwrap());
    let mut scored = 0;
    for run in runs {
        assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
        let counts: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        let [now, before, failed] =
            ["scored", "resumed", "failed"].map(|name| counts[name].as_u64().unwrap());
        assert_eq!(now + before + failed, 15, "{counts}");
        scored += now;
    }
    assert!(scored >= 15, "{scored}");
    assert_eq!(arena.stored("records").len(), 15);
}
