//! Looking after a store: listing, showing, removing, collecting, merging.

use molarena_tests::{TestArena, copy, files};
use serde_json::Value;

use crate::support::{check, toy};

/// The dataset `toy` with two methods, two seeds each, and one that fails.
fn arena() -> TestArena {
    let arena = toy();
    arena.method("greedy", "baselines/rf", "{ n_trees = 100000 }");
    let run = arena
        .run(&[], &["--dataset", "toy", "--method", "constant-test", "--method", "knn-test", "--seeds", "2"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let run = arena.run(&[], &["--dataset", "toy", "--method", "greedy", "--memory-limit", "30MiB"]);
    assert_eq!(run.code, Some(10), "{}", run.stderr);
    arena
}

fn store(arena: &TestArena, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = arena.molarena(&[&["store"], arguments, &["--store", "store"]].concat());
    (output.code, output.stdout, output.stderr)
}

fn listed(arena: &TestArena, arguments: &[&str]) -> Vec<Value> {
    let (code, stdout, stderr) = store(arena, &[&["ls", "--json"], arguments].concat());
    assert_eq!(code, Some(0), "{stderr}");
    let list: Value = serde_json::from_str(&stdout).unwrap();
    list["cells"].as_array().unwrap().clone()
}

#[test]
fn rows_and_records_are_listed_and_chosen() {
    let arena = arena();
    let methods = |arguments: &[&str]| -> Vec<String> {
        listed(&arena, arguments).iter().map(|cell| cell["method"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(methods(&[]), ["constant-test", "constant-test", "greedy", "knn-test", "knn-test"]);
    assert_eq!(methods(&["--method", "*-test", "--method", "nothing"]).len(), 4);
    assert_eq!(methods(&["--failed"]), ["greedy"]);
    assert_eq!(methods(&["--dataset", "other"]).len(), 0);
    let (_, text, _) = store(&arena, &["ls"]);
    assert_eq!(text.lines().count(), 4, "{text}");
    let greedy = text.lines().find(|line| line.contains("greedy")).unwrap();
    let cells: Vec<&str> = greedy.split_whitespace().collect();
    assert_eq!((cells[0], cells[2], cells[4], cells[5]), ("toy", "greedy", "0", "1"), "{text}");
    let (_, text, _) = store(&arena, &["ls", "--keys"]);
    assert_eq!(text.lines().count(), 6, "{text}");
}

#[test]
fn a_record_is_shown_by_the_start_of_its_key() {
    let arena = arena();
    let failed = listed(&arena, &["--failed"])[0]["key"].as_str().unwrap().to_owned();
    let (code, text, stderr) = store(&arena, &["show", &failed[..10]]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(text.contains(&failed) && text.contains("memory") && text.contains("baselines/rf"), "{text}");
    let (_, text, _) = store(&arena, &["show", &failed, "--json"]);
    let shown: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(shown["record"]["key"], failed.as_str());
    assert_eq!(shown["record"]["fit_key"], shown["step"]["key"]);
    for (name, key) in [("store-show-no-such-key", "zzzz"), ("store-show-ambiguous-key", "")] {
        let output = arena.molarena(&["store", "show", key, "--store", "store"]);
        check(name, &arena, &output);
    }
}

#[test]
fn removed_records_are_made_again_and_files_wait_for_gc() {
    let arena = arena();
    let (code, _, stderr) = store(&arena, &["rm"]);
    assert_eq!(code, Some(2), "{stderr}");
    let (_, text, _) = store(&arena, &["rm", "--method", "knn-test", "--dry-run"]);
    // The two seeds of a method without randomness share a step.
    assert!(text.starts_with("would remove 2 records, 1 steps, 0 other files"), "{text}");
    assert_eq!(listed(&arena, &[]).len(), 5);
    let (_, text, _) = store(&arena, &["rm", "--method", "knn-test"]);
    assert!(text.starts_with("removed 2 records, 1 steps"), "{text}");
    assert_eq!(listed(&arena, &[]).len(), 3);
    let artifacts = arena.stored("artifacts").len();
    let (_, text, _) = store(&arena, &["gc"]);
    // Predictions of test and of validation molecules.
    assert!(text.starts_with("removed 0 records, 0 steps, 2 other files"), "{text}");
    assert_eq!(arena.stored("artifacts").len(), artifacts - 2);
    assert_eq!(store(&arena, &["verify"]).0, Some(0));
    let run = arena.run(&[], &["--dataset", "toy", "--method", "knn-test", "--seeds", "2"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(listed(&arena, &["--method", "knn-test"]).len(), 2);
    let (_, text, _) = store(&arena, &["gc", "--caches", "--steps"]);
    assert!(!text.contains(" 0 other files"), "{text}");
    assert_eq!(store(&arena, &["verify"]).0, Some(0));
    assert_eq!(listed(&arena, &[]).len(), 5);
}

#[test]
fn nothing_is_removed_while_a_run_goes_on() {
    let arena = arena();
    let session = arena.path("store/work/run-other");
    fs_err::create_dir_all(&session).unwrap();
    let lock = fs_err::File::create(session.join("lock")).unwrap();
    lock.file().lock().unwrap();
    for arguments in [&["gc"] as &[&str], &["rm", "--failed"]] {
        let (code, _, stderr) = store(&arena, arguments);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(stderr.contains("a run uses the store"), "{stderr}");
    }
    assert_eq!(listed(&arena, &[]).len(), 5);
}

#[test]
fn two_half_stores_merge_to_one() {
    let arena = arena();
    let board = |store: &str| {
        let output =
            arena.molarena(&["board", "--store", store, "--no-intervals", "--no-cost", "--format", "json"]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    };
    let whole = board("store");
    copy(&arena.path("store"), &arena.path("one"));
    copy(&arena.path("store"), &arena.path("other"));
    for (store, method) in [("one", "knn-test"), ("other", "constant-test"), ("other", "greedy")] {
        let output = arena.molarena(&["store", "rm", "--method", method, "--store", store]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let output = arena.molarena(&["store", "gc", "--store", store]);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    }
    assert_ne!(board("one"), whole);
    let output = arena.molarena(&["store", "merge", "one", "other", "--store", "merged"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(board("merged"), whole);
    let output = arena.molarena(&["store", "verify", "--store", "merged"]);
    assert_eq!(output.code, Some(0), "{}", output.stdout);
    // Again it changes nothing; a record with another outcome is told, and this store's stays.
    let record = arena
        .stored("records")
        .into_iter()
        .find(|path| fs_err::read_to_string(path).unwrap().contains("\"method\": \"knn-test\""));
    let record = record.unwrap();
    let text = fs_err::read_to_string(&record).unwrap();
    let at = text.find("\"mean\": ").unwrap() + 8;
    let end = at + text[at..].find([',', '\n']).unwrap();
    fs_err::write(&record, format!("{}0.125{}", &text[..at], &text[end..])).unwrap();
    let output = arena.molarena(&["store", "merge", "store", "--store", "merged"]);
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    assert!(output.stderr.contains("has another outcome; this store's stays"), "{}", output.stderr);
    assert_eq!(board("merged"), whole);
}

#[test]
fn a_store_is_one_file_and_becomes_a_store_again() {
    let arena = arena();
    let archives = |folder: &str| files(&arena.path(folder));
    let (code, text, stderr) = store(&arena, &["pack", "--output", "one"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert!(text.contains(".tar.gz: 5 records, "), "{text}");
    let archive = archives("one").remove(0);
    let name = archive.file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(name.len(), 64 + ".tar.gz".len());
    // Caches are no part of it, and the same store gives the same bytes.
    let (code, _, stderr) = store(&arena, &["gc", "--caches"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(store(&arena, &["pack", "--output", "two"]).0, Some(0));
    assert_eq!(archives("two").remove(0).file_name().unwrap().to_str(), Some(name.as_str()));

    let unpacked = arena.molarena(&["store", "unpack", archive.to_str().unwrap(), "--store", "unpacked"]);
    assert_eq!(unpacked.code, Some(0), "{}", unpacked.stderr);
    let board = |store: &str| {
        arena.molarena(&["board", "--store", store, "--no-intervals", "--format", "json"]).stdout
    };
    assert_eq!(board("unpacked"), board("store"));
    let verify = arena.molarena(&["store", "verify", "--store", "unpacked"]);
    assert!(verify.stdout.ends_with("0 problems\n"), "{}", verify.stdout);
    let places = ["--data-dir", "data", "--datasets-dir", "datasets"];
    let replay = arena.molarena(&[&["replay", "--store", "unpacked"], &places[..]].concat());
    assert_eq!(replay.code, Some(0), "{}", replay.stdout);

    // A changed byte, and a file that is no archive.
    let mut bytes = fs_err::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs_err::write(&archive, &bytes).unwrap();
    arena.write("table.csv", "smiles,active\nCC,1\n");
    for (path, why) in [
        (archive.to_str().unwrap(), "its name states another sha256"),
        ("table.csv", "no archive of a store"),
    ] {
        let output = arena.molarena(&["store", "unpack", path, "--store", "damaged"]);
        assert_eq!(output.code, Some(5), "{}", output.stderr);
        assert!(output.stderr.contains(why), "{}", output.stderr);
    }
    assert_eq!(files(&arena.path("damaged/records")).len(), 0);
}

#[test]
fn a_build_without_object_stores_says_how_to_get_one() {
    let arena = TestArena::new();
    for verb in ["push", "pull"] {
        let (code, _, stderr) = store(&arena, &[verb, "s3://bucket/arena"]);
        assert_eq!(code, Some(2), "{stderr}");
        assert!(
            stderr.starts_with("error [E-HOST-009]: s3://bucket/arena: this molarena was built without"),
            "{stderr}"
        );
        assert!(stderr.ends_with("cargo build --release -p molarena --features object-store\n"), "{stderr}");
    }
    assert!(!arena.path("store").exists());
}

#[test]
fn boards_are_of_a_suite_of_the_latest_configurations_and_sorted() {
    let arena = arena();
    let rows = |arguments: &[&str]| -> Vec<String> {
        let all = [&["board", "--store", "store", "--no-intervals", "--format", "json"], arguments].concat();
        let output = arena.molarena(&all);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        let boards: Value = serde_json::from_str(&output.stdout).unwrap();
        let rows = boards["boards"][0]["rows"].as_array().unwrap().iter();
        rows.map(|row| row["method"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rows(&["--sort", "name"]), ["constant-test", "greedy", "knn-test"]);
    let mut by_time = rows(&["--sort", "time"]);
    by_time.sort();
    assert_eq!(by_time, ["constant-test", "greedy", "knn-test"]);
    let suite = "schema = 'molarena.suite/1'\nname = 's'\n[[cells]]\ndatasets = ['toy']\nmethods = ['knn-test']\nseeds = 1\n";
    arena.write("suite.toml", suite);
    assert_eq!(rows(&["--suite", "suite.toml", "--methods-dir", "methods"]), ["knn-test"]);
    // The same method with another configuration is a row of its own, unless only the latest counts.
    arena.method("knn-test", "baselines/knn", "{ k = 1 }");
    let run = arena.run(&[], &["--dataset", "toy", "--method", "knn-test"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(rows(&["--method", "knn-test"]).len(), 2);
    assert_eq!(rows(&["--method", "knn-test", "--latest"]), ["knn-test"]);
    let wrong = arena.molarena(&["board", "--store", "store", "--sort", "luck"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("no-twins"), "{}", wrong.stderr);
}
