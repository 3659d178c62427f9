//! Files that a plugin may have put there.

use std::{io::Read, path::Path};

use fs_err::os::unix::fs::OpenOptionsExt;

use crate::error::{Error, Result};

/// Reads a file that a plugin may have put there: it must be a plain file, no link to a file of the host and no pipe that
/// nobody writes to, of at most `limit` bytes.
pub(crate) fn read_plain(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let failed = |message: String| Error::Store { path: path.to_owned(), message };
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = fs_err::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(failed("not a plain file".into()));
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(failed(format!("more than {limit} bytes")));
    }
    Ok(bytes)
}
