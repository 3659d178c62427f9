//! Plugins that exist, and plugins that are missing, broken or foreign: exit code 3.

use std::{path::PathBuf, process::Command};

use molarena_host::plugin::search;
use molarena_tests::{Output, TestArena, binary, library};

use crate::support::{check, toy};

/// Runs a method with `component`, whose plugin is among `plugins`.
#[track_caller]
fn refused(name: &str, component: &str, plugins: &[PathBuf], arena: &TestArena) {
    arena.method("odd", component, "{}");
    let output = arena.run(plugins, &["--dataset", "toy", "--method", "odd"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    check(name, arena, &output);
    let records = fs_err::read_dir(arena.path("store/records")).unwrap().count();
    assert_eq!(records, 0, "a refused plugin leaves no record");
}

#[test]
fn plugins_that_cannot_be_used_are_refused() {
    let arena = toy();
    refused("unknown-plugin", "nowhere/svm", &[], &arena);
    refused("unknown-component", "baselines/svm", &[], &arena);
    refused("component-of-another-kind", "fixture-kinds/linear", &[library("fixture_kinds")], &arena);
    refused("missing-plugin-file", "broken/x", &[arena.path("libmolarena_broken.so")], &arena);
    let text = arena.write("libmolarena_broken.so", "this is no library, only a text that is long enough");
    refused("plugin-that-is-no-library", "broken/x", &[text], &arena);
    let empty = arena.write("libmolarena_empty.so", "");
    refused("plugin-that-is-empty", "empty/x", &[empty], &arena);
    let foreign = library("fixture_wrong_abi");
    refused("plugin-of-another-abi", "fixture-wrong-abi/x", &[foreign], &arena);
    let renamed = arena.path("libmolarena_other.so");
    fs_err::copy(library("fixture_kinds"), &renamed).unwrap();
    refused("plugin-of-another-name", "other/x", &[renamed], &arena);
}

/// Runs `molarena` from a folder that holds only a copy of it and `plugins`.
fn alone(arena: &TestArena, plugins: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = arena.path("bin");
    fs_err::create_dir_all(&folder).unwrap();
    let program = folder.join("molarena");
    let files = plugins.iter().map(|(name, id)| (library(name), folder.join(search::file_name(id))));
    for (from, to) in files.chain([(binary(), program.clone())]).filter(|(_, to)| !to.exists()) {
        // A separate process writes the copy: if another thread forks here, the fork keeps the program open and it is
        // "busy".
        assert!(Command::new("cp").args([from, to]).status().unwrap().success());
    }
    let mut command = Command::new(program);
    command.args(arguments).current_dir(arena.path("")).env_clear().env("HOME", arena.path(""));
    let output = command.output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn plugins_are_listed_and_described() {
    let arena = TestArena::new();
    let plugins = [("molarena_baselines", "baselines"), ("fixture_kinds", "fixture-kinds")];
    check("plugin-list-of-none", &arena, &alone(&arena, &[], &["plugin", "list"]));
    check("plugin-list", &arena, &alone(&arena, &plugins, &["plugin", "list"]));
    check("plugin-info", &arena, &alone(&arena, &plugins, &["plugin", "info", "fixture-kinds"]));
    let json = alone(&arena, &plugins, &["plugin", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["schema"], "molarena.plugins/1");
    assert_eq!(json["plugins"].as_array().unwrap().len(), 2);
    let json = alone(&arena, &plugins, &["plugin", "info", "baselines", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["description"]["id"], "baselines");
    let unknown = alone(&arena, &plugins, &["plugin", "info", "nowhere"]);
    assert_eq!(unknown.code, Some(3));
    check("plugin-info-unknown", &arena, &unknown);

    arena.write("bin/libmolarena_broken.so", "this is no library, only a text that is long enough");
    let output = alone(&arena, &plugins, &["plugin", "list"]);
    assert_eq!(output.code, Some(3), "{}", output.stdout);
    check("plugin-list-with-a-broken-one", &arena, &output);
}

/// Packages put the program into `bin` and plugins into `libexec/molarena`.
#[test]
fn plugins_are_found_where_packages_put_them() {
    let arena = TestArena::new();
    let place = arena.path("libexec/molarena");
    fs_err::create_dir_all(&place).unwrap();
    fs_err::copy(library("molarena_baselines"), place.join(search::file_name("baselines"))).unwrap();
    let list = alone(&arena, &[], &["plugin", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(json["plugins"][0]["description"]["id"], "baselines", "{}", list.stderr);
    let unknown = alone(&arena, &[], &["plugin", "info", "nowhere"]);
    assert!(unknown.stderr.contains("libexec/molarena"), "{}", unknown.stderr);
}

#[test]
fn the_doctor_looks_at_everything() {
    let arena = toy();
    let plugins = [("molarena_baselines", "baselines")];
    let arguments = ["doctor", "--data-dir", "data", "--datasets-dir", "datasets", "--store", "store"];
    let output = alone(&arena, &plugins, &arguments);
    assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
    let names = ["machine", "confinement", "data", "plugins", "devices", "store"];
    for name in names {
        let found = output.stdout.lines().any(|line| line[5..].starts_with(&format!("{name}: ")));
        assert!(found, "no {name} in {}", output.stdout);
    }
    assert!(output.stdout.contains("molarena data fetch --all"), "{}", output.stdout);
    let arguments: Vec<&str> = arguments.into_iter().chain(["--json"]).collect();
    let json = alone(&arena, &plugins, &arguments);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let checks = json["checks"].as_array().unwrap();
    assert_eq!(checks.iter().map(|check| check["name"].as_str().unwrap()).collect::<Vec<_>>(), names);
    assert!(!arena.path("store").exists(), "the doctor changes nothing");
}

/// The results of `plugin check` as JSON, and the exit code.
fn checked(arena: &TestArena, plugin: &str, more: &[&str]) -> (Option<i32>, Vec<serde_json::Value>) {
    let arguments: Vec<&str> =
        ["plugin", "check", plugin, "--json"].into_iter().chain(more.iter().copied()).collect();
    let output = arena.molarena(&arguments);
    let found: serde_json::Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", output.stderr));
    (output.code, found["results"].as_array().unwrap().clone())
}

fn faults(results: &[serde_json::Value]) -> Vec<&serde_json::Value> {
    results.iter().filter(|result| result["status"] == "failed" || result["status"] == "crashed").collect()
}

#[test]
fn the_arenas_own_plugins_pass_the_conformance_suite() {
    let arena = TestArena::new();
    let small = |names: &[&str], config: &str| -> Vec<String> {
        names.iter().flat_map(|name| ["--config".to_owned(), format!("{name}={config}")]).collect()
    };
    let aligner = "{\"epochs\": 2, \"batch_size\": 16, \"width\": 8, \"molecule_width\": 16, \"profile_width\": 16, \"space\": \"morphology\"}";
    let bert = molarena_tests::python::repository("tests/golden/language/bert.tar");
    let objective = "{\"objective\": {\"name\": \"graphlog\"}, \"layers\": 1, \"width\": 8, \"epochs\": 2, \"batch_size\": 16}";
    let mpnn = "{\"epochs\": 4, \"width\": 16, \"message_width\": 16}";
    let hu = "{\"layers\": 2, \"width\": 16}";
    let few = |name: &str| small(&[name], "{\"epochs\": 3, \"layers\": 1, \"width\": 8}");
    let gnn = "{\"layers\": 1, \"width\": 8, \"epochs\": 2, \"batch_size\": 16, \"walk_length\": 2}";
    for (name, configs) in [
        ("molarena_baselines", small(&["rf"], "{\"n_trees\": 5}")),
        ("molarena_linfa", Vec::new()),
        ("molarena_mlp", small(&["mlp"], "{\"max_epochs\": 2, \"hidden\": [8]}")),
        ("molarena_infoalign", [small(&["encoder/infoalign"], gnn), few("finetune/infoalign")].concat()),
        (
            "molarena_gnn",
            [small(&["mpnn"], mpnn), small(&["pretrained"], hu), few("finetune/pretrained")].concat(),
        ),
        ("molarena_language", vec!["--weights".to_owned(), format!("transformer={}", bert.display())]),
        ("molarena_contrastive", small(&["encoder/cloome", "encoder/infocore"], aligner)),
        ("molarena_selfsupervised", small(&["encoder/selfsupervised"], objective)),
        ("fixture_kinds", Vec::new()),
    ] {
        let configs: Vec<&str> = configs.iter().map(String::as_str).collect();
        let (code, results) = checked(&arena, library(name).to_str().unwrap(), &configs);
        assert_eq!((code, faults(&results)), (Some(0), Vec::new()), "{name}");
        assert!(
            results.iter().filter(|result| result["status"] == "passed").count() > 5,
            "{name}: {results:?}"
        );
    }
}

#[test]
fn hostile_plugins_fail_the_conformance_suite_by_name() {
    let arena = TestArena::new();
    let hostile = library("fixture_hostile");
    let quick = [
        ("abort", "SIGABRT"),
        ("big-file", "left `big` in its working folder"),
        ("closed", ""),
        ("deep", ""),
        ("error", "does not like these data"),
        ("exit", "exit code 0 and no result"),
        ("fork", "processes that it started still run: "),
        ("good", ""),
        ("noisy", "the noisy plugin panics"),
        ("panic", "the hostile plugin panics"),
        ("panic-thread", "the hostile thread panics"),
        ("pipes", "Operation not permitted"),
        ("processes", ""),
        ("segfault", "SIGSEGV"),
        ("wrong-shape", "wrong shape: expected "),
    ];
    let slow = [
        ("baseline/allocate", ""),
        ("baseline/children", ""),
        ("baseline/colours", "`fit` failed: "),
        ("baseline/fill", ""),
        ("baseline/loop", "timeout: over the limit of 10s"),
        ("baseline/memory-files", ""),
        ("baseline/shared-mapping", ""),
        ("baseline/unconfesses", "`started.json`"),
    ];
    let arguments = ["--config", "fork={\"seconds\": \"34\"}", "--wall-limit", "10s"];
    let hostile = hostile.to_str().unwrap();
    let check = |components: &[&str], cases: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(components.iter().flat_map(|component| ["--component", component]));
        all.extend(cases.iter().flat_map(|case| ["--case", case]));
        let (code, found) = checked(&arena, hostile, &all);
        assert_eq!(code, Some(3));
        found
    };
    // Every component does its work once; those that wait until their time is over, of one kind.
    let mut results = check(&quick.map(|(component, _)| component), &["remains"]);
    results.extend(check(&slow.map(|(component, _)| component), &["remains"]));
    results.extend(check(&["nan", "differs"], &["encode", "gaps", "score", "finetune"]));
    let unknown = arena.molarena(&["plugin", "check", hostile, "--component", "goood"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("has no such component; it has encoder/abort, "), "{}", unknown.stderr);
    let of = |kind: &str, component: &str| {
        let own = |result: &&serde_json::Value| result["kind"] == kind && result["component"] == component;
        let named = |result: &serde_json::Value| {
            ["failed", "crashed", "warning"].contains(&result["status"].as_str().unwrap())
        };
        let all: Vec<&serde_json::Value> = results.iter().filter(own).collect();
        assert!(!all.is_empty(), "{kind} {component}");
        all.into_iter().filter(|result| named(result)).collect::<Vec<_>>()
    };
    let says = |kind: &str, component: &str, part: &str| {
        let faults = of(kind, component);
        assert!(
            faults.iter().any(|fault| fault.to_string().contains(part)),
            "{kind} {component}: {faults:#?}"
        );
    };
    for kind in ["encoder", "decoder", "baseline"] {
        for (component, part) in quick.into_iter().filter(|(component, _)| *component != "good") {
            says(kind, component, part);
        }
        says(kind, "nan", "is not finite in row");
        assert_eq!(of(kind, "good"), Vec::<&serde_json::Value>::new());
    }
    for (component, part) in slow {
        let (kind, component) = component.split_once('/').unwrap();
        says(kind, component, part);
    }
    says("baseline", "differs", "not all between 0 and 1");
    says("encoder", "nan", "a prediction is not finite in row");
}

#[test]
fn hostile_plugins_with_required_keys_fail_the_conformance_suite_by_name() {
    let arena = TestArena::new();
    let hostile = library("fixture_hostile");
    let done = serde_json::json!({
        "result": { "Ok": { "timings": { "fit_s": 0.0, "predict_s": 0.0 } } },
        "peak_rss": 1,
    });
    let done = serde_json::json!({ "done": done.to_string() }).to_string();
    let snoop = r#"{"folders": [], "files": [], "port": 9, "socket": "/nowhere", "needles": [], "key": 1}"#;
    for (component, config, case, part) in [
        ("baseline/burrows", r#"{"levels": 3, "sleep_ms": 0}"#, "remains", "in its working folder"),
        ("baseline/forge", r#"{"target": "/etc/hostname"}"#, "confined", "another question"),
        ("baseline/hands-in", &done, "confined", "another question"),
        ("baseline/passes", r#"{"by": "file-lock", "folder": "/tmp"}"#, "confined", "refused: flock"),
        ("baseline/picky", r#"{"k": 11}"#, "create", "is more than 10; where a schema can say"),
        ("baseline/picky", r#"{"k": 12}"#, "create", "SIGABRT"),
        ("baseline/remains", r#"{"by": "inode-numbers"}"#, "seed", "`fit` failed: received "),
        ("baseline/snoop", snoop, "confined", ", ptrace, "),
        ("daemon", r#"{"seconds": "33"}"#, "confined", "refused: setsid"),
    ] {
        let config = format!("{component}={config}");
        let more = ["--component", component, "--case", case, "--config", &config, "--wall-limit", "30s"];
        let (_, results) = checked(&arena, hostile.to_str().unwrap(), &more);
        assert_eq!(results.len(), if component == "daemon" { 3 } else { 1 }, "{component}: {results:#?}");
        for result in results {
            let status = result["status"].as_str().unwrap();
            assert!(["warning", "failed", "crashed"].contains(&status), "{component}: {result:#?}");
            assert!(result["message"].as_str().unwrap().contains(part), "{component}: {result:#?}");
        }
    }
    let absent = ["plugin", "check", hostile.to_str().unwrap(), "--config", "goood={}"];
    let absent = arena.molarena(&absent);
    assert_eq!(absent.code, Some(2));
    let part = "--config goood: the plugin fixture-hostile has no such component; it has encoder/abort, ";
    assert!(absent.stderr.contains(part), "{}", absent.stderr);
}

#[test]
fn a_plugin_in_python_passes_but_for_its_faulty_component() {
    let Some(environment) = molarena_tests::python::environment() else { return };
    let arena = TestArena::new();
    let plugin = molarena_tests::python::plugin(&arena.path(""), environment);
    let (code, results) = checked(&arena, plugin.to_str().unwrap(), &["--wall-limit", "30s"]);
    assert_eq!(code, Some(3));
    let faults = faults(&results);
    assert!(faults.iter().all(|result| result["component"] == "faulty"), "{faults:#?}");
    assert!(!faults.is_empty());
    let passed = |component: &str| {
        results
            .iter()
            .filter(|result| result["component"] == component && result["status"] == "passed")
            .count()
    };
    assert!(passed("lengths") >= 7 && passed("ridge") >= 9 && passed("projection") >= 7, "{results:#?}");
    assert!(passed("scaled") >= passed("lengths") + 5, "it can be fine-tuned: {results:#?}");
    let text = arena.molarena(&["plugin", "check", plugin.to_str().unwrap(), "--case", "schema"]);
    assert!(text.stdout.contains("python-fixture 0.1.0: 6 passed"), "{}", text.stdout);
    assert!(text.stderr.contains("passed   encoder lengths: schema: "), "{}", text.stderr);
}

#[test]
fn every_fault_of_a_program_is_named() {
    let Some(environment) = molarena_tests::python::environment() else { return };
    let arena = TestArena::new();
    let plugin = molarena_tests::python::plugin(&arena.path(""), environment);
    for (fault, part) in [
        ("raise", "the third wheel"),
        ("exit", "ended with exit status 7 in `encode`"),
        ("kill", "ended by SIGKILL in `encode`"),
        ("hang", "timeout: over the limit of 15s"),
        ("rows", "wrong shape: expected "),
        ("text", "no matrix of numbers"),
        ("nan", "is not finite in row"),
        ("cube", "an array of 3 dimensions"),
    ] {
        let config = format!("faulty={{\"fault\": \"{fault}\"}}");
        let arguments = ["--case", "encode", "--config", &config, "--wall-limit", "15s"];
        let (code, results) = checked(&arena, plugin.to_str().unwrap(), &arguments);
        assert_eq!(code, Some(3), "{fault}");
        let faults = faults(&results);
        assert_eq!(faults.len(), 1, "{fault}: {faults:#?}");
        assert!(faults[0]["message"].as_str().unwrap().contains(part), "{fault}: {faults:#?}");
    }
}

#[test]
fn ready_plugins_pass_the_conformance_suite() {
    let Some(environment) = molarena_tests::python::environment_of_ready_plugins() else { return };
    let arena = TestArena::new();
    for (name, components) in [("sklearn", &["estimator"][..]), ("gbdt", &["lightgbm", "xgboost"])] {
        let plugin = molarena_tests::python::ready_plugin(&arena.path(""), name, environment);
        let (_, results) = checked(&arena, plugin.to_str().unwrap(), &[]);
        let faults = faults(&results);
        assert!(faults.iter().all(|result| result["component"] == "catboost"), "{name}: {faults:#?}");
        for component in components {
            let passed = |result: &&serde_json::Value| {
                result["component"] == *component && result["status"] == "passed"
            };
            assert!(results.iter().filter(passed).count() >= 12, "{component}: {results:#?}");
        }
    }
}

/// Those whose environment somebody made, as their README says.
#[test]
fn ready_plugins_pass_in_environments_of_their_own() {
    let arena = TestArena::new();
    for (name, option, value, needs) in [
        ("sklearn", "--config", "estimator={}", ".venv"),
        ("gbdt", "--config", "catboost={}", ".venv"),
        ("chemprop", "--config", "chemprop={\"epochs\": 5}", ".venv"),
        ("tabpfn", "--config", "tabpfn={}", "weights"),
        ("grover", "--weights", "grover=tests/golden/grover_small.pt", ".venv"),
        ("unimol", "--weights", "unimol=tests/golden/unimol_small.pt", ".venv"),
    ] {
        let plugin = molarena_tests::python::repository("plugins").join(name);
        if !plugin.join(".venv").is_dir() || !plugin.join(needs).is_dir() {
            eprintln!(
                "skipped: plugins/{name} has no environment, or no weights; its README says how to make them"
            );
            continue;
        }
        let value = match (option, value.split_once('=')) {
            ("--weights", Some((id, file))) => {
                format!("{id}={}", molarena_tests::python::repository(file).display())
            }
            _ => value.to_owned(),
        };
        let (code, results) = checked(&arena, plugin.to_str().unwrap(), &[option, &value]);
        assert_eq!((code, faults(&results)), (Some(0), Vec::new()), "{name}");
    }
}

/// Encoders whose vectors of a small checkpoint are compared with other implementations of them, in environments as above.
#[test]
fn ready_encoders_are_equal_to_their_references() {
    for name in ["grover", "unimol"] {
        let python =
            molarena_tests::python::repository("plugins").join(name).join(".venv").join("bin/python");
        if !python.is_file() {
            eprintln!("skipped: plugins/{name} has no environment; its README says how to make it");
            continue;
        }
        let tests = format!("test_{name}.py");
        let output = Command::new(python)
            .args(["-m", "unittest", "discover", "-s", "tests/golden", "-p", &tests])
            .current_dir(molarena_tests::python::repository(""))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{text}");
        assert!(text.contains("OK") && !text.contains("Ran 0 tests"), "{text}");
    }
}
