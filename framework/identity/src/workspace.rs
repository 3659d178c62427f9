//! The workspace that a package is in.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::{
    error::{Error, Result},
    lock::Lock,
};

/// A workspace with a lock file.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// `[workspace]` of its manifest.
    pub(crate) table: Table,
    pub(crate) lock: Lock,
}

impl Workspace {
    /// The workspace around `folder`; `None` if there is none or it has no lock file.
    pub(crate) fn around(folder: &Path) -> Result<Option<Self>> {
        for root in folder.ancestors() {
            let (manifest, lock) = (root.join("Cargo.toml"), root.join("Cargo.lock"));
            if !manifest.exists() {
                continue;
            }
            let Some(Value::Table(table)) = read_toml(&manifest)?.remove("workspace") else { continue };
            if !lock.exists() {
                return Ok(None);
            }
            return Ok(Some(Self { root: root.to_owned(), table, lock: Lock::read(&lock)? }));
        }
        Ok(None)
    }

    /// `[workspace.SECTION] key`, which members inherit.
    pub(crate) fn inherited(&self, section: &str, key: &str) -> Option<&Value> {
        self.table.get(section)?.get(key)
    }

    /// Folders of the members that are listed by name; members that a glob pattern lists are not found.
    pub(crate) fn members(&self) -> impl Iterator<Item = PathBuf> {
        let members = self.table.get("members").and_then(Value::as_array).into_iter().flatten();
        members.filter_map(Value::as_str).map(|member| self.root.join(member))
    }
}

pub(crate) fn read_toml(path: &Path) -> Result<Table> {
    let text = fs_err::read_to_string(path)?;
    text.parse().map_err(|error: toml::de::Error| Error::Unreadable {
        path: path.to_owned(),
        message: error.message().to_owned(),
    })
}
