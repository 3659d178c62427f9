//! Errors of feature files.

use std::path::PathBuf;

/// Result of reading and writing features.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A feature file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file does not hold the expected features.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// An error of the system; the message names the file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
