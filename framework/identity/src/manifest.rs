//! The parts of a package's manifest that change a build.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use toml::{Table, Value};

use crate::{
    error::{Error, Result},
    files::{self, SourceFile},
    workspace::{Workspace, read_toml},
};

/// A package of a workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    /// One line for each part of the manifest that changes a build, except versions of dependencies, which
    /// are locked.
    pub(crate) lines: BTreeSet<String>,
    /// Folders of the packages that it depends on by path.
    pub(crate) local: BTreeSet<PathBuf>,
    /// Names of the other packages that it depends on.
    pub(crate) foreign: BTreeSet<String>,
    /// Whether it is a shared library whose build script uses this crate.
    pub(crate) is_plugin: bool,
    /// Whether its sources are outside `src` and `build.rs`.
    is_unusual: bool,
}

/// Sections whose dependencies are built into a package. Development dependencies are not.
const SECTIONS: [&str; 2] = ["dependencies", "build-dependencies"];

impl Package {
    pub(crate) fn read(folder: &Path, workspace: &Workspace) -> Result<Self> {
        let path = folder.join("Cargo.toml");
        let manifest = read_toml(&path)?;
        let failed = |message: &str| Error::Unreadable { path: path.clone(), message: message.to_owned() };
        let package = table(&manifest, "package").ok_or_else(|| failed("it has no [package]"))?;
        let word = |key: &str| {
            let value = package.get(key)?;
            let is_inherited = value.get("workspace").is_some();
            if is_inherited { workspace.inherited("package", key)?.as_str() } else { value.as_str() }
        };
        let name = word("name").ok_or_else(|| failed("the package has no name"))?;
        let lib = table(&manifest, "lib");
        let mut this = Self {
            name: name.to_owned(),
            folder: folder.to_owned(),
            lines: BTreeSet::new(),
            local: BTreeSet::new(),
            foreign: BTreeSet::new(),
            is_plugin: false,
            is_unusual: package.contains_key("build") || lib.is_some_and(|lib| lib.contains_key("path")),
        };
        for key in ["version", "edition"] {
            this.lines.insert(format!("{key} {}", word(key).unwrap_or_default()));
        }
        for (feature, parts) in table(&manifest, "features").into_iter().flatten() {
            this.lines.insert(format!("feature {feature} {}", words(Some(parts)).join(" ")));
        }
        for (place, section, dependencies) in dependencies(&manifest) {
            for (key, spec) in dependencies {
                let spec = Dependency::read(key, spec, folder, workspace);
                let is_cdylib = || words(lib.and_then(|lib| lib.get("crate-type"))).contains(&"cdylib");
                if spec.package == env!("CARGO_PKG_NAME") {
                    this.is_plugin |= section == "build-dependencies" && is_cdylib();
                    continue;
                }
                this.lines.insert(format!("{place}{section} {key} {}", spec.line()));
                match spec.path {
                    Some(path) => this.local.insert(path),
                    None => this.foreign.insert(spec.package),
                };
            }
        }
        Ok(this)
    }

    /// Its source files, by path.
    pub(crate) fn files(&self) -> Result<Vec<SourceFile>> {
        if self.is_unusual {
            let message = "its sources are elsewhere than in src and build.rs".into();
            return Err(Error::Unreadable { path: self.folder.join("Cargo.toml"), message });
        }
        files::of_package(&self.folder)
    }
}

/// A dependency, with the settings that it inherits.
struct Dependency {
    package: String,
    path: Option<PathBuf>,
    optional: bool,
    default_features: bool,
    features: BTreeSet<String>,
}

impl Dependency {
    fn read(key: &str, spec: &Value, folder: &Path, workspace: &Workspace) -> Self {
        let base = spec.get("workspace").and_then(|_| workspace.inherited("dependencies", key));
        let both = |name: &str| [spec.get(name), base.and_then(|base| base.get(name))];
        let first = |name: &str| both(name).into_iter().flatten().next();
        let flag = |name: &str, otherwise| first(name).and_then(Value::as_bool).unwrap_or(otherwise);
        let path = |spec: Option<&Value>, folder: &Path| {
            spec.and_then(|spec| spec.get("path")).and_then(Value::as_str).map(|path| folder.join(path))
        };
        Self {
            package: first("package").and_then(Value::as_str).unwrap_or(key).to_owned(),
            path: path(Some(spec), folder).or_else(|| path(base, &workspace.root)),
            optional: flag("optional", false),
            default_features: flag("default-features", true),
            features: both("features").into_iter().flat_map(words).map(str::to_owned).collect(),
        }
    }

    fn line(&self) -> String {
        let Self { package, path: _, optional, default_features, features } = self;
        let features = features.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        format!("{package} optional {optional} default {default_features} features {features}")
    }
}

/// Tables of dependencies; those for one platform come with its name.
fn dependencies(manifest: &Table) -> Vec<(String, &'static str, &Table)> {
    let everywhere = [(String::new(), manifest)].into_iter();
    let targets = table(manifest, "target").into_iter().flatten();
    let targets: BTreeMap<_, _> =
        targets.filter_map(|(name, target)| Some((name, target.as_table()?))).collect();
    let somewhere = targets.into_iter().map(|(name, target)| (format!("{name} "), target));
    let found = everywhere.chain(somewhere).flat_map(|(place, target)| {
        SECTIONS.map(move |section| Some((place.clone(), section, table(target, section)?)))
    });
    found.flatten().collect()
}

fn table<'a>(of: &'a Table, key: &str) -> Option<&'a Table> {
    of.get(key)?.as_table()
}

fn words(list: Option<&Value>) -> Vec<&str> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}
