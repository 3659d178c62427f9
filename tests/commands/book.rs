//! The chapters about writing plugins, as they are printed.

use std::path::Path;

use molarena_tests::{TestArena, library, python};

use crate::support::toy;

fn chapter(name: &str) -> String {
    fs_err::read_to_string(python::repository("docs/src").join(name)).unwrap()
}

/// The blocks of a language in a chapter.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    let after = text.split(&fence).skip(1);
    after.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[track_caller]
fn block(blocks: &[String], part: &str) -> String {
    let found: Vec<&String> = blocks.iter().filter(|block| block.contains(part)).collect();
    assert_eq!(found.len(), 1, "blocks with {part:?} in {blocks:#?}");
    found[0].clone()
}

/// The documentation of the SDK is compiled.
#[test]
fn the_example_in_rust_is_that_of_the_sdk() {
    let text = chapter("plugins.md");
    let library = fs_err::read_to_string(python::repository("framework/sdk/src/lib.rs")).unwrap();
    let documented: Vec<&str> = library
        .lines()
        .map_while(|line| line.strip_prefix("//!"))
        .map(|line| line.strip_prefix(' ').unwrap_or(line))
        .filter(|line| *line != "# fn main() {}")
        .collect();
    let printed = block(&blocks(&text, "rust"), "AboveThreshold");
    assert!(documented.join("\n").contains(printed.trim_end()), "the chapter and the SDK differ");
}

#[test]
fn the_chapter_has_every_case_of_the_conformance_suite() {
    let help = TestArena::new().molarena(&["plugin", "check", "--help"]).stdout;
    let (_, cases) = help.split_once("[possible values: ").expect("the names of the cases");
    let cases = cases.split(']').next().unwrap_or_default();
    let text = chapter("plugins.md");
    for case in cases.split(',') {
        let case = case.split_whitespace().collect::<String>();
        assert!(text.contains(&format!("`{case}`")), "{case} in plugins.md");
    }
}

/// Writes a plugin folder of the chapter's manifest and a program, in `environment`.
fn folder(arena: &TestArena, manifest: &str, id: &str, program: &str, environment: &Path) {
    let manifest = manifest.replace("\"lengths\"", &format!("{id:?}"));
    let manifest = python::in_environment(&manifest, environment);
    arena.write(&format!("plugins/{id}/plugin.toml"), manifest);
    arena.write(&format!("plugins/{id}/plugin.py"), program);
}

#[test]
fn what_the_chapter_on_python_prints_are_rows() {
    let Some(environment) = python::environment_of_ready_plugins() else { return };
    let arena = toy();
    let text = chapter("python.md");
    let (programs, files) = (blocks(&text, "python"), blocks(&text, "toml"));
    let manifest = block(&files, "molarena.plugin/1");
    for (id, part) in
        [("lengths", "def lengths"), ("trees", "ExtraTreesClassifier(200)"), ("own", "class Projection")]
    {
        folder(&arena, &manifest, id, &block(&programs, part), environment);
    }
    for name in ["sklearn", "gbdt"] {
        python::ready_plugin(&arena.path("plugins"), name, environment);
    }
    arena.write("methods/lengths-rf.toml", block(&files, "lengths-rf"));
    let method = |name: &str, rest: &str| {
        let head = format!("schema = \"molarena.method/1\"\nname = \"{name}\"\n");
        arena.write(&format!("methods/{name}.toml"), head + rest);
    };
    let bits = "features = { kind = \"morgan\", bits = 256 }\n";
    method("extra-trees", &format!("{bits}baseline = {{ component = \"trees/extra-trees\" }}\n"));
    let projected = "encoder = { component = \"own/projection\", config = { width = 16 } }\n\
                     baseline = { component = \"baselines/rf\", config = { n_trees = 20 } }\n";
    method("projection", &format!("{bits}{projected}"));
    method("logistic", &block(&files, "LogisticRegression"));
    let names = ["lengths-rf", "extra-trees", "projection", "logistic"];
    let mut arguments = vec!["--dataset", "toy", "--jobs", "2"];
    arguments.extend(names.iter().flat_map(|name| ["--method", name]));
    let output = arena.run(&[arena.path("plugins"), library("molarena_baselines")], &arguments);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let export = "molarena board --format json > boards.json";
    assert!(text.contains(export));
    let board = arena.molarena(&["board", "--store", "store", "--format", "json", "--no-intervals"]);
    arena.write("boards.json", board.stdout);
    // Without pandas, what needs it is left out.
    let frames = block(&programs, "read_boards");
    let frames: Vec<&str> = frames.lines().filter(|line| !line.contains("to_pandas")).collect();
    let frames = frames.join("\n").replace("chembl2k", "toy").replace("molarena-store", "store");
    let program = format!("{frames}\nprint([row['method'] for row in boards['toy'].rows()])\n");
    let mut python = std::process::Command::new(environment.join("bin/python"));
    let output = python.args(["-c", &program]).current_dir(arena.path("")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let listed = String::from_utf8_lossy(&output.stdout).into_owned();
    for name in names {
        assert!(listed.contains(&format!("'{name}'")), "{name}: {listed}");
    }
}
