//! What a plugin or its worker says is checked, what it prints is visible, what it leaves is removed, and what is no
//! library is not opened.

use std::{
    fmt::Write,
    os::unix::{fs::symlink, net::UnixListener},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use fs_err as fs;
use molarena_record::text::is_hidden;
use molarena_tests::{Output, TestArena};

use crate::{chains, compile, hostile, names, records, row, signal, wait_until, workers};

/// A refusal takes no longer than this, also on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(20);

fn mkfifo(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// Runs a hostile component on its own; `config` is TOML.
fn run(arena: &TestArena, component: &str, config: &str) -> Output {
    chains(arena);
    arena.method(component, &format!("fixture-hostile/{component}"), config);
    arena.run(&hostile(), &["--dataset", "chains", "--method", component, "--wall-limit", "30s"])
}

/// The text has no character that a terminal would not show, besides ends of lines and tabs.
#[track_caller]
fn assert_visible(text: &str) {
    let hidden = text.chars().find(|&character| is_hidden(character) && !"\n\t".contains(character));
    assert_eq!(hidden, None, "{text}");
}

#[test]
fn forged_results_are_refused() {
    let timings = |fit_s: &str| {
        let timings = format!(r#"{{"fit_s":{fit_s},"predict_s":0}}"#);
        format!(r#"{{"result":{{"Ok":{{"timings":{timings}}}}},"peak_rss":1}}"#)
    };
    for (done, part) in [
        (r#"{"result":{"Ok":"encoded"},"peak_rss":1}"#.to_owned(), "the worker answered another question"),
        (r#"{"result":{"Ok":"pretrained"},"peak_rss":1}"#.to_owned(), "the worker answered another question"),
        (timings("1e300"), "but it ran for"),
        (timings("-1"), "but it ran for"),
        (timings("1e999"), "its result: "),
        (
            r#"{"result":{"Err":{"reason":"signal","message":"m"}},"peak_rss":1}"#.into(),
            "claims to have failed",
        ),
        ("[".repeat(1000), "its result: "),
    ] {
        let arena = TestArena::new();
        let output = run(&arena, "hands-in", &format!("{{ done = '{done}', rows = [6, 6] }}"));
        assert_eq!(output.code, Some(10), "{done}: {}", output.stderr);
        let row = row(&arena, "hands-in");
        assert_eq!(row["failed"], serde_json::json!({"no-result": 1}), "{done}: {row}");
        assert!(row["failures"][0]["message"].as_str().unwrap().contains(part), "{done}: {row}");
    }
}

#[test]
fn costs_are_the_hosts_measure() {
    let arena = TestArena::new();
    let done = r#"{"result":{"Ok":{"timings":{"fit_s":0,"predict_s":0}}},"peak_rss":18446744073709551615,"cpu_s":1e9}"#;
    let output = run(&arena, "hands-in", &format!("{{ done = '{done}', rows = [6, 6] }}"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let cost = records(&arena)[0]["cost"].clone();
    assert!(cost["cpu_s"].as_f64().unwrap() < 60.0, "{cost}");
    assert!(cost["wall_s"].as_f64().unwrap() > 0.0, "{cost}");
    // The kernel knows the peak of the largest worker.
    assert!(cost["peak_rss_mb"].as_f64().unwrap() < 1000.0, "{cost}");
}

#[test]
fn a_choice_that_its_predictions_do_not_bear_out_is_refused() {
    let arena = TestArena::new();
    chains(&arena);
    for (name, scores, part) in [
        ("false-score", [1.0, 0.0], "claims a mae of 0 on the validation molecules"),
        ("worse", [0.0, 1.0], "but setting 0 scored better"),
    ] {
        let [one, two] = scores.map(|score| format!(r#"{{"config":1,"valid_score":{score},"seconds":0}}"#));
        let done = format!(
            r#"{{"result":{{"Ok":{{"timings":{{"fit_s":0,"predict_s":0,"search":{{"candidates":[{one},{two}],"chosen":1}}}}}}}},"peak_rss":1}}"#
        );
        let text = format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"morgan\", bits = 256 }}\n\
             [baseline]\ncomponent = \"fixture-hostile/hands-in\"\nconfig = {{ done = '{done}', rows = [6, 6] }}\n\
             [tune]\ngrid = {{ k = [1, 2] }}\n"
        );
        arena.write(&format!("methods/{name}.toml"), text);
        let output = arena.run(&hostile(), &["--dataset", "chains", "--method", name]);
        assert_eq!(output.code, Some(10), "{}", output.stderr);
        let row = row(&arena, name);
        assert!(row["failures"][0]["message"].as_str().unwrap().contains(part), "{row}");
    }
}

#[test]
fn confinement_is_what_was_said_before_the_plugin_ran() {
    let arena = TestArena::new();
    let output = run(&arena, "unconfesses", "{}");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let confined = if cfg!(target_os = "linux") { "true" } else { "false" };
    assert_eq!(records(&arena)[0]["confined"].to_string(), confined);
}

#[test]
fn what_a_plugin_says_is_visible_wherever_it_comes_out() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("colours", "fixture-hostile/colours", "{}");
    let arguments = ["--dataset", "chains", "--method", "colours", "--events", "events.jsonl"];
    let output = arena.run(&hostile(), &arguments);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    let mut outlets = vec![output.stdout, output.stderr.clone()];
    assert!(output.stderr.contains(r"\u{1b}[2J"), "{}", output.stderr);
    assert!(!output.stderr.lines().any(|line| line.starts_with("[1/1] forged")), "{}", output.stderr);
    for format in ["md", "csv", "json"] {
        let output = arena.molarena(&["board", "--store", "store", "--format", format]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        outlets.extend([output.stdout, output.stderr]);
    }
    let events = fs::read_to_string(arena.path("events.jsonl")).unwrap();
    assert!(events.contains("\"event\":\"progress\""), "{events}");
    outlets.push(events);
    for folder in ["records", "steps"] {
        outlets.extend(arena.stored(folder).iter().map(|path| fs::read_to_string(path).unwrap()));
    }
    for text in &outlets {
        assert_visible(text);
    }
    let outcome = &records(&arena)[0]["outcome"];
    let message = outcome["message"].as_str().unwrap();
    assert!(message.starts_with(r"\u{1b}[2J") && message.chars().count() <= 16_001, "{message:.200}");
    assert!(outcome["output"].as_str().unwrap().contains(r"\xff\xfe"), "{outcome}");
}

/// Compiles the C plugin with other texts in its description; returns the library, whose id is `name`.
fn described(arena: &TestArena, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let source = xtask::root().join("tests/fixtures/c-plugin/constant.c");
    let mut text = fs::read_to_string(source).unwrap().replace("c-plugin", name);
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let source = arena.write(&format!("{name}.c"), text);
    compile(arena, &source, &format!("libmolarena_{name}.so"))
}

#[test]
fn descriptions_are_visible() {
    let arena = TestArena::new();
    let hidden = r"\\u001b[2J\\u202e\\u200b\\u009b31m\\nforged";
    let plugin = described(
        &arena,
        "odd",
        &[
            ("the mean of the training labels\\\"", &format!("{hidden}\\\"")),
            ("\\\"version\\\": \\\"1.0.0", &format!("\\\"version\\\": \\\"1.0.0{hidden}")),
            ("\\\"corpora\\\": []", &format!("\\\"corpora\\\": [\\\"{hidden}\\\"]")),
            (
                "\\\"properties\\\": {}",
                &format!("\\\"properties\\\": {{\\\"a\\\": {{\\\"description\\\": \\\"{hidden}\\\"}}}}"),
            ),
        ],
    );
    let plugin = plugin.display().to_string();
    for arguments in [&["plugin", "list"][..], &["plugin", "list", "--json"], &["plugin", "info", "odd"]] {
        let output = arena.molarena(&[arguments, &["--plugin", &plugin]].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert_visible(&output.stdout);
        assert!(output.stdout.contains("[2J"), "{}", output.stdout);
        assert!(!output.stdout.lines().any(|line| line.starts_with("forged")), "{}", output.stdout);
    }
}

#[test]
fn hostile_schemas_are_refused_by_name_and_in_time() {
    let schema = "\\\"type\\\": \\\"object\\\", \\\"properties\\\": {}, \\\"additionalProperties\\\": false";
    let mut doubling = String::new();
    for level in 0..60 {
        let next = format!("{{\\\"$ref\\\": \\\"#/$defs/a{}\\\"}}", level + 1);
        write!(doubling, "\\\"a{level}\\\": {{\\\"allOf\\\": [{next}, {next}]}}, ").unwrap();
    }
    let doubling =
        format!("\\\"$defs\\\": {{{doubling}\\\"a60\\\": true}}, \\\"$ref\\\": \\\"#/$defs/a0\\\"");
    let large = format!("\\\"description\\\": \\\"{}\\\"", "x".repeat(2 << 20));
    for (name, schema_of, code, part) in [
        ("doubling", doubling.as_str(), 2, "the plugin's own schema cannot be checked: over the limit of 3s"),
        ("remote", "\\\"$ref\\\": \\\"http://127.0.0.1:9/x\\\"", 2, "the plugin's own schema is broken"),
        ("local", "\\\"$ref\\\": \\\"file:///etc/hostname\\\"", 2, "the plugin's own schema is broken"),
        ("kind", "\\\"type\\\": \\\"nonsense\\\"", 2, "the plugin's own schema is broken"),
        ("large", &large, 3, "the configuration schema of `constant` has 2097"),
    ] {
        let arena = TestArena::new();
        chains(&arena);
        let plugin = described(&arena, name, &[(schema, schema_of)]);
        arena.method(name, &format!("{name}/constant"), "{}");
        let started = Instant::now();
        let arguments = ["--dataset", "chains", "--method", name, "--wall-limit", "3s"];
        let output = arena.run(&[plugin], &arguments);
        assert_eq!(output.code, Some(code), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(part) && output.stderr.contains(name), "{}", output.stderr);
        assert!(started.elapsed() < AT_ONCE, "{name}: {:?}", started.elapsed());
        assert_eq!(names(&arena, "store/work"), [""; 0]);
    }
}

#[test]
fn what_would_fail_in_every_cell_fails_when_it_is_planned() {
    let arena = TestArena::new();
    let output = run(&arena, "picky", "{ k = 11 }");
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("method `picky`"), "{}", output.stderr);
    assert!(output.stderr.contains("`k` = 11 is more than 10"), "{}", output.stderr);
    assert_eq!(records(&arena), [""; 0]);
    let output = run(&arena, "picky", "{ k = 10 }");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    // A plugin that breaks the worker is a row.
    let output = run(&arena, "picky", "{ k = 12 }");
    assert_eq!(output.code, Some(10), "{}", output.stderr);
}

#[test]
fn whatever_is_left_is_removed_by_the_run() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("burrows", "fixture-hostile/burrows", "{ levels = 5000, sleep_ms = 0 }");
    let output = arena.run(&hostile(), &["--dataset", "chains", "--method", "burrows"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(!output.stderr.contains("warning"), "{}", output.stderr);
    assert_eq!(names(&arena, "store/work"), [""; 0]);
}

/// In the host's own process, too: the folder that it was started in stays as it was, and its memory is nobody's cost.
#[test]
fn a_run_inside_the_host_leaves_nothing_where_it_was_started() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("burrows", "fixture-hostile/burrows", "{ levels = 5, sleep_ms = 0 }");
    let before = names(&arena, "");
    let output = arena
        .run(&hostile(), &["--dataset", "chains", "--method", "burrows", "--in-process", "--seeds", "2"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let new = |name: &String| !before.contains(name) && name != "store";
    assert_eq!(names(&arena, "").into_iter().filter(new).collect::<Vec<_>>(), [""; 0]);
    assert_eq!(names(&arena, "store/work"), [""; 0]);
    assert!(records(&arena).iter().all(|record| record["cost"]["peak_rss_mb"] == 0.0));
}

#[test]
fn whatever_a_killed_run_left_is_removed_by_the_next_command() {
    for command in [&["board", "--store", "store"][..], &["store", "verify", "--store", "store"]] {
        let arena = TestArena::new();
        chains(&arena);
        arena.method("burrows", "fixture-hostile/burrows", "{ levels = 2000, sleep_ms = 60000 }");
        let arguments = arena.run_arguments(&hostile(), &["--dataset", "chains", "--method", "burrows"]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut child =
            arena.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let burrowed = || {
            let jobs = names(&arena, "store/work").into_iter().flat_map(|run| {
                let folder = format!("store/work/{run}");
                names(&arena, &folder).into_iter().map(move |job| format!("{folder}/{job}/burrowed"))
            });
            jobs.into_iter().any(|path| arena.path(&path).exists())
        };
        wait_until("the folders", burrowed);
        signal(child.id(), "KILL");
        child.wait().unwrap();
        wait_until("the worker's end", || workers(&arena).is_empty());
        assert_ne!(names(&arena, "store/work"), [""; 0], "a killed run leaves its folder");
        let output = arena.molarena(command);
        assert!(!output.stderr.contains("warning"), "{command:?}: {}", output.stderr);
        assert_eq!(names(&arena, "store/work"), [""; 0], "{command:?}");
    }
}

#[test]
fn what_is_no_library_is_refused_at_once() {
    let arena = TestArena::new();
    chains(&arena);
    let at = |name: &str| arena.path(&format!("plugins/libmolarena_{name}.so"));
    fs::create_dir_all(at("folder")).unwrap();
    mkfifo(&at("fifo"));
    symlink("nowhere", at("dangling")).unwrap();
    symlink("/dev/zero", at("device")).unwrap();
    let _socket = UnixListener::bind(at("socket")).unwrap();
    fs::write(at("empty"), "").unwrap();
    fs::File::create(at("sparse")).unwrap().set_len(1 << 40).unwrap();
    for (name, part) in [
        ("folder", "it is a folder"),
        ("fifo", "it is a FIFO"),
        ("dangling", "a link that leads nowhere"),
        ("device", "it is a device"),
        ("socket", "it is a socket"),
        ("empty", "the file is empty"),
        ("sparse", "1.0 TiB"),
    ] {
        arena.method(name, &format!("{name}/any"), "{}");
        let started = Instant::now();
        let output = arena.run(&[arena.path("plugins")], &["--dataset", "chains", "--method", name]);
        assert_eq!(output.code, Some(3), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{}", output.stderr);
        assert!(started.elapsed() < AT_ONCE, "{name}");
    }
    let plugins = arena.path("plugins").display().to_string();
    let output = arena.molarena(&["plugin", "list", "--plugin", &plugins]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert_eq!(output.stderr.matches("error [E-HOST-004]").count(), 7, "{}", output.stderr);
}

#[test]
fn files_of_the_store_are_plain_or_damaged() {
    let arena = TestArena::new();
    let output = run(&arena, "good", "{}");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    fs::create_dir_all(arena.path("store/records/ab")).unwrap();
    mkfifo(&arena.path(&format!("store/records/ab/{}.json", "ab".repeat(32))));
    let started = Instant::now();
    let output = arena.molarena(&["board", "--store", "store"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.contains("a FIFO, not a plain file"), "{}", output.stderr);
    let artifact = arena.stored("artifacts").remove(0);
    fs::remove_file(&artifact).unwrap();
    mkfifo(&artifact);
    let output = arena.molarena(&["store", "verify", "--store", "store"]);
    assert_ne!(output.code, Some(0), "{}", output.stdout);
    assert!(started.elapsed() < AT_ONCE);
}
