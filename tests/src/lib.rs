//! The common base of the tests.

mod arena;
pub mod python;

use std::path::{Path, PathBuf};

pub use arena::{Output, TestArena, binary, copy, files, library};

/// The folder of real data: `MOLARENA_DATA`, else `shared/data` beside the workspace root.
///
/// `None` if it does not exist; a test then returns early, and a line on standard error says so.
///
/// # Panics
/// If it does not exist although `MOLARENA_REQUIRE_DATA=1` requires it.
pub fn data_dir() -> Option<PathBuf> {
    folder("MOLARENA_DATA", "data")
}

/// The folder of outputs of reference implementations: `MOLARENA_GOLDEN`, else `shared/golden` beside the root.
///
/// Returns `None` and panics like [`data_dir`].
pub fn golden_dir() -> Option<PathBuf> {
    folder("MOLARENA_GOLDEN", "golden")
}

fn folder(variable: &str, name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(name);
    let path = std::env::var_os(variable).map_or(beside, PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("MOLARENA_REQUIRE_DATA").is_some_and(|value| value == "1");
    assert!(!required, "MOLARENA_REQUIRE_DATA=1, but {} is not a folder: set {variable}", path.display());
    eprintln!("skipped: set {variable}");
    None
}
