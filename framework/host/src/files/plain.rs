//! Reads files that a plugin may have written.

use std::{
    io::{Read, Write},
    path::Path,
};

use fs_err::os::unix::fs::OpenOptionsExt;

use molarena_data::Hasher;

use crate::error::{Error, Result};

/// Opens a file that a plugin may have written. It must be a plain file: no link to a file of the host, and
/// no pipe that blocks.
fn open_plain(path: &Path) -> Result<fs_err::File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = fs_err::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Error::Store { path: path.to_owned(), message: "not a plain file".into() });
    }
    Ok(file)
}

fn too_long(path: &Path, limit: u64) -> Error {
    Error::Store { path: path.to_owned(), message: format!("more than {limit} bytes") }
}

/// Checks that a file is plain and has at most `limit` bytes.
pub(crate) fn check_plain(path: &Path, limit: u64) -> Result<()> {
    let length = open_plain(path)?.metadata()?.len();
    if length > limit { Err(too_long(path, limit)) } else { Ok(()) }
}

/// Reads a plain file of at most `limit` bytes.
pub(crate) fn read_plain(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_plain(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_long(path, limit)) } else { Ok(bytes) }
}

/// Copies a plain file of at most `limit` bytes; returns the sha256 of the copied bytes.
pub(crate) fn copy_plain(path: &Path, limit: u64, to: &mut impl Write) -> Result<String> {
    let mut from = open_plain(path)?.take(limit + 1);
    let (mut hasher, mut buffer, mut copied) = (Hasher::default(), vec![0; 1 << 16], 0);
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        copied += count as u64;
        hasher.update(&buffer[..count]);
        to.write_all(&buffer[..count])?;
    }
    if copied > limit {
        return Err(too_long(path, limit));
    }
    Ok(hasher.finish())
}
