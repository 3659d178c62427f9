//! Tables for other programs.

use molarena_tests::TestArena;

use crate::support::toy;

const PLACES: [&str; 4] = ["--data-dir", "data", "--datasets-dir", "datasets"];

fn ran() -> TestArena {
    let arena = toy();
    let run = arena
        .run(&[], &["--dataset", "toy", "--method", "constant-test", "--method", "knn-test", "--seeds", "2"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    arena
}

/// The rows of a CSV text without its head, after a check of the head.
#[track_caller]
fn rows(text: &str, head: &str) -> Vec<Vec<String>> {
    let (first, rest) = text.split_once('\n').unwrap();
    assert_eq!(first, head);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(rest.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn every_score_has_a_row() {
    let arena = ran();
    let output = arena.molarena(&["export", "scores", "--store", "store"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let rows = rows(&output.stdout, "method,dataset,split,task,seed,metric,value,failed,key");
    // Two methods, two seeds, two tasks.
    assert_eq!(rows.len(), 8);
    let board = &arena.boards()["boards"][0];
    for row in board["rows"].as_array().unwrap() {
        let of_row = rows.iter().filter(|cells| cells[0] == row["method"].as_str().unwrap());
        let values: Vec<f64> = of_row.filter_map(|cells| cells[6].parse().ok()).collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        assert!((mean - row["mean"].as_f64().unwrap()).abs() < 1e-12, "{row}");
    }
}

#[test]
fn predictions_have_molecules_and_labels() {
    let arena = ran();
    let output = arena.molarena(
        &[&["export", "predictions", "--method", "knn-test", "--store", "store"] as &[&str], &PLACES]
            .concat(),
    );
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let rows = rows(&output.stdout, "dataset,row,smiles,method,seed,task,label,prediction");
    let test = arena.boards()["boards"][0]["test"].as_u64().unwrap() as usize;
    assert_eq!(rows.len(), test * 2 * 2);
    let molecules = crate::support::molecules();
    for row in &rows {
        let place = row[1].parse::<usize>().unwrap() - 1;
        assert_eq!(row[2], molecules[place]);
        let task = usize::from(row[5] == "toxic");
        let label = crate::support::classes(place, task);
        assert_eq!(row[6], label, "{row:?}");
        assert!((0.0..=1.0).contains(&row[7].parse::<f64>().unwrap()), "{row:?}");
    }
    // Without the labels it is an error that says so, and no file.
    fs_err::remove_dir_all(arena.path("data")).unwrap();
    let output = arena.molarena(
        &[&["export", "predictions", "--store", "store", "--output", "p.csv"] as &[&str], &PLACES].concat(),
    );
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    assert!(!arena.path("p.csv").exists());
}

#[test]
fn a_split_has_every_molecule_once() {
    let arena = ran();
    let split = |more: &[&str]| {
        let output = arena.molarena(&[&["export", "split", "toy"], more, &PLACES].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        rows(&output.stdout, "row,smiles,scaffold,part")
    };
    let rows = split(&[]);
    let places: Vec<usize> = rows.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(places, (1..=40).collect::<Vec<_>>());
    let count = |part: &str| rows.iter().filter(|row| row[3] == part).count() as u64;
    let board = &arena.boards()["boards"][0];
    for part in ["train", "valid", "test"] {
        assert_eq!(board[part].as_u64().unwrap(), count(part), "{part}");
    }
    assert_ne!(split(&["--split", "random", "--split-seed", "9"]), rows);
}

#[test]
fn outputs_are_checked_before_anything_is_read() {
    let arena = ran();
    let code = |arguments: &[&str]| arena.molarena(&[&["export"], arguments].concat()).code;
    assert_eq!(code(&["scores", "--store", "store", "--output", "scores.xlsx"]), Some(2));
    assert_eq!(code(&["scores", "--store", "store", "--output", "store/scores.csv"]), Some(2));
    assert_eq!(code(&["scores", "--store", "store", "--output", "scores.parquet"]), Some(0));
    let bytes = fs_err::read(arena.path("scores.parquet")).unwrap();
    assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"));
    assert_eq!(code(&["scores", "--store", "store", "--output", "scores.parquet"]), Some(2));
    assert_eq!(code(&["scores", "--store", "store", "--output", "scores.parquet", "--force"]), Some(0));
    assert_eq!(code(&["scores", "--store", "store", "--method", "nothing"]), Some(4));
}
