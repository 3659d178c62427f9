//! Settings chosen on the validation molecules, and ensembles.

use molarena_tests::{TestArena, library};
use ndarray::Array2;
use serde_json::Value;

use crate::{chains, hostile, json, records, row, rows};

fn record(arena: &TestArena, method: &str) -> Value {
    let found = records(arena).into_iter().find(|record| record["method"] == method);
    found.unwrap_or_else(|| panic!("no record of {method}"))
}

fn predictions(arena: &TestArena, record: &Value, name: &str) -> Array2<f32> {
    ndarray_npy::read_npy(arena.artifact(record["fit_key"].as_str().unwrap(), name)).unwrap()
}

fn knn(arena: &TestArena, name: &str, k: usize) {
    arena.method(name, "baselines/knn", &format!("{{ k = {k} }}"));
}

fn ensemble(arena: &TestArena, name: &str, members: &[&str]) {
    let text = format!(
        "schema = \"molarena.method/1\"\nname = \"{name}\"\nensemble = {{ members = {members:?} }}\n"
    );
    arena.write(&format!("methods/{name}.toml"), text);
}

fn run(arena: &TestArena, methods: &[&str], more: &[&str]) -> molarena_tests::Output {
    let mut arguments = vec!["--dataset", "chains", "--json"];
    arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
    arguments.extend(more);
    let mut libraries = hostile();
    libraries.push(library("molarena_baselines"));
    arena.run(&libraries, &arguments)
}

#[test]
fn the_best_setting_on_validation_predicts() {
    let arena = TestArena::new();
    chains(&arena);
    let tuned = "schema = \"molarena.method/1\"\nname = \"tuned\"\nfeatures = { kind = \"morgan\", bits = 256 }\n\
                 baseline = { component = \"baselines/knn\" }\n[tune]\ngrid = { k = [30, 2, 5] }\n";
    arena.write("methods/tuned.toml", tuned);
    let fixed = [30, 2, 5].map(|k| {
        let name = format!("k{k}");
        knn(&arena, &name, k);
        name
    });
    let mut methods: Vec<&str> = fixed.iter().map(String::as_str).collect();
    methods.push("tuned");
    assert_eq!(run(&arena, &methods, &[]).code, Some(0));

    let tuned = record(&arena, "tuned");
    let search = &tuned["search"];
    let scores: Vec<f64> = search["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|candidate| candidate["valid_score"].as_f64().unwrap())
        .collect();
    let best = (0..3).min_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    assert_eq!(search["chosen"], best, "{scores:?}");
    assert!(scores[best] < scores[0], "30 neighbours are too many here: {scores:?}");
    assert_eq!(search["candidates"][best]["config"]["k"], [30, 2, 5][best]);
    let chosen = record(&arena, &fixed[best]);
    assert_eq!(predictions(&arena, &tuned, "test.npy"), predictions(&arena, &chosen, "test.npy"));
    assert_eq!(tuned["outcome"], chosen["outcome"]);
    assert!(chosen.get("search").is_none(), "no choice, no search");
}

#[test]
fn what_no_seed_changes_is_fitted_once() {
    let arena = TestArena::new();
    chains(&arena);
    knn(&arena, "k1", 1);
    assert_eq!(run(&arena, &["k1"], &["--seeds", "3"]).code, Some(0));
    let fits = |arena: &TestArena| arena.steps("fit").len();
    assert_eq!((records(&arena).len(), fits(&arena)), (3, 1));
    assert_eq!(row(&arena, "k1")["seeds"], 3);
    // Shuffling depends on the seed.
    assert_eq!(run(&arena, &["k1"], &["--seeds", "3", "--shuffle-labels"]).code, Some(0));
    assert_eq!((records(&arena).len(), fits(&arena)), (6, 4));
}

#[test]
fn an_ensemble_is_the_mean_of_its_members() {
    let arena = TestArena::new();
    chains(&arena);
    knn(&arena, "k1", 1);
    knn(&arena, "k9", 9);
    ensemble(&arena, "both", &["k1", "k9"]);
    // The ensemble alone: its members are fitted but have no rows.
    let summary = run(&arena, &["both"], &[]);
    assert_eq!(summary.code, Some(0), "{}", summary.stderr);
    assert_eq!(json(&summary.stdout)["cells"], 1);
    assert_eq!((rows(&arena).len(), arena.stored("steps").len()), (1, 3));

    assert_eq!(run(&arena, &["k1", "k9", "both"], &[]).code, Some(0));
    assert_eq!(arena.stored("steps").len(), 3, "nothing was fitted again");
    let [k1, k9, both] = ["k1", "k9", "both"].map(|name| record(&arena, name));
    for name in ["test.npy", "valid.npy"] {
        let [k1, k9, both] = [&k1, &k9, &both].map(|record| predictions(&arena, record, name));
        let mean = (k1 + k9) / 2.0;
        assert!((mean - both).iter().all(|difference| difference.abs() < 1e-5));
    }
    let members: Vec<&Value> =
        both["composition"]["members"].as_array().unwrap().iter().map(|member| &member["method"]).collect();
    assert_eq!(members, ["k1", "k9"]);
    let wall = |record: &Value| record["cost"]["wall_s"].as_f64().unwrap();
    assert!((wall(&both) - wall(&k1) - wall(&k9)).abs() < 1e-9);
}

#[test]
fn shuffled_labels_reach_the_members() {
    let arena = TestArena::new();
    chains(&arena);
    knn(&arena, "k1", 1);
    knn(&arena, "k9", 9);
    ensemble(&arena, "both", &["k1", "k9"]);
    assert_eq!(run(&arena, &["both"], &[]).code, Some(0));
    assert_eq!(run(&arena, &["both"], &["--shuffle-labels"]).code, Some(0));
    let mean = |method: &str| row(&arena, method)["mean"].as_f64().unwrap();
    assert!(mean("both+shuffled") > mean("both"), "the error grows");
}

#[test]
fn an_ensemble_fails_with_its_member_and_can_be_tried_again() {
    let arena = TestArena::new();
    chains(&arena);
    knn(&arena, "k1", 1);
    arena.method("bad", "fixture-hostile/error", "{}");
    ensemble(&arena, "both", &["k1", "bad"]);
    for _ in 0..2 {
        let output = run(&arena, &["both"], &["--retry-failed"]);
        assert_eq!(output.code, Some(10), "{}", output.stderr);
        let summary = json(&output.stdout);
        assert_eq!((summary["scored"].as_u64(), summary["failed"].as_u64()), (Some(0), Some(1)));
    }
    let failure = &row(&arena, "both")["failures"][0];
    assert_eq!(failure["reason"], "error");
    assert!(failure["message"].as_str().unwrap().starts_with("member bad: "), "{failure}");
}

#[test]
fn what_cannot_be_combined_is_refused_before_anything_runs() {
    let arena = TestArena::new();
    chains(&arena);
    knn(&arena, "k1", 1);
    knn(&arena, "k9", 9);
    ensemble(&arena, "both", &["k1", "k9"]);
    ensemble(&arena, "nested", &["both", "k1"]);
    ensemble(&arena, "missing", &["k1", "k8"]);
    for (method, part) in
        [("nested", "member `both` is an ensemble itself"), ("missing", "unknown method `k8`")]
    {
        let output = run(&arena, &[method], &[]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }
    let bad = "schema = \"molarena.method/1\"\nname = \"tuned\"\nfeatures = { kind = \"morgan\", bits = 256 }\n\
               baseline = { component = \"baselines/knn\" }\n[tune]\ngrid = { k = [1, 0] }\n";
    arena.write("methods/tuned.toml", bad);
    let output = run(&arena, &["tuned"], &[]);
    assert!(output.stderr.contains("at `/k`: 0 is less than the minimum of 1"), "{}", output.stderr);
    assert!(arena.stored("steps").is_empty());
}

/// Predictions of two molecules by a model that is trained now and by one that was saved.
fn predicted(arena: &TestArena, method: &str, libraries: &[std::path::PathBuf]) -> [String; 2] {
    arena.write("new.csv", "smiles\nCCO\nCCCCCCCCCN\n");
    let places =
        ["--data-dir", "data", "--datasets-dir", "datasets", "--methods-dir", "methods", "--store", "store"];
    let plugins: Vec<String> =
        libraries.iter().flat_map(|path| ["--plugin".to_owned(), path.display().to_string()]).collect();
    let with = |arguments: &[&str], places: &[&str]| {
        let plugins = plugins.iter().map(String::as_str);
        let arguments: Vec<&str> = arguments.iter().chain(places).copied().chain(plugins).collect();
        let output = arena.molarena(&arguments);
        assert_eq!(output.code, Some(0), "{}", output.stderr);
    };
    let model = format!("{method}.model");
    with(&["train", "--dataset", "chains", "--method", method, "--output", &model], &places);
    with(
        &["predict", "--model", &model, "--input", "new.csv", "--output", "saved.csv"],
        &["--store", "store"],
    );
    let now =
        ["predict", "--dataset", "chains", "--method", method, "--input", "new.csv", "--output", "now.csv"];
    with(&now, &places);
    ["now.csv", "saved.csv"].map(|path| fs_err::read_to_string(arena.path(path)).unwrap())
}

#[test]
fn a_greedy_ensemble_is_weighted_by_what_is_best_on_validation() {
    let arena = TestArena::new();
    chains(&arena);
    let far = "schema = \"molarena.method/1\"\nname = \"mean\"\nfeatures = { kind = \"morgan\" }\n\
               baseline = { component = \"baselines/constant\" }\n";
    arena.write("methods/mean.toml", far);
    knn(&arena, "k1", 1);
    knn(&arena, "k9", 9);
    arena.write(
        "methods/chosen.toml",
        "schema = \"molarena.method/1\"\nname = \"chosen\"\n\
         ensemble = { members = [\"mean\", \"k1\", \"k9\"], rule = \"greedy\" }\n",
    );
    assert_eq!(run(&arena, &["mean", "k1", "k9", "chosen"], &[]).code, Some(0));
    let chosen = record(&arena, "chosen");
    assert_eq!(chosen["composition"]["rule"], "greedy");
    let weights = predictions(&arena, &chosen, "weights.npy");
    assert!(
        (weights.sum() - 1.0).abs() < 1e-6 && weights[[0, 0]] < weights[[0, 1]].max(weights[[0, 2]]),
        "{weights}"
    );
    for name in ["test.npy", "valid.npy"] {
        let members = ["mean", "k1", "k9"].map(|method| predictions(&arena, &record(&arena, method), name));
        let mut expected = Array2::zeros(members[0].dim());
        for (member, weight) in members.iter().zip(&weights) {
            expected += &(member * *weight);
        }
        let difference =
            (expected - predictions(&arena, &chosen, name)).iter().fold(0f32, |most, x| most.max(x.abs()));
        assert!(difference < 1e-4, "{name}: {difference}");
    }
    let errors = ["mean", "k1", "k9", "chosen"].map(|method| {
        let valid = predictions(&arena, &record(&arena, method), "valid.npy");
        let labels = chains_of_validation();
        valid.iter().zip(labels).map(|(value, label)| (value - label).abs()).sum::<f32>()
    });
    assert!(errors[..3].iter().all(|error| errors[3] <= *error + 1e-4), "{errors:?}");
    // The board says that the validation molecules chose, and how often.
    assert_eq!(row(&arena, "chosen")["settings"], 75);
    let [now, saved] = predicted(&arena, "chosen", &[library("molarena_baselines")]);
    assert_eq!(now, saved);
}

/// The labels of the validation molecules of [`chains`].
fn chains_of_validation() -> Vec<f32> {
    let label = |row: usize| (row / 10) as f32 + 0.25 * (row % 10) as f32;
    crate::split().valid.into_iter().map(label).collect()
}

#[test]
fn features_stand_beside_the_vectors_of_an_encoder() {
    let arena = TestArena::new();
    chains(&arena);
    let method = |name: &str, more: &str| {
        let text = format!(
            "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"graphs\" }}\n{more}\
             encoder = {{ component = \"fixture-kinds/atom-counts\" }}\n\
             baseline = {{ component = \"baselines/linear\" }}\n"
        );
        arena.write(&format!("methods/{name}.toml"), text);
    };
    method("alone", "");
    method("joined", "join = { kind = \"morgan\", bits = 64 }\n");
    let libraries = [library("fixture_kinds"), library("molarena_baselines")];
    let run = |methods: &[&str]| {
        let mut arguments = vec!["--dataset", "chains"];
        arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
        arena.run(&libraries, &arguments)
    };
    assert_eq!(run(&["alone", "joined"]).code, Some(0));
    let joined = record(&arena, "joined");
    assert_eq!(joined["composition"]["join"]["kind"], "morgan");
    assert!(record(&arena, "alone")["composition"].get("join").is_none());
    // One encoding serves both.
    assert_eq!((arena.steps("encode").len(), arena.steps("fit").len()), (1, 2));
    assert_ne!(
        predictions(&arena, &joined, "test.npy"),
        predictions(&arena, &record(&arena, "alone"), "test.npy")
    );
    let [now, saved] = predicted(&arena, "joined", &libraries);
    assert_eq!(now, saved);
    method("alone", "join = { kind = \"smiles\" }\n");
    let output = run(&["alone"]);
    assert!(
        output.code == Some(2) && output.stderr.contains("join: features may be morgan"),
        "{}",
        output.stderr
    );
    arena.write(
        "methods/alone.toml",
        "schema = \"molarena.method/1\"\nname = \"alone\"\nfeatures = { kind = \"descriptors\" }\n\
         join = { kind = \"morgan\" }\nbaseline = { component = \"baselines/linear\" }\n",
    );
    let output = run(&["alone"]);
    assert!(output.code == Some(2) && output.stderr.contains("`join` stands beside"), "{}", output.stderr);
}

/// A method of the baseline `linear` whose encoder counts atoms, with `join`.
fn joined_method(arena: &TestArena, name: &str, join: &str) {
    let text = format!(
        "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ kind = \"graphs\" }}\n\
         encoder = {{ component = \"fixture-kinds/atom-counts\" }}\njoin = {join}\n\
         baseline = {{ component = \"baselines/linear\" }}\n"
    );
    arena.write(&format!("methods/{name}.toml"), text);
}

#[test]
fn vectors_of_several_encoders_stand_side_by_side() {
    let arena = TestArena::new();
    chains(&arena);
    let random = "{ features = { kind = \"graphs\" }, encoder = { component = \"gnn/pretrained\", config = { convolution = \"gcn\" } } }";
    joined_method(&arena, "keys", "{ kind = \"maccs\" }");
    joined_method(&arena, "encoded", random);
    joined_method(&arena, "several", &format!("[{{ kind = \"maccs\" }}, {random}]"));
    let libraries = [library("fixture_kinds"), library("molarena_gnn"), library("molarena_baselines")];
    let run = |names: &[&str]| {
        let names = names.iter().flat_map(|name| ["--method", name]);
        arena.run(
            &libraries,
            &["--dataset", "chains", "--seeds", "2"].into_iter().chain(names).collect::<Vec<_>>(),
        )
    };
    let output = run(&["keys", "encoded", "several"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let records = ["keys", "encoded", "several"].map(|name| record(&arena, name));
    let join = |index: usize| &records[index]["composition"]["join"];
    assert_eq!(join(0), &serde_json::json!({ "kind": "maccs" }));
    assert_eq!(join(1)["encoder"]["component"], "gnn/pretrained");
    assert_eq!(join(2)[0], serde_json::json!({ "kind": "maccs" }));
    assert_eq!(&join(2)[1], join(1));
    let test = records.each_ref().map(|record| predictions(&arena, record, "test.npy"));
    assert!(test[0] != test[1] && test[0] != test[2] && test[1] != test[2]);
    // One of each encoder and seed, whichever methods need it.
    assert_eq!(arena.steps("encode").len(), 4);
    let [now, saved] = predicted(&arena, "several", &libraries);
    assert_eq!(now, saved);
    // What a record says is enough to run it again.
    let mut again = ["reproduce", "--method", "several", "--store", "store"].map(str::to_owned).to_vec();
    again.extend(["--data-dir", "data", "--datasets-dir", "datasets"].map(str::to_owned));
    again.extend(libraries.iter().flat_map(|path| ["--plugin".to_owned(), path.display().to_string()]));
    let again = arena.molarena(&again.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(again.code, Some(0), "{}{}", again.stdout, again.stderr);
    for (join, part) in [
        ("[]", "join: the list is empty"),
        ("{ kind = \"smiles\" }", "join: features may be morgan"),
        ("{ encoder = { component = \"gnn/pretrained\" } }", "join: missing field `features`"),
        (
            "{ features = { kind = \"smiles\" }, encoder = { component = \"gnn/pretrained\" } }",
            "`gnn/pretrained` takes `graphs`",
        ),
        (
            "{ features = { kind = \"graphs\" }, encoder = { component = \"gnn\" } }",
            "must be `plugin/component`",
        ),
    ] {
        joined_method(&arena, "wrong", join);
        let output = run(&["wrong"]);
        assert!(output.code == Some(2) && output.stderr.contains(part), "{join}: {}", output.stderr);
    }
}
