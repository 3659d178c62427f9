//! Checks that every cargo profile unwinds: a plugin's panic is caught at the boundary and must not end the
//! process.

use crate::{Error, Result, manifest};

/// Fails where a profile of the workspace would abort on panic.
pub fn run() -> Result<()> {
    verify(&manifest::read("Cargo.toml")?)
}

/// `dev` and `release` must set `panic = "unwind"`, and no profile may set another value.
fn verify(manifest: &toml::Table) -> Result<()> {
    let empty = toml::Table::new();
    let profiles = manifest.get("profile").and_then(toml::Value::as_table).unwrap_or(&empty);
    let panic_of = |name: &str| profiles.get(name).and_then(|profile| profile.get("panic"));
    for name in ["dev", "release"].into_iter().chain(profiles.keys().map(String::as_str)) {
        match panic_of(name).map(toml::Value::as_str) {
            Some(Some("unwind")) => {}
            None if name != "dev" && name != "release" => {}
            _ => return Err(Error::Profile(format!("[profile.{name}] needs panic = \"unwind\""))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::verify;

    const GOOD: &str = "[profile.dev]\npanic = \"unwind\"\n[profile.release]\npanic = \"unwind\"\n";

    fn table(text: &str) -> toml::Table {
        text.parse().unwrap()
    }

    #[test]
    fn profiles_that_unwind_pass() {
        verify(&table(GOOD)).unwrap();
        verify(&table(&format!("{GOOD}[profile.dist]\ninherits = \"release\"\n"))).unwrap();
    }

    #[test]
    fn a_profile_that_aborts_or_keeps_silent_fails() {
        for bad in [
            format!("{GOOD}[profile.dist]\ninherits = \"release\"\npanic = \"abort\"\n"),
            GOOD.replace("[profile.release]\npanic = \"unwind\"", "[profile.release]"),
            String::new(),
        ] {
            assert!(
                verify(&table(&bad)).unwrap_err().to_string().contains("needs panic = \"unwind\""),
                "{bad}"
            );
        }
    }
}
