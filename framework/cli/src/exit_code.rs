//! Exit codes. A user's fault and a fault of molarena never share one.

use molarena_host::{Error, Fault};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum ExitCode {
    /// Everything requested was done.
    Ok = 0,
    /// The command line, a suite or a method file is wrong.
    Usage = 2,
    /// A plugin is missing, cannot be opened, or breaks the ABI.
    BadPlugin = 3,
    /// The selection names no cell, or the store has no record of it.
    NothingSelected = 4,
    /// A data file is missing, has the wrong hash, or cannot be read; or `audit --strict` found twins across parts or
    /// conflicting labels.
    BadData = 5,
    /// The run finished but some cells failed (they are rows on the board, with their reason); or some rows
    /// of an input could not be read; or the method of `predict` failed.
    SomeCellsFailed = 10,
    /// `gate`: a row got worse.
    Regressed = 20,
    /// `gate`: the data cannot tell whether a row got worse.
    Inconclusive = 21,
    /// `gate`: a row of the baseline has no counterpart to compare with.
    NotComparable = 22,
    /// A fault of the system or of molarena.
    Internal = 70,
    /// Interrupted; finished cells are stored.
    Interrupted = 130,
}

/// The exit codes in `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  2    usage: the command line, a suite or a method file is wrong
  3    bad plugin: missing, cannot be opened, or breaks the ABI
  4    nothing selected
  5    bad data: a file is missing, wrong or cannot be read; or a finding of audit --strict
  10   some cells failed (they are rows on the board, with their reason), some rows of an input cannot be read, or
       the method of predict failed
  20   gate: a row got worse
  21   gate: the data cannot tell whether a row got worse
  22   gate: a row of the baseline cannot be compared
  70   a fault of the system or of molarena
  130  interrupted; finished cells are stored, the same command goes on";

impl ExitCode {
    /// The code of an error that ends the program.
    pub(crate) fn of(error: &anyhow::Error) -> Self {
        if let Some(error) = error.downcast_ref::<Error>() {
            return match error.fault() {
                _ if matches!(error, Error::Interrupted) => Self::Interrupted,
                Fault::Usage => Self::Usage,
                Fault::Plugin => Self::BadPlugin,
                Fault::Method => Self::SomeCellsFailed,
                Fault::NothingSelected => Self::NothingSelected,
                Fault::Data => data_code(match error {
                    Error::Data(error) => Some(error),
                    _ => None,
                }),
                Fault::Internal => Self::Internal,
            };
        }
        if let Some(error) = error.downcast_ref::<molarena_world::Error>() {
            return world_code(error);
        }
        match error.downcast_ref::<molarena_data::Error>() {
            Some(error) => data_code(Some(error)),
            None => Self::Internal,
        }
    }
}

fn data_code(error: Option<&molarena_data::Error>) -> ExitCode {
    match error {
        Some(
            molarena_data::Error::UnknownDataset { .. }
            | molarena_data::Error::UnknownContext { .. }
            | molarena_data::Error::UnknownProtocol { .. },
        ) => ExitCode::Usage,
        _ => ExitCode::BadData,
    }
}

fn world_code(error: &molarena_world::Error) -> ExitCode {
    match error {
        molarena_world::Error::Data(error) => data_code(Some(error)),
        molarena_world::Error::Simulation { .. } | molarena_world::Error::NotBuiltin { .. } => {
            ExitCode::Usage
        }
        _ => ExitCode::BadData,
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
