//! Small JSON files that another process reads while they change.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    error::{Error, Result},
    files::plain::read_plain,
};

/// Writes a JSON file of the job folder under a temporary name and renames it.
pub(crate) fn write_json(folder: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let temporary = folder.join(format!("{name}.tmp"));
    fs_err::write(&temporary, serde_json::to_vec(value).expect("plain data"))?;
    Ok(fs_err::rename(temporary, folder.join(name))?)
}

/// Reads a JSON file of the job folder, of at most 16 MiB.
pub(crate) fn read_json<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<T> {
    read_json_within(folder, name, 16 << 20)
}

/// Reads a JSON file of the job folder, of at most `limit` bytes.
pub(crate) fn read_json_within<T: DeserializeOwned>(folder: &Path, name: &str, limit: u64) -> Result<T> {
    let path = folder.join(name);
    serde_json::from_slice(&read_plain(&path, limit)?)
        .map_err(|error| Error::Store { path, message: error.to_string() })
}
