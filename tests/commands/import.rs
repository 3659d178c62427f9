//! Predictions made elsewhere.

use std::fmt::Write;

use molarena_tests::{Output, TestArena};
use serde_json::Value;

use crate::support::{check, toy};

const PLACES: [&str; 4] = ["--data-dir", "data", "--datasets-dir", "datasets"];

fn import(arena: &TestArena, arguments: &[&str]) -> Output {
    let all =
        [&["import", "mine.csv", "--dataset", "toy", "--store", "store"], arguments, &PLACES[..]].concat();
    arena.molarena(&all)
}

/// An arena with a row of its own, and that row's predictions of each seed as a table to import.
fn exported(seed: u64) -> TestArena {
    let arena = toy();
    let run = arena.run(&[], &["--dataset", "toy", "--method", "knn-test", "--seeds", "2"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let table = arena.molarena(&[&["export", "predictions", "--store", "store"], &PLACES[..]].concat());
    let mut reader = csv::Reader::from_reader(table.stdout.as_bytes());
    let (mut tasks, mut rows) = (Vec::<String>::new(), Vec::<(String, String, Vec<String>)>::new());
    for cells in reader.records().map(Result::unwrap).filter(|cells| cells[4] == *seed.to_string()) {
        if !tasks.contains(&cells[5].to_owned()) {
            tasks.push(cells[5].to_owned());
        }
        match rows.iter_mut().find(|row| row.0 == cells[1]) {
            Some(row) => row.2.push(cells[7].to_owned()),
            None => rows.push((cells[1].to_owned(), cells[2].to_owned(), vec![cells[7].to_owned()])),
        }
    }
    // The order of the rows plays no part.
    rows.reverse();
    let mut text = format!("row,smiles,{}\n", tasks.join(","));
    for (row, smiles, values) in rows {
        writeln!(text, "{row},{smiles},{}", values.join(",")).unwrap();
    }
    arena.write("mine.csv", &text);
    arena
}

#[test]
fn imported_predictions_score_as_the_same_made_here() {
    let arena = exported(1);
    for (method, more) in [("mine", &[] as &[&str]), ("by-row", &["--row-column", "row"])] {
        let output = import(&arena, &[&["--method", method, "--seed", "1"], more].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    }
    // The long form, as it was exported, is the same again.
    let long = arena.molarena(
        &[&["export", "predictions", "--store", "store", "--method", "knn-test"], &PLACES[..]].concat(),
    );
    arena.write("mine.csv", &long.stdout);
    let output = import(&arena, &["--method", "mine", "--seed", "1"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let refused = import(&arena, &["--method", "mine", "--seed", "7"]);
    assert_eq!(refused.code, Some(5), "{}", refused.stderr);
    assert!(refused.stderr.contains("no row is of the dataset toy and the seed 7"), "{}", refused.stderr);
    // The same again is no other record.
    assert_eq!(import(&arena, &["--method", "mine", "--seed", "1"]).code, Some(0));
    let listed = arena.molarena(&["store", "ls", "--keys", "--json", "--store", "store"]);
    let listed: Value = serde_json::from_str(&listed.stdout).unwrap();
    let score = |method: &str| {
        let cells = listed["cells"].as_array().unwrap().iter();
        let of: Vec<f64> = cells
            .filter(|cell| cell["method"] == method && cell["seed"] == 1)
            .map(|cell| cell["score"].as_f64().unwrap())
            .collect();
        assert_eq!(of.len(), 1, "{method}");
        of[0]
    };
    assert!((score("mine") - score("knn-test")).abs() < 1e-12);
    assert!((score("by-row") - score("knn-test")).abs() < 1e-12);
    let board = arena.molarena(&[&["board", "--store", "store", "--no-cost"], &PLACES[..]].concat());
    assert!(board.stdout.contains("how their predictions were made: by-row, mine."), "{}", board.stdout);
    assert!(!board.stdout.contains("Not confined, so that"), "{}", board.stdout);
    let row = arena.boards()["boards"][0]["rows"].as_array().unwrap().clone();
    assert_eq!(row.iter().filter(|row| row["imported"] == true).count(), 2);
    // Everything else takes the row like others.
    let replay = arena.molarena(&[&["replay", "--store", "store"], &PLACES[..]].concat());
    assert_eq!(replay.code, Some(0), "{}", replay.stdout);
    let compared =
        arena.molarena(&[&["compare", "mine", "by-row", "--store", "store"], &PLACES[..]].concat());
    assert!(compared.stdout.contains("The same"), "{}{}", compared.stdout, compared.stderr);
    let again =
        arena.molarena(&[&["reproduce", "--method", "mine", "--store", "store"], &PLACES[..]].concat());
    assert_eq!(again.code, Some(2), "{}", again.stderr);
    assert!(again.stderr.contains("was imported"), "{}", again.stderr);
}

#[test]
fn predictions_that_cannot_be_are_named_by_row() {
    let arena = exported(0);
    let good = fs_err::read_to_string(arena.path("mine.csv")).unwrap();
    let lines: Vec<&str> = good.lines().collect();
    let cells: Vec<&str> = lines[1].split(',').collect();
    let with_first = |line: String| {
        let rest = lines[2..].join("\n");
        format!("{}\n{line}\n{rest}\n", lines[0])
    };
    let row = ["--row-column", "row"];
    for (name, text, more) in [
        ("import-missing-molecule", format!("{}\n{}\n", lines[0], lines[2..].join("\n")), &[] as &[&str]),
        ("import-no-probability", with_first(format!("{},{},1.5,{}", cells[0], cells[1], cells[3])), &[]),
        ("import-no-number", with_first(format!("{},{},high,{}", cells[0], cells[1], cells[3])), &[]),
        ("import-no-prediction", with_first(format!("{},{},,{}", cells[0], cells[1], cells[3])), &[]),
        ("import-wrong-row", with_first(format!("{},C1CC1,{},{}", cells[0], cells[2], cells[3])), &row),
        ("import-row-twice", format!("{good}{}\n", lines[1]), &row),
        ("import-absent-task", good.replace("toxic", "poison"), &[]),
    ] {
        arena.write("mine.csv", &text);
        let output = import(&arena, &[&["--method", "mine"], more].concat());
        assert_eq!(output.code, Some(5), "{name}: {}", output.stderr);
        check(name, &arena, &output);
    }
    arena.write("mine.csv", &good);
    for name in ["morgan-rf", "a b", ""] {
        let output = import(&arena, &["--method", name]);
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
    }
    let listed = arena.molarena(&["store", "ls", "--json", "--store", "store", "--method", "mine"]);
    assert!(listed.stdout.contains("\"cells\": []"), "nothing was stored: {}", listed.stdout);
    // Other predictions of the same seed are said to be there.
    assert_eq!(import(&arena, &["--method", "mine"]).code, Some(0));
    let other = good.replace(lines[1], &format!("{},{},0.125,0.125", cells[0], cells[1]));
    arena.write("mine.csv", &other);
    let output = import(&arena, &["--method", "mine"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("has other predictions of mine, seed 0"), "{}", output.stderr);
}
