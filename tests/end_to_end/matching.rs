//! Matches molecules and profiles in the demo world.

use molarena_tests::{Output, TestArena};
use ndarray::Array2;
use serde_json::Value;

use crate::{json, names, pretraining::world};

const GROUP: &str = "[[match]]\ncontext = \"demo-context\"\nspaces = [\"morphology\", \"expression\"]\n";

fn suite(arena: &TestArena, groups: &str) -> Output {
    arena.write("suite.toml", format!("schema = \"molarena.suite/1\"\nname = \"m\"\n{groups}"));
    arena.run(&[], &["suite.toml"])
}

fn matches(arena: &TestArena) -> Vec<Value> {
    let paths = arena.stored("matches").into_iter();
    paths.map(|path| json(&fs_err::read_to_string(path).unwrap())).collect()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value}"))
}

#[test]
fn neighbours_beat_chance_and_no_query_is_in_the_corpus() {
    let arena = world("{}", "[]");
    let methods = "methods = [\"random-ranking\", \"demo-profile-knn\"]\n";
    let groups = format!(
        "{GROUP}{methods}seeds = 2\ncandidates = \"test\"\n{GROUP}methods = [\"demo-profile-knn\"]\nseeds = 1\n"
    );
    let output = suite(&arena, &groups);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let matches = matches(&arena);
    assert_eq!(matches.len(), 5);
    // One split and one pretraining serve both kinds of candidates.
    assert_eq!(arena.steps("pretrain").len(), 1);
    let mut mrr = std::collections::BTreeMap::<(String, String), Vec<f64>>::new();
    for record in &matches {
        assert_eq!((&record["confined"], &record["simulated"]), (&true.into(), &true.into()));
        for space in record["outcome"]["spaces"].as_array().unwrap() {
            check_space(&arena, record, space);
            if record["candidates"] == "test" {
                let of = |value: &Value| value.as_str().unwrap().to_owned();
                let name = (of(&record["method"]), of(&space["space"]));
                mrr.entry(name).or_default().push(number(&space["mrr"]));
            }
        }
    }
    for space in ["morphology", "expression"] {
        let of = |method: &str| {
            let values = &mrr[&(method.to_owned(), space.to_owned())];
            values.iter().sum::<f64>() / values.len() as f64
        };
        assert!(of("demo-profile-knn") > 1.4 * of("random-ranking"), "{mrr:?}");
    }
    let trained = matches.iter().find(|record| record["method"] == "demo-profile-knn").unwrap();
    let pretraining = &trained["composition"]["pretraining"];
    assert_eq!(pretraining["left_out"], trained["split"]["test"]);
    assert_eq!(trained["composition"]["decoder_is_trained"], true);
    comes_out_the_same(&arena);
    let plot = |more: &[&str]| {
        let always = ["plot", "--ranks", "--store", "store", "-o", "figures"];
        arena.molarena(&always.iter().chain(more).copied().collect::<Vec<_>>())
    };
    assert_eq!(plot(&[]).code, Some(0));
    // All candidates, and those of the test part only.
    let expected =
        ["expression-ranks-2.svg", "expression-ranks.svg", "morphology-ranks-2.svg", "morphology-ranks.svg"];
    assert_eq!(names(&arena, "figures"), expected.map(|name| format!("demo-context-{name}")));
    let figure = fs_err::read_to_string(arena.path("figures/demo-context-expression-ranks-2.svg")).unwrap();
    assert!(figure.contains("random-ranking") && figure.contains("simulated"), "{figure}");
    assert_eq!(plot(&["--dataset", "none"]).code, Some(4));
    fs_err::write(arena.artifact(trained["key"].as_str().unwrap(), "ranks.npz"), "").unwrap();
    let damaged = plot(&["--force"]);
    assert!(damaged.stderr.contains("not the bytes of `ranks.npz`"), "{}", damaged.stderr);
    // A second run runs nothing.
    assert!(suite(&arena, &groups).stdout.starts_with("5 cells: 0 scored now, 5 finished before, 0 failed"));
}

/// All records are made again with the same ranks, and boards of the suite say so.
fn comes_out_the_same(arena: &TestArena) {
    let places = ["--store", "store", "--data-dir", "data", "--datasets-dir", "datasets"];
    let again = arena.molarena(&[&["reproduce", "--dataset", "demo-context"], &places[..]].concat());
    assert_eq!(again.code, Some(0), "{}", again.stderr);
    assert!(
        again.stdout.contains("identical, largest difference of ranks 0, reciprocal rank"),
        "{}",
        again.stdout
    );
    assert!(again.stdout.ends_with("5 records verified, 0 came out different\n"), "{}", again.stdout);
    let suite =
        ["board", "--store", "store", "--suite", "suite.toml", "--methods-dir", "methods", "--latest"];
    let boards = arena.molarena(&[&suite[..], &["--format", "json"]].concat());
    let boards = json(&boards.stdout);
    let boards = boards["matches"].as_array().unwrap();
    assert_eq!(boards.len(), 4, "{boards:?}");
    for board in boards {
        for row in board["rows"].as_array().unwrap() {
            assert_eq!(row["verified"], row["seeds"], "{row}");
        }
    }
}

/// A record's summary of a space follows from the stored ranks.
fn check_space(arena: &TestArena, record: &Value, space: &Value) {
    let bytes = fs_err::read(arena.artifact(record["key"].as_str().unwrap(), "ranks.npz")).unwrap();
    assert_eq!(record["outcome"]["ranks_sha256"], molarena_data::sha256_hex(&bytes));
    let mut npz = ndarray_npy::NpzReader::new(std::io::Cursor::new(bytes)).unwrap();
    let ranks: Array2<u64> = npz.by_name(space["space"].as_str().unwrap()).unwrap();
    assert_eq!(space["relevant"], ranks.nrows());
    let mut best = std::collections::BTreeMap::<u64, u64>::new();
    for row in ranks.rows() {
        let entry = best.entry(row[0]).or_insert(u64::MAX);
        *entry = (*entry).min(row[1]);
        assert!(row[1] >= 1 && row[1] <= space["candidates"].as_u64().unwrap());
    }
    let queries = best.len() as f64;
    assert_eq!(number(&space["queries"]), queries);
    let hits = best.values().filter(|&&rank| rank <= 10).count() as f64;
    assert!((number(&space["hit_10"]) - hits / queries).abs() < 1e-12);
    let mrr = best.values().map(|&rank| 1.0 / rank as f64).sum::<f64>() / queries;
    assert!((number(&space["mrr"]) - mrr).abs() < 1e-12);
    if record["candidates"] == "test" {
        assert_eq!(space["candidates"], space["relevant"], "only profiles of queries");
    }
}

#[test]
fn what_is_varied_is_recorded_and_fails_by_name() {
    let arena = world("{}", "[]");
    let group = format!("{GROUP}methods = [\"demo-profile-knn\"]\nseeds = 1\ncandidates = \"test\"\n");
    let output = suite(&arena, &format!("{group}vary = {{ \"decoder.config.k\" = [1, 20] }}\n"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let mut names: Vec<(String, Value)> = matches(&arena)
        .iter()
        .map(|record| {
            (record["method"].as_str().unwrap().to_owned(), record["varied"]["decoder.config.k"].clone())
        })
        .collect();
    names.sort_by(|one, other| one.0.cmp(&other.0));
    let expected =
        [("demo-profile-knn[k=1]".to_owned(), 1.into()), ("demo-profile-knn[k=20]".to_owned(), 20.into())];
    assert_eq!(names, expected);
    assert_eq!(arena.steps("pretrain").len(), 1, "the decoder is not part of the training");
    assert_eq!(arena.steps("encode").len(), 1, "the queries are encoded once");
}
