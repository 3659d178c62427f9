//! Datasets with invented labels on small molecules, and snapshots without paths, hashes, times and versions.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
};

use molarena_tests::{Output, TestArena, library};

/// Suffixes of an alkyl chain.
const GROUPS: [&str; 8] = ["O", "N", "Cl", "F", "c1ccccc1", "C(=O)O", "S", "C#N"];

/// Forty different small molecules.
pub(crate) fn molecules() -> Vec<String> {
    (0..40).map(|index| format!("{}{}", "C".repeat(1 + index / GROUPS.len()), GROUPS[index % 8])).collect()
}

/// A table of the forty molecules with the columns `tasks`; `label` gives the label of (row, task).
pub(crate) fn table(tasks: &[&str], label: impl Fn(usize, usize) -> String) -> String {
    let mut text = format!("smiles,{}\n", tasks.join(","));
    for (row, smiles) in molecules().iter().enumerate() {
        let labels: Vec<String> = (0..tasks.len()).map(|task| label(row, task)).collect();
        writeln!(text, "{smiles},{}", labels.join(",")).expect("writing to a string does not fail");
    }
    text
}

/// Label 1 for every other molecule, and a second task with a third of the labels missing.
pub(crate) fn classes(row: usize, task: usize) -> String {
    if task == 1 && row.is_multiple_of(3) { String::new() } else { (row / 2 % 2).to_string() }
}

/// A dataset whose manifest has the right sha256.
pub(crate) fn dataset(arena: &TestArena, id: &str, kind: &str, tasks: &[&str], csv: &str) {
    arena.dataset(id, kind, tasks, csv, &molarena_data::sha256_hex(csv.as_bytes()));
}

/// The dataset `toy` with two classification tasks, and the methods `constant-test` and `knn-test`.
pub(crate) fn toy() -> TestArena {
    let arena = TestArena::new();
    dataset(&arena, "toy", "classification", &["active", "toxic"], &table(&["active", "toxic"], classes));
    arena.method("constant-test", "baselines/constant", "{}");
    arena.method("knn-test", "baselines/knn", "{ k = 3 }");
    arena
}

/// Replaces `from` in a file inside the arena; `from` must occur there.
pub(crate) fn edit(arena: &TestArena, file: &str, from: &str, to: &str) {
    let path = arena.path(file);
    let text = fs_err::read_to_string(&path).unwrap();
    assert!(text.contains(from), "no {from:?} in {text}");
    fs_err::write(&path, text.replace(from, to)).unwrap();
}

/// `molarena run` of one dataset and one method, one worker at a time.
pub(crate) fn run_one(arena: &TestArena, dataset: &str, method: &str) -> Output {
    arena.run(&[], &["--dataset", dataset, "--method", method, "--jobs", "1"])
}

/// Compares the output and exit code of a command with `snapshots/<name>.snap`.
#[track_caller]
pub(crate) fn check(name: &str, arena: &TestArena, output: &Output) {
    let both = format!("{}{}", output.stdout, output.stderr);
    assert!(!both.contains('\u{1b}'), "colour codes in a pipe: {both:?}");
    let code = output.code.map_or_else(|| "a signal".into(), |code| code.to_string());
    let text = format!(
        "exit code {code}\n--- standard output\n{}--- standard error\n{}",
        redact(arena, &output.stdout),
        redact(arena, &output.stderr)
    );
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// The text without everything that differs between machines and runs.
pub(crate) fn redact(arena: &TestArena, text: &str) -> String {
    let built = library("molarena_baselines").parent().expect("a library is in a folder").to_owned();
    let mut text = text.to_owned();
    for (path, name) in [(arena.path(""), "[ARENA]"), (built, "[BUILT]"), (std::env::temp_dir(), "[TMP]")] {
        for path in [canonical(&path), path] {
            text = text.replace(path.display().to_string().trim_end_matches('/'), name);
        }
    }
    let text = without_hashes(&text).replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
    text.split_inclusive('\n').filter(|line| !line.contains("Not confined")).map(without_times).collect()
}

fn canonical(path: &Path) -> PathBuf {
    fs_err::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// Sixteen or more hexadecimal digits are a hash or a key, eight after `show` the start of a key; keys of records
/// hold the hash of the plugin's library, which differs from build to build.
fn without_hashes(text: &str) -> String {
    let (mut kept, mut word) = (String::new(), String::new());
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_hexdigit() {
            word.push(c);
        } else {
            let hash = word.len() >= 16 || (word.len() == 8 && kept.ends_with("store show "));
            kept.push_str(if hash { "[HASH]" } else { &word });
            word.clear();
            kept.push(c);
        }
    }
    kept.pop();
    kept
}

/// The line of a finished cell ends with its time and the remaining time.
fn without_times(line: &str) -> String {
    match line.rsplit_once(" in ") {
        Some((start, time)) if time.starts_with(|c: char| c.is_ascii_digit()) && time.contains(" s") => {
            format!("{start} in [TIME]\n")
        }
        _ => line.to_owned(),
    }
}
