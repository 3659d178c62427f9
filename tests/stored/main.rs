//! A store that an earlier build made: its boards, its keys and the world behind it are what they were.

mod boards;
mod keys;
mod pinned;
mod world;

use std::path::{Path, PathBuf};

use fs_err as fs;
use serde_json::Value;

/// The folder of the store; its README says how it was made.
fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/store")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}"))
}

/// The files of a folder inside the fixture whose names end in `.json`, as (name without the ending, content).
fn documents(folder: &str) -> Vec<(String, Value)> {
    let entries = fs::read_dir(fixture().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let documents = entries.filter(|path| path.extension().is_some_and(|ending| ending == "json"));
    let mut documents: Vec<(String, Value)> =
        documents.map(|path| (stem(&path), serde_json::from_str(&read(&path)).unwrap())).collect();
    documents.sort_by(|one, other| one.0.cmp(&other.0));
    documents
}

/// The records of the fixture's finished pretrainings, as (name of the folder, content).
fn encoders() -> Vec<(String, Value)> {
    let folders = fs::read_dir(fixture().join("encoders")).unwrap().map(|entry| entry.unwrap().path());
    let finished = folders.filter(|folder| folder.join("record.json").exists());
    finished
        .map(|folder| (stem(&folder), serde_json::from_str(&read(&folder.join("record.json"))).unwrap()))
        .collect()
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}
