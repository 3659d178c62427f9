//! Requests that name something unknown or contradict themselves: exit codes 2 and 4 before anything runs.

use molarena_tests::TestArena;

use crate::support::{check, run_one, toy};

/// Checks that the store has no record and that no job folder remains.
fn nothing_ran(arena: &TestArena) {
    for folder in ["store/records", "store/steps", "store/work"] {
        let count = fs_err::read_dir(arena.path(folder)).map_or(0, Iterator::count);
        assert_eq!(count, 0, "{folder}");
    }
}

#[test]
fn unknown_names_are_answered_with_the_known() {
    let arena = toy();
    check("unknown-method", &arena, &run_one(&arena, "toy", "knn-tset"));
    check("unknown-dataset", &arena, &run_one(&arena, "toi", "knn-test"));
    check("missing-method-file", &arena, &run_one(&arena, "toy", "none.toml"));
    nothing_ran(&arena);
}

#[test]
fn a_configuration_is_checked_before_anything_runs() {
    let arena = toy();
    arena.method("unknown-key", "baselines/knn", "{ kk = 3 }");
    arena.method("wrong-type", "baselines/knn", "{ k = \"three\" }");
    arena.method("wrong-choice", "baselines/knn", "{ weights = \"heavy\" }");
    for name in ["unknown-key", "wrong-type", "wrong-choice"] {
        let output = run_one(&arena, "toy", name);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        check(&format!("config-{name}"), &arena, &output);
    }
    nothing_ran(&arena);
}

#[test]
fn a_method_file_is_checked() {
    let arena = toy();
    let good = "schema = \"molarena.method/1\"\nname = \"m\"\nfeatures = { kind = \"morgan\" }\n\
                baseline = { component = \"baselines/knn\" }\n";
    for (name, from, to) in [
        ("unknown-key", "name =", "nmae ="),
        ("wrong-schema", "method/1", "method/2"),
        ("bad-name", "\"m\"", "\"m n\""),
        ("bad-component", "baselines/knn", "knn"),
        ("unknown-features", "morgan", "morgana"),
        ("bad-bits", "\"morgan\"", "\"morgan\", bits = 100"),
    ] {
        arena.write("m.toml", good.replace(from, to));
        let output = run_one(&arena, "toy", "m.toml");
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
        check(&format!("method-{name}"), &arena, &output);
    }
    nothing_ran(&arena);
}

#[test]
fn features_that_the_component_does_not_take_are_refused() {
    let arena = toy();
    arena.write(
        "methods/graphs.toml",
        "schema = \"molarena.method/1\"\nname = \"graphs\"\nfeatures = { kind = \"graphs\" }\n\
         baseline = { component = \"baselines/knn\" }\n",
    );
    let output = run_one(&arena, "toy", "graphs");
    assert_eq!(output.code, Some(2));
    check("features-not-taken", &arena, &output);
    nothing_ran(&arena);
}

#[test]
fn a_suite_is_checked() {
    let arena = toy();
    let good = "schema = \"molarena.suite/1\"\nname = \"s\"\nlimits = { wall = \"1m\" }\n\n[[cells]]\n\
                datasets = [\"toy\"]\nmethods = [\"knn-test\"]\nseeds = 1\n";
    for (name, from, to) in [
        ("unknown-key", "seeds = 1", "seeds = 1\nsedes = 2"),
        ("wrong-schema", "suite/1", "suite/9"),
        ("bad-duration", "1m", "soon"),
        ("no-limit", "\"1m\"", "\"0s\""),
        ("unknown-split", "seeds = 1", "seeds = 1\nsplit = \"scafold\""),
        ("not-toml", "[[cells]]", "[[cells"),
        ("unknown-method", "knn-test", "knn-tset"),
    ] {
        arena.write("suite.toml", good.replace(from, to));
        let output = arena.run(&[], &["suite.toml"]);
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
        check(&format!("suite-{name}"), &arena, &output);
    }
    let output = arena.run(&[], &["none.toml"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    check("suite-missing", &arena, &output);
    nothing_ran(&arena);
}

#[test]
fn two_methods_of_one_name_are_refused() {
    let arena = toy();
    for (file, k) in [("a.toml", 1), ("b.toml", 2)] {
        arena.write(
            file,
            format!(
                "schema = \"molarena.method/1\"\nname = \"same\"\nfeatures = {{ kind = \"morgan\" }}\n\
                 baseline = {{ component = \"baselines/knn\", config = {{ k = {k} }} }}\n"
            ),
        );
    }
    let output = arena.run(&[], &["--dataset", "toy", "--method", "a.toml", "--method", "b.toml"]);
    assert_eq!(output.code, Some(2));
    check("two-methods-of-one-name", &arena, &output);
    nothing_ran(&arena);
}

#[test]
fn an_empty_selection_has_a_code_of_its_own() {
    let arena = toy();
    let arguments = ["--dataset", "toy", "--method", "knn-test", "--seeds", "0"];
    let output = arena.run(&[], &arguments);
    assert_eq!(output.code, Some(4));
    check("no-seeds", &arena, &output);
    arena.write("suite.toml", "schema = \"molarena.suite/1\"\nname = \"s\"\ncells = []\n");
    let output = arena.run(&[], &["suite.toml"]);
    assert_eq!(output.code, Some(4));
    check("no-cells", &arena, &output);
    nothing_ran(&arena);

    let output = arena.molarena(&["board", "--store", "store"]);
    assert_eq!(output.code, Some(4));
    check("board-of-an-empty-store", &arena, &output);
    let output = arena.molarena(&["board", "--store", "nowhere"]);
    assert_eq!(output.code, Some(4));
    check("board-without-a-store", &arena, &output);
    assert!(!arena.path("nowhere").exists());
}

#[test]
fn places_that_every_worker_may_read_are_refused() {
    let arena = toy();
    let arguments = ["--dataset", "toy", "--method", "knn-test"];
    let with = |option: &str, path: &str| {
        let all = ["run", "--datasets-dir", "datasets", "--methods-dir", "methods", option, path];
        let all: Vec<&str> = all.into_iter().chain(arguments).collect();
        let output = arena.molarena(&all);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        output
    };
    check("exposed-data-folder", &arena, &with("--data-dir", "/usr/share"));
    let store = "/usr/share/molarena-test-store";
    check("exposed-store", &arena, &with("--store", store));
    assert!(!std::path::Path::new(store).exists(), "a refused store was made");
}
