//! Fuzz targets: one function for each kind of input that others write. Each calls the readers as the product does and
//! panics if an invariant does not hold.
//!
//! `cargo test -p molarena-fuzz` runs each target on its seeds, on inputs that once failed, and on a fixed number of
//! mutations. The binaries in `cargo-fuzz` hand the same functions to libFuzzer; see CONTRIBUTING.md.

mod chemistry;
mod matrices;
mod records;
mod requests;
mod tables;
mod worker;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub use chemistry::smiles;
pub use matrices::npz;
pub use records::record;
pub use requests::{manifest, method, suite};
pub use tables::{csv, parquet};
pub use worker::worker;

/// A fuzz target: it reads any bytes, and panics only if the product is wrong.
pub type Target = fn(&[u8]);

/// Every target and its name, which is also the name of its folders of seeds and crashes.
pub const TARGETS: [(&str, Target); 9] = [
    ("csv", csv),
    ("manifest", manifest),
    ("method", method),
    ("npz", npz),
    ("parquet", parquet),
    ("record", record),
    ("smiles", smiles),
    ("suite", suite),
    ("worker", worker),
];

/// The place and message of the last panic.
static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Replaces the hook of libFuzzer, which ends the process at every panic: some readers catch the panics of a library and
/// return errors. Call it once, before [`fuzz`].
pub fn let_readers_catch_panics() {
    std::panic::set_hook(Box::new(|panic| {
        *LAST_PANIC.lock().expect("no panic while it is held") = panic.to_string();
    }));
}

/// Runs a target under libFuzzer. A panic that leaves the target ends the process.
pub fn fuzz(target: Target, data: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| target(data))).is_err() {
        eprintln!("{}", LAST_PANIC.lock().expect("no panic while it is held"));
        std::process::abort();
    }
}

thread_local! {
    /// A folder for the files of this thread.
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

/// Writes `data` to the file `name` of this thread's folder, in place of what was there.
fn file(name: &str, data: &[u8]) -> PathBuf {
    let path = folder().join(name);
    place(&path, data);
    path
}

/// This thread's folder.
fn folder() -> PathBuf {
    FOLDER.with(|folder| folder.path().to_owned())
}

/// Writes a file and the folders above it.
fn place(path: &Path, data: &[u8]) {
    fs_err::create_dir_all(path.parent().expect("a file in a folder")).expect("a folder");
    fs_err::write(path, data).expect("a file");
}

/// A message for people has something to say.
fn check_message(error: &dyn std::error::Error) {
    assert!(!error.to_string().trim().is_empty(), "an error without a message: {error:?}");
}
