//! Runs cargo-deny with `deny.toml`: licences, duplicate versions of direct dependencies, sources and
//! advisories.

use std::process::{Command, Stdio};

use crate::{Error, Result, cargo};

/// How to get cargo-deny.
pub const INSTALL: &str = "cargo install --locked cargo-deny";

/// Runs cargo-deny. The result is a note for the summary when something was not checked.
///
/// Advisories come from a database on the web. Without the network the other checks run, and the note says so.
///
/// # Errors
/// [`Error::NoCargoDeny`] if it is not installed, [`Error::Command`] if it finds something.
pub fn run() -> Result<Option<String>> {
    if !succeeds(cargo().args(["deny", "--version"])) {
        return Err(Error::NoCargoDeny);
    }
    check("bans licenses sources")?;
    if succeeds(cargo().args(["deny", "fetch", "db"])) {
        check("advisories")?;
        return Ok(None);
    }
    Ok(Some("advisories were not checked: their database cannot be fetched".into()))
}

fn check(what: &str) -> Result<()> {
    let arguments = format!("deny check --hide-inclusion-graph {what}");
    let status = cargo().args(arguments.split_whitespace()).status()?;
    if status.success() { Ok(()) } else { Err(Error::Command(format!("cargo {arguments}"))) }
}

/// Whether a command runs and succeeds; what it prints is not shown.
fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use crate::manifest;

    /// Names in a table's array of tables with the key `crate`.
    fn crates(table: &toml::Table, key: &str) -> BTreeSet<String> {
        let name = |entry: &toml::Value| entry["crate"].as_str().unwrap().to_owned();
        table[key].as_array().unwrap().iter().map(name).collect()
    }

    #[test]
    fn no_direct_dependency_may_come_twice() {
        let workspace = manifest::read("Cargo.toml").unwrap();
        let direct = workspace["workspace"]["dependencies"].as_table().unwrap().iter();
        let direct: BTreeSet<String> =
            direct.filter(|(_, spec)| spec.get("path").is_none()).map(|(name, _)| name.clone()).collect();
        let deny = manifest::read("deny.toml").unwrap();
        let bans = deny["bans"].as_table().unwrap();
        assert_eq!(crates(bans, "deny"), direct, "deny.toml lists what [workspace.dependencies] names");
        let skipped = crates(bans, "skip").into_iter().map(|skip| skip.split('@').next().unwrap().to_owned());
        assert!(skipped.collect::<BTreeSet<_>>().is_subset(&direct));
    }
}
