//! Tables of the user's own: `run --csv`, `data info --csv`, `predict`, `embed`, and every kind of bad input to them.

use std::{
    fmt::Write as _,
    io::{Read, Write},
};

use molarena_tests::{Output, TestArena, library};

use crate::support::{check, classes, table, toy};

/// Two classification tasks, one regression task, a column of words and one of parts; a repeat, a salt and an
/// unreadable row.
fn mixed() -> String {
    let mut text = "ID,Smiles,active,toxic,\"log S\",note,fold\r\n".to_owned();
    for row in 0..40 {
        // Each molecule has its own scaffold.
        let smiles = format!("C1CCCCC1{}c1ccccc1", "C".repeat(row + 1));
        let (active, toxic) = (classes(row, 0), classes(row, 1));
        let fold = ["train", "train", "train", "valid", "test"][row % 5];
        write!(text, "{row},\"{smiles}\",{active},{toxic},{}.5,some words,{fold}\r\n", row % 7).unwrap();
    }
    text.push_str(
        "40,c1ccccc1CC1CCCCC1,1,NA,1,again,train\r\n41,[Na+].CC(=O)[O-],0,1,,salt,train\r\n42,C1CC,1,1,2,broken,test",
    );
    text
}

fn arena() -> TestArena {
    let arena = toy();
    arena.write("My data.csv", [b"\xef\xbb\xbf", mixed().as_bytes()].concat());
    arena
}

fn run(arena: &TestArena, arguments: &[&str]) -> Output {
    let all: Vec<&str> = arguments.iter().copied().chain(["--jobs", "1"]).collect();
    arena.run(&[], &all)
}

/// Hides the board's times and memory, which differ from run to run.
fn without_costs(mut output: Output) -> Output {
    let line = |line: &str| {
        let cells: Vec<&str> = line.split('|').collect();
        // The last three columns are time, memory and failures.
        if cells.len() > 4 { cells[..cells.len() - 4].join("|") } else { line.to_owned() }
    };
    output.stdout = output.stdout.lines().map(|text| line(text) + "\n").collect();
    output
}

#[test]
fn a_table_becomes_boards() {
    let arena = arena();
    let output = run(&arena, &["--csv", "My data.csv", "--method", "constant-test", "--method", "knn-test"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("own-run", &arena, &without_costs(output));
    let boards = arena.boards();
    let ids: Vec<&str> =
        boards["boards"].as_array().unwrap().iter().map(|board| board["dataset"].as_str().unwrap()).collect();
    assert_eq!(ids, ["my-data-classification", "my-data-regression"]);
}

#[test]
fn tasks_types_parts_and_duplicates_are_chosen() {
    let arena = arena();
    let chosen = ["--csv", "My data.csv", "--smiles-column", "Smiles", "--tasks", "toxic,active"];
    let method = ["--method", "knn-test"];
    let with = |more: &[&str]| run(&arena, &[&chosen[..], &method, more].concat());
    let output = with(&["--split", "column:fold"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("own-column-split", &arena, &without_costs(output));
    let output = with(&["--split", "random", "--split-seed", "1", "--duplicates", "mean"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("own-merged", &arena, &without_costs(output));
    let output = with(&["--task-type", "toxic=regression", "--dry-run"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    check("own-types", &arena, &output);
    let info = arena.molarena(&["data", "info", "--csv", "My data.csv", "--tasks", "log S"]);
    assert_eq!(info.code, Some(0), "{}", info.stderr);
    check("own-info", &arena, &info);
}

#[test]
fn a_board_of_a_table_holds_what_was_run_before() {
    let arena = arena();
    let run = |method: &str| run(&arena, &["--csv", "My data.csv", "--tasks", "active", "--method", method]);
    run("knn-test");
    let output = run("constant-test");
    assert!(
        output.stdout.contains("| knn-test") && output.stdout.contains("| constant-test"),
        "{}",
        output.stdout
    );
}

#[test]
fn what_was_run_on_a_table_is_shown_compared_and_exported_with_its_labels() {
    let arena = arena();
    let table = ["--csv", "My data.csv", "--tasks", "active", "--split", "column:fold"];
    for method in ["knn-test", "constant-test"] {
        let ran = run(&arena, &[&table[..], &["--method", method]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    }
    let with = |command: &[&str], table: &[&str]| {
        arena.molarena(&[command, &["--store", "store", "--data-dir", "data"], table].concat())
    };
    let board = with(&["board"], &table);
    assert_eq!(board.code, Some(0), "{}", board.stderr);
    assert!(board.stdout.contains("95 % interval"), "{}", board.stdout);
    let without = with(&["board"], &[]);
    assert!(without.stdout.contains("- No intervals: "), "{}", without.stdout);
    let compared = with(&["compare", "knn-test", "constant-test"], &table);
    assert_eq!(compared.code, Some(0), "{}", compared.stderr);
    assert!(compared.stdout.contains("knn-test"), "{}", compared.stdout);
    let refused = with(&["compare", "knn-test", "constant-test"], &[]);
    assert_eq!(refused.code, Some(5), "{}{}", refused.stdout, refused.stderr);
    let predictions = with(&["export", "predictions"], &table);
    assert_eq!(predictions.code, Some(0), "{}", predictions.stderr);
    assert_eq!(predictions.stdout.lines().count(), 1 + 2 * 8, "{}", predictions.stdout);
    let gate = with(&["gate", "--baseline", "store"], &table);
    assert_eq!(gate.code, Some(0), "{}{}", gate.stdout, gate.stderr);
}

#[track_caller]
fn refused(name: &str, bytes: impl AsRef<[u8]>, file: &str, arguments: &[&str]) {
    let arena = toy();
    arena.write(file, bytes);
    let output = run(&arena, &[&["--csv", file, "--method", "knn-test"][..], arguments].concat());
    assert_eq!(output.code, Some(5), "{name}: {}{}", output.stdout, output.stderr);
    check(&format!("own-{name}"), &arena, &output);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bad_tables_are_refused_with_the_place() {
    let good = table(&["a", "b"], classes);
    refused("text-label", good.replacen(",1,1\n", ",1,high\n", 1), "x.csv", &[]);
    refused("no-smiles-column", good.replace("smiles", "structures"), "x.csv", &[]);
    refused("absent-column", &good, "x.csv", &["--smiles-column", "SMILES"]);
    refused("absent-task", &good, "x.csv", &["--tasks", "a,c"]);
    refused("two-headers", good.replace(",b\n", ",a\n"), "x.csv", &[]);
    refused("empty-file", "", "x.csv", &[]);
    refused("header-only", "smiles,a\n", "x.csv", &[]);
    refused("no-tasks", "smiles,a,b\nC,,x\nCC,NA,y\n", "x.csv", &[]);
    refused("wrong-part", &good, "x.csv", &["--split", "column:a"]);
    refused("class-2", good.replacen(",1,1\n", ",1,2\n", 1), "x.csv", &["--task-type", "classification"]);
    let packed = gzip(good.as_bytes());
    refused("cut-gzip", &packed[..packed.len() / 2], "x.csv.gz", &[]);
    refused("not-parquet", "PAR1 and no more", "x.parquet", &[]);
    refused("workbook", b"PK\x03\x04 a workbook", "x.csv", &[]);
    let arena = toy();
    let output = run(&arena, &["--csv", "nowhere.csv", "--method", "knn-test"]);
    assert_eq!(output.code, Some(5), "{}", output.stderr);
    check("own-no-file", &arena, &output);
}

#[test]
fn requests_that_make_no_sense_are_refused() {
    let arena = arena();
    for (name, arguments) in [
        ("and-dataset", vec!["--csv", "My data.csv", "--dataset", "toy", "--method", "knn-test"]),
        ("column-without-table", vec!["--dataset", "toy", "--method", "knn-test", "--split", "column:fold"]),
        ("unknown-type", vec!["--csv", "My data.csv", "--method", "knn-test", "--task-type", "a=number"]),
        ("unknown-duplicates", vec!["--csv", "My data.csv", "--method", "knn-test", "--duplicates", "drop"]),
    ] {
        let output = run(&arena, &arguments);
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
        check(&format!("own-{name}"), &arena, &output);
    }
}

#[test]
fn a_task_without_labels_and_a_giant_molecule_harm_nothing() {
    let arena = toy();
    let mut text = table(&["a", "hole"], |row, task| if task == 1 { String::new() } else { classes(row, 0) });
    writeln!(text, "{},1,", "C".repeat(1_000_000)).unwrap();
    arena.write("x.csv", gzip(text.as_bytes()));
    let output =
        run(&arena, &["--csv", "x.csv", "--tasks", "a,hole", "--split", "random", "--method", "knn-test"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(output.stderr.len() < 4000, "{} bytes", output.stderr.len());
    check("own-giant", &arena, &without_costs(output));
}

fn embed(arena: &TestArena, arguments: &[&str]) -> Output {
    let all: Vec<&str> = ["embed"].iter().chain(arguments).copied().chain(["--threads", "1"]).collect();
    arena.molarena(&all)
}

/// Removes the line with the speed.
fn without_speed(mut output: Output) -> Output {
    let kept = output.stderr.split_inclusive('\n').filter(|line| !line.contains("molecules/s"));
    output.stderr = kept.collect();
    output
}

#[test]
fn embedded_molecules_are_the_same_in_every_format() {
    let arena = arena();
    for (format, output) in [("csv", "f.csv"), ("npy", "f.npy"), ("parquet", "f.parquet")] {
        let done = embed(&arena, &["My data.csv", "--features", "morgan:bits=64", "--output", output]);
        assert_eq!(done.code, Some(10), "{}", done.stderr);
        assert!(done.stderr.contains("molecules/s on 1 threads"), "{}", done.stderr);
        check(&format!("embed-{format}"), &arena, &without_speed(done));
    }
    let listed = fs_err::read_to_string(arena.path("f.npy.failures.csv")).unwrap();
    assert!(listed.starts_with("row,smiles,reason\n43,C1CC,"), "{listed}");
    let array: ndarray::Array2<u8> =
        ndarray_npy::ReadNpyExt::read_npy(fs_err::File::open(arena.path("f.npy")).unwrap()).unwrap();
    assert_eq!(array.dim(), (43, 8));
    let mut reader = csv::Reader::from_path(arena.path("f.csv")).unwrap();
    for (row, record) in reader.records().map(Result::unwrap).enumerate() {
        let hex = array.row(row).iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
        assert_eq!(&record[2], if row == 42 { "" } else { hex.as_str() }, "row {row}");
    }
    // Reads the Parquet file back; its molecules embed to the same bits.
    let done = embed(&arena, &["f.parquet", "--features", "morgan:bits=64", "--output", "again.npy"]);
    assert_eq!(done.code, Some(10), "{}", done.stderr);
    let bytes = |name: &str| fs_err::read(arena.path(name)).unwrap();
    assert_eq!(bytes("again.npy"), bytes("f.npy"));
}

#[test]
fn embedding_reads_standard_input_and_says_what_it_did() {
    let arena = arena();
    let mut child = arena
        .command(&["embed", "-", "--features", "descriptors", "--output", "d.csv", "--json"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"CCO ethanol\nc1ccccc1\tbenzene\n").unwrap();
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((json["rows"].as_u64(), json["failed"].as_u64()), (Some(2), Some(0)));
    assert_eq!(json["columns"].as_u64(), Some(molarena_chem::DESCRIPTOR_NAMES.len() as u64));
    assert!(!arena.path("d.csv.failures.csv").exists());
}

#[test]
fn an_encoder_embeds_in_a_confined_worker() {
    let arena = arena();
    arena.write(
        "methods/counts.toml",
        "schema = \"molarena.method/1\"\nname = \"counts\"\nfeatures = { kind = \"graphs\" }\n\
         encoder = { component = \"fixture-kinds/atom-counts\", config = { width = 12 } }\n\
         baseline = { component = \"fixture-kinds/nearest-centroid\" }\n",
    );
    let plugin = library("fixture_kinds").display().to_string();
    let places = ["--methods-dir", "methods", "--plugin", plugin.as_str()];
    let with = |arguments: &[&str]| embed(&arena, &[arguments, &places].concat());
    let done = with(&["My data.csv", "--method", "counts", "--output", "v.npy"]);
    assert_eq!(done.code, Some(10), "{}", done.stderr);
    let array: ndarray::Array2<f32> =
        ndarray_npy::ReadNpyExt::read_npy(fs_err::File::open(arena.path("v.npy")).unwrap()).unwrap();
    assert_eq!(array.dim(), (43, 12));
    assert!(array.row(42).iter().all(|value| value.is_nan()));
    assert!(array.row(0).iter().all(|value| value.is_finite()));
}

#[test]
fn embeddings_that_cannot_be_are_refused() {
    let arena = arena();
    arena.write("bad.csv", "smiles\nxx\nyy\n");
    arena.write("there.npy", "");
    for (name, code, arguments) in [
        ("unknown-features", 2, vec!["My data.csv", "--features", "morgana", "--output", "x.npy"]),
        ("graphs", 2, vec!["My data.csv", "--features", "graphs", "--output", "x.npy"]),
        ("unknown-ending", 2, vec!["My data.csv", "--output", "x.bin"]),
        ("output-there", 2, vec!["My data.csv", "--output", "there.npy"]),
        ("absent-column", 5, vec!["My data.csv", "--smiles-column", "smi", "--output", "x.npy"]),
        ("nothing-readable", 5, vec!["bad.csv", "--output", "x.npy"]),
        ("no-input", 5, vec!["nowhere.csv", "--output", "x.npy"]),
    ] {
        let output = embed(&arena, &arguments);
        assert_eq!(output.code, Some(code), "{name}: {}", output.stderr);
        check(&format!("embed-{name}"), &arena, &output);
    }
    assert!(!arena.path("x.npy").exists() && !arena.path("x.npy.partial").exists());
}

fn predict(arena: &TestArena, arguments: &[&str]) -> Output {
    let places = ["--data-dir", "data", "--datasets-dir", "datasets", "--methods-dir", "methods"];
    let all: Vec<&str> = ["predict"].iter().chain(arguments).chain(&places).copied().collect();
    arena.molarena(&all)
}

#[test]
fn new_molecules_are_predicted() {
    let arena = arena();
    arena.write("new.csv", "name,smiles\na,CCO\nb,xx\nc,CCCCc1ccccc1\n");
    let method = ["--method", "knn-test", "--input", "new.csv"];
    let output = predict(&arena, &[&["--dataset", "toy", "--output", "p.csv"][..], &method].concat());
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    check("predict", &arena, &output);
    let mut reader = csv::Reader::from_path(arena.path("p.csv")).unwrap();
    assert_eq!(reader.headers().unwrap(), vec!["row", "smiles", "active", "toxic"]);
    let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 3);
    assert_eq!(records[1], vec!["2", "xx", "", ""]);
    for record in [&records[0], &records[2]] {
        let share: f64 = record[2].parse().unwrap();
        assert!((0.0..=1.0).contains(&share), "{record:?}");
    }
    // Both task types of one table stand side by side.
    let own = ["--csv", "My data.csv", "--output", "own.parquet"];
    let output = predict(&arena, &[&own[..], &method].concat());
    assert_eq!(output.code, Some(10), "{}", output.stderr);
    check("predict-own", &arena, &output);
    let again = predict(
        &arena,
        &[
            "--csv",
            "own.parquet",
            "--tasks",
            "log S",
            "--method",
            "knn-test",
            "--input",
            "new.csv",
            "--output",
            "q.csv",
        ],
    );
    assert!(again.stderr.contains("task \"log S\": regression"), "{}", again.stderr);
}

#[test]
fn predictions_that_cannot_be_are_refused() {
    let arena = arena();
    arena.write("new.csv", "smiles\nCCO\n");
    arena.write("bad.csv", "smiles\nxx\n");
    arena.method("fails", "baselines/knn", "{ k = 0 }");
    for (name, method, input, output) in [
        ("unknown-method", "knn-tset", "new.csv", "p.csv"),
        ("bad-config", "fails", "new.csv", "p.csv"),
        ("nothing-readable", "knn-test", "bad.csv", "p.csv"),
        ("unknown-ending", "knn-test", "new.csv", "p.txt"),
    ] {
        let arguments = ["--dataset", "toy", "--method", method, "--input", input, "--output", output];
        let result = predict(&arena, &arguments);
        assert!(matches!(result.code, Some(2 | 5 | 10)), "{name}: {}", result.stderr);
        check(&format!("predict-{name}"), &arena, &result);
        assert!(!arena.path("p.csv").exists(), "{name}");
    }
}
