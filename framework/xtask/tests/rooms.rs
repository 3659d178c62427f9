//! Arrows point down only: between the crates of `framework`, and between the folders of host.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Folders and files of host; each imports only from earlier ones in this list.
const HOST: [&str; 15] = [
    "error", "files", "request", "sandbox", "plugin", "store", "inputs", "job", "worker", "launch", "arena",
    "plan", "execute", "apply", "lib",
];

/// Crates of `framework`; each depends only on earlier ones in this list.
const CRATES: [&str; 13] = [
    "abi", "sdk", "chem", "metrics", "data", "world", "features", "record", "host", "evaluate", "report",
    "cli", "xtask",
];

fn framework() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is in framework").to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs_err::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The first names of all paths that begin with `crate::`, in `use` lines and elsewhere.
fn rooms_named(text: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        if text[..at].ends_with('$') {
            continue;
        }
        if let Some(group) = rest.strip_prefix('{') {
            rooms.extend(names_of_group(group));
        } else {
            rooms.insert(first_name(rest));
        }
    }
    rooms
}

fn first_name(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first name of each item of a group of imports; `text` begins after the group's opening brace.
fn names_of_group(text: &str) -> Vec<String> {
    let (mut depth, mut names, mut begins) = (1, Vec::new(), true);
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => begins = true,
            c if begins && depth == 1 && !c.is_whitespace() => {
                names.push(first_name(&text[at..]));
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

#[test]
fn folders_of_host_import_only_what_is_below_them() {
    let root = framework().join("host/src");
    let place = |room: &str| HOST.iter().position(|known| *known == room);
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).expect("below the root");
        let first = inside.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let folder = first.trim_end_matches(".rs");
        // What only tests use.
        if folder == "testing" {
            continue;
        }
        let own =
            place(folder).unwrap_or_else(|| panic!("{folder} is in no place of the house: add it to HOST"));
        let text = fs_err::read_to_string(&file).expect("a source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for named in rooms_named(text) {
            match place(&named) {
                Some(other) if other <= own => {}
                Some(_) => {
                    wrong.push(format!("{} imports {named}, which is above {folder}", inside.display()));
                }
                None => wrong.push(format!("{} imports {named} not by its path", inside.display())),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crates_depend_only_on_what_is_below_them() {
    let place = |name: &str| CRATES.iter().position(|known| *known == name);
    for (own, name) in CRATES.iter().enumerate() {
        let manifest = framework().join(name).join("Cargo.toml");
        // A crate that is planned but not there yet has no manifest.
        let Ok(text) = fs_err::read_to_string(&manifest) else { continue };
        let dependencies = text.split("[dev-dependencies]").next().unwrap_or_default();
        for line in dependencies.lines().filter(|line| line.starts_with("molarena-")) {
            let other = line["molarena-".len()..].split(['.', ' ']).next().unwrap_or_default();
            if let Some(other_place) = place(other) {
                assert!(other_place < own, "{name} depends on {other}, which is above it");
            }
        }
    }
}

#[test]
fn groups_are_read() {
    let text = "use crate::{\n    a::{b, c},\n    d,\n    e::f,\n};\nlet x = crate::g::h();\n$crate::i::j";
    assert_eq!(rooms_named(text).into_iter().collect::<Vec<_>>(), ["a", "d", "e", "g"]);
}
