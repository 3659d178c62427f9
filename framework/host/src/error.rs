//! Errors outside of cells. A cell's own failure is a record, not an error.

use std::path::PathBuf;

/// Result of the host's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault an error is; each kind has its own exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request: an unknown name, a bad file.
    Usage,
    /// A plugin.
    Plugin,
    /// A method that ran and failed.
    Method,
    /// The selection is empty.
    NothingSelected,
    /// The data.
    Data,
    /// The store, the system or molarena itself.
    Internal,
}

/// An error of the host.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A method, suite or model file is invalid.
    #[error("{path}: {message}")]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// No method has this name.
    #[error(
        "unknown method `{name}`{similar}; `molarena method list` prints all; or give the path of a method file (.toml)"
    )]
    UnknownMethod {
        /// The name.
        name: String,
        /// Names that are similar, in brackets; empty if there are none.
        similar: String,
    },
    /// No plugin has this id.
    #[error(
        "method `{method}`: no plugin `{plugin}`: {searched}; \
         build it, or name it with --plugin PATH or MOLARENA_PLUGIN_PATH"
    )]
    UnknownPlugin {
        /// The method that names it.
        method: String,
        /// The plugin's id.
        plugin: String,
        /// Where it was looked for.
        searched: String,
    },
    /// A file of weights that a method names cannot be used.
    #[error("encoder.weights: {path}: {message}")]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A plugin could not be opened or described.
    #[error("plugin {path}: {message}")]
    Plugin {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The plugin has no such component.
    #[error("method `{method}`: plugin {path} has no {kind} `{component}`; it has: {known}")]
    UnknownComponent {
        /// The method that names it.
        method: String,
        /// The library.
        path: PathBuf,
        /// Kind of the component.
        kind: String,
        /// Name of the component.
        component: String,
        /// The known components.
        known: String,
    },
    /// The method fine-tunes an encoder that does not offer it.
    #[error(
        "method `{method}`: encoder `{component}` of the plugin {path} cannot be fine-tuned: it does not offer {extension}; take \
         `finetune` out of the method and name a `baseline`, or use an encoder that offers it{known}",
        extension = molarena_abi::ENCODER_FINETUNE
    )]
    FineTune {
        /// The method.
        method: String,
        /// The encoder.
        component: String,
        /// The plugin.
        path: PathBuf,
        /// The encoders of the plugin that offer it, after a colon; empty if there are none.
        known: String,
    },
    /// The configuration does not fit the component's schema.
    #[error("method `{method}`: configuration of `{component}`: {message}")]
    Config {
        /// The method.
        method: String,
        /// The component.
        component: String,
        /// How it violates the schema, with the key.
        message: String,
    },
    /// The component does not take these inputs.
    #[error("method `{method}`: `{component}` takes {wanted}, but the features give {given}")]
    Inputs {
        /// The method.
        method: String,
        /// The component.
        component: String,
        /// Inputs that it takes.
        wanted: String,
        /// Inputs that the features give.
        given: String,
    },
    /// The component does not run on the device.
    #[error(
        "method `{method}`: `{component}` does not run on {device}, only on {known}; name another device, or build the \
         plugin with the feature for it"
    )]
    Device {
        /// The method.
        method: String,
        /// The component.
        component: String,
        /// The requested device.
        device: String,
        /// Devices that it runs on.
        known: String,
    },
    /// The request is malformed.
    #[error("{0}")]
    Request(String),
    /// The selection names no cell.
    #[error("nothing selected: {0}")]
    NothingSelected(String),
    /// The data folder, a user's table or the store lies where every worker may read.
    #[error(
        "{what} {path} lies under {root}, which workers may read, so test labels would not be hidden; move it"
    )]
    Exposed {
        /// `data folder`, `table` or `store`.
        what: &'static str,
        /// Its path.
        path: PathBuf,
        /// The readable folder.
        root: PathBuf,
    },
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] molarena_data::Error),
    /// No column of the molecules to predict has a usual name for SMILES.
    #[error("{}: no column is called smiles; the file has: {present}; name it with --input-column", path.display())]
    NoInputColumn {
        /// The file.
        path: PathBuf,
        /// The columns present.
        present: String,
    },
    /// The features cannot be computed.
    #[error("features of {dataset}: {message}")]
    Features {
        /// The dataset.
        dataset: String,
        /// What is wrong.
        message: String,
    },
    /// A file of the store or of a job folder is invalid.
    #[error("{path}: {message}")]
    Store {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A file that is to be unpacked is no sound archive of a store or a plugin.
    #[error("{path}: {message}")]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A method used outside a run failed.
    #[error("method `{method}` failed: {message}")]
    MethodFailed {
        /// The method.
        method: String,
        /// Why.
        message: String,
    },
    /// A worker could not be started.
    #[error("cannot start a worker: {0}")]
    Worker(String),
    /// Slurm does not do what it should.
    #[error("Slurm: {0}")]
    Slurm(String),
    /// An object store cannot be reached or fails.
    #[error("{url}: {message}")]
    Remote {
        /// The place in it.
        url: String,
        /// What is wrong.
        message: String,
    },
    /// A file could not be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The run was interrupted; finished cells are stored.
    #[error("interrupted; finished cells are stored, the same command goes on from there")]
    Interrupted,
}

impl From<molarena_features::Error> for Error {
    fn from(error: molarena_features::Error) -> Self {
        match error {
            molarena_features::Error::File { path, message } => Self::Store { path, message },
            molarena_features::Error::Io(error) => Self::Io(error),
        }
    }
}

impl Error {
    /// Stable code, for scripts and searches.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Document { .. } => "E-HOST-001",
            Self::UnknownMethod { .. } => "E-HOST-002",
            Self::UnknownPlugin { .. } => "E-HOST-003",
            Self::Plugin { .. } => "E-HOST-004",
            Self::UnknownComponent { .. } => "E-HOST-005",
            Self::Config { .. } => "E-HOST-006",
            Self::Inputs { .. } => "E-HOST-007",
            Self::Request(_) => "E-HOST-009",
            Self::NothingSelected(_) => "E-HOST-010",
            Self::Exposed { .. } => "E-HOST-011",
            Self::Data(error) => error.code(),
            Self::Features { .. } => "E-HOST-012",
            Self::Store { .. } => "E-HOST-013",
            Self::Worker(_) => "E-HOST-014",
            Self::Io(_) => "E-HOST-015",
            Self::Interrupted => "E-HOST-016",
            Self::MethodFailed { .. } => "E-HOST-017",
            Self::Device { .. } => "E-HOST-018",
            Self::NoInputColumn { .. } => "E-HOST-019",
            Self::Archive { .. } => "E-HOST-020",
            Self::Weights { .. } => "E-HOST-021",
            Self::FineTune { .. } => "E-HOST-022",
            Self::Slurm(_) => "E-HOST-023",
            Self::Remote { .. } => "E-HOST-024",
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Document { .. }
            | Self::UnknownMethod { .. }
            | Self::Config { .. }
            | Self::Inputs { .. }
            | Self::Device { .. }
            | Self::FineTune { .. }
            | Self::Request(_)
            | Self::Exposed { .. } => Fault::Usage,
            Self::UnknownPlugin { .. } | Self::Plugin { .. } | Self::UnknownComponent { .. } => Fault::Plugin,
            Self::MethodFailed { .. } => Fault::Method,
            Self::NothingSelected(_) => Fault::NothingSelected,
            Self::Archive { .. }
            | Self::Data(_)
            | Self::NoInputColumn { .. }
            | Self::Features { .. }
            | Self::Weights { .. } => Fault::Data,
            Self::Store { .. }
            | Self::Worker(_)
            | Self::Slurm(_)
            | Self::Remote { .. }
            | Self::Io(_)
            | Self::Interrupted => Fault::Internal,
        }
    }
}
