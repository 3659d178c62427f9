//! The surroundings of plans and runs: datasets, methods, plugins, stores.

use std::path::PathBuf;

use molarena_data::Catalog;
use molarena_record::step::Kind;

use crate::{
    inputs::corpus::Sources, launch::Launcher, plugin::search::SearchPath, request::library::Methods,
    store::Store,
};

/// Everything that a plan draws on.
#[derive(Clone, Debug)]
pub struct Arena {
    /// Datasets and context graphs by id.
    pub catalog: Catalog,
    /// Methods by name.
    pub methods: Methods,
    /// Where to find plugins.
    pub plugins: SearchPath,
    /// How workers are started.
    pub launcher: Launcher,
    /// Folder of the data files.
    pub data_dir: PathBuf,
    /// Store of results.
    pub store: Store,
    /// Store of trained encoders and their context graphs; usually the same as `store`.
    pub encoders: Store,
    /// Called with notices for the user, such as long work during planning.
    pub tell: fn(&str),
}

impl Arena {
    /// The store that keeps steps of a kind.
    pub fn store_of(&self, kind: Kind) -> &Store {
        match kind {
            Kind::Pretrain => &self.encoders,
            _ => &self.store,
        }
    }

    /// The sources of context graphs.
    pub fn sources(&self) -> Sources<'_> {
        Sources { catalog: &self.catalog, data_dir: &self.data_dir, store: &self.encoders, tell: self.tell }
    }
}
