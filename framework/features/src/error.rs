//! What can go wrong with a file of features.

use std::path::PathBuf;

/// Result of reading and writing features.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A file of features could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file does not hold such features.
    #[error("{path}: {message}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The system refused; the message names the file.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
