//! Process plugins: programs in any language beside libraries, in the same workers.

use std::{os::unix::fs::PermissionsExt, path::PathBuf, process::Command, time::Instant};

use molarena_tests::{Output, TestArena, library, python};
use serde_json::Value;

use crate::{chains, json, names, processes, records, row, workers};

const FAULTS: [(&str, &str, &str); 9] = [
    ("raise", "error", "KeyError: 'the third wheel' (plugin.py, line "),
    ("exit", "error", "its process ended with exit status 7 in `encode`"),
    ("kill", "error", "its process was ended by SIGKILL in `encode`"),
    ("hang", "timeout", "over the limit of 8s"),
    ("rows", "wrong-shape", "wrong shape: expected 60 x 2, the plugin gave 59 x 2"),
    ("text", "error", "encode gave what is no matrix of numbers"),
    ("nan", "not-finite", "1 of 120 values are NaN or infinite, the first at row 1, column 1"),
    ("cube", "error", "encode gave an array of 3 dimensions, not a matrix"),
    ("big", "memory", ""),
];

fn method(arena: &TestArena, name: &str, features: &str, encoder: &str, baseline: &str) {
    let encoder = if encoder.is_empty() { String::new() } else { format!("encoder = {{ {encoder} }}\n") };
    let text = format!(
        "schema = \"molarena.method/1\"\nname = \"{name}\"\nfeatures = {{ {features} }}\n{encoder}\
         baseline = {{ {baseline} }}\n"
    );
    arena.write(&format!("methods/{name}.toml"), text);
}

fn run(arena: &TestArena, plugin: &std::path::Path, methods: &[&str], more: &[&str]) -> Output {
    let mut arguments = vec!["--dataset", "chains", "--jobs", "2"];
    arguments.extend(methods.iter().flat_map(|name| ["--method", name]));
    arguments.extend(more);
    arena.run(&[plugin.to_owned(), library("molarena_baselines")], &arguments)
}

/// An arena with the fixture in Python; `None` where Python or numpy cannot be had.
fn with_python() -> Option<(TestArena, PathBuf)> {
    let environment = python::environment()?;
    let arena = TestArena::new();
    chains(&arena);
    let plugin = python::plugin(&arena.path(""), environment);
    method(
        &arena,
        "lengths",
        "kind = \"smiles\"",
        "component = \"python-fixture/lengths\"",
        "component = \"baselines/rf\", config = { n_trees = 20 }",
    );
    method(
        &arena,
        "projection",
        "kind = \"morgan\", bits = 256",
        "component = \"python-fixture/projection\", config = { width = 8 }",
        "component = \"python-fixture/ridge\", config = { penalty = 0.1 }",
    );
    Some((arena, plugin))
}

#[test]
fn components_in_python_are_rows() {
    let Some((arena, plugin)) = with_python() else { return };
    arena.method("knn", "baselines/knn", "{ k = 3 }");
    let output = run(&arena, &plugin, &["lengths", "projection", "knn"], &["--seeds", "2"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let score = |name: &str| row(&arena, name)["mean"].as_f64().unwrap();
    assert!(score("lengths") < score("knn"), "the label is a length: {} {}", score("lengths"), score("knn"));
    let found = records(&arena);
    assert!(found.iter().all(|record| record["confined"] == true));
    let of = |name: &str| found.iter().find(|record| record["method"] == name).unwrap();
    let encoder = &of("projection")["composition"]["encoder"];
    assert_eq!(
        (&encoder["component"], &encoder["version"]),
        (&"python-fixture/projection".into(), &"0.1.0".into())
    );
    assert!(of("lengths")["cost"]["peak_rss_mb"].as_f64().unwrap() > 10.0, "the interpreter counts");
    // The folder's files are the plugin.
    fs_err::write(plugin.join("notes.txt"), "another plugin").unwrap();
    let again = run(&arena, &plugin, &["lengths"], &["--json"]);
    assert_eq!((again.code, &json(&again.stdout)["scored"]), (Some(0), &1.into()), "{}", again.stderr);
    assert_eq!(names(&arena, "store/work"), [""; 0]);

    let info = arena.molarena(&["plugin", "info", "python-fixture", "--plugin", plugin.to_str().unwrap()]);
    assert_eq!(info.code, Some(0), "{}", info.stderr);
    for part in
        ["Number of columns, at least 1", "python-fixture/lengths: Numbers of characters", "of its files"]
    {
        assert!(info.stdout.contains(part), "{part}: {}", info.stdout);
    }
    let refused = [
        ("projection", "{ width = 0 }", "width is 0, must be at least 1"),
        ("projection", "{ size = 1 }", "size"),
    ];
    for (component, config, part) in refused {
        let encoder = format!("component = \"python-fixture/{component}\", config = {config}");
        method(
            &arena,
            "refused",
            "kind = \"morgan\"",
            &encoder,
            "component = \"baselines/rf\", config = { n_trees = 5 }",
        );
        let output = run(&arena, &plugin, &["refused"], &[]);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains(part), "{}", output.stderr);
    }
}

#[test]
fn every_fault_of_a_program_is_a_row_with_its_reason() {
    let Some((arena, plugin)) = with_python() else { return };
    let mut methods = vec!["lengths"];
    for (fault, ..) in FAULTS.into_iter().chain([("print", "", "")]) {
        let encoder = format!("component = \"python-fixture/faulty\", config = {{ fault = \"{fault}\" }}");
        method(
            &arena,
            fault,
            "kind = \"smiles\"",
            &encoder,
            "component = \"baselines/rf\", config = { n_trees = 5 }",
        );
        methods.push(fault);
    }
    let output = run(&arena, &plugin, &methods, &["--wall-limit", "8s", "--memory-limit", "900MiB"]);
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    for (fault, reason, message) in FAULTS {
        let row = row(&arena, fault);
        assert_eq!(row["failed"], serde_json::json!({ reason: 1 }), "{row}");
        assert!(row["failures"][0]["message"].as_str().unwrap().contains(message), "{row}");
    }
    assert!(row(&arena, "print")["mean"].is_number(), "what is printed goes to standard error");
    let records = records(&arena);
    let raised = records.iter().find(|record| record["method"] == "raise").unwrap();
    let text = raised["outcome"]["output"].as_str().unwrap();
    assert!(text.contains("Traceback") && text.contains("the third wheel"), "{text}");
    assert_eq!(workers(&arena), [""; 0]);
    assert_eq!(processes(plugin.join("plugin.py").to_str().unwrap()), [""; 0], "no program is left");
}

#[test]
fn ready_plugins_are_rows() {
    let Some(environment) = python::environment_of_ready_plugins() else { return };
    let arena = TestArena::new();
    chains(&arena);
    let plugins = ["sklearn", "gbdt"].map(|name| python::ready_plugin(&arena.path(""), name, environment));
    arena.method("constant", "baselines/constant", "{}");
    arena.method("forest", "sklearn/estimator", "{}");
    let pipeline = "[\"sklearn.preprocessing.StandardScaler\", { class = \"sklearn.linear_model.Ridge\", alpha = 10.0 }]";
    arena.method("pipeline", "sklearn/estimator", &format!("{{ regressor = {pipeline} }}"));
    arena.method("lightgbm", "gbdt/lightgbm", "{ parameters = { min_data_in_leaf = 2 } }");
    arena.method("xgboost", "gbdt/xgboost", "{ trees = 50, learning_rate = 0.1 }");
    let mut all = plugins.to_vec();
    all.push(library("molarena_baselines"));
    let named = ["constant", "forest", "pipeline", "lightgbm", "xgboost"];
    let mut arguments = vec!["--dataset", "chains"];
    arguments.extend(named.iter().flat_map(|name| ["--method", name]));
    let output = arena.run(&all, &arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let score = |name: &str| row(&arena, name)["mean"].as_f64().unwrap();
    for name in &named[1..] {
        assert!(score(name) < score("constant"), "{name} learns nothing: {}", score(name));
    }
    for (component, config, part) in [
        (
            "sklearn/estimator",
            "{ regressor = \"sklearn.svm.SVX\" }",
            "sklearn.svm.SVX, which cannot be imported",
        ),
        ("sklearn/estimator", "{ classifier = \"sklearn.svm.LinearSVC\" }", "LinearSVC has no predict_proba"),
        ("gbdt/lightgbm", "{ trees = 0 }", "trees"),
        ("gbdt/lightgbm", "{ parameters = { leaves_of_a_tree = 3 } }", "Unknown parameter: leaves_of_a_tree"),
        ("gbdt/xgboost", "{ parameters = { leaves_of_a_tree = 3 } }", "leaves_of_a_tree"),
        ("gbdt/xgboost", "{ parameters = { eta = 0.3 } }", "stands for learning_rate"),
    ] {
        arena.method("refused", component, config);
        let output = arena.run(&all, &["--dataset", "chains", "--method", "refused"]);
        assert_eq!(output.code, Some(2), "{config}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{config}: {}", output.stderr);
    }
}

/// A plugin folder whose program is a shell script.
fn scripted(arena: &TestArena, name: &str, script: &str) -> PathBuf {
    let manifest = format!(
        "schema = \"molarena.plugin/1\"\nid = \"{name}\"\nversion = \"0.1.0\"\nlicence = \"MIT\"\ncommand = [\"./start\"]\n"
    );
    arena.write(&format!("{name}/plugin.toml"), manifest);
    if !script.is_empty() {
        let path = arena.write(&format!("{name}/start"), format!("#!/bin/sh\n{script}\n"));
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    arena.path(name)
}

#[test]
fn programs_that_do_not_speak_the_protocol_are_named() {
    let arena = TestArena::new();
    for (name, script, part) in [
        ("absent", "", "cannot be started: No such file"),
        ("ends", "exit 3", "its process ended with exit status 3 in `hello`"),
        (
            "talks",
            "echo Hello; sleep 100",
            "what is no frame of molarena.process/1: `Hello`; messages go to standard error",
        ),
        ("closes", "exec 1>&-; sleep 100", "its process closed its standard output in `hello`"),
        (
            "older",
            "read x; echo '{\"id\":1,\"ok\":{\"protocol\":\"molarena.process/9\",\"components\":[]}}'",
            "speaks ABI `molarena.process/9`",
        ),
        ("other", "read x; echo '{\"id\":5,\"ok\":{}}'", "it answered request 5 while 1 (`hello`) was open"),
        ("vague", "read x; echo '{\"id\":1}'", "has none of `ok`, `error` and `progress`"),
        (
            "empty",
            "read x; echo '{\"id\":1,\"ok\":{\"protocol\":\"molarena.process/1\"}}'",
            "missing field `components`",
        ),
        ("refuses", "read x; echo '{\"id\":1,\"error\":{\"message\":\"not today\"}}'", "not today"),
    ] {
        let folder = scripted(&arena, name, script);
        let started = Instant::now();
        let output = arena.molarena(&["plugin", "info", name, "--plugin", folder.to_str().unwrap()]);
        assert_eq!(output.code, Some(3), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{name}: {}", output.stderr);
        assert!(started.elapsed().as_secs() < 50, "{name}: it was waited for");
    }
    let broken = scripted(&arena, "broken", "exit 0");
    arena.write("broken/plugin.toml", "schema = \"molarena.plugin/1\"\nid = \"broken\"\n");
    let output = arena.molarena(&["plugin", "info", "broken", "--plugin", broken.to_str().unwrap()]);
    assert!(output.stderr.contains("plugin.toml") && output.stderr.contains("version"), "{}", output.stderr);
}

#[test]
fn a_library_in_a_folder_is_a_plugin() {
    let arena = TestArena::new();
    chains(&arena);
    let built = library("molarena_baselines");
    let name = built.file_name().unwrap().to_str().unwrap();
    arena.write(&format!("plugins/baselines/{name}"), fs_err::read(&built).unwrap());
    let platform = format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH);
    let manifest = |version: &str| {
        format!(
            "schema = \"molarena.plugin/1\"\nid = \"baselines\"\nversion = \"{version}\"\nlicence = \"MIT\"\n\
             library = {{ {platform} = \"{name}\" }}\n"
        )
    };
    arena.write("plugins/baselines/plugin.toml", manifest(env!("CARGO_PKG_VERSION")));
    arena.method("knn", "baselines/knn", "{ k = 3 }");
    let output = arena.run(&[arena.path("plugins/baselines")], &["--dataset", "chains", "--method", "knn"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    // A folder of plugins has it, too.
    let listed = arena.molarena(&["plugin", "list", "--plugin", "plugins"]);
    assert!(listed.stdout.contains("baselines/knn"), "{}", listed.stdout);
    arena.write("plugins/baselines/plugin.toml", manifest("9.9.9"));
    let output = arena.run(&[arena.path("plugins/baselines")], &["--dataset", "chains", "--method", "knn"]);
    assert!(output.stderr.contains("its manifest baselines 9.9.9"), "{}", output.stderr);
}

#[test]
fn an_environment_that_is_not_the_locked_one_is_refused() {
    let Some((arena, plugin)) = with_python() else { return };
    fs_err::write(plugin.join("requirements.lock"), "numpy==1.0.0\nscipy==1.14.0\n").unwrap();
    let output = run(&arena, &plugin, &["lengths"], &[]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(output.stderr.contains("locked is 1.0.0, scipy 1.14.0 is not installed"), "{}", output.stderr);
}

#[test]
fn the_packages_own_tests_pass() {
    let Some(environment) = python::environment() else { return };
    let folder = python::repository("framework/python");
    let output = Command::new(environment.join("bin/python"))
        .args(["-m", "unittest", "discover", "-s", "tests"])
        .current_dir(&folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(text.contains("OK") && !text.contains("Ran 0 tests"), "{text}");
}

#[test]
fn records_and_boards_are_rows_in_python() {
    let Some((arena, plugin)) = with_python() else { return };
    assert_eq!(run(&arena, &plugin, &["lengths"], &["--seeds", "2"]).code, Some(0));
    let board = arena.molarena(&["board", "--store", "store", "--format", "json", "--no-intervals"]);
    arena.write("boards.json", board.stdout);
    let program = "import molarena, json\n\
                   boards = molarena.read_boards('boards.json')\n\
                   print(json.dumps([boards['chains'].rows(), boards._repr_html_(), molarena.read_records('store')]))";
    let python = python::environment().unwrap().join("bin/python");
    let output = Command::new(python).args(["-c", program]).current_dir(arena.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer[0][0]["mean"], row(&arena, "lengths")["mean"]);
    assert!(answer[1].as_str().unwrap().contains("<td>lengths</td>"));
    assert_eq!(answer[2].as_array().unwrap().len(), 2);
    assert_eq!(answer[2][0]["status"], "scored");
}
