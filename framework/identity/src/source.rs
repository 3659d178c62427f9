//! The hash of a package's sources.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::{
    error::{Error, Result},
    lock::Locked,
    manifest::Package,
    workspace::Workspace,
};

/// Version of the hashed content.
const SCHEMA: &str = "molarena.source/1";

/// The sources of a package, including those of the packages that it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Their hash, 64 lower-case hex digits.
    pub sha256: String,
    /// The files and folders whose change may change the hash.
    pub watched: BTreeSet<PathBuf>,
}

/// The sources of the package in `folder`; `None` outside a workspace whose `Cargo.lock` lists it.
///
/// # Errors
/// A file cannot be read, or does not say where a dependency comes from.
pub fn of_package(folder: &Path) -> Result<Option<Source>> {
    match Workspace::around(folder)? {
        Some(workspace) => source(folder, &workspace),
        None => Ok(None),
    }
}

/// The sources of all plugins of the workspace around `folder`, by plugin id: the members that are shared
/// libraries and whose build script uses this crate. A plugin's package must be called `molarena-ID`, to
/// match its library.
///
/// # Errors
/// As for [`of_package`].
pub fn of_plugins(folder: &Path) -> Result<BTreeMap<String, Source>> {
    let Some(workspace) = Workspace::around(folder)? else { return Ok(BTreeMap::new()) };
    let mut plugins = BTreeMap::new();
    for member in workspace.members() {
        let package = Package::read(&member, &workspace)?;
        if let (true, Some(id)) = (package.is_plugin, package.name.strip_prefix("molarena-"))
            && let Some(source) = source(&member, &workspace)?
        {
            plugins.insert(id.to_owned(), source);
        }
    }
    Ok(plugins)
}

fn source(folder: &Path, workspace: &Workspace) -> Result<Option<Source>> {
    let first = Package::read(folder, workspace)?;
    if workspace.lock.local(&first.name).is_none() {
        return Ok(None);
    }
    let mut packages: BTreeMap<String, Package> = BTreeMap::new();
    let mut open = vec![first];
    while let Some(package) = open.pop() {
        if !packages.contains_key(&package.name) {
            for folder in &package.local {
                open.push(Package::read(folder, workspace)?);
            }
            packages.insert(package.name.clone(), package);
        }
    }
    let mut locked: BTreeSet<&Locked> = BTreeSet::new();
    for package in packages.values() {
        let entry = workspace.lock.local(&package.name);
        let entry = entry.ok_or_else(|| Error::Unlocked(package.name.clone()))?;
        locked.extend(workspace.lock.below(entry, &package.foreign)?);
    }
    let watched = [workspace.root.join("Cargo.toml"), workspace.lock.path.clone()].into_iter();
    let of_packages = packages
        .values()
        .flat_map(|package| ["Cargo.toml", "src", "build.rs"].map(|name| package.folder.join(name)));
    let watched = watched.chain(of_packages.filter(|path| path.exists())).collect();
    Ok(Some(Source { sha256: hash(packages.values(), &locked)?, watched }))
}

fn hash<'a>(packages: impl Iterator<Item = &'a Package>, locked: &BTreeSet<&Locked>) -> Result<String> {
    let mut hasher = Sha256::new();
    // Each part follows its length, so that no two lists of parts give the same bytes.
    let mut add = |part: &[u8]| {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(SCHEMA.as_bytes());
    for package in packages {
        add(format!("package {}", package.name).as_bytes());
        for line in &package.lines {
            add(line.as_bytes());
        }
        for (path, bytes) in package.files()? {
            add(format!("file {path}").as_bytes());
            add(&bytes);
        }
    }
    for Locked { name, version, source, checksum, .. } in locked {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_default();
        add(format!("locked {name} {version} {} {}", or_none(source), or_none(checksum)).as_bytes());
    }
    let hex = |mut text: String, byte: &u8| {
        let _ = write!(text, "{byte:02x}");
        text
    };
    Ok(hasher.finalize().iter().fold(String::new(), hex))
}
