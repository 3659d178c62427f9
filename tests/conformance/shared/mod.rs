//! Shared by tests that call a component natively and through the C table.

use std::{fmt::Debug, path::PathBuf, sync::Mutex};

use molarena_host::{plugin::loader::LoadError, plugin::loader::LoadedPlugin};
use molarena_sdk::{Error, Hooks, Matrix};

/// Opens a built library.
pub(crate) fn open(library: &str) -> LoadedPlugin {
    let path: PathBuf = molarena_tests::library(library);
    LoadedPlugin::open(&path).unwrap()
}

/// The result on which both sides agree; an error as its status and text.
#[track_caller]
pub(crate) fn same<T: PartialEq + Debug>(
    native: Result<T, Error>,
    table: Result<T, LoadError>,
) -> Result<T, Error> {
    let table = table.map_err(|error| match error {
        LoadError::Call { status, message } => Error { status, message },
        other => panic!("the call did not reach the plugin: {other}"),
    });
    assert_eq!(native, table, "left: native, right: through the table");
    native
}

/// [`same`] of matrices, compared bit for bit.
#[track_caller]
pub(crate) fn same_matrix(
    native: Result<Matrix, Error>,
    table: Result<Matrix, LoadError>,
) -> Result<Matrix, Error> {
    same(native.clone().map(|matrix| bits_of(&matrix)), table.map(|matrix| bits_of(&matrix)))?;
    native
}

/// Shape and bits of a matrix.
pub(crate) fn bits_of(matrix: &Matrix) -> (usize, usize, Vec<u32>) {
    (matrix.rows, matrix.columns, matrix.values.iter().map(|value| value.to_bits()).collect())
}

/// Records the reports, and cancels after a number of them.
pub(crate) struct Watcher {
    /// The recorded reports.
    pub(crate) seen: Mutex<Vec<(f64, String)>>,
    cancel_after: usize,
}

impl Watcher {
    /// A watcher that cancels after `reports` reports.
    pub(crate) fn cancelling_after(reports: usize) -> Self {
        Self { seen: Mutex::default(), cancel_after: reports }
    }
}

impl Hooks for Watcher {
    fn progress(&self, fraction: f64, message: &str) {
        self.seen.lock().unwrap().push((fraction, message.to_owned()));
    }

    fn cancelled(&self) -> bool {
        self.seen.lock().unwrap().len() >= self.cancel_after
    }
}
