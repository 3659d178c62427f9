//! Measured profiles as features, for the molecules of a dataset that have one in a context graph.

use molarena_tests::{Output, TestArena, library};
use ndarray::{Array2, Zip};
use serde_json::Value;

use crate::{json, records, row};

/// A tenth of the labelled molecules of the demo world are in its context graph.
const PROFILE: &str = "{ kind = \"profile\", context = \"demo-context\", space = \"morphology\" }";

fn method(arena: &TestArena, name: &str, rest: &str) {
    arena.write(
        &format!("methods/{name}.toml"),
        format!("schema = \"molarena.method/1\"\nname = \"{}\"\n{rest}\n", name.trim_start_matches("../")),
    );
}

fn run(arena: &TestArena, methods: &[&str]) -> Output {
    let mut arguments = vec!["--dataset", "demo", "--json"];
    arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
    arena.run(&[library("molarena_baselines")], &arguments)
}

fn arena() -> TestArena {
    let arena = TestArena::new();
    let made = arena.molarena(&["data", "simulate", "--output", "data"]);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let forest = "baseline = { component = \"baselines/rf\", config = { n_trees = 10 } }";
    method(&arena, "alone", &format!("features = {PROFILE}\n{forest}"));
    let parts = format!("parts = [{{ kind = \"morgan\", bits = 256 }}, {PROFILE}]");
    method(&arena, "both-alone", &format!("features = {{ kind = \"concatenated\", {parts} }}\n{forest}"));
    arena.method("structure", "baselines/knn", "{ k = 5 }");
    method(&arena, "first", "ensemble = { members = [\"alone\", \"structure\"], rule = \"first\" }");
    method(&arena, "late", "ensemble = { members = [\"alone\", \"structure\"] }");
    method(&arena, "early", "ensemble = { members = [\"both-alone\", \"structure\"], rule = \"first\" }");
    arena
}

fn predictions(arena: &TestArena, key: &Value) -> Array2<f32> {
    ndarray_npy::read_npy(arena.artifact(key.as_str().unwrap(), "test.npy")).unwrap()
}

#[test]
fn a_profile_predicts_where_there_is_one_and_the_structure_elsewhere() {
    let arena = arena();
    let output = run(&arena, &["first", "late", "early", "structure"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let records = records(&arena);
    let record = |name: &str| records.iter().find(|record| record["method"] == name).unwrap();
    let of = |name: &str| predictions(&arena, &record(name)["fit_key"]);
    let (first, late, early, structure) = (of("first"), of("late"), of("early"), of("structure"));
    let fits = arena.steps("fit");
    assert_eq!(fits.len(), 3, "each member is fitted once");
    let partial: Vec<Array2<f32>> = fits
        .iter()
        .map(|fit| predictions(&arena, &fit["key"]))
        .filter(|values| values.iter().any(|value| value.is_nan()))
        .collect();
    assert_eq!(partial.len(), 2);
    let is_made_of = |made: &Array2<f32>, own: &Array2<f32>| {
        Zip::from(made)
            .and(own)
            .and(&structure)
            .all(|made, own, structure| if own.is_nan() { made == structure } else { made == own })
    };
    assert_eq!(partial.iter().filter(|own| is_made_of(&first, own)).count(), 1);
    assert_eq!(partial.iter().filter(|own| is_made_of(&early, own)).count(), 1);
    assert_ne!(first, early);
    assert!(late.iter().all(|value| value.is_finite()));

    let share = record("first")["profiled"].as_f64().unwrap();
    assert!(share > 0.02 && share < 0.25, "about a tenth has a profile: {share}");
    assert_eq!(row(&arena, "first")["profiled"], share);
    assert_eq!(record("late")["profiled"], share);
    assert!(
        record("structure").get("profiled").is_none() && row(&arena, "structure").get("profiled").is_none()
    );
    assert_eq!(record("first")["composition"]["rule"], "first");
    assert!(record("late")["composition"].get("rule").is_none(), "keys of means are as they were");
    let member = &record("first")["composition"]["members"][0]["composition"]["features"];
    assert_eq!(member["sha256"].as_str().unwrap().len(), 64, "the graph that the profiles are of: {member}");

    side_by_side(&arena, &structure);
}

/// The rows on the molecules with a profile only.
fn side_by_side(arena: &TestArena, structure: &Array2<f32>) {
    let board = |more: &[&str]| {
        let always = ["board", "--store", "store", "--data-dir", "data", "--format", "json", "--no-cost"];
        arena.molarena(&always.iter().chain(more).copied().collect::<Vec<_>>())
    };
    let some = board(&["--profiled", "demo-context/morphology"]);
    assert_eq!(some.code, Some(0), "{}", some.stderr);
    let (all, some) = (json(&board(&[]).stdout), json(&some.stdout));
    let mean = |boards: &Value, name: &str| {
        let rows = boards["boards"][0]["rows"].as_array().unwrap();
        rows.iter().find(|row| row["method"] == name).unwrap()["mean"].as_f64().unwrap()
    };
    assert_ne!(mean(&all, "structure"), mean(&some, "structure"));
    assert_ne!(mean(&some, "first"), mean(&some, "structure"));
    let note = some["boards"][0]["notes"][0].as_str().unwrap();
    assert_eq!(note, "Only the test molecules with a profile in demo-context/morphology.");
    let twins = |boards: &Value| boards["boards"][0]["uncertainty"]["twins"].as_u64().unwrap();
    assert!(twins(&some) <= twins(&all) && structure.nrows() > 20);
    let compared = arena.molarena(&[
        "compare",
        "first",
        "structure",
        "--store",
        "store",
        "--data-dir",
        "data",
        "--profiled",
        "demo-context/morphology",
        "--resamples",
        "200",
    ]);
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    for (space, code, part) in [
        (
            "demo-context/shape",
            Some(4),
            "the spaces with profiles of molecules are: [expression, morphology]",
        ),
        ("elsewhere/morphology", Some(4), "elsewhere"),
        ("morphology", Some(2), "expected CONTEXT/SPACE, such as context-open/expression"),
    ] {
        let refused = board(&["--profiled", space]);
        assert_eq!(refused.code, code, "{}", refused.stderr);
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
}

#[test]
fn what_leaves_molecules_without_a_prediction_is_refused_by_name() {
    let arena = arena();
    let forest = "baseline = { component = \"baselines/rf\" }";
    let space = PROFILE.replace("morphology", "shape");
    method(&arena, "no-space", &format!("features = {space}\n{forest}"));
    let counts = PROFILE.replace("profile", "cell-count").replace("morphology", "expression");
    method(&arena, "no-counts", &format!("features = {counts}\n{forest}"));
    method(&arena, "none", "ensemble = { members = [\"alone\", \"both-alone\"] }");
    method(&arena, "never", "ensemble = { members = [\"structure\", \"alone\"], rule = \"first\" }");
    method(
        &arena,
        "no-space-first",
        "ensemble = { members = [\"no-space\", \"structure\"], rule = \"first\" }",
    );
    method(
        &arena,
        "no-counts-first",
        "ensemble = { members = [\"no-counts\", \"structure\"], rule = \"first\" }",
    );
    let corpus = "encoder = { component = \"baselines/profile-knn\", corpus = \"demo-context\" }";
    // Such a file in the folder of methods would fail them all.
    method(&arena, "../pretrained", &format!("features = {PROFILE}\n{corpus}\n{forest}"));
    let encoder = "encoder = { component = \"baselines/profile-knn\" }";
    method(&arena, "../encoded", &format!("features = {PROFILE}\n{encoder}\n{forest}"));
    for (name, part) in [
        ("alone", "predicts only molecules with a measured profile, so it is no row of a board"),
        (
            "no-space-first",
            "has no profiles of molecules in a space `shape`; the spaces with profiles of molecules are: [expression, morphology]",
        ),
        (
            "no-counts-first",
            "has no cell counts in a space `expression`; the spaces with cell counts are: [morphology]",
        ),
        ("none", "add a member that predicts all molecules"),
        ("never", "member `alone` comes after one that predicts all molecules"),
        ("pretrained.toml", "belong to a dataset's own molecules"),
        ("encoded.toml", "go to a `baseline` without an `encoder`"),
    ] {
        let output = run(&arena, &[name]);
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{name}: {}", output.stderr);
    }
}

#[test]
fn cell_counts_are_a_column() {
    let arena = arena();
    let counts = PROFILE.replace("profile", "cell-count");
    method(
        &arena,
        "count-alone",
        &format!("features = {counts}\nbaseline = {{ component = \"baselines/rf\" }}"),
    );
    method(&arena, "count", "ensemble = { members = [\"count-alone\", \"structure\"], rule = \"first\" }");
    let output = run(&arena, &["count"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(records(&arena)[0]["profiled"].as_f64().unwrap() > 0.02);
}
