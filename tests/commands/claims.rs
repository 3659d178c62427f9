//! What holds of a paper's claims.

use std::collections::BTreeSet;

use molarena_data::Catalog;
use molarena_host::{Against, Claims, Methods};
use molarena_tests::{Output, TestArena, python::repository};
use serde_json::Value;

use crate::support::check;

const HEAD: &str = "schema = \"molarena.claims/1\"\n\
                    notes = [\"Of the demo world.\"]\n\
                    [paper]\ntitle = \"A paper\"\nurl = \"https://arxiv.org/abs/2406.12056\"\nname = \"InfoAlign\"\n";

/// A claim of `claims.toml` with further lines.
fn claim(name: &str, method: &str, more: &str) -> String {
    format!(
        "[[claim]]\nname = \"{name}\"\ntext = \"It is so.\"\nsource = \"Table 2\"\nmethod = \"{method}\"\n{more}\n"
    )
}

/// The demo world, with the rows of a forest and of nearest neighbours in the store `rows`, and of a constant in `floors`.
fn demo() -> TestArena {
    let arena = TestArena::new();
    let made = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    for (store, methods) in [("rows", &["morgan-rf", "morgan-knn"] as &[&str]), ("floors", &["constant"])] {
        let mut arguments = vec!["run", "--data-dir", "data", "--store", store, "--seeds", "2"];
        arguments.extend(["--dataset", "demo", "--dataset", "demo-regression"]);
        arguments.extend(methods.iter().flat_map(|method| ["--method", method]));
        let run = arena.molarena(&arguments);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
    }
    arena
}

fn claims(arena: &TestArena, text: &str, more: &[&str]) -> Output {
    arena.write("claims.toml", text);
    let stores = ["claims", "claims.toml", "--store", "rows", "--store", "floors", "--data-dir", "data"];
    arena.molarena(&[&stores, more].concat())
}

fn all() -> String {
    [
        HEAD.to_owned(),
        claim("holds", "morgan-rf", "against = [\"morgan-knn\", \"constant\"]\ndatasets = [\"demo\"]"),
        claim("fails", "constant", "against = \"morgan-rf\"\ndatasets = [\"demo\", \"demo-regression\"]"),
        claim("worse", "constant", "against = \"morgan-rf\"\nexpect = \"worse\""),
        claim("equal", "morgan-rf", "against = \"morgan-knn\"\nexpect = \"equal\"\nwithin = 50.0"),
        claim("missing", "morgan-rf", "against = [\"constant\", \"nothing\"]\ndatasets = [\"demo\"]"),
        claim("elsewhere", "nothing", "against = \"nobody\"\ndatasets = [\"demo\", \"chembl2k\"]"),
        claim("nowhere", "nothing", "against = \"morgan-rf\"\nnote = \"As a note.\""),
        claim("printed", "morgan-rf", "against = { published = \"morgan-rf\" }\ndatasets = [\"demo\"]"),
    ]
    .concat()
}

#[test]
fn claims_are_judged_one_by_one() {
    let arena = demo();
    let output = claims(&arena, &all(), &[]);
    check("claims", &arena, &output);
    assert_eq!(claims(&arena, &all(), &[]).stdout, output.stdout);
    let json = claims(&arena, &all(), &["--format", "json"]);
    assert_eq!(json.code, Some(0), "{}", json.stderr);
    assert_eq!(claims(&arena, &all(), &["--format", "json"]).stdout, json.stdout);
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    let verdicts = |claim: usize| -> Vec<&str> {
        let datasets = report["claims"][claim]["datasets"].as_array().unwrap();
        datasets.iter().map(|on| on["verdict"].as_str().unwrap()).collect()
    };
    let expected: [&[&str]; 8] = [
        &["holds"],
        &["does-not-hold", "does-not-hold"],
        &["holds", "holds"],
        &["holds", "holds"],
        &["open"],
        &["not-measured", "not-measured"],
        &[],
        &["not-measured"],
    ];
    for (claim, expected) in expected.iter().enumerate() {
        assert_eq!(verdicts(claim), *expected, "{}", report["claims"][claim]["name"]);
    }
    let on = &report["claims"][1]["datasets"][1];
    let result = &on["comparisons"][0]["result"];
    assert_eq!((&result["first"]["store"], &result["second"]["store"]), (&"floors".into(), &"rows".into()));
    assert_eq!(result["seeds"], serde_json::json!([0, 1]));
    // Of an error, a greater one is worse.
    assert!(result["difference"].as_f64().unwrap() > 0.0, "{result}");
    assert!(!json.stdout.contains(arena.path("").to_str().unwrap()), "{}", json.stdout);
    // The comparison is the one of `compare`.
    let compare = ["compare", "constant", "morgan-rf", "--store", "floors", "--other-store", "rows"];
    let more = ["--data-dir", "data", "--dataset", "demo-regression", "--format", "json"];
    let compared = arena.molarena(&[&compare as &[&str], &more].concat());
    let compared: Value = serde_json::from_str(&compared.stdout).unwrap();
    for member in ["difference", "low", "high", "p_value", "wilcoxon_p_value", "metric", "split"] {
        assert_eq!(result[member], compared[0][member], "{member}");
    }
    // Members are those of the schema.
    let schema = arena.molarena(&["schema", "claims-report"]);
    let schema: Value = serde_json::from_str(&schema.stdout).unwrap();
    let members: BTreeSet<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(members, schema["properties"].as_object().unwrap().keys().collect());
    assert_eq!(report["schema"], schema["properties"]["schema"]["const"]);
    // An absolute path is of one machine only, so the report has its last part.
    let rows = arena.path("rows").display().to_string();
    let absolute = ["claims", "claims.toml", "--store", &rows, "--store", "floors", "--data-dir", "data"];
    assert_eq!(arena.molarena(&absolute).stdout, output.stdout);
    let page = claims(&arena, &all(), &["--format", "html"]).stdout;
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("does not hold"), "{page}");
    the_claims_of_the_repository_can_be_judged(&arena);
}

/// Without a row, nothing is measured, and the missing rows are named with the command that makes them.
fn the_claims_of_the_repository_can_be_judged(arena: &TestArena) {
    for path in molarena_tests::files(&repository("leaderboards/claims")) {
        let file = path.display().to_string();
        let output = arena.molarena(&["claims", &file, "--store", "rows", "--data-dir", "data"]);
        assert_eq!(output.code, Some(0), "{file}: {}", output.stderr);
        assert!(output.stdout.contains("## Rows that are missing"), "{}", output.stdout);
        assert!(!output.stdout.contains(&file), "{}", output.stdout);
    }
}

#[test]
fn the_claims_of_the_repository_name_methods_and_datasets_of_the_arena() {
    let (methods, catalog) = (Methods::load(None).unwrap(), Catalog::builtin().unwrap());
    let known: BTreeSet<&str> = methods.iter().map(|method| method.name.as_str()).collect();
    let files = molarena_tests::files(&repository("leaderboards/claims"));
    assert!(!files.is_empty());
    for path in files {
        for claim in Claims::load(&path).unwrap().claims {
            let others = match &claim.against {
                Against::Rows(rows) => rows.clone(),
                Against::Published(_) => Vec::new(),
            };
            for row in others.iter().chain([&claim.method]) {
                assert!(known.contains(row.as_str()), "{}: {}: {row}", path.display(), claim.name);
            }
            for dataset in &claim.datasets {
                assert!(catalog.get(dataset).is_ok(), "{}: {}: {dataset}", path.display(), claim.name);
            }
        }
    }
}

#[test]
fn wrong_claims_are_refused() {
    let arena = TestArena::new();
    fs_err::create_dir_all(arena.path("rows/records")).unwrap();
    fs_err::create_dir_all(arena.path("floors/records")).unwrap();
    let right = claim("one", "morgan-rf", "against = \"constant\"");
    for (name, text) in [
        ("claims-unknown-key", claim("one", "morgan-rf", "against = \"constant\"\nexpct = \"worse\"")),
        ("claims-duplicate-name", right.repeat(2)),
        ("claims-unknown-expect", claim("one", "morgan-rf", "against = \"constant\"\nexpect = \"bigger\"")),
        ("claims-unknown-figure", claim("one", "morgan-rf", "against = { published = \"nothing\" }")),
        (
            "claims-unknown-dataset",
            claim("one", "morgan-rf", "against = \"constant\"\ndatasets = [\"toys\"]"),
        ),
        ("claims-without-records", right.clone()),
    ] {
        check(name, &arena, &claims(&arena, &(HEAD.to_owned() + &text), &[]));
    }
    let nobody = HEAD.replace("InfoAlign", "nobody") + &right;
    check("claims-unknown-paper", &arena, &claims(&arena, &nobody, &[]));
    check("claims-no-file", &arena, &arena.molarena(&["claims", "none.toml", "--store", "rows"]));
}
