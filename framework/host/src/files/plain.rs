//! Reads files that a plugin may have written.

use std::{
    fs::FileType,
    io::{Read, Write, sink},
    os::unix::fs::FileTypeExt,
    path::Path,
};

use fs_err::os::unix::fs::OpenOptionsExt;

use molarena_data::Hasher;

use crate::error::{Error, Result};

/// Opens a file that a plugin may have put there, without following links and without waiting.
///
/// # Errors
/// [`Error::Store`] with the kind of the file, if it is not a plain one: a link may lead to a file of the host, and a
/// FIFO or a device may block or never end.
pub(crate) fn open_plain(path: &Path) -> Result<fs_err::File> {
    open_with(path, libc::O_NOFOLLOW)
}

/// Opens a file of the store or a plugin's library: a plain one, or a link to one.
///
/// # Errors
/// As [`open_plain`].
pub(crate) fn open_stored(path: &Path) -> Result<fs_err::File> {
    open_with(path, 0)
}

fn open_with(path: &Path, flags: i32) -> Result<fs_err::File> {
    let failed =
        |kind: &str| Error::Store { path: path.to_owned(), message: format!("{kind}, not a plain file") };
    let flags = flags | libc::O_NONBLOCK | libc::O_NOCTTY;
    let opened = fs_err::OpenOptions::new().read(true).custom_flags(flags).open(path);
    let file = opened.map_err(|error| {
        let link = fs_err::symlink_metadata(path).map(|found| found.file_type());
        let target = fs_err::metadata(path).map(|found| found.file_type());
        match (link, target) {
            (Ok(link), Err(_)) if link.is_symlink() => failed("a link that leads nowhere"),
            (Ok(link), Ok(_)) if link.is_symlink() && flags & libc::O_NOFOLLOW != 0 => failed(kind_of(link)),
            // Such as a socket, which cannot be opened.
            (_, Ok(target)) if !target.is_file() => failed(kind_of(target)),
            _ => Error::Io(error),
        }
    })?;
    let kind = file.metadata()?.file_type();
    if kind.is_file() { Ok(file) } else { Err(failed(kind_of(kind))) }
}

/// A file's kind in words.
fn kind_of(kind: FileType) -> &'static str {
    match kind {
        _ if kind.is_file() => "a plain file",
        _ if kind.is_dir() => "a folder",
        _ if kind.is_symlink() => "a symbolic link",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ if kind.is_char_device() || kind.is_block_device() => "a device",
        _ => "a file of an unknown kind",
    }
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

/// Reads a file of the store, as [`open_stored`] opens it.
pub(crate) fn read_stored(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_stored(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// sha256 of the bytes of a file, as [`open_stored`] opens it.
pub(crate) fn hash_stored(path: &Path) -> Result<String> {
    hash(open_stored(path)?, path, u64::MAX - 1, &mut sink())
}

/// Copies a plain file of at most `limit` bytes; returns the sha256 of the copied bytes.
pub(crate) fn copy_plain(path: &Path, limit: u64, to: &mut impl Write) -> Result<String> {
    hash(open_plain(path)?, path, limit, to)
}

fn hash(from: fs_err::File, path: &Path, limit: u64, to: &mut impl Write) -> Result<String> {
    let mut from = from.take(limit + 1);
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

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn only_plain_files_are_opened_and_others_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs_err::write(at("plain"), "text").unwrap();
        fs_err::create_dir(at("folder")).unwrap();
        symlink(at("plain"), at("link")).unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        assert_eq!(read_plain(&at("plain"), 4).unwrap(), b"text");
        assert!(read_plain(&at("plain"), 3).unwrap_err().to_string().contains("more than 3 bytes"));
        assert_eq!(hash_stored(&at("link")).unwrap(), molarena_data::sha256_hex(b"text"));
        for (name, kind) in [
            ("folder", "a folder"),
            ("link", "a symbolic link"),
            ("dangling", "a link that leads nowhere"),
            ("fifo", "a FIFO"),
            ("socket", "a socket"),
        ] {
            let error = open_plain(&at(name)).unwrap_err().to_string();
            assert!(error.ends_with(&format!("{name}: {kind}, not a plain file")), "{error}");
            assert_eq!(open_stored(&at(name)).is_ok(), name == "link", "{name}");
        }
        assert!(open_plain(Path::new("/dev/zero")).unwrap_err().to_string().contains("a device"));
        assert!(matches!(open_plain(&at("nothing")), Err(Error::Io(_))));
    }
}
