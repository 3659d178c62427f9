//! Tables as programs write them: separators, encodings, index columns, names with commas. Each is read right, or
//! refused with a message that says what it is. `tables/parquet.rs` has those in Parquet.

mod parquet;

use std::{fmt::Write as _, io::Write as _};

use molarena_tests::{Output, TestArena};

use crate::support::{classes, molecules, table, toy};

const NO_COST: &str = "--no-cost";

/// Runs methods on a table, one worker at a time, on a random split unless another is named.
fn run(arena: &TestArena, arguments: &[&str]) -> Output {
    let mut all: Vec<&str> = arguments.iter().copied().chain(["--jobs", "1"]).collect();
    if !arguments.contains(&"--split") {
        all.extend(["--split", "random"]);
    }
    arena.run(&[], &all)
}

/// Plans a run of `constant-test` on a file of these bytes.
fn planned(file: &str, bytes: impl AsRef<[u8]>, more: &[&str]) -> Output {
    let arena = toy();
    arena.write(file, bytes);
    run(&arena, &[&["--csv", file, "--method", "constant-test", "--dry-run"][..], more].concat())
}

/// The names of the tasks that standard error reports.
fn tasks(output: &Output) -> Vec<&str> {
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let names = output.stderr.lines().filter_map(|line| line.strip_prefix("  task \""));
    names.map(|rest| rest.split_once('"').expect("a name ends with a quote").0).collect()
}

#[track_caller]
fn reads(file: &str, bytes: impl AsRef<[u8]>, more: &[&str], expected: &[&str]) -> String {
    let output = planned(file, bytes, more);
    assert_eq!(tasks(&output), expected, "{file} {more:?}: {}", output.stderr);
    output.stderr
}

#[track_caller]
fn refuses(file: &str, bytes: impl AsRef<[u8]>, more: &[&str], messages: &[&str]) {
    let output = planned(file, bytes, more);
    assert_eq!(output.code, Some(5), "{file}: {}{}", output.stdout, output.stderr);
    assert!(output.stderr.contains(file), "{file}: {}", output.stderr);
    for message in messages {
        assert!(output.stderr.contains(message), "{file}: {message:?} not in {}", output.stderr);
    }
}

/// A table of the forty molecules and two tasks, the second with a comma in its name.
fn with_comma(separator: &str, quote: &str) -> String {
    let name = format!("{quote}Neoplasms, benign{quote}");
    let mut text = ["smiles", name.as_str(), "y"].join(separator) + "\n";
    for (row, smiles) in molecules().iter().enumerate() {
        text += &[smiles.as_str(), classes(row, 0).as_str(), classes(row + 2, 0).as_str()].join(separator);
        text += "\n";
    }
    text
}

/// The methods on the boards of a store, by dataset.
fn rows(arena: &TestArena, more: &[&str]) -> Vec<(String, Vec<String>)> {
    let arguments = ["board", "--store", "store", "--format", "json", NO_COST];
    let output = arena.molarena(&[&arguments[..], more].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let boards: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let board = |board: &serde_json::Value| {
        let mut methods: Vec<String> =
            board["rows"].as_array().unwrap().iter().map(|row| text(&row["method"])).collect();
        methods.sort();
        (text(&board["dataset"]), methods)
    };
    boards["boards"].as_array().unwrap().iter().map(board).collect()
}

#[test]
fn records_belong_to_the_data_not_to_the_name() {
    let arena = toy();
    let bytes = table(&["y"], classes);
    arena.write("a.csv", &bytes);
    arena.write("b.csv", &bytes);
    let first = run(&arena, &["--csv", "a.csv", "--method", "constant-test"]);
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    let second = run(&arena, &["--csv", "b.csv", "--method", "constant-test", "--method", "knn-test"]);
    assert!(second.stdout.contains("1 scored now, 1 finished before"), "{}", second.stdout);
    assert!(second.stdout.contains("## b (own data), "), "{}", second.stdout);
    for method in ["| constant-test", "| knn-test"] {
        assert!(second.stdout.contains(method), "{}", second.stdout);
    }
    // With a finished cell alone, and under the first name, the board is the same.
    for (name, file) in [("b", "b.csv"), ("a", "a.csv")] {
        let again = run(&arena, &["--csv", file, "--method", "constant-test"]);
        assert!(again.stdout.contains("0 scored now, 1 finished before"), "{}", again.stdout);
        assert!(again.stdout.contains(&format!("## {name} (own data), ")), "{}", again.stdout);
        assert!(again.stdout.contains("| knn-test"), "{}", again.stdout);
    }
    let both = vec!["constant-test".to_owned(), "knn-test".to_owned()];
    // The name that was used last; in one second, the first.
    let all = rows(&arena, &[]);
    assert!(all.len() == 1 && ["a", "b"].contains(&all[0].0.as_str()) && all[0].1 == both, "{all:?}");
    for name in ["a", "b"] {
        assert_eq!(rows(&arena, &["--dataset", name]), [(name.to_owned(), both.clone())]);
    }
    let replay = arena.molarena(&["replay", "--store", "store", "--csv", "b.csv"]);
    assert!(replay.stdout.contains("2 records come out the same, 0 differ, 0 skipped"), "{}", replay.stdout);
}

#[test]
fn other_data_under_one_name_stay_apart() {
    let arena = toy();
    arena.write("one/t.csv", table(&["y", "z"], classes));
    arena.write("two/t.csv", table(&["y", "z"], |row, task| classes(row + 2, task)));
    let with = |more: &[&str]| {
        let output = run(&arena, &[&["--method", "constant-test", "--split", "random"][..], more].concat());
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert!(output.stdout.contains("1 scored now, 0 finished before"), "{more:?}: {}", output.stdout);
        assert_eq!(output.stdout.matches("\n## ").count(), 1, "{}", output.stdout);
    };
    with(&["--csv", "one/t.csv"]);
    with(&["--csv", "two/t.csv"]);
    with(&["--csv", "one/t.csv", "--tasks", "y"]);
    with(&["--csv", "one/t.csv", "--tasks", "y", "--task-type", "regression"]);
    assert_eq!(rows(&arena, &[]).len(), 4);
    // Another column of SMILES in the same bytes is other data, too.
    let mut text = "smiles,other,y\n".to_owned();
    for (row, smiles) in molecules().iter().enumerate() {
        writeln!(text, "{smiles},{smiles}C,{}", classes(row, 0)).unwrap();
    }
    arena.write("columns.csv", text);
    with(&["--csv", "columns.csv"]);
    with(&["--csv", "columns.csv", "--smiles-column", "other"]);
    assert_eq!(rows(&arena, &[]).len(), 6);
}

#[test]
fn replay_tells_the_two_datasets_of_one_table_apart() {
    let arena = toy();
    arena.write(
        "t.csv",
        table(&["y", "v"], |row, task| if task == 0 { classes(row, 0) } else { format!("{}.5", row % 7) }),
    );
    let output = run(&arena, &["--csv", "t.csv", "--method", "constant-test"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let replay = arena.molarena(&["replay", "--store", "store", "--csv", "t.csv"]);
    assert!(replay.stdout.contains("2 records come out the same, 0 differ, 0 skipped"), "{}", replay.stdout);
}

#[test]
fn a_task_name_may_contain_a_comma() {
    let text = with_comma(",", "\"");
    let (comma, y) = ("Neoplasms, benign", "y");
    let cases: [(&[&str], &[&str]); 9] = [
        (&[], &[comma, y]),
        (&["--task", comma], &[comma]),
        (&["--task", y, "--task", comma], &[y, comma]),
        (&["--tasks", "\"Neoplasms, benign\""], &[comma]),
        (&["--tasks", comma], &[comma]),
        (&["--tasks", "y,Neoplasms, benign"], &[y, comma]),
        (&["--tasks", "y", "--tasks", comma], &[y, comma]),
        (&["--tasks", " y , y", "--task", y], &[y]),
        (&["--task", comma, "--task-type", "Neoplasms, benign=classification"], &[comma]),
    ];
    for (arguments, expected) in cases {
        reads("t.csv", &text, arguments, expected);
    }
    let told =
        reads("t.csv", &text, &["--task-type", "y=classification,Neoplasms, benign=regression"], &[y, comma]);
    assert!(told.contains("task \"Neoplasms, benign\": regression (as stated)"), "{told}");
    let types = ["--task-type", "Neoplasms, benign=regression", "--task-type", "y=regression"];
    let told = reads("t.csv", &text, &types, &[comma, y]);
    assert_eq!(told.matches("regression (as stated)").count(), 2, "{told}");
    refuses("t.csv", &text, &["--task", "neoplasms benign"], &["is \"Neoplasms, benign\" meant?"]);
    refuses(
        "t.csv",
        &text,
        &["--tasks", "y,Neoplasm, benign"],
        &["no column \"Neoplasm\"", "is \"Neoplasms, benign\" meant?"],
    );
    refuses("t.csv", &text, &["--task-type", "Y=regression"], &["no column \"Y\" (is \"y\" meant?)"]);
    let contradiction = ["--task-type", "y=regression", "--task-type", "y=classification"];
    let output = planned("t.csv", &text, &contradiction);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(
        output.stderr.contains("task `y` is stated as regression and as classification"),
        "{}",
        output.stderr
    );
}

#[test]
fn the_separator_is_the_one_that_fits_the_rows() {
    let expected = ["Neoplasms, benign", "y"];
    for (file, separator, quote) in [
        ("t.tsv", "\t", ""),
        ("t.csv", "\t", "\""),
        ("s.csv", ";", ""),
        ("p.txt", "|", ""),
        ("c.tsv", ",", "\""),
    ] {
        let text = with_comma(separator, quote);
        reads(file, &text, &[], &expected);
        for end in ["\r\n", "\r"] {
            reads(file, text.replace('\n', end), &[], &expected);
        }
        reads(file, text.trim_end(), &[], &expected);
        reads(file, [b"\xef\xbb\xbf", text.as_bytes()].concat(), &[], &expected);
        reads(file, gzip(text.as_bytes()), &[], &expected);
    }
    // A spreadsheet's empty columns to the right are none.
    reads("x.csv", table(&["y"], classes).replace('\n', ",,\n"), &[], &["y"]);
}

#[test]
fn predictions_read_their_input_by_the_same_rules() {
    let arena = toy();
    for (separator, name) in [("\t", "in.tsv"), (";", "in.csv"), ("|", "in.txt")] {
        arena.write(name, with_comma(separator, ""));
        let output = arena.molarena(&["embed", name, "--output", "x.npy", "--force", "--threads", "1"]);
        assert_eq!(output.code, Some(0), "{name}: {}", output.stderr);
    }
    for (name, bytes, message) in [
        ("utf16.csv", utf16("smiles,y\nCC,1\n"), "UTF-16"),
        ("ragged.csv", b"smiles,y\nCC,1\nC,1,1\n".to_vec(), "row 2 has 3 cells, the header has 2"),
        (
            "open.csv",
            b"smiles,y\nCC,1\n\"C,1\nC,0\n".to_vec(),
            "the quote that opens on line 3 is not closed",
        ),
        ("page.csv", b"<!DOCTYPE html><html></html>".to_vec(), "an HTML page"),
        ("two.csv", b"smiles,SMILES\nC,C\n".to_vec(), "both \"smiles\" and \"SMILES\""),
    ] {
        arena.write(name, bytes);
        let output = arena.molarena(&["embed", name, "--output", "y.npy", "--threads", "1"]);
        assert_eq!(output.code, Some(5), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(message), "{name}: {}", output.stderr);
        assert!(!arena.path("y.npy").exists());
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn encodings_and_other_files_are_named() {
    let good = table(&["y"], classes);
    let wide = |unit: fn(char) -> Vec<u8>, text: &str| text.chars().flat_map(unit).collect::<Vec<u8>>();
    for mark in ["", "\u{feff}"] {
        let text = [mark, &good].concat();
        refuses("x.csv", utf16(&text), &[], &["UTF-16 (little-endian)", "save it as UTF-8"]);
        let big = text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        refuses("x.csv", big, &[], &["UTF-16 (big-endian)"]);
        refuses(
            "x.csv",
            wide(|c| u32::from(c).to_le_bytes().into(), &text),
            &[],
            &["UTF-32 (little-endian)"],
        );
        refuses("x.csv", wide(|c| u32::from(c).to_be_bytes().into(), &text), &[], &["UTF-32 (big-endian)"]);
    }
    refuses("x.csv", gzip(&utf16(&good)), &[], &["UTF-16"]);
    let latin = [good.as_bytes(), b"C,1\nCC,\xb5\n"].concat();
    refuses("x.csv", latin, &[], &["line 43 has the byte 0xB5, which is not UTF-8", "Latin-1"]);
    refuses("x.csv", good.replacen("CO,0", "C\0O,0", 1), &[], &["zero byte"]);
    let files: [(&[u8], &str); 14] = [
        (b"BZh91AY&SY\x01\x02", "bzip2"),
        (b"\xfd7zXZ\0\0\x04", "xz"),
        (b"\x28\xb5\x2f\xfd\x04\0", "zstd"),
        (b"\x04\x22\x4d\x18d@", "lz4"),
        (b"7z\xbc\xaf\x27\x1c\0\x04", "7z"),
        (b"PK\x03\x04 data.csv", "zip archive; unpack it"),
        (b"PK\x03\x04 [Content_Types].xml xl/workbook.xml", "Excel workbook (.xlsx); export it as CSV"),
        (b"PK\x03\x04 mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "(.ods)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0", "Excel workbook (.xls)"),
        (b"<!DOCTYPE html>\n<html>404, not found</html>", "HTML"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 1\n", "git lfs pull"),
        (b"[{\"smiles\": \"C\", \"y\": 1}]", "JSON"),
        (b"ethane\n  RDKit\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n", "SDF"),
        (b"ARROW1\0\0\xff\xff\xff\xff", "Arrow"),
    ];
    for (bytes, name) in files {
        refuses("x.csv", bytes, &[], &[name]);
        refuses("x.csv", gzip(bytes), &[], &[name]);
    }
    refuses("x.csv", gzip(&gzip(good.as_bytes())), &[], &["gzip twice"]);
    for empty in ["", "\n\n", "\u{feff}", "smiles,y", "smiles,y\n"] {
        refuses("x.csv", empty, &[], &["no data rows"]);
    }
}

#[test]
fn rows_and_quotes_that_do_not_fit_are_named_by_row() {
    refuses(
        "x.csv",
        "smiles,y\nC,1\nCC,1,0\nCCC,0\n",
        &[],
        &["row 2 (line 3) has 3 cells, the header has 2"],
    );
    refuses("x.csv", "smiles;y\r\nC;1\r\n\r\nCC\r\nCCC;0\r\n", &[], &["row 2 (line 4) has 1 cell,"]);
    refuses("x.tsv", "smiles\ty\n1\tC\t1\n2\tCC\t0\n", &[], &["give the column of row names a name"]);
    refuses(
        "x.csv",
        "smiles,y\nC,1\n\"CC,1\nCCC,0\n",
        &[],
        &["the quote that opens on line 3 is not closed"],
    );
    refuses("x.csv", "smiles,y\n\"C,1\n\"CC\",1\nCCC,0\n", &[], &["line 3: text follows a closing quote"]);
    refuses("x.csv", "smiles,a, a ,b\nC,1,1,1\nCC,0,0,0\n", &[], &["column \"a\" occurs twice"]);
    refuses(
        "x.csv",
        "smiles,SMILES,a\nC,C,1\nCC,CC,0\n",
        &[],
        &["both \"smiles\" and \"SMILES\" may be the column"],
    );
    refuses("x.csv", "smiles\nC\nCC\n", &[], &["no column can be a task: there is none but SMILES"]);
    let numbers = "smiles;n;logS\nC;1;0,5\nCC;2;-1,5\nCCC;3;2\n";
    refuses(
        "x.csv",
        numbers,
        &[],
        &["row 1 (line 2), column \"logS\"", "a number with a comma; write a decimal point"],
    );
    refuses("x.csv", "smiles,n\nC,\"1,234.5\"\nCC,\"2,500\"\n", &[], &["a number with a comma"]);
    // The other columns can be used.
    let output = planned("x.csv", numbers, &["--task", "n"]);
    assert!(output.stderr.contains("task \"n\": regression (inferred), 3 numbers"), "{}", output.stderr);
}

/// The table of a SMILES column, a task `y`, and `column` in the `place`.
fn with_column(name: &str, place: usize, cell: impl Fn(usize) -> String) -> String {
    let line = |cells: [String; 2], more: String| {
        let mut cells = cells.to_vec();
        cells.insert(place, more);
        cells.join(",") + "\n"
    };
    let mut text = line(["smiles".to_owned(), "y".to_owned()], name.to_owned());
    for (row, smiles) in molecules().into_iter().enumerate() {
        text += &line([smiles, classes(row, 0)], cell(row));
    }
    text
}

#[test]
fn index_columns_are_no_tasks_unless_they_are_named() {
    let count = |row: usize| row.to_string();
    for (name, place) in
        [("Unnamed: 0", 0), ("", 0), ("n", 0), ("compound", 0), ("ID", 2), ("__index_level_0__", 2)]
    {
        let told = reads("x.csv", with_column(name, place, count), &[], &["y"]);
        assert!(told.contains(&format!("no task: column \"{name}\" numbers the rows")), "{told}");
    }
    let running: [fn(usize) -> String; 3] =
        [|row| (row * 3 + 7).to_string(), |row| (39 - row).to_string(), |row| format!("{row}.0")];
    for cell in running {
        reads("x.csv", with_column("n", 0, cell), &[], &["y"]);
    }
    let told =
        reads("x.csv", with_column("PUBCHEM_CID", 1, |row| (row * 7919 % 1000).to_string()), &[], &["y"]);
    assert!(told.contains("identifies the rows, by its name"), "{told}");
    // What repeats or has gaps between its numbers is a label.
    reads("x.csv", with_column("n", 0, |row| (row / 2).to_string()), &[], &["y", "n"]);
    reads("x.csv", with_column("n", 1, count), &[], &["y", "n"]);
    reads("x.csv", with_column("n", 0, count), &["--task", "n"], &["n"]);
    reads("x.csv", with_column("Unnamed: 0", 0, count), &["--tasks", "Unnamed: 0,y"], &["y", "Unnamed: 0"]);
}

#[test]
fn times_are_no_tasks_and_booleans_are() {
    type Cell = fn(usize) -> String;
    let cells: [(&str, Cell); 9] = [
        ("day", |row| format!("2026-01-{:02}", row % 28 + 1)),
        ("day", |row| format!("202601{:02}", row % 28 + 1)),
        ("assay date", |row| (1_700_000_000 + row * row).to_string()),
        ("when", |row| format!("2026-01-01T{:02}:30:00Z", row % 24)),
        ("when", |row| format!("2026-01-01 {:02}:30", row % 24)),
        ("clock", |row| format!("{:02}:30:00", row % 24)),
        ("took", |row| format!("PT{row}H")),
        ("took", |row| format!("{row} days 03:00:00")),
        ("took", |row| format!("-1 days +{:02}:00:00", row % 24)),
    ];
    for (name, cell) in cells {
        let told = reads("x.csv", with_column(name, 2, cell), &[], &["y"]);
        assert!(told.contains(&format!("no task: column \"{name}\" holds dates")), "{told}");
    }
    let text = with_column("when", 2, |row| format!("2026-01-01 {:02}:30", row % 24));
    refuses("x.csv", text, &["--task", "when"], &["is a date, a time or a duration, not a number"]);
    let flags = with_column("flag", 2, |row| ["True", "False", ""][row % 3].to_owned());
    assert!(reads("x.csv", flags, &[], &["y", "flag"]).contains("task \"flag\": classification"));
}

#[test]
fn a_task_with_nothing_to_learn_from_is_named_and_in_no_mean() {
    let arena = toy();
    let mut text = "smiles,good,same,none,late,early,fold\n".to_owned();
    for (row, smiles) in molecules().iter().enumerate() {
        let fold = ["train", "train", "valid", "test"][row % 4];
        let value = format!("{}.5", row % 7);
        let late = if fold == "train" { "3".to_owned() } else { value.clone() };
        let early = if fold == "train" { value.as_str() } else { "" };
        writeln!(text, "{smiles},{value},4.25,,{late},{early},{fold}").unwrap();
    }
    arena.write("x.csv", text);
    let arguments = ["--csv", "x.csv", "--method", "constant-test", "--split", "column:fold"];
    let output = run(&arena, &[&arguments[..], &["--tasks", "good,same,none,late,early"]].concat());
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for message in [
        "task \"same\" is constant: all 40 labels are 4.25; there is nothing to learn",
        "no task: column \"none\" has no labels",
        "task \"late\" is constant in training, where all labels are 3; it is in no mean",
        "task \"early\" has no label in the test part; it is in no mean",
    ] {
        assert!(output.stderr.contains(message), "{message:?} not in {}", output.stderr);
    }
    let boards = arena.boards();
    let row = &boards["boards"][0]["rows"][0];
    assert_eq!(boards["boards"][0]["undefined_tasks"], serde_json::json!(["same", "late", "early"]));
    assert_eq!(row["mean"], row["per_task"]["good"]["mean"]);
    assert_eq!(row["per_task"]["same"]["mean"], serde_json::Value::Null);
    let replay = arena.molarena(&[
        "replay",
        "--store",
        "store",
        "--csv",
        "x.csv",
        "--split",
        "column:fold",
        "--tasks",
        "good,same,late,early",
    ]);
    assert!(replay.stdout.contains("1 records come out the same"), "{}", replay.stdout);

    // Classes: only one in training.
    let arena = toy();
    let mut text = "smiles,good,ones,fold\n".to_owned();
    for (row, smiles) in molecules().iter().enumerate() {
        let fold = ["train", "valid", "test", "test"][row % 4];
        let ones = if fold == "train" { "1".to_owned() } else { classes(row / 2, 0) };
        writeln!(text, "{smiles},{},{ones},{fold}", classes(row / 2, 0)).unwrap();
    }
    arena.write("x.csv", text);
    let output = run(&arena, &arguments);
    assert!(
        output.stderr.contains("task \"ones\" has only positives in training; it is in no mean"),
        "{}",
        output.stderr
    );
    assert_eq!(arena.boards()["boards"][0]["undefined_tasks"], serde_json::json!(["ones"]));
}
