//! `Cargo.lock`: the exact packages below a package.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use toml::Value;

use crate::{
    error::{Error, Result},
    workspace::read_toml,
};

/// A package in the lock file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Locked {
    pub(crate) name: String,
    pub(crate) version: String,
    /// Registry or repository; `None` for a package in the workspace.
    pub(crate) source: Option<String>,
    /// `None` for a repository, whose source names the commit.
    pub(crate) checksum: Option<String>,
    /// `name`, `name version` or `name version (source)`: the shortest that is unique.
    dependencies: Vec<String>,
}

impl Locked {
    fn is(&self, dependency: &str) -> bool {
        let mut words = dependency.splitn(3, ' ');
        let name = words.next() == Some(&self.name);
        let version = words.next().is_none_or(|version| version == self.version);
        let source = words.next().map(|source| source.trim_matches(['(', ')']));
        name && version && source.is_none_or(|source| self.source.as_deref() == Some(source))
    }
}

/// A lock file.
#[derive(Debug)]
pub(crate) struct Lock {
    pub(crate) path: PathBuf,
    packages: Vec<Locked>,
}

impl Lock {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let table = read_toml(path)?;
        let malformed =
            || Error::Unreadable { path: path.to_owned(), message: "not a lock file of Cargo".into() };
        let packages = table.get("package").and_then(Value::as_array).ok_or_else(malformed)?;
        let packages = packages.iter().map(|package| {
            let text = |key| package.get(key).and_then(Value::as_str).map(str::to_owned);
            let dependencies = package.get("dependencies").and_then(Value::as_array);
            Ok(Locked {
                name: text("name").ok_or_else(malformed)?,
                version: text("version").ok_or_else(malformed)?,
                source: text("source"),
                checksum: text("checksum"),
                dependencies: dependencies
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect(),
            })
        });
        Ok(Self { path: path.to_owned(), packages: packages.collect::<Result<_>>()? })
    }

    /// The package of the workspace with this name.
    pub(crate) fn local(&self, name: &str) -> Option<&Locked> {
        self.packages.iter().find(|package| package.source.is_none() && package.name == name)
    }

    /// The dependencies of `package` that `direct` names, and everything below them.
    pub(crate) fn below<'a>(
        &'a self,
        package: &'a Locked,
        direct: &BTreeSet<String>,
    ) -> Result<BTreeSet<&'a Locked>> {
        let mut found = BTreeSet::new();
        let mut open = Vec::new();
        for name in direct {
            let fitting = |dependency: &&String| dependency.split(' ').next() == Some(name);
            let mut listed = package.dependencies.iter().filter(fitting).peekable();
            if listed.peek().is_none() {
                return Err(ambiguous(package, name, 0));
            }
            // Of a package that is listed twice, one may be for development only; counting it, too, does no
            // harm.
            for dependency in listed {
                open.push(self.resolve(package, dependency)?);
            }
        }
        while let Some(package) = open.pop() {
            if package.source.is_none() {
                return Err(Error::Unlocked(package.name.clone()));
            }
            if found.insert(package) {
                for dependency in &package.dependencies {
                    open.push(self.resolve(package, dependency)?);
                }
            }
        }
        Ok(found)
    }

    fn resolve(&self, package: &Locked, dependency: &str) -> Result<&Locked> {
        let mut fitting = self.packages.iter().filter(|locked| locked.is(dependency));
        match (fitting.next(), fitting.count()) {
            (Some(locked), 0) => Ok(locked),
            (first, others) => Err(ambiguous(package, dependency, usize::from(first.is_some()) + others)),
        }
    }
}

fn ambiguous(package: &Locked, dependency: &str, found: usize) -> Error {
    Error::Ambiguous { package: package.name.clone(), dependency: dependency.to_owned(), found }
}
