//! The arena that commands work in.

use std::path::Path;

use molarena_data::Catalog;
use molarena_host::{Arena, Error, Methods, Store, launch::Launcher, plugin::search::SearchPath};

use crate::args::{Places, PluginPlaces};

/// Opens or creates a store that the command line names.
///
/// # Errors
/// [`Error::Request`] if the folder cannot be made or written to.
pub(crate) fn create_store(store: &Path) -> Result<Store, Error> {
    Store::create(store).map_err(|error| match error {
        Error::Io(error) => Error::Request(format!("--store {}: {error}", store.display())),
        other => other,
    })
}

/// Catalog, methods, plugins and a store, which is created if it is missing.
pub(crate) fn arena(
    store: &Path,
    methods_dir: Option<&Path>,
    places: &Places,
    plugins: &PluginPlaces,
) -> anyhow::Result<Arena> {
    let store = create_store(store)?;
    Ok(Arena {
        catalog: Catalog::with_dir(places.datasets_dir.as_deref())?,
        methods: Methods::load(methods_dir)?,
        plugins: SearchPath::new(&plugins.plugins)?,
        launcher: Launcher::of_this_binary()?,
        data_dir: places.data_dir.clone(),
        encoders: store.clone(),
        store,
        tell: |what| say!("{what}"),
    })
}
