//! Successful runs: their output, the stored records and the boards.

use crate::support::{check, run_one, toy};

#[test]
fn a_run_stores_its_cells_and_a_second_one_finds_them() {
    let arena = toy();
    let arguments = ["--dataset", "toy", "--method", "constant-test", "--method", "knn-test", "--seeds", "2"];
    let arguments: Vec<&str> = arguments.into_iter().chain(["--jobs", "1"]).collect();
    let dry: Vec<&str> = arguments.iter().copied().chain(["--dry-run"]).collect();
    check("dry-run", &arena, &arena.run(&[], &dry));
    assert_eq!(fs_err::read_dir(arena.path("store/records")).unwrap().count(), 0);
    let output = arena.run(&[], &arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("run", &arena, &output);
    check("run-again", &arena, &arena.run(&[], &arguments));
    check("dry-run-of-finished-cells", &arena, &arena.run(&[], &dry));
    assert_eq!(fs_err::read_dir(arena.path("store/work")).unwrap().count(), 0);

    for format in ["md", "csv"] {
        let board = arena.molarena(&["board", "--store", "store", "--no-cost", "--format", format]);
        assert_eq!(board.code, Some(0), "{}", board.stderr);
    }
    check("board", &arena, &arena.molarena(&["board", "--store", "store", "--no-cost"]));
    let boards = arena.boards();
    assert_eq!(boards["boards"][0]["rows"].as_array().unwrap().len(), 2);
    let only = arena.molarena(&["board", "--store", "store", "--no-cost", "--method", "knn-test"]);
    assert!(only.stdout.contains("knn-test") && !only.stdout.contains("constant-test"), "{}", only.stdout);
    let none = arena.molarena(&["board", "--store", "store", "--method", "nobody"]);
    assert_eq!(none.code, Some(4));
    check("board-of-an-unknown-method", &arena, &none);
}

#[test]
fn the_counts_of_a_run_are_json_on_request() {
    let arena = toy();
    let output = arena.run(&[], &["--dataset", "toy", "--method", "knn-test", "--json"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let json: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let counts = ["cells", "scored", "failed", "resumed"].map(|count| json[count].as_u64().unwrap());
    assert_eq!((json["schema"].as_str(), counts), (Some("molarena.run/1"), [1, 1, 0, 0]));
}

#[test]
fn a_suite_runs_methods_beside_it() {
    let arena = toy();
    arena.write(
        "suites/mine.toml",
        "schema = \"molarena.suite/1\"\nname = \"s\"\n[[cells]]\ndatasets = [\"toy\"]\n\
         methods = [\"../methods/knn-test.toml\", \"constant-test\"]\nseeds = [3]\nsplit = \"random\"\nsplit_seed = 1\n",
    );
    let output = arena.run(&[], &["suites/mine.toml", "--jobs", "1"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("suite", &arena, &output);
}

#[test]
fn shuffled_labels_are_a_row_of_their_own() {
    let arena = toy();
    assert_eq!(run_one(&arena, "toy", "knn-test").code, Some(0));
    let output =
        arena.run(&[], &["--dataset", "toy", "--method", "knn-test", "--shuffle-labels", "--jobs", "1"]);
    check("shuffled-labels", &arena, &output);
    check("shuffled-labels-board", &arena, &arena.molarena(&["board", "--store", "store", "--no-cost"]));
}
