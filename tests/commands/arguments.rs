//! No argument, file or closed pipe makes a panic, and none takes time or memory without bound.

use std::{
    ffi::OsString,
    os::unix::{ffi::OsStringExt, process::ExitStatusExt},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use molarena_tests::{TestArena, binary};

use crate::support::toy;

/// The documented exit codes.
const CODES: [i32; 8] = [0, 2, 3, 4, 5, 10, 70, 130];
/// Address space of a command in KiB.
const MEMORY: u64 = 6_000_000;
/// Far longer than anything here takes, even on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// How a command ended.
struct Ended {
    code: Option<i32>,
    stderr: String,
}

/// Runs `molarena` under [`MEMORY`] and [`PATIENCE`]. `redirect` is for a shell, such as `>/dev/full`.
#[track_caller]
fn run(arena: &TestArena, arguments: &[OsString], redirect: &str) -> Ended {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("ulimit -S -v {MEMORY}; exec \"$0\" \"$@\" {redirect}")).arg(binary());
    command.args(arguments).current_dir(arena.path("")).env_clear().env("PATH", "/usr/bin:/bin");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let id = child.id().to_string();
    let started = Instant::now();
    let mut pipe = child.stderr.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut pipe, &mut text).map(|_| String::from_utf8_lossy(&text).into_owned())
    });
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("process {id} took more than {PATIENCE:?}: {arguments:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
    let status = child.wait().unwrap();
    let stderr = reader.join().unwrap().unwrap();
    assert_eq!(status.signal(), None, "{arguments:?} {redirect}: {stderr}");
    assert!(!stderr.contains("panicked"), "{arguments:?} {redirect}: {stderr}");
    let code = status.code();
    assert!(code.is_some_and(|code| CODES.contains(&code)), "{arguments:?} {redirect}: {code:?}: {stderr}");
    Ended { code, stderr }
}

fn words(text: &str) -> Vec<OsString> {
    text.split(' ').map(|word| word.replace("EMPTY", "").into()).collect()
}

const PLACES: &str = "--data-dir data --datasets-dir datasets --methods-dir methods --store store";

#[test]
fn numbers_and_words_without_sense_are_refused() {
    let arena = toy();
    arena.write("new.csv", "smiles\nCCO\n");
    let run_toy = format!("run --dataset toy --method constant-test {PLACES} --dry-run");
    let huge = "9".repeat(400);
    let digits = "18446744073709551615";
    let mut lines = Vec::new();
    for value in ["-1", "EMPTY", "1e30", "nan", "0x10", &huge, "99999999999999999999"] {
        for option in ["--seeds", "--jobs", "--threads", "--split-seed", "--wall-limit"] {
            lines.push(format!("{run_toy} {option}={value}"));
        }
    }
    for value in ["0", digits, "100000000"] {
        lines.push(format!("{run_toy} --jobs {value}"));
        lines.push(format!("{run_toy} --threads {value}"));
        lines.push(format!("embed new.csv --output x.npy --threads {value}"));
        lines.push(format!("predict --dataset toy --method constant-test --input new.csv --output p.csv --threads {value} {PLACES}"));
    }
    for value in ["1e30y", "0s", "-5m", "1", "18446744073709551616s", "EMPTY"] {
        lines.push(format!("{run_toy} --wall-limit={value}"));
    }
    for value in ["0", "0GiB", "-1GiB", "1e30GiB", "nanGiB", "0x10", "EMPTY"] {
        lines.push(format!("{run_toy} --memory-limit={value}"));
        lines.push(format!("{run_toy} --disk-limit={value}"));
    }
    for value in ["morgan:bits=18446744073709551615", "morgan:radius=4294967295,bits=-1", "EMPTY", "+", "x:y"]
    {
        lines.push(format!("embed new.csv --output x.npy --features={value}"));
    }
    for value in ["EMPTY", "svg", "MD", "html5"] {
        lines.push(format!("board --store store --format={value}"));
        lines.push(format!("embed new.csv --output x.npy --format={value}"));
    }
    for option in ["--dataset", "--method", "--device", "--split"] {
        lines.push(format!("{run_toy} {option}=EMPTY"));
    }
    lines.push(format!("run --csv EMPTY --method constant {PLACES}"));
    lines.push("embed EMPTY --output EMPTY".into());
    lines.push("schema EMPTY".into());
    lines.push("plugin info EMPTY".into());
    for line in lines {
        let ended = run(&arena, &words(&line), "");
        assert!(matches!(ended.code, Some(2..=5)), "{line}: {:?} {}", ended.code, ended.stderr);
    }
    // What has no upper bound of its own.
    for line in [
        format!("{run_toy} --seeds 0"),
        format!("{run_toy} --split-seed {digits}"),
        format!("{run_toy} --wall-limit 1000000000y"),
        format!("{run_toy} --memory-limit 999999999999GiB"),
        format!("{run_toy} --jobs 1024 --threads 1024"),
        format!("run --dataset toy --method constant-test --jobs 1024 --threads 1024 {PLACES}"),
        format!("run --dataset toy --method knn-test --memory-limit 1B {PLACES}"),
        format!("data simulate --molecules {digits} --output world"),
        format!("data simulate --genes {digits} --gene-edges {digits} --output world"),
        "data simulate --batches 0 --output world".to_owned(),
    ] {
        run(&arena, &words(&line), "");
    }
}

#[test]
fn names_and_paths_of_any_bytes() {
    let arena = toy();
    arena.write("new.csv", "smiles\nCCO\n");
    let long = "x".repeat(100_000);
    let names = [b"\xff\xfe.csv".to_vec(), b"a\nb.csv".to_vec(), b"\x1b[31m.csv".to_vec(), long.into_bytes()];
    for name in names.map(OsString::from_vec) {
        for line in [
            format!("run --csv NAME --method constant {PLACES}"),
            "run --dataset toy --method constant-test --json --data-dir data --datasets-dir datasets --methods-dir methods --store NAME".into(),
            format!("run --dataset toy --method NAME {PLACES}"),
            format!("run NAME {PLACES}"),
            "embed new.csv --json --output NAME".into(),
            "embed NAME --output x.npy".into(),
            format!("predict --dataset toy --method constant-test --json --input new.csv --output NAME {PLACES}"),
            format!("train --dataset toy --method constant-test --json --output NAME {PLACES}"),
            "board --store NAME".into(),
            "plugin list --json --plugin NAME".into(),
            "doctor --json --store NAME".into(),
            "schema NAME".into(),
            "data list --datasets-dir NAME".into(),
            "NAME".into(),
        ] {
            let argument = |word: &str| if word == "NAME" { name.clone() } else { word.into() };
            let arguments: Vec<OsString> = line.split(' ').map(argument).collect();
            let ended = run(&arena, &arguments, "");
            assert!(ended.stderr.len() < 400_000, "{line}");
        }
        let output = arena.path("").join(&name);
        if output.is_dir() {
            fs_err::remove_dir_all(output).unwrap();
        } else if output.exists() {
            fs_err::remove_file(output).unwrap();
        }
    }
}

#[test]
fn files_that_are_no_suites_and_methods() {
    let arena = toy();
    let suite = |cells: &str| format!("schema = \"molarena.suite/1\"\nname = \"s\"\n{cells}");
    let group = |datasets: &str, methods: &str, seeds: &str| {
        suite(&format!("[[cells]]\ndatasets = {datasets}\nmethods = {methods}\nseeds = {seeds}\n"))
    };
    let many = |name: &str, count: usize| format!("[{}]", format!("\"{name}\",").repeat(count));
    let nested = |open: &str, close: &str| format!("a = {}{}\n", open.repeat(100_000), close.repeat(100_000));
    let grid: Vec<String> =
        (0..8).map(|key| format!("\"baseline.config.k{key}\" = [1,2,3,4,5,6,7,8]\n")).collect();
    let grid = grid.concat();
    let files = [
        ("empty.toml", String::new()),
        ("no-cells.toml", suite("")),
        ("empty-lists.toml", group("[]", "[]", "[]")),
        ("no-methods.toml", group("[\"toy\"]", "[]", "3")),
        ("no-seeds.toml", group("[\"toy\"]", "[\"knn-test\"]", "[]")),
        ("million-methods.toml", group("[\"toy\"]", &many("knn-test", 600_000), "1")),
        ("million-methods-no-seeds.toml", group("[]", &many("knn-test", 600_000), "[]")),
        ("million-datasets.toml", group(&many("toy", 1_000_000), "[\"knn-test\"]", "[0]")),
        ("many-seeds.toml", group("[\"toy\"]", "[\"knn-test\"]", "18446744073709551615")),
        ("negative-seeds.toml", group("[\"toy\"]", "[\"knn-test\"]", "-1")),
        ("real-seeds.toml", group("[\"toy\"]", "[\"knn-test\"]", "1e30")),
        ("deep-lists.toml", nested("[", "]")),
        ("deep-tables.toml", nested("{a=", "}")),
        ("deep-names.toml", format!("{}a = 1\n", "a.".repeat(200_000))),
        ("deep-heads.toml", format!("[{}a]\n", "a.".repeat(200_000))),
        ("many-tables.toml", "[[cells]]\n".repeat(200_000)),
        ("grid.toml", format!("{}[cells.vary]\n{grid}", group("[\"toy\"]", "[\"knn-test\"]", "1"))),
        ("threads.toml", format!("{}\n[limits]\nthreads = 100000000\n", suite(""))),
        ("nul.toml", "\0".repeat(1000)),
        ("large.toml", "# x\n".repeat(3 << 20)),
    ];
    for (name, text) in files {
        arena.write(name, text);
        for line in [
            format!("run {name} --dry-run {PLACES}"),
            format!("run --dataset toy --method {name} --dry-run {PLACES}"),
        ] {
            let ended = run(&arena, &words(&line), "");
            assert!(matches!(ended.code, Some(2 | 4)), "{line}: {:?} {}", ended.code, ended.stderr);
            assert!(ended.stderr.len() < 20_000, "{line}: {} bytes", ended.stderr.len());
        }
    }
    for name in ["/dev/zero", "/dev/null", "data", "/proc/self/mem"] {
        for line in [
            format!("run {name} --dry-run {PLACES}"),
            format!("plot --training {name} --output x.svg"),
            format!("predict --model {name} --input {name} --output p.csv"),
        ] {
            let ended = run(&arena, &words(&line), "");
            assert!(matches!(ended.code, Some(2 | 4 | 5)), "{line}: {:?} {}", ended.code, ended.stderr);
        }
    }
}

#[test]
fn closed_and_full_outputs() {
    let arena = toy();
    let ended = run(&arena, &words(&format!("run --dataset toy --method constant-test {PLACES}")), "");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for line in ["board --store store", "schema record", "data list", "plugin list", "completions bash"] {
        let full = run(&arena, &words(line), ">/dev/full");
        assert_eq!(full.code, Some(70), "{line}: {}", full.stderr);
        assert!(full.stderr.contains("standard output"), "{line}: {}", full.stderr);
        // Without descriptors at all.
        run(&arena, &words(line), "<&- >&-");
        run(&arena, &words(line), "2>&- >&-");
    }
    let again = format!("run --dataset toy --method knn-test --seeds 3 {PLACES}");
    assert_eq!(run(&arena, &words(&again), "2>/dev/full").code, Some(0));
    let bad = "run --dataset toi --method knn-test --store store";
    assert_eq!(run(&arena, &words(bad), "2>/dev/full").code, Some(2));
    let events = format!("run --dataset toy --method constant-test --seeds 2 --events /dev/full {PLACES}");
    let full = run(&arena, &words(&events), "");
    assert!(full.stderr.contains("/dev/full") || full.stderr.contains("events"), "{}", full.stderr);
    // A reader that goes away is no error.
    for line in ["board --store store", "board --store store 2>&1", "schema record", "data list"] {
        let script = format!("{} {line} | head -c 1 >/dev/null; exit ${{PIPESTATUS[0]}}", binary().display());
        let mut command = Command::new("/bin/bash");
        command.arg("-c").arg(script).current_dir(arena.path("")).stdin(Stdio::null());
        let output = command.output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()),
            (Some(0), ""),
            "{line}"
        );
    }
}
