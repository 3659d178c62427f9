//! Data files that are missing, damaged or wrong end in exit code 5 and a message with the place and the remedy.

use molarena_tests::{Output, TestArena};

use crate::support::{check, classes, dataset, edit, molecules, run_one, table, toy};

/// Adds the dataset `bad` and the method `knn-test` to `arena`; the run must end in exit code 5.
#[track_caller]
fn refused(name: &str, kind: &str, tasks: &[&str], csv: &str, change: impl FnOnce(&TestArena)) -> Output {
    let arena = toy();
    dataset(&arena, "bad", kind, tasks, csv);
    change(&arena);
    let output = run_one(&arena, "bad", "knn-test");
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    check(name, &arena, &output);
    output
}

const MANIFEST: &str = "datasets/bad/dataset.toml";

#[test]
fn a_missing_file_is_named_with_the_command_that_fetches_it() {
    let output = refused("missing-file", "classification", &["a"], &table(&["a"], classes), |arena| {
        fs_err::remove_file(arena.path("data/bad/assays.csv")).unwrap();
    });
    assert!(output.stderr.contains("bad/assays.csv") && output.stderr.contains("molarena data fetch bad"));
}

#[test]
fn a_damaged_file_is_refused() {
    refused("wrong-sha256", "classification", &["a"], &table(&["a"], classes), |arena| {
        edit(arena, "data/bad/assays.csv", "CO,0", "CO,1");
    });
}

#[test]
fn an_absent_column_is_named() {
    let csv = table(&["a"], classes);
    refused("absent-task-column", "classification", &["a"], &csv, |arena| {
        edit(arena, MANIFEST, "columns = [\"a\"]", "columns = [\"b\"]");
    });
    refused("absent-smiles-column", "classification", &["a"], &csv, |arena| {
        edit(arena, MANIFEST, "smiles = \"smiles\"", "smiles = \"SMILES\"");
    });
}

#[test]
fn a_label_that_cannot_be_is_named_by_row_and_column() {
    let with = |bad: &'static str| {
        table(&["a", "b"], move |row, task| if (row, task) == (6, 1) { bad.into() } else { "1".into() })
    };
    let tasks = ["a", "b"];
    let output = refused("label-not-a-number", "regression", &tasks, &with("high"), |_| {});
    assert!(output.stderr.contains("row 7 (line 8), column \"b\""), "{}", output.stderr);
    refused("label-infinite", "regression", &tasks, &with("inf"), |_| {});
    refused("label-class-2", "classification", &tasks, &with("2"), |_| {});
    refused("label-class-half", "classification", &tasks, &with("0.5"), |_| {});
}

#[test]
fn tables_of_the_wrong_form_are_refused() {
    refused("empty-table", "classification", &["a"], "smiles,a\n", |arena| {
        edit(arena, MANIFEST, "rows = 0", "rows = 1");
    });
    refused("empty-file", "classification", &["a"], "", |arena| {
        edit(arena, MANIFEST, "rows = 0", "rows = 1");
    });
    refused("wrong-row-count", "classification", &["a"], &table(&["a"], classes), |arena| {
        edit(arena, MANIFEST, "rows = 40", "rows = 41");
    });
    refused("ragged-table", "classification", &["a"], "smiles,a\nC,1\nCC\n", |_| {});
    refused("two-columns-of-one-name", "classification", &["a"], "smiles,a,a\nC,1,0\n", |_| {});
    refused("too-few-molecules", "classification", &["a"], "smiles,a\nC,1\nCC,0\n", |_| {});
    refused("no-readable-molecule", "classification", &["a"], "smiles,a\nxx,1\nyy,0\n", |_| {});
}

#[test]
fn a_wrong_manifest_is_refused_with_its_key() {
    let csv = table(&["a"], classes);
    for (name, from, to) in [
        ("unknown-key", "licence =", "license ="),
        ("bad-value", "metric = \"roc_auc\"", "metric = \"mae\""),
        ("path-outside", "path = \"bad/", "path = \"../bad/"),
    ] {
        refused(&format!("manifest-{name}"), "classification", &["a"], &csv, |arena| {
            edit(arena, MANIFEST, from, to);
        });
    }
}

#[test]
fn unreadable_smiles_are_left_out_and_told() {
    let arena = toy();
    let mut csv = table(&["a"], classes);
    csv.push_str("C1CC,1\nnot a molecule,0\n");
    dataset(&arena, "some", "classification", &["a"], &csv);
    let output = run_one(&arena, "some", "knn-test");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("unreadable-smiles", &arena, &output);
    for told in ["row 41: `C1CC`", "row 42: `not a molecule`"] {
        assert!(output.stderr.contains(told), "{told} not in {}", output.stderr);
    }
    let record = only_record(&arena);
    assert_eq!(record["unparsed_molecules"], 2);
    let parts = ["train", "valid", "test"].map(|part| record["split"][part].as_u64().unwrap());
    assert_eq!(parts.iter().sum::<u64>(), molecules().len() as u64);
    let board = arena.molarena(&["board", "--store", "store", "--no-cost"]);
    check("unreadable-smiles-board", &arena, &board);
    assert!(board.stdout.contains("could not be parsed and take part in nothing: 2"), "{}", board.stdout);
    let info = arena.molarena(&["data", "info", "some", "--data-dir", "data", "--datasets-dir", "datasets"]);
    check("unreadable-smiles-info", &arena, &info);
}

fn only_record(arena: &TestArena) -> serde_json::Value {
    let files = arena.stored("records");
    assert_eq!(files.len(), 1);
    serde_json::from_slice(&fs_err::read(&files[0]).unwrap()).unwrap()
}

#[test]
fn a_task_of_one_class_has_no_score_and_harms_nothing() {
    let arena = toy();
    let one = |row, task| if task == 1 { "1".to_owned() } else { classes(row, 0) };
    dataset(&arena, "single", "classification", &["both", "single"], &table(&["both", "single"], one));
    let output = run_one(&arena, "single", "knn-test");
    check("single-class-task", &arena, &output);
    let board = arena.molarena(&["board", "--store", "store", "--no-cost"]);
    check("single-class-task-board", &arena, &board);
    assert!(board.stdout.contains("1 of 2 tasks undefined"), "{}", board.stdout);

    let arena = toy();
    dataset(&arena, "none", "classification", &["x", "y"], &table(&["x", "y"], |_, task| task.to_string()));
    let output = run_one(&arena, "none", "knn-test");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("all-tasks-of-a-single-class", &arena, &output);
    check(
        "all-tasks-of-a-single-class-board",
        &arena,
        &arena.molarena(&["board", "--store", "store", "--no-cost"]),
    );
    assert_eq!(arena.boards()["boards"][0]["rows"][0]["mean"], serde_json::Value::Null);
}

#[test]
fn a_task_without_labels_harms_nothing() {
    let arena = toy();
    let missing = |row, task| if task == 1 { String::new() } else { format!("{}.5", row % 5) };
    dataset(&arena, "holes", "regression", &["known", "unknown"], &table(&["known", "unknown"], missing));
    let output = run_one(&arena, "holes", "knn-test");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("task-without-labels", &arena, &output);
    check("task-without-labels-board", &arena, &arena.molarena(&["board", "--store", "store", "--no-cost"]));
}

#[test]
fn data_are_verified_and_fetched_from_a_mirror() {
    let arena = toy();
    let data = |verb: &[&str], folder: &str| {
        let places = ["--data-dir", folder, "--datasets-dir", "datasets"];
        let arguments: Vec<&str> = ["data"].iter().chain(verb).chain(&places).copied().collect();
        arena.molarena(&arguments)
    };
    check("verify-good", &arena, &data(&["verify", "toy"], "data"));
    check("verify-missing", &arena, &data(&["verify", "toy"], "empty"));
    check("fetch-from-a-mirror", &arena, &data(&["fetch", "toy", "--mirror", "data"], "empty"));
    let output = data(&["verify", "toy"], "empty");
    assert_eq!(output.code, Some(0), "{}", output.stdout);
    check("fetch-again", &arena, &data(&["fetch", "toy", "--mirror", "data"], "empty"));

    edit(&arena, "data/toy/assays.csv", "CO,0", "CO,1");
    let output = data(&["verify", "toy"], "data");
    assert_eq!(output.code, Some(5), "{}", output.stdout);
    check("verify-damaged", &arena, &output);
    let json = data(&["verify", "toy", "--json"], "data");
    assert_eq!(json.code, Some(5));
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["datasets"][0]["files"][0]["state"], "wrong_sha256");

    let output = data(&["fetch", "toy", "--mirror", "data"], "second");
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    check("fetch-from-a-damaged-mirror", &arena, &output);
    assert!(!arena.path("second/toy/assays.csv").exists());
    check("fetch-from-a-missing-mirror", &arena, &data(&["fetch", "toy", "--mirror", "nowhere"], "second"));
    let output = data(&["fetch", "toy"], "second");
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    check("fetch-without-url", &arena, &output);
    for verb in ["fetch", "verify", "info"] {
        let output = data(&[verb, "toi"], "data");
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        check(&format!("{verb}-unknown-dataset"), &arena, &output);
    }
}

#[test]
fn data_are_listed_and_described() {
    let arena = toy();
    let places = ["--data-dir", "data", "--datasets-dir", "datasets"];
    let data = |verb: &[&str]| {
        let arguments: Vec<&str> = ["data"].iter().chain(verb).chain(&places).copied().collect();
        let output = arena.molarena(&arguments);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output
    };
    let list = data(&["list"]);
    let line = list.stdout.lines().find(|line| line.starts_with("toy ")).unwrap();
    assert!(line.contains("40") && line.contains("2 classification") && line.contains("yes"), "{line}");
    assert!(list.stdout.lines().next().unwrap().starts_with("id "), "{}", list.stdout);
    let json: serde_json::Value = serde_json::from_str(&data(&["list", "--json"]).stdout).unwrap();
    let datasets = json["datasets"].as_array().unwrap();
    let toy = datasets.iter().find(|dataset| dataset["manifest"]["id"] == "toy").unwrap();
    assert_eq!((json["schema"].as_str(), &toy["fetched"]), (Some("molarena.data-list/1"), &true.into()));
    check("info", &arena, &data(&["info", "toy"]));
    let json: serde_json::Value = serde_json::from_str(&data(&["info", "toy", "--json"]).stdout).unwrap();
    assert_eq!((&json["id"], &json["molecules"]), (&"toy".into(), &40.into()));
}
