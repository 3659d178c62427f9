//! What plans and runs are made from.

use std::path::PathBuf;

use molarena_data::Catalog;
use molarena_record::step::Kind;

use crate::{
    inputs::corpus::Sources, launch::Launcher, plugin::search::SearchPath, request::library::Methods,
    store::Store,
};

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct Arena {
    /// The datasets.
    pub catalog: Catalog,
    /// The methods.
    pub methods: Methods,
    /// Where plugins are.
    pub plugins: SearchPath,
    /// How workers are started.
    pub launcher: Launcher,
    /// Where the data are.
    pub data_dir: PathBuf,
    /// Where results go.
    pub store: Store,
    /// Where trained encoders are kept, and the context graphs for them; most often the same store.
    pub encoders: Store,
    /// Is told what takes long while a plan is made, and what a user should know.
    pub tell: fn(&str),
}

impl Arena {
    /// Where steps of a kind are kept.
    pub fn store_of(&self, kind: Kind) -> &Store {
        match kind {
            Kind::Pretrain => &self.encoders,
            _ => &self.store,
        }
    }

    /// Where context graphs come from.
    pub fn sources(&self) -> Sources<'_> {
        Sources { catalog: &self.catalog, data_dir: &self.data_dir, store: &self.encoders, tell: self.tell }
    }
}
