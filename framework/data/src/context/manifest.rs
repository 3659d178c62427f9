//! A context graph's manifest: `datasets/<id>/context.toml`, schema `molarena.context/1`.

use serde::{Deserialize, Serialize};

/// What is known of a context graph before any of its bytes are read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContextManifest {
    /// Short name. The manifest's folder has the same name; no dataset has it.
    pub id: String,
    /// Name as it is printed.
    pub title: String,
}
