//! The workspace's own chores: generated files, licences and the one command before a commit.

use std::path::{Path, PathBuf};

pub mod check;
pub mod deny;
mod error;
mod generated;
pub mod header;
pub mod licences;
mod manifest;
pub mod profiles;
pub mod rust_version;
pub mod slow;
pub mod wheel;

pub use error::{Error, Result};
pub use generated::Mode;

/// Root of the workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("xtask lies two folders below the root")
}

/// The cargo that runs this, or the one in the path.
fn cargo() -> std::process::Command {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = std::process::Command::new(program);
    command.current_dir(root());
    command
}
