//! The wheel: the program, the plugins of the workspace and the Python package in one file that pip installs.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Result, cargo, manifest, root};

/// Largest wheel in bytes.
const LARGEST: u64 = 40_000_000;
/// Where everything is made, relative to the root.
const FOLDER: &str = "target/wheel";

/// The plugins that the wheel brings: the default members of the workspace that lie in `plugins`.
pub fn plugins() -> Result<Vec<String>> {
    let workspace = manifest::read("Cargo.toml")?;
    let members = workspace.get("workspace").and_then(|workspace| workspace.get("default-members"));
    let members = members.and_then(toml::Value::as_array).into_iter().flatten();
    let plugin = |member: &toml::Value| Some(member.as_str()?.strip_prefix("plugins/")?.to_owned());
    Ok(members.filter_map(plugin).collect())
}

/// File name of a plugin's library.
fn library(plugin: &str) -> String {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    format!("{prefix}molarena_{}{suffix}", plugin.replace('-', "_"))
}

/// Builds the plugins and the wheel, checks its size and its tag, and returns its path. `maturin` is the program to build it with.
///
/// # Errors
/// A build failed, `maturin` is not there, the wheel is too large, or it runs on this machine only.
pub fn run(maturin: &Path) -> Result<PathBuf> {
    let plugins = plugins()?;
    let mut build = cargo();
    build.args(["build", "--release", "--locked"]);
    succeed(&mut build)?;
    let (release, folder) = (target().join("release"), root().join(FOLDER));
    if folder.exists() {
        fs_err::remove_dir_all(&folder)?;
    }
    // `pip install --target` leaves out what lies in `lib`.
    let place = folder.join("data/data/libexec/molarena");
    fs_err::create_dir_all(&place)?;
    for plugin in &plugins {
        let copy = place.join(library(plugin));
        fs_err::copy(release.join(library(plugin)), &copy)?;
        // Names of functions are half of a library.
        let option = if cfg!(target_os = "macos") { "-x" } else { "--strip-unneeded" };
        succeed(Command::new("strip").arg(option).arg(&copy))?;
    }
    let made = folder.join("made");
    let mut wheel = Command::new(maturin);
    wheel
        .current_dir(root())
        .args(["build", "--release", "--locked", "--compression-level", "9", "--out"])
        .arg(&made);
    if let Err(error) = succeed(&mut wheel) {
        return Err(match error {
            Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Error::NoMaturin(maturin.to_owned())
            }
            error => error,
        });
    }
    let wheel = only_file(&made)?;
    let size = fs_err::metadata(&wheel)?.len();
    check(&wheel, size)?;
    println!("{}: {:.1} MB, {} plugins", wheel.display(), size as f64 / 1e6, plugins.len());
    Ok(wheel)
}

/// The target folder, which the environment may name.
fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.map_or_else(|| root().join("target"), |named| root().join(named))
}

/// Checks what the wheel's users will meet first.
fn check(wheel: &Path, size: u64) -> Result<()> {
    let name = wheel.file_name().unwrap_or_default().to_string_lossy();
    if size > LARGEST {
        let (size, largest) = (size as f64 / 1e6, LARGEST as f64 / 1e6);
        return Err(Error::Wheel(format!("{name} has {size:.1} MB, must be at most {largest}")));
    }
    if cfg!(target_os = "linux") && !name.contains("manylinux") {
        return Err(Error::Wheel(format!("{name} is for this machine only: it has no manylinux tag")));
    }
    Ok(())
}

fn only_file(folder: &Path) -> Result<PathBuf> {
    let mut files = fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    match (files.pop(), files.is_empty()) {
        (Some(file), true) => Ok(file),
        _ => Err(Error::Wheel(format!("{} does not hold one wheel", folder.display()))),
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status()?;
    if status.success() { Ok(()) } else { Err(Error::Command(format!("{command:?}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plugins_are_those_of_the_workspace() {
        let plugins = plugins().unwrap();
        for plugin in ["baselines", "gnn", "infoalign", "mlp", "onnx"] {
            assert!(plugins.contains(&plugin.to_owned()), "{plugins:?}");
        }
        for plugin in &plugins {
            let manifest = manifest::read(&format!("plugins/{plugin}/Cargo.toml")).unwrap();
            assert_eq!(manifest["package"]["name"].as_str().unwrap(), format!("molarena-{plugin}"));
        }
    }

    #[test]
    fn large_wheels_and_those_for_one_machine_are_refused() {
        let wheel = Path::new("molarena-0.1.0-py3-none-manylinux_2_34_x86_64.whl");
        assert!(check(wheel, LARGEST).is_ok());
        let message = check(wheel, LARGEST + 1_000_000).unwrap_err().to_string();
        assert!(message.contains("has 41.0 MB, must be at most 40"), "{message}");
        let local = check(Path::new("molarena-0.1.0-py3-none-linux_x86_64.whl"), 1);
        assert_eq!(local.is_err(), cfg!(target_os = "linux"));
    }

    #[test]
    fn a_maturin_that_is_not_there_is_named_with_how_to_get_it() {
        let message = Error::NoMaturin("nowhere".into()).to_string();
        assert!(message.contains("nowhere") && message.contains("pip install maturin"), "{message}");
    }
}
