//! With shuffled training labels nothing can be learnt, so a score better than chance would be a leak.

use molarena_tests::{TestArena, data_dir};

use crate::{chains, row};

#[test]
fn a_board_marks_shuffled_labels() {
    let arena = TestArena::new();
    chains(&arena);
    let run = |arguments: &[&str]| {
        let arguments = [&["--dataset", "chains", "--method", "morgan-rf"], arguments].concat();
        let output = arena.run(&[], &arguments);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    };
    run(&[]);
    run(&["--shuffle-labels"]);
    let (plain, shuffled) = (row(&arena, "morgan-rf"), row(&arena, "morgan-rf+shuffled"));
    assert_eq!((&plain["shuffled_labels"], &shuffled["shuffled_labels"]), (&false.into(), &true.into()));
    assert_ne!(plain["mean"], shuffled["mean"]);
    let markdown = arena.molarena(&["board", "--store", "store"]).stdout;
    let marked = markdown.lines().filter(|line| line.contains("(shuffled labels)")).count();
    assert_eq!(marked, 1, "{markdown}");
}

#[test]
fn a_forest_on_shuffled_labels_of_chembl2k_scores_chance() {
    let Some(data) = data_dir() else { return };
    let arena = TestArena::new();
    let arguments = ["--dataset", "chembl2k", "--method", "morgan-rf", "--seeds", "3", "--shuffle-labels"];
    let data = data.display().to_string();
    let output =
        arena.molarena(&[&["run", "--data-dir", &data, "--store", "store"], &arguments[..]].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let row = row(&arena, "morgan-rf+shuffled");
    assert_eq!(row["seeds"], 3);
    let mean = row["mean"].as_f64().unwrap();
    assert!((mean - 0.5).abs() <= 0.03, "{mean}");
}
