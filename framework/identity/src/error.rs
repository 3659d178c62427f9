//! Why a hash cannot be computed.

use std::path::PathBuf;

/// Result of hashing.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a hash cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read. The message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file is not TOML, or not a manifest or lock file of Cargo.
    #[error("{}: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A dependency with neither a path nor a source in `Cargo.lock`.
    #[error("Cargo.lock says no source of `{0}`, and no package depends on it by path")]
    Unlocked(String),
    /// A dependency that `Cargo.lock` does not list, or lists twice.
    #[error("Cargo.lock has {found} packages `{dependency}`, which `{package}` depends on")]
    Ambiguous {
        /// The package.
        package: String,
        /// What it depends on.
        dependency: String,
        /// Number of packages that match.
        found: usize,
    },
}
