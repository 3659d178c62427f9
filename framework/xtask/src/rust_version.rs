//! The minimum Rust version: one place states it, every package inherits it, and the code is checked with it.

use std::process::{Command, Stdio};

use crate::{Error, Result, cargo, manifest, root};

/// The members' key, which must be inherited.
const KEY: &str = "rust-version";

/// Checks that every member inherits the version in the workspace's `Cargo.toml` and that this toolchain has it.
///
/// # Errors
/// [`Error::RustVersion`] names the member, or the versions.
pub fn declared() -> Result<()> {
    let workspace = manifest::read("Cargo.toml")?;
    let minimum = minimum(&workspace)?;
    for member in members(&workspace) {
        inherits(&member, &manifest::read(&format!("{member}/Cargo.toml"))?)?;
    }
    let running = running()?;
    if running < minimum {
        let (running, minimum) = (text(running), text(minimum));
        return Err(Error::RustVersion(format!(
            "this is Rust {running}; the workspace needs {minimum} or later"
        )));
    }
    Ok(())
}

/// Checks the workspace with the minimum version. The result is a note for the summary when no separate check was made:
/// where the running toolchain is the minimum version, clippy has checked everything with it.
///
/// # Errors
/// [`Error::Command`] if the code does not compile with it.
pub fn compiles() -> Result<Option<String>> {
    let minimum = minimum(&manifest::read("Cargo.toml")?)?;
    let version = text(minimum);
    if running()? == minimum {
        return Ok(Some(format!(
            "this toolchain is {version} itself, and clippy has checked the code with it"
        )));
    }
    let Some(toolchain) = [format!("{version}.0"), version.clone()].into_iter().find(|name| installed(name))
    else {
        return Ok(Some(format!(
            "not checked with {version}; get it with: rustup toolchain install {version}.0"
        )));
    };
    let arguments = format!("run {toolchain} cargo check --workspace --all-targets");
    // A separate target folder, because the two toolchains would discard each other's files. The variables
    // with which cargo and rustup pin this process to its toolchain must not reach the other one.
    let status = Command::new("rustup")
        .args(arguments.split_whitespace())
        .args(["--target-dir", "target/minimum"])
        .current_dir(root())
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .status()?;
    if status.success() { Ok(None) } else { Err(Error::Command(format!("rustup {arguments}"))) }
}

fn minimum(workspace: &toml::Table) -> Result<(u32, u32)> {
    let stated = workspace.get("workspace").and_then(|table| table.get("package")?.get(KEY)?.as_str());
    let stated = stated.ok_or_else(|| Error::RustVersion(format!("[workspace.package] has no {KEY}")))?;
    parse(stated).ok_or_else(|| Error::RustVersion(format!("{KEY} = \"{stated}\" is not like \"1.95\"")))
}

fn members(workspace: &toml::Table) -> Vec<String> {
    let members = workspace.get("workspace").and_then(|table| table.get("members")?.as_array());
    members.into_iter().flatten().filter_map(|member| member.as_str().map(str::to_owned)).collect()
}

fn inherits(member: &str, manifest: &toml::Table) -> Result<()> {
    let stated = manifest.get("package").and_then(|package| package.get(KEY)?.get("workspace")?.as_bool());
    if stated == Some(true) {
        return Ok(());
    }
    Err(Error::RustVersion(format!("{member}/Cargo.toml needs {KEY}.workspace = true")))
}

/// Version of the rustc beside the cargo that runs this.
fn running() -> Result<(u32, u32)> {
    let output = cargo().arg("--version").output()?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let version = said.split(' ').nth(1).and_then(parse);
    version.ok_or_else(|| Error::RustVersion(format!("`cargo --version` says \"{said}\"")))
}

fn installed(toolchain: &str) -> bool {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, "rustc", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Major and minor version; what follows them does not matter here.
fn parse(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split(['.', '-']).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn text((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_in_order() {
        declared().unwrap();
    }

    #[test]
    fn versions_are_read_to_the_minor_number() {
        assert_eq!(parse("1.95"), Some((1, 95)));
        assert_eq!(parse("1.97.0-nightly"), Some((1, 97)));
        assert!(parse("1.9").unwrap() < parse("1.10.2").unwrap());
        assert_eq!((parse("stable"), parse("1")), (None, None));
    }

    #[test]
    fn a_member_with_a_version_of_its_own_is_named() {
        let table = |text: &str| text.parse::<toml::Table>().unwrap();
        inherits("a", &table("[package]\nrust-version.workspace = true")).unwrap();
        for bad in ["[package]\nrust-version = \"1.95\"", "[package]\nname = \"a\"", ""] {
            let error = inherits("a", &table(bad)).unwrap_err();
            assert_eq!(error.to_string(), "a/Cargo.toml needs rust-version.workspace = true");
        }
        assert!(minimum(&table("[workspace.package]\nrust-version = \"new\"")).is_err());
        assert!(minimum(&table("[workspace]")).is_err());
    }
}
