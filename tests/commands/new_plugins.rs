//! New plugins of every kind in every language: made, built, tested and checked; installed and removed.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Command,
};

use molarena_tests::{
    TestArena, files,
    python::{environment, in_environment, repository},
};

use crate::support::toy;

const KINDS: [&str; 3] = ["encoder", "decoder", "baseline"];

/// Makes the plugin `LANGUAGE-KIND` in the arena's folder; the three commands that are printed.
fn new_plugin(arena: &TestArena, kind: &str, language: &str) -> [String; 3] {
    let name = format!("{language}-{kind}");
    let output = arena.molarena(&["plugin", "new", &name, "--kind", kind, "--lang", language]);
    assert_eq!(output.code, Some(0), "{name}: {}", output.stderr);
    let lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
    lines.try_into().unwrap_or_else(|lines| panic!("{name}: not three commands: {lines:?}"))
}

/// Runs a program in the arena's folder; it must end well.
#[track_caller]
fn done(arena: &TestArena, program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(arena.path("")).env("HOME", arena.path(""));
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {said}");
    said
}

/// Runs a command as it was printed.
#[track_caller]
fn as_printed(arena: &TestArena, command: &str) -> String {
    done(arena, "sh", &["-c", command])
}

#[track_caller]
fn passes(arena: &TestArena, command: &str, cases: usize) {
    let said = as_printed(arena, command);
    let last = said.lines().find(|line| line.contains(" passed, ")).unwrap_or_default().to_owned();
    assert!(last.contains(&format!(": {cases} passed, 0 warnings, 0 failed, 0 crashed")), "{said}");
}

/// Cases that the example of a kind passes.
fn cases(kind: &str) -> usize {
    match kind {
        "encoder" => 12,
        "decoder" => 8,
        _ => 16,
    }
}

#[test]
fn new_plugins_in_c_build_and_pass() {
    let arena = TestArena::new();
    for kind in KINDS {
        let [build, check, last] = new_plugin(&arena, kind, "c");
        let said = as_printed(&arena, &build);
        assert!(!said.contains("warning"), "{said}");
        passes(&arena, &check, cases(kind));
        if kind == "decoder" {
            as_printed(&arena, &last);
        } else {
            done(&arena, "make", &["-C", &format!("c-{kind}"), "test"]);
        }
    }
    if Command::new("c++").arg("--version").output().is_ok() {
        arena.write(
            "c-decoder/plugin.cpp",
            "#include \"molarena.h\"\nint main() { return molarena_plugin_v1() == nullptr; }\n",
        );
        done(
            &arena,
            "c++",
            &[
                "-std=c++17",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-pedantic",
                "-fsyntax-only",
                "c-decoder/plugin.cpp",
            ],
        );
    }
}

/// The target folder that new plugins in Rust share, beside that of the tests.
fn target() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(3).unwrap().join("test-new-plugins")
}

#[test]
fn new_plugins_in_rust_build_and_pass() {
    let arena = TestArena::new();
    let target = target();
    for kind in KINDS {
        let [_, check, _] = new_plugin(&arena, kind, "rust");
        let folder = format!("rust-{kind}");
        // What the workspace has downloaded.
        fs_err::copy(repository("Cargo.lock"), arena.path(&folder).join("Cargo.lock")).unwrap();
        for verb in ["build", "test"] {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args([verb, "--quiet", "--offline", "--target-dir"]).arg(&target);
            let status = cargo.current_dir(arena.path(&folder)).status().unwrap();
            assert!(status.success(), "cargo {verb} of {folder}");
        }
        let library = format!("libmolarena_rust_{kind}{}", std::env::consts::DLL_SUFFIX);
        let place = arena.path(&folder).join("target/release");
        fs_err::create_dir_all(&place).unwrap();
        fs_err::copy(target.join("debug").join(&library), place.join(&library)).unwrap();
        passes(&arena, &check, cases(kind));
    }
}

#[test]
fn new_plugins_in_python_pass() {
    let Some(environment) = environment() else { return };
    let arena = TestArena::new();
    for kind in KINDS {
        let [_, check, _] = new_plugin(&arena, kind, "python");
        let folder = format!("python-{kind}");
        let manifest = fs_err::read_to_string(arena.path(&folder).join("plugin.toml")).unwrap();
        arena.write(&format!("{folder}/plugin.toml"), in_environment(&manifest, environment));
        let lock = fs_err::read(repository("tests/fixtures/python/requirements.lock")).unwrap();
        arena.write(&format!("{folder}/requirements.lock"), lock);
        passes(&arena, &check, cases(kind));
        done(&arena, environment.join("bin/python"), &["-m", "unittest", "discover", "-s", &folder]);
    }
}

#[test]
fn a_new_plugin_that_cannot_be_is_refused_and_leaves_nothing() {
    let arena = TestArena::new();
    arena.write("full/file", "x");
    let before = files(&arena.path("")).len();
    let checkout = arena.path("");
    for (arguments, part) in [
        (vec!["My_Method", "--lang", "c"], "must be of small letters and digits"),
        (vec!["..", "--lang", "c"], "must be of small letters and digits"),
        (vec!["mlp", "--lang", "c"], "is a plugin of molarena's own"),
        (vec!["full", "--lang", "c"], "the folder is not empty; name another one with --into"),
        (vec!["x", "--lang", "c", "--into", "full/file"], "the output is no folder"),
        (vec!["x", "--lang", "c", "--into", "no/such"], "make it first"),
        (vec!["x", "--lang", "rust", "--sdk", checkout.to_str().unwrap()], "no checkout of molarena"),
        (vec!["x", "--lang", "c", "--sdk", checkout.to_str().unwrap()], "needs no SDK"),
    ] {
        let all: Vec<&str> = ["plugin", "new", "--kind", "encoder"].into_iter().chain(arguments).collect();
        let output = arena.molarena(&all);
        assert_eq!(output.code, Some(2), "{all:?}: {}", output.stderr);
        assert!(output.stderr.contains(part), "{all:?}: {}", output.stderr);
    }
    assert_eq!(files(&arena.path("")).len(), before);
}

/// The user's plugin folder of an arena.
fn installed(arena: &TestArena) -> PathBuf {
    arena.path(".local/share/molarena/plugins")
}

fn is_empty(folder: &Path) -> bool {
    fs_err::read_dir(folder).unwrap().count() == 0
}

#[test]
fn plugins_are_installed_and_removed() {
    let arena = TestArena::new();
    let run = |arguments: &[&str], code: i32| {
        let output = arena.molarena(&[&["plugin"], arguments].concat());
        assert_eq!(output.code, Some(code), "{arguments:?}: {}{}", output.stdout, output.stderr);
        output.stdout + &output.stderr
    };
    let [build, ..] = new_plugin(&arena, "encoder", "c");
    assert!(run(&["install", "c-encoder"], 3).contains("is not there; build it"));
    assert!(is_empty(&installed(&arena)), "nothing is left over");
    as_printed(&arena, &build);
    assert!(run(&["install", "c-encoder"], 0).starts_with("c-encoder 0.1.0 is in "));
    assert!(run(&["install", "c-encoder"], 0).starts_with("c-encoder 0.1.0 is already in "));
    let names = |folder: &str| {
        let mut names: Vec<String> = files(&installed(&arena).join(folder))
            .iter()
            .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names("c-encoder"), ["libmolarena_c_encoder.so", "plugin.toml"], "no sources");
    assert!(run(&["info", "c-encoder"], 0).contains("element-counts"));

    // Another version: an archive of it, and its library alone.
    let code = fs_err::read_to_string(arena.path("c-encoder/plugin.c")).unwrap();
    arena.write("c-encoder/plugin.c", code.replace("0.1.0", "0.2.0"));
    let manifest = fs_err::read_to_string(arena.path("c-encoder/plugin.toml")).unwrap();
    arena.write("c-encoder/plugin.toml", manifest.replace("0.1.0", "0.2.0"));
    as_printed(&arena, &build);
    done(&arena, "tar", &["-czf", "new.tar.gz", "c-encoder"]);
    let library = "c-encoder/libmolarena_c_encoder.so";
    let refused = run(&["install", "new.tar.gz"], 2);
    assert!(
        refused.contains("c-encoder 0.1.0 is installed already") && refused.contains("0.2.0"),
        "{refused}"
    );
    assert!(run(&["info", "c-encoder"], 0).starts_with("c-encoder 0.1.0"));
    assert!(run(&["install", "new.tar.gz", "--force"], 0).starts_with("c-encoder 0.2.0 is in "));
    assert!(run(&["install", library], 2).contains("is installed already"));
    assert!(run(&["install", library, "--force"], 0).contains(".so\n"));
    assert_eq!(names(""), ["libmolarena_c_encoder.so"], "the folder is gone");

    // What cannot be opened replaces nothing.
    arena.write("libmolarena_c_encoder.so", "this is no library, only a text that is long enough");
    run(&["install", "libmolarena_c_encoder.so", "--force"], 3);
    run(&["install", "nowhere"], 3);
    arena.write("text.tar.gz", "no archive");
    run(&["install", "text.tar.gz"], 5);
    assert!(run(&["list"], 0).contains("c-encoder/element-counts"));

    assert!(run(&["remove", "c-encoder"], 0).starts_with("removed "));
    assert!(is_empty(&installed(&arena)));
    let unknown = run(&["remove", "c-encoder"], 3);
    assert!(unknown.contains(installed(&arena).to_str().unwrap()), "{unknown}");
}

#[test]
fn an_environment_is_made_from_the_lock_file_only_when_asked_for() {
    let arena = TestArena::new();
    new_plugin(&arena, "encoder", "python");
    // Without packages, so that nothing is fetched: its program cannot import what it needs.
    arena.write("python-encoder/requirements.lock", "# none\n");
    let output = arena.molarena(&["plugin", "install", "python-encoder"]);
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    assert!(
        output.stderr.contains("python-encoder/.venv is not there; make it with: cd "),
        "{}",
        output.stderr
    );
    done(&arena, "tar", &["-czf", "new.tar.gz", "python-encoder"]);
    let output = arena.molarena(&["plugin", "install", "new.tar.gz"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("give --with-environment"), "{}", output.stderr);
    if Command::new("python3")
        .args(["-m", "venv", "--help"])
        .output()
        .is_ok_and(|output| output.status.success())
    {
        let output = arena.molarena(&["plugin", "install", "new.tar.gz", "--with-environment"]);
        assert_eq!(output.code, Some(3), "{}", output.stderr);
        assert!(output.stderr.contains("ModuleNotFoundError"), "{}", output.stderr);
    }
    assert!(is_empty(&installed(&arena)), "what cannot be opened does not stay");
}

#[test]
fn a_store_in_the_folder_of_a_plugin_is_refused() {
    let arena = toy();
    arena.write(
        "odd/plugin.toml",
        "schema = \"molarena.plugin/1\"\nid = \"odd\"\nversion = \"0.1.0\"\nlicence = \"MIT\"\ncommand = [\"/bin/false\"]\n",
    );
    arena.method("odd", "odd/x", "{}");
    let arguments = ["run", "--dataset", "toy", "--method", "odd", "--plugin", "odd", "--data-dir", "data"];
    let folders = ["--datasets-dir", "datasets", "--methods-dir", "methods", "--store", "odd/store"];
    let output = arena.molarena(&[&arguments[..], &folders[..]].concat());
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(
        output.stderr.contains("E-HOST-011") && output.stderr.contains("odd/store lies under"),
        "{}",
        output.stderr
    );
}
