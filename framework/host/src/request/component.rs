//! A component of a method file.

use serde::{Deserialize, Serialize};

/// A component of a plugin and its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentSpec {
    /// `plugin/component`, such as `baselines/rf`.
    pub component: String,
    /// Configuration, checked against the component's JSON Schema.
    #[serde(default = "empty_object")]
    pub config: serde_json::Value,
}

impl ComponentSpec {
    /// Plugin id and component id.
    pub fn split(&self) -> Option<(&str, &str)> {
        self.component.split_once('/').filter(|(plugin, id)| !plugin.is_empty() && !id.is_empty())
    }
}

pub(crate) fn empty_object() -> serde_json::Value {
    serde_json::json!({})
}
