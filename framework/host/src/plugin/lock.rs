//! Lock files of Python environments: what must be installed there.

use std::{collections::BTreeMap, path::Path};

/// Packages of an environment that a lock file need not name: they install the others.
const INSTALLERS: [&str; 4] = ["pip", "setuptools", "wheel", "uv"];

/// How an environment differs from the `text` of a lock file.
pub(super) fn differences(text: &str, environment: &Path) -> Vec<String> {
    let locked = locked(text);
    let installed = installed(environment);
    let differ = |(name, version): (&String, &Option<String>)| match (installed.get(name), version) {
        (None, Some(version)) => Some(format!("{name} {version} is not installed")),
        (None, None) => Some(format!("{name} is not installed")),
        (Some(found), Some(version)) if found != version => {
            Some(format!("{name} is {found}, locked is {version}"))
        }
        _ => None,
    };
    let unnamed = |name: &&String| !locked.contains_key(*name) && !INSTALLERS.contains(&name.as_str());
    let mut faults: Vec<String> = locked.iter().filter_map(differ).collect();
    faults
        .extend(installed.keys().filter(unnamed).map(|name| format!("{name} is installed, but not locked")));
    faults
}

/// Names and versions of a lock file: lines `name==version`, with or without hashes, markers and comments, and `name @
/// ADDRESS`, which states no version.
fn locked(text: &str) -> BTreeMap<String, Option<String>> {
    let pin = |line: &str| {
        if let Some((name, _)) = line.split_once(" @ ") {
            return Some((normalised(name.split('[').next().unwrap_or_default()), None));
        }
        let line = line.split(['#', ';', '\\']).next().unwrap_or_default().trim();
        let (name, version) = line.split_once("==")?;
        let name = name.split('[').next().unwrap_or_default();
        let version = version.split_whitespace().next()?;
        Some((normalised(name), Some(version.to_owned())))
    };
    text.lines().filter(|line| !line.trim_start().starts_with(['-', '#'])).filter_map(pin).collect()
}

/// Names and versions of the packages of a Python environment.
fn installed(environment: &Path) -> BTreeMap<String, String> {
    let libraries = fs_err::read_dir(environment.join("lib")).into_iter().flatten().flatten();
    let site = libraries.map(|entry| entry.path().join("site-packages")).filter(|path| path.is_dir());
    let entries = site.filter_map(|path| fs_err::read_dir(path).ok()).flatten().flatten();
    let package = |name: String| {
        let stem = name.strip_suffix(".dist-info")?;
        let (name, version) = stem.rsplit_once('-')?;
        Some((normalised(name), version.to_owned()))
    };
    entries.filter_map(|entry| package(entry.file_name().to_string_lossy().into_owned())).collect()
}

/// A package's name as PEP 503 compares them.
fn normalised(name: &str) -> String {
    let mut normal = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}
