//! Errors of making a world, each with a stable code and what to do about it.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a world was not made. [`Error::code`] is stable; the text is not.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written, or the built-in manifests could not be loaded.
    #[error(transparent)]
    Data(#[from] molarena_data::Error),

    /// A world of this size cannot be made.
    #[error("--{parameter}: {problem}; see: molarena data simulate --help")]
    Simulation {
        /// The parameter, as on the command line.
        parameter: &'static str,
        /// What is wrong and what is possible.
        problem: String,
    },

    /// A file that the simulation would write exists with other bytes.
    #[error("{} is there with other bytes; nothing was changed; move it away, or replace it with --force", path.display())]
    WouldReplace {
        /// The file.
        path: PathBuf,
    },

    /// A simulated dataset that is not built in cannot be made from its manifest.
    #[error(
        "dataset {id} is simulated with its own seed or sizes; make it with: molarena data simulate --help"
    )]
    NotBuiltin {
        /// The dataset.
        id: String,
    },
}

impl Error {
    /// The stable code of this kind of error. The codes share the data layer's numbers.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Data(error) => error.code(),
            Self::Simulation { .. } => "E-DATA-030",
            Self::WouldReplace { .. } => "E-DATA-031",
            Self::NotBuiltin { .. } => "E-DATA-032",
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Data(error.into())
    }
}
