//! The tests that take minutes: ignored ones whose names begin with `slow`.

use crate::{Error, Result, cargo};

/// Runs them.
///
/// # Errors
/// One of them fails.
pub fn run() -> Result<()> {
    let arguments = ["test", "--locked", "--workspace", "--tests", "--", "--ignored", "slow_"];
    let status = cargo().args(arguments).status()?;
    if status.success() { Ok(()) } else { Err(Error::Command(format!("cargo {}", arguments.join(" ")))) }
}
