//! Plugin libraries as files: whatever else has the name of one is refused at once.

use std::{io::Read, path::Path};

use crate::{
    error::{Error, Result},
    files::plain::open_stored,
};

/// Largest library in bytes.
const LIMIT: u64 = 4 << 30;
/// How a library of this system begins, where all do.
const MAGIC: Option<&[u8]> = if cfg!(target_os = "linux") { Some(b"\x7fELF") } else { None };

/// The bytes of a library.
///
/// # Errors
/// [`Error::Plugin`] if it is no plain file, is empty or too large, or does not begin as a library.
pub(crate) fn library_bytes(path: &Path) -> Result<Vec<u8>> {
    let refused = |message: String| Error::Plugin { path: path.to_owned(), message };
    let mut file = open_stored(path).map_err(|error| match error {
        Error::Store { message, .. } => refused(format!("it is {message}")),
        error => refused(error.to_string()),
    })?;
    let length = file.metadata()?.len();
    if length == 0 {
        return Err(refused("the file is empty".into()));
    }
    if length > LIMIT {
        let limit = bytesize::ByteSize(LIMIT);
        return Err(refused(format!("the file has {}, more than {limit}", bytesize::ByteSize(length))));
    }
    let mut bytes = Vec::new();
    if let Some(magic) = MAGIC {
        file.by_ref().take(magic.len() as u64).read_to_end(&mut bytes)?;
        if bytes != magic {
            return Err(refused("the file is not a library of this system (ELF)".into()));
        }
    }
    file.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::{fs::symlink, net::UnixListener};

    use super::*;

    #[test]
    fn whatever_is_no_library_is_refused_by_its_kind() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs_err::create_dir(at("folder")).unwrap();
        fs_err::write(at("empty"), "").unwrap();
        fs_err::write(at("text"), "#!/bin/sh\n").unwrap();
        symlink(at("nothing"), at("dangling")).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        nix::unistd::mkfifo(&at("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs_err::File::create(at("sparse")).unwrap().set_len(1 << 40).unwrap();
        for (name, message) in [
            ("folder", "it is a folder, not a plain file"),
            ("empty", "the file is empty"),
            ("dangling", "it is a link that leads nowhere, not a plain file"),
            ("device", "it is a device, not a plain file"),
            ("fifo", "it is a FIFO, not a plain file"),
            ("socket", "it is a socket, not a plain file"),
            ("sparse", "the file has 1.0 TiB, more than 4.0 GiB"),
        ] {
            let error = library_bytes(&at(name)).unwrap_err();
            assert!(matches!(error, Error::Plugin { .. }) && error.to_string().ends_with(message), "{error}");
        }
        assert!(library_bytes(&at("absent")).is_err());
        assert_eq!(library_bytes(&at("text")).is_err(), cfg!(target_os = "linux"));
        let program = std::env::current_exe().unwrap();
        assert_eq!(library_bytes(&program).unwrap(), fs_err::read(program).unwrap());
    }
}
