//! Steps: what is stored is what was made, is found again, and is scored again.

use std::{process::Stdio, thread, time::Duration};

use molarena_tests::{TestArena, library};

use crate::{chains, hostile, json, records, row, wait_until, workers};

fn baselines() -> Vec<std::path::PathBuf> {
    vec![library("molarena_baselines")]
}

#[test]
fn a_plugin_that_answers_differently_each_time_resumes_after_every_kill() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("differs", "fixture-hostile/differs", "{ sleep_ms = 60 }");
    let arguments = ["--dataset", "chains", "--method", "differs", "--seeds", "60", "--jobs", "2"];
    let arguments = arena.run_arguments(&hostile(), &arguments);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for kill in 0..30u64 {
        let mut run = arena.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From 40 to 440 ms, in no order: before the plan, within a step, between two.
        thread::sleep(Duration::from_millis(40 + 197 * kill % 401));
        run.kill().unwrap();
        run.wait().unwrap();
        wait_until("the end of orphaned workers", || {
            !arena.path("store").is_dir() || workers(&arena).is_empty()
        });
    }
    let output = arena.molarena(&arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(records(&arena).len(), 60);
    let verified = arena.molarena(&["store", "verify", "--store", "store"]);
    assert_eq!(
        (verified.code, verified.stdout.contains(": 0 problems")),
        (Some(0), true),
        "{}",
        verified.stdout
    );
    let replayed =
        arena.molarena(&["replay", "--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"]);
    assert!(replayed.stdout.starts_with("60 records come out the same, 0 differ, 0 skipped"), "{replayed:?}");
}

#[test]
fn scores_come_out_again_without_any_plugin() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("k1", "baselines/knn", "{ k = 1 }");
    let output = arena.run(&baselines(), &["--dataset", "chains", "--method", "k1"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let replay = |more: &[&str]| {
        let always = ["replay", "--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"];
        arena.molarena(&[&always[..], more].concat())
    };
    let path = arena.stored("records").remove(0);
    let text = fs_err::read_to_string(&path).unwrap();
    assert_eq!(replay(&[]).code, Some(0));
    // A score that is not that of the predictions.
    let mean = records(&arena)[0]["outcome"]["mean"].to_string();
    fs_err::write(&path, text.replace(&format!("\"mean\": {mean}"), "\"mean\": 0.125")).unwrap();
    let differs = replay(&[]);
    assert_eq!((differs.code, differs.stdout.contains("1 differ")), (Some(10), true), "{differs:?}");
    assert_eq!(replay(&["--update"]).code, Some(0));
    assert_eq!(fs_err::read_to_string(&path).unwrap(), text, "byte for byte");
    let board = arena.molarena(&[
        "board",
        "--store",
        "store",
        "--metric",
        "rmse",
        "--data-dir",
        "data",
        "--datasets-dir",
        "datasets",
        "--format",
        "json",
    ]);
    let board = json(&board.stdout);
    assert_eq!(board["boards"][0]["metric"], "rmse");
    assert_ne!(board["boards"][0]["rows"][0]["mean"].to_string(), mean);
    // Without the labels there is no score.
    fs_err::remove_dir_all(arena.path("data")).unwrap();
    let skipped = replay(&[]);
    assert_eq!((skipped.code, skipped.stdout.contains("1 skipped")), (Some(10), true), "{skipped:?}");
}

#[test]
fn damaged_records_and_swapped_files_are_named() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("k1", "baselines/knn", "{ k = 1 }");
    arena.method("k9", "baselines/knn", "{ k = 9 }");
    let run = || arena.run(&baselines(), &["--dataset", "chains", "--method", "k1", "--method", "k9"]);
    assert_eq!(run().code, Some(0));
    let paths = arena.stored("records");
    let [one, other] = paths.as_slice() else { panic!("{paths:?}") };
    // A record under another key is a missing cell on the board, and made again by a run.
    fs_err::copy(one, other).unwrap();
    let board = arena.molarena(&["board", "--store", "store"]);
    assert_eq!(board.code, Some(0));
    assert!(board.stderr.contains("it is the record of another key"), "{}", board.stderr);
    let verify = || arena.molarena(&["store", "verify", "--store", "store"]);
    assert_eq!(verify().code, Some(5));
    let again = run();
    assert!(again.stdout.contains("1 scored now, 1 finished before"), "{}", again.stdout);
    assert_eq!(verify().code, Some(0), "{}", verify().stdout);
    // A later version's record is not overwritten.
    let text = fs_err::read_to_string(one).unwrap();
    fs_err::write(one, text.replace("molarena.record/1", "molarena.record/7")).unwrap();
    let newer = run();
    assert!(newer.stderr.contains("a later version wrote it; update molarena"), "{}", newer.stderr);
    fs_err::write(one, text).unwrap();
    // A file under the hash of others.
    let record = &records(&arena)[0];
    fs_err::write(arena.artifact(record["fit_key"].as_str().unwrap(), "test.npy"), "").unwrap();
    let found = verify();
    assert!(found.stdout.contains("not the bytes of `test.npy`"), "{}", found.stdout);
}

#[test]
fn a_kept_model_predicts_what_training_anew_predicts() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("k1", "baselines/knn", "{ k = 1 }");
    arena.method("k9", "baselines/knn", "{ k = 9 }");
    let text = "schema = \"molarena.method/1\"\nname = \"both\"\nensemble = { members = [\"k1\", \"k9\"] }\n";
    arena.write("methods/both.toml", text);
    arena.write("new.csv", "smiles\nCCO\nnot a molecule\nCCCCN\n");
    let plugin = library("molarena_baselines").display().to_string();
    let places =
        ["--data-dir", "data", "--datasets-dir", "datasets", "--methods-dir", "methods", "--plugin", &plugin];
    for method in ["k1", "both"] {
        let model = format!("model-{method}");
        let train = ["train", "--dataset", "chains", "--method", method, "--output", &model];
        let trained = arena.molarena(&[&train[..], &places[..]].concat());
        assert_eq!(trained.code, Some(0), "{}", trained.stderr);
        let predict = |what: &[&str], output: &str| {
            let always = ["predict", "--input", "new.csv", "--output", output, "--force"];
            let done = arena.molarena(&[&always[..], what, &places[..]].concat());
            assert_eq!(done.code, Some(10), "a row cannot be read: {}", done.stderr);
            fs_err::read_to_string(arena.path(output)).unwrap()
        };
        let anew = predict(&["--dataset", "chains", "--method", method], "anew.csv");
        assert_eq!(predict(&["--model", &model], "kept.csv"), anew);
        assert_eq!(anew.lines().count(), 4);
    }
    let missing = ["predict", "--model", "none", "--input", "new.csv", "--output", "x.csv"];
    let missing = arena.molarena(&[&missing[..], &places[..]].concat());
    assert_eq!((missing.code, missing.stderr.contains("no model")), (Some(2), true), "{missing:?}");
}

#[test]
fn a_device_is_told_recorded_and_shown() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("device", "fixture-kinds/device", "{}");
    arena.method("mean", "fixture-hostile/good", "{}");
    let libraries = [vec![library("fixture_kinds")], hostile()].concat();
    let run = |more: &[&str]| {
        arena.run(&libraries, &[&["--dataset", "chains", "--method", "device"][..], more].concat())
    };
    assert_eq!(run(&[]).code, Some(0));
    let on_card = run(&["--device", "cuda:1"]);
    assert_eq!(on_card.code, Some(0), "{}", on_card.stderr);
    let [cpu, cuda] = [false, true].map(|device| {
        let all = records(&arena);
        all.into_iter().find(|record| record.get("device").is_some() == device).expect("a record")
    });
    assert_eq!(cuda["device"], "cuda");
    assert_ne!(cpu["fit_key"], cuda["fit_key"]);
    let values = |record: &serde_json::Value| -> Vec<f32> {
        let path = arena.artifact(record["fit_key"].as_str().unwrap(), "test.npy");
        ndarray_npy::read_npy::<_, ndarray::Array2<f32>>(path).unwrap().into_iter().collect()
    };
    assert!(
        values(&cpu).iter().all(|&value| value == 0.0) && values(&cuda).iter().all(|&value| value == 1.0)
    );
    let board = arena.molarena(&["board", "--store", "store"]);
    assert!(board.stdout.contains("Run on another device than the processor: device@"), "{}", board.stdout);
    for (device, method, part) in [
        ("libtorch", "device", "does not run on libtorch, only on cpu, cuda:N"),
        ("cuda:0", "mean", "does not run on cuda:0, only on cpu"),
        ("gpu", "device", "`gpu` is no device; write cpu, libtorch, cuda:0"),
    ] {
        let output = arena.run(&libraries, &["--dataset", "chains", "--method", method, "--device", device]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }
}

#[test]
fn a_plan_of_too_many_cells_is_refused_at_once() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("k1", "baselines/knn", "{ k = 1 }");
    let many = ["--dataset", "chains", "--method", "k1", "--seeds", "100000000", "--dry-run"];
    let output = arena.run(&baselines(), &many);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("has 100000000 cells, and a plan may have 2000000;"), "{}", output.stderr);
}

#[test]
fn events_are_lines_of_json() {
    let arena = TestArena::new();
    chains(&arena);
    arena.method("k1", "baselines/knn", "{ k = 1 }");
    let output =
        arena.run(&baselines(), &["--dataset", "chains", "--method", "k1", "--events", "events.jsonl"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let text = fs_err::read_to_string(arena.path("events.jsonl")).unwrap();
    let mut events: Vec<String> =
        text.lines().map(|line| json(line)["event"].as_str().unwrap().to_owned()).collect();
    // On a slow machine there is progress to tell.
    events.retain(|event| event != "progress");
    assert_eq!(events, ["planned", "started", "finished", "scored"]);
    assert_eq!(json(text.lines().last().unwrap())["record"]["method"], "k1");
    assert_eq!(row(&arena, "k1")["seeds"], 1);
}
