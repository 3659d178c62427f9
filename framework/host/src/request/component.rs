//! A component of a method file.

use std::path::{Path, PathBuf};

use molarena_data::sha256_file;
use molarena_record::parts::WeightsUse;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A component of a plugin and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentSpec {
    /// `plugin/component`, such as `baselines/rf`.
    pub component: String,
    /// Configuration, checked against the component's JSON Schema.
    #[serde(default = "empty_object")]
    pub config: serde_json::Value,
    /// Weights of an encoder, which it loads before anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<WeightsUse>,
}

impl ComponentSpec {
    /// Plugin id and component id.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.component.split_once('/').filter(|(plugin, id)| !plugin.is_empty() && !id.is_empty())
    }
}

/// The file of weights that a method names: relative to the method file, or else to the data folder.
///
/// # Errors
/// [`Error::Weights`] if it is in neither place, cannot be read, or does not have the stated sha256.
pub(crate) fn locate_weights(weights: &WeightsUse, method: &Path, data_dir: &Path) -> Result<PathBuf> {
    let failed = |path: &Path, message: String| Error::Weights { path: path.to_owned(), message };
    let beside = method.parent().unwrap_or(Path::new("")).join(&weights.file);
    let places = [beside, data_dir.join(&weights.file)];
    let Some(path) = places.iter().find(|path| path.is_file()) else {
        let message = format!("there is no such file, nor is there {}", places[1].display());
        return Err(failed(&places[0], message));
    };
    let sha256 = sha256_file(path).map_err(|error| failed(path, error.to_string()))?;
    if sha256 != weights.sha256 {
        let message = format!("its sha256 is {sha256}, and the method wants {}", weights.sha256);
        return Err(failed(path, message));
    }
    Ok(fs_err::canonicalize(path)?)
}

pub(crate) fn empty_object() -> serde_json::Value {
    serde_json::json!({})
}
