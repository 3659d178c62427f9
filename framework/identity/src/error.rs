//! Why there is no hash.

use std::path::PathBuf;

/// Result of hashing.
pub type Result<T> = std::result::Result<T, Error>;

/// Why there is no hash.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read. The message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file is not TOML, or not what Cargo writes and reads.
    #[error("{}: {message}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A dependency whose bytes neither a path nor a checksum says.
    #[error("Cargo.lock says no source of `{0}`, and no package depends on it by path")]
    Unlocked(String),
    /// A dependency that `Cargo.lock` does not list, or lists twice.
    #[error("Cargo.lock has {found} packages `{dependency}`, which `{package}` depends on")]
    Ambiguous {
        /// The package.
        package: String,
        /// What it depends on.
        dependency: String,
        /// Number of packages that fit.
        found: usize,
    },
}
