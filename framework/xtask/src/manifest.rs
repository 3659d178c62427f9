//! Reads TOML files of the workspace.

use crate::{Error, Result, root};

/// A TOML file; `path` is relative to the root.
pub(crate) fn read(path: &str) -> Result<toml::Table> {
    let text = fs_err::read_to_string(root().join(path))?;
    text.parse()
        .map_err(|error: toml::de::Error| Error::Toml { path: path.into(), message: error.to_string() })
}
