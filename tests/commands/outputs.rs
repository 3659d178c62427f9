//! Outputs that would take the place of an input, or that cannot be written, are refused before anything is done.

use std::os::unix::fs::symlink;

use molarena_tests::{Output, TestArena};

use crate::support::toy;

/// An arena with a dataset, a store of one run, a model, and molecules to predict.
fn arena() -> TestArena {
    let arena = toy();
    arena.write("new.csv", "smiles\nCCO\nCCN\n");
    arena.write("log.svg", "epoch,loss\n1,2\n2,1\n");
    arena.write("own-method.toml", fs_err::read_to_string(arena.path("methods/knn-test.toml")).unwrap());
    arena.write(
        "suite.toml",
        "schema = \"molarena.suite/1\"\nname = \"s\"\n\n[[cells]]\ndatasets = [\"toy\"]\nmethods = [\"own-method.toml\"]\nseeds = 1\n",
    );
    let output = arena.run(&[], &["--dataset", "toy", "--method", "constant-test"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let output = with_places(&arena, "train --dataset toy --method constant-test --output model/");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    arena
}

fn with_places(arena: &TestArena, arguments: &str) -> Output {
    let places = "--data-dir data --datasets-dir datasets --methods-dir methods --store store";
    arena.molarena(&arguments.split(' ').chain(places.split(' ')).collect::<Vec<_>>())
}

/// Every file below the arena's folder, with its content.
fn all_files(arena: &TestArena) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let (mut folders, mut files) = (vec![arena.path("")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let path = entry.path();
            if entry.file_type().unwrap().is_symlink() {
                continue;
            }
            if path.is_dir() {
                // Job folders come and go.
                if !path.ends_with("store/work") {
                    folders.push(path);
                }
            } else if path.is_file() {
                files.push((path.clone(), fs_err::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn an_output_that_is_an_input_is_refused_and_nothing_changes() {
    let arena = arena();
    symlink("new.csv", arena.path("link.csv")).unwrap();
    symlink("../store", arena.path("data/inside")).unwrap();
    symlink(".", arena.path("here")).unwrap();
    fs_err::hard_link(arena.path("new.csv"), arena.path("hard.csv")).unwrap();
    fs_err::copy(arena.path("new.csv"), arena.path("p.csv.failures.csv")).unwrap();
    fs_err::copy(arena.path("new.csv"), arena.path("q.csv.partial")).unwrap();
    let record = arena.stored("records").remove(0);
    fs_err::hard_link(&record, arena.path("record.csv")).unwrap();
    let record = record.display().to_string();
    let before = all_files(&arena);
    let predict = "predict --dataset toy --method constant-test --force --input";
    let own = "predict --csv data/toy/assays.csv --method own-method.toml --force --input";
    let run = "run --dataset toy --method constant-test --events";
    for arguments in [
        format!("{own} new.csv --output data/toy/assays.csv"),
        format!("{predict} new.csv --output data/toy/assays.csv"),
        format!("{predict} new.csv --output new.csv"),
        format!("{predict} new.csv --output ./data/../new.csv"),
        format!("{predict} ./new.csv --output link.csv"),
        format!("{predict} link.csv --output new.csv"),
        format!("{predict} new.csv --output hard.csv"),
        format!("{predict} new.csv --output here/new.csv"),
        format!("{predict} new.csv --output store/p.csv"),
        format!("{predict} new.csv --output data/inside/p.csv"),
        format!("{predict} new.csv --output record.csv"),
        format!("{predict} p.csv.failures.csv --output p.csv"),
        format!("{predict} q.csv.partial --output q.csv"),
        "predict --model model --force --input new.csv --output model/p.csv".into(),
        "predict --model model --force --input new.csv --output hard.csv".into(),
        "embed new.csv --force --output new.csv".into(),
        "embed new.csv --force --format npy --output methods/knn-test.toml".into(),
        "embed new.csv --force --method own-method.toml --format npy --output own-method.toml".into(),
        "embed new.csv --force --format npy --output datasets/toy/dataset.toml".into(),
        "embed hard.csv --force --output link.csv".into(),
        format!("{run} datasets/toy/dataset.toml"),
        format!("{run} methods/constant-test.toml"),
        format!("{run} data/toy/assays.csv"),
        format!("{run} {record}"),
        format!("{run} record.csv"),
        format!("{run} store/events.jsonl"),
        "run --csv new.csv --method constant --events hard.csv".into(),
        "run suite.toml --events suite.toml".into(),
        "run suite.toml --events own-method.toml".into(),
        "train --dataset toy --method constant-test --output store/model".into(),
    ] {
        let output = with_places(&arena, &arguments);
        assert_eq!(output.code, Some(2), "{arguments}: {}{}", output.stdout, output.stderr);
        assert!(output.stderr.contains(": the output "), "{arguments}: {}", output.stderr);
        assert!(all_files(&arena) == before, "{arguments}");
    }
    for arguments in [
        "plot --training log.svg --output log.svg --force",
        "plot -x baseline.config.k --output store --store store --force",
        "plot -x baseline.config.k --output store/figures --store store",
    ] {
        let output = arena.molarena(&arguments.split(' ').collect::<Vec<_>>());
        assert_eq!(output.code, Some(2), "{arguments}: {}{}", output.stdout, output.stderr);
        assert!(all_files(&arena) == before, "{arguments}");
    }
    // Standard input may be the file, too.
    let places = "--data-dir data --datasets-dir datasets --methods-dir methods --force --output new.csv";
    let arguments = "predict --dataset toy --method constant-test --input -";
    let all: Vec<&str> = arguments.split(' ').chain(places.split(' ')).collect();
    let input = fs_err::File::open(arena.path("new.csv")).unwrap().into_parts().0;
    let status = arena.command(&all).stdin(input).status().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(all_files(&arena) == before);
    // What is no input is replaced as ever.
    arena.write("old.csv", "");
    let output = with_places(&arena, &format!("{predict} new.csv --output old.csv"));
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn an_output_that_cannot_be_is_refused() {
    let arena = arena();
    fs_err::create_dir(arena.path("folder.csv")).unwrap();
    let long = format!("{}.csv", "x".repeat(250));
    let train = "train --dataset toy --method constant-test --output";
    let predict = "predict --dataset toy --method constant-test --input new.csv --force --output";
    for (arguments, part) in [
        (format!("{predict} folder.csv"), "is a folder"),
        (format!("{predict} p.csv/"), "has no file name"),
        (format!("{predict} {long}"), "too long"),
        (format!("{predict} /proc/p.csv"), "cannot be written"),
        ("embed new.csv --format npy --force --output /dev/null".into(), "is no plain file"),
        ("run --dataset toy --method constant-test --events data".into(), "is a folder"),
        (format!("{train} model"), "exists; name another folder"),
        (format!("{train} model/"), "exists; name another folder"),
        (format!("{train} new.csv"), "exists; name another folder"),
        ("predict --dataset toy --method constant-test --input new.csv --output old.csv".into(), "--force"),
    ] {
        arena.write("old.csv", "");
        let output = with_places(&arena, &arguments);
        assert_eq!(output.code, Some(2), "{arguments}: {}{}", output.stdout, output.stderr);
        assert!(output.stderr.contains(part), "{arguments}: {}", output.stderr);
        assert!(!output.stderr.contains("learnt from"), "{arguments}: {}", output.stderr);
    }
    let output = arena.molarena(&["run", "--dataset", "toy", "--method", "constant", "--store", "new.csv"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("--store new.csv"), "{}", output.stderr);
    // Events may go to a device or a pipe.
    let output = with_places(&arena, "run --dataset toy --method constant-test --events /dev/null");
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}
