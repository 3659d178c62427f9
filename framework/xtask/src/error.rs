//! Errors of the chores.

use std::path::PathBuf;

/// Result of a chore.
pub type Result<T> = std::result::Result<T, Error>;

/// What is wrong, and which command fixes it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A generated file is out of date.
    #[error("{} is out of date, {difference}\n  to mend it: {command}", path.display())]
    Drift {
        /// The committed file.
        path: PathBuf,
        /// The first line that differs.
        difference: String,
        /// The command that generates it again.
        command: &'static str,
    },
    /// The C header cannot be made.
    #[error("cannot make the C header: {0}")]
    Header(String),
    /// Dependencies whose licence is not on the list.
    #[error("licences that are not on the list in deny.toml:\n  {}", .0.join("\n  "))]
    Licences(Vec<String>),
    /// cargo-deny is not installed.
    #[error(
        "cargo-deny is not installed; get it with `{}`, or leave it out with --without-deny",
        crate::deny::INSTALL
    )]
    NoCargoDeny,
    /// The minimum Rust version is stated wrongly, or not met.
    #[error("{0}")]
    RustVersion(String),
    /// A TOML file of the workspace cannot be read.
    #[error("{}: {message}", path.display())]
    Toml {
        /// The file, relative to the root.
        path: PathBuf,
        /// What the parser said.
        message: String,
    },
    /// `cargo metadata` failed or said something unexpected.
    #[error("cargo metadata: {0}")]
    Metadata(String),
    /// A profile that would turn panics into aborts.
    #[error("Cargo.toml: {0}")]
    Profile(String),
    /// A command of `check` failed.
    #[error("`{0}` failed")]
    Command(String),
    /// maturin is not there.
    #[error("there is no {}; get it with `pip install maturin`, or name it with --maturin", .0.display())]
    NoMaturin(PathBuf),
    /// The wheel is not what users need.
    #[error("wheel: {0}")]
    Wheel(String),
    /// A file could not be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
