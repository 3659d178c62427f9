//! A component of a plugin, as a plan uses it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use molarena_record::{key::canonical_json, parts::ComponentUse};
use serde_json::Value;

use crate::{
    error::Result,
    job::{self, JobComponent, JobFineTune},
    plugin::manifest::readable,
    store::Store,
};

/// A component, its library, and its name in records.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Component {
    /// The library.
    pub(crate) library: PathBuf,
    /// sha256 of the library's bytes.
    pub(crate) library_sha256: String,
    /// Component id inside the plugin.
    pub(crate) id: String,
    /// The component as records name it.
    pub(crate) used: ComponentUse,
    /// Whether the seed of a call changes its output.
    pub(crate) uses_seed: bool,
    /// Whether it declares that equal runs give equal bits.
    pub(crate) bitwise: bool,
    /// Corpora that its weights were pretrained on, as it or the method declares.
    pub(crate) corpora: Vec<String>,
    /// The file of the weights that it loads first, checked against the method's sha256.
    pub(crate) weights: Option<PathBuf>,
}

impl Component {
    /// What jobs open: a copy of the library, or the plugin's folder.
    ///
    /// # Errors
    /// The library cannot be read, or was replaced.
    pub(crate) fn opened(&self, store: &Store) -> Result<PathBuf> {
        store.library(&self.library, &self.library_sha256)
    }

    /// What a worker must be able to read to open the plugin.
    ///
    /// # Errors
    /// As [`opened`](Self::opened).
    pub(crate) fn reads(&self, store: &Store) -> Result<Vec<PathBuf>> {
        readable(&self.opened(store)?)
    }

    /// The component for a job in `folder`, under `config` or, without it, its own configuration.
    ///
    /// # Errors
    /// As [`opened`](Self::opened).
    pub(crate) fn in_job(
        &self,
        config: Option<&Value>,
        folder: &Path,
        store: &Store,
    ) -> Result<JobComponent> {
        Ok(JobComponent {
            library: job::relative(folder, &self.opened(store)?),
            component: self.id.clone(),
            config: canonical_json(config.unwrap_or(&self.used.config)),
            finetune: None,
        })
    }

    /// The encoder for a job in `folder`, to be fine-tuned under `finetune` from `state`.
    ///
    /// # Errors
    /// As [`opened`](Self::opened).
    pub(crate) fn in_job_to_finetune(
        &self,
        finetune: &Value,
        state: Option<&Path>,
        folder: &Path,
        store: &Store,
    ) -> Result<JobComponent> {
        let state = state.map(|state| job::relative(folder, state));
        let finetune = JobFineTune { config: canonical_json(finetune), state };
        Ok(JobComponent { finetune: Some(finetune), ..self.in_job(None, folder, store)? })
    }
}

/// sha256 of the libraries whose plugins are identified by their sources, by plugin id.
pub(crate) fn libraries(components: &[&Component]) -> BTreeMap<String, String> {
    let by_sources = components.iter().filter(|component| component.used.sha256 != component.library_sha256);
    let named = by_sources.filter_map(|component| {
        let (plugin, _) = component.used.component.split_once('/')?;
        Some((plugin.to_owned(), component.library_sha256.clone()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_named_where_its_hash_is_not_what_keys_have() {
        let component = |name: &str, identity: &str| Component {
            library: PathBuf::new(),
            library_sha256: "file".into(),
            id: "x".into(),
            used: ComponentUse {
                component: name.into(),
                version: "1.0.0".into(),
                sha256: identity.into(),
                config: Value::Null,
                weights: None,
            },
            uses_seed: false,
            bitwise: false,
            corpora: Vec::new(),
            weights: None,
        };
        let (ours, foreign) = (component("ours/x", "sources"), component("foreign/x", "file"));
        assert_eq!(libraries(&[&ours, &foreign]), [("ours".to_owned(), "file".to_owned())].into());
    }
}
