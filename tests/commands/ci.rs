//! The shell steps of `action.yml` and of the workflows.

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use molarena_tests::{TestArena, binary, data_dir, files};

use crate::support::{dataset, table};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is in the repository").to_owned()
}

fn script(arena: &TestArena, name: &str, variables: &[(&str, &str)]) -> Output {
    bash(arena, &[root().join("leaderboards/ci").join(name).to_str().unwrap()], variables)
}

fn bash(arena: &TestArena, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new("bash");
    command.args(arguments).current_dir(arena.path("")).env_clear();
    command.env("PATH", format!("{}:/usr/bin:/bin", arena.path("bin").display())).env("HOME", arena.path(""));
    command.envs(variables.iter().copied()).output().expect("bash starts")
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// An arena with a suite, and a program `molarena-here` that names the arena's folders.
fn arena() -> TestArena {
    let arena = TestArena::new();
    let labels = |row: usize, _: usize| (row * 7 % 10).to_string();
    dataset(&arena, "toy", "regression", &["size"], &table(&["size"], labels));
    arena.method("forest", "baselines/rf", "{ n_trees = 5 }");
    arena.method("floor", "baselines/constant", "{}");
    arena.write(
        "suite.toml",
        "schema = \"molarena.suite/1\"\nname = \"toy\"\n\n[[cells]]\ndatasets = [\"toy\"]\n\
         methods = [\"forest\", \"floor\"]\nseeds = 2\n",
    );
    let wrapper = format!(
        "#!/bin/bash\nverb=$1; shift\nplaces=(--data-dir data --datasets-dir datasets)\n\
         case $verb in run|gate) places+=(--methods-dir methods);; store) places=();; esac\nexec {} \"$verb\" \"$@\" \"${{places[@]}}\"\n",
        binary().display()
    );
    executable(&arena, "molarena-here", &wrapper);
    arena
}

fn executable(arena: &TestArena, name: &str, text: &str) {
    let path = arena.write(&format!("bin/{name}"), text);
    fs_err::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

fn run(arena: &TestArena, store: &str, baseline: &str, more: &[(&str, &str)]) -> Output {
    let variables = [
        ("MOLARENA", "molarena-here"),
        ("SUITE", "suite.toml"),
        ("STORE", store),
        ("OUTPUT", "report"),
        ("BASELINE", baseline),
    ];
    script(arena, "run.sh", &[&variables as &[_], more].concat())
}

fn verdict(arena: &TestArena, fail_inconclusive: &str) -> Option<i32> {
    script(arena, "verdict.sh", &[("OUTPUT", "report"), ("FAIL_INCONCLUSIVE", fail_inconclusive)])
        .status
        .code()
}

#[test]
fn a_run_writes_boards_and_ends_as_its_gate() {
    let arena = arena();
    let output = run(&arena, "old", "", &[]);
    assert!(output.status.success(), "{}", text(&output));
    for file in ["boards.md", "boards.csv", "boards.json", "page.html"] {
        assert!(fs_err::metadata(arena.path("report").join(file)).unwrap().len() > 100, "{file}");
    }
    assert_eq!(verdict(&arena, "false"), Some(0));
    let output = run(&arena, "new", "old", &[("TIME_REFERENCE", "floor")]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("## Gate: no row got worse"), "{}", text(&output));
    assert_eq!(verdict(&arena, "true"), Some(0));
    // A row that fails is a row of the boards, and the gate's matter.
    crate::support::edit(&arena, "methods/forest.toml", "n_trees = 5", "n_trees = 100000");
    crate::support::edit(&arena, "suite.toml", "[[cells]]", "[limits]\nmemory = \"30MiB\"\n\n[[cells]]");
    let output = run(&arena, "worse", "old", &[]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(verdict(&arena, "false"), Some(20));
    fs_err::write(arena.path("report/gate.code"), "21\n").unwrap();
    assert_eq!((verdict(&arena, "false"), verdict(&arena, "true")), (Some(0), Some(21)));
    // A run that cannot be made fails at once.
    fs_err::write(arena.path("suite.toml"), "no suite").unwrap();
    assert_eq!(run(&arena, "new", "", &[]).status.code(), Some(2));
}

#[test]
fn a_comment_cannot_be_more_than_text() {
    let arena = TestArena::new();
    let hostile = "before\n```\n[click](http://x) @everyone\n````\n\u{1b}[2Jafter\n";
    arena.write("report/gate.md", hostile);
    let output = script(&arena, "comment.sh", &[("OUTPUT", "report"), ("COMMENT", "comment.md")]);
    assert!(output.status.success(), "{}", text(&output));
    let comment = fs_err::read_to_string(arena.path("comment.md")).unwrap();
    let lines: Vec<&str> = comment.lines().collect();
    assert_eq!(lines[..2], ["<!-- molarena -->", "`````text"]);
    assert_eq!(lines.last(), Some(&"`````"));
    assert_eq!(lines.iter().filter(|line| line.starts_with("`````")).count(), 2, "{comment}");
    assert!(!comment.contains('\u{1b}'), "{comment}");
}

#[test]
fn a_comment_replaces_the_one_before() {
    let arena = TestArena::new();
    arena.write("comment.md", "<!-- molarena -->\ntext\n");
    // Answers as the program gh would, and notes what it was asked.
    let gh = "#!/bin/bash\necho \"$*\" >>asked\ncase \"$*\" in\n*/commits/abc/pulls*) echo 7;;\n\
              */commits/*) ;;\n*--paginate*) [ -f there ] && echo 42;;\nesac\nexit 0\n";
    executable(&arena, "gh", gh);
    let post = |commit: &str| {
        let variables = [("COMMENT", "comment.md"), ("HEAD_SHA", commit), ("GITHUB_REPOSITORY", "o/r")];
        let output = script(&arena, "post.sh", &variables);
        assert!(output.status.success(), "{}", text(&output));
        let asked = fs_err::read_to_string(arena.path("asked")).unwrap();
        fs_err::remove_file(arena.path("asked")).unwrap();
        asked.lines().last().unwrap().to_owned()
    };
    assert!(post("abc").contains("--method POST repos/o/r/issues/7/comments"));
    arena.write("there", "");
    assert!(post("abc").contains("--method PATCH repos/o/r/issues/comments/42"));
    assert!(post("other").contains("commits/other/pulls"));
}

#[test]
fn every_script_is_a_step_and_every_step_runs_a_script() {
    let mut steps = String::new();
    for file in ["action.yml", ".github/workflows/leaderboards.yml", ".github/workflows/comment.yml"] {
        steps += &fs_err::read_to_string(root().join(file)).unwrap();
    }
    for entry in fs_err::read_dir(root().join("leaderboards/ci")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(steps.contains(&format!("leaderboards/ci/{name}")), "{name} is in no step");
    }
}

/// The archive that the committed board `name` names.
fn archive(name: &str) -> PathBuf {
    let boards = root().join("leaderboards/boards");
    let named = fs_err::read_to_string(boards.join(format!("{name}.store"))).unwrap();
    root().join("leaderboards/stores").join(named.trim_end())
}

#[test]
fn the_committed_board_is_what_its_archive_and_a_new_run_say() {
    let Some(data) = data_dir() else { return };
    let (data, archive) = (data.to_str().unwrap(), archive("quick"));
    let suite = root().join("leaderboards/suites/quick.toml");
    let arena = TestArena::new();
    // The workflow finds the same archive.
    let workflow = fs_err::read_to_string(root().join(".github/workflows/leaderboards.yml")).unwrap();
    let step = workflow.lines().find_map(|line| line.trim().strip_prefix("run: ")).unwrap();
    let step = format!("cd {}; {step}", root().display());
    let named = arena.path("named");
    let output = bash(&arena, &["-c", &step], &[("GITHUB_OUTPUT", named.to_str().unwrap())]);
    assert!(output.status.success(), "{}", text(&output));
    let named = fs_err::read_to_string(named).unwrap();
    assert_eq!(root().join(named.trim_end().strip_prefix("archive=").unwrap()), archive);
    let unpacked = arena.molarena(&["store", "unpack", archive.to_str().unwrap(), "--store", "committed"]);
    assert_eq!(unpacked.code, Some(0), "{}", unpacked.stderr);
    let board = |more: &[&str]| {
        let places =
            ["--store", "committed", "--data-dir", data, "--suite", suite.to_str().unwrap(), "--latest"];
        let output = arena.molarena(&[&["board"], &places[..], more].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        output.stdout
    };
    let committed = |name: &str| fs_err::read_to_string(root().join("leaderboards").join(name)).unwrap();
    let again = "run leaderboards/remake.sh quick";
    for format in ["md", "csv", "json"] {
        assert!(
            board(&["--format", format]) == committed(&format!("boards/quick.{format}")),
            "{format}: {again}"
        );
    }
    let places = ["--store", "committed", "--data-dir", data];
    let replay = arena.molarena(&[&["replay"], &places[..]].concat());
    assert_eq!(replay.code, Some(0), "{}", replay.stdout);

    // What the workflow does: the suite is run by this build and held against the archive.
    let program = binary();
    let variables = [
        ("MOLARENA", program.to_str().unwrap()),
        ("SUITE", suite.to_str().unwrap()),
        ("STORE", "store"),
        ("OUTPUT", "report"),
        ("BASELINE", archive.to_str().unwrap()),
        ("MOLARENA_DATA", data),
    ];
    let output = script(&arena, "run.sh", &variables);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("## Gate: no row got worse"), "{}", text(&output));
    assert_eq!(verdict(&arena, "true"), Some(0));
}

#[test]
fn boards_are_made_again_from_their_suites() {
    let arena = arena();
    let script = fs_err::read_to_string(root().join("leaderboards/remake.sh")).unwrap();
    let script = arena.write("leaderboards/remake.sh", script);
    arena.write("leaderboards/boards/.keep", "");
    arena.write("leaderboards/suites/toy.toml", fs_err::read_to_string(arena.path("suite.toml")).unwrap());
    let remake = || {
        let output = bash(&arena, &[script.to_str().unwrap(), "toy"], &[("MOLARENA", "molarena-here")]);
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    let read = |name: &str| fs_err::read_to_string(arena.path("leaderboards").join(name)).unwrap();
    remake();
    let first = read("boards/toy.store");
    let archives = || files(&arena.path("leaderboards/stores"));
    assert_eq!(archives(), [arena.path("leaderboards/stores").join(first.trim_end())]);
    assert_eq!(read("boards/toy.csv").lines().count(), 3);
    assert!(read("boards/toy.md").contains("forest") && read("boards/toy.json").contains("forest"));
    // Another configuration takes the place of the first, on the boards and among the archives.
    crate::support::edit(&arena, "methods/forest.toml", "n_trees = 5", "n_trees = 6");
    remake();
    let second = read("boards/toy.store");
    assert_ne!(first, second);
    assert_eq!(archives(), [arena.path("leaderboards/stores").join(second.trim_end())]);
    assert_eq!(read("boards/toy.csv").lines().count(), 3);
    assert!(read("index.html").contains(">forest<"));
    // The page stays if it would lack a board.
    arena.write("leaderboards/boards/other.store", "0.tar.gz\n");
    arena.write("leaderboards/index.html", "all");
    assert!(remake().contains("index.html stays as it was: leaderboards/stores/0.tar.gz is not here"));
    assert_eq!(read("index.html"), "all");
}

#[test]
fn every_archive_is_of_a_board_and_every_board_with_an_archive_on_the_page() {
    let boards = files(&root().join("leaderboards/boards"));
    let named: Vec<&PathBuf> =
        boards.iter().filter(|path| path.extension().is_some_and(|end| end == "store")).collect();
    let archives: Vec<PathBuf> =
        named.iter().map(|path| archive(path.file_stem().unwrap().to_str().unwrap())).collect();
    for stored in files(&root().join("leaderboards/stores")) {
        assert!(archives.contains(&stored), "no board names {}", stored.display());
    }
    let page = fs_err::read_to_string(root().join("leaderboards/index.html")).unwrap();
    for board in &named {
        let mut table = csv::Reader::from_path(board.with_extension("csv")).unwrap();
        let head = table.headers().unwrap().clone();
        let place = |name| head.iter().position(|header| header == name);
        // A matching board has no dataset.
        let columns: Vec<usize> = place("method").into_iter().chain(place("dataset")).collect();
        assert!(!columns.is_empty(), "{}", board.display());
        for row in table.records() {
            let row = row.unwrap();
            for &column in &columns {
                assert!(
                    page.contains(&format!(">{}<", &row[column])),
                    "{}: {}",
                    board.display(),
                    &row[column]
                );
            }
        }
    }
}
