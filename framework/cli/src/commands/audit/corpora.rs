//! The corpora whose molecules an audit looks for.

use std::collections::BTreeSet;

use molarena_data::{
    Catalog,
    audit::{Corpus, DeclaredCorpus},
};
use molarena_host::{launch::Launcher, plugin::search::SearchPath};

use crate::{
    args::{AuditArgs, Places},
    commands::context,
    display::Display,
};

/// Reads the corpora that are named and those that plugins declare, as far as they can be read.
pub(super) fn read(
    args: &AuditArgs,
    catalog: &Catalog,
    display: &Display,
) -> anyhow::Result<(Vec<Corpus>, Vec<DeclaredCorpus>)> {
    let mut corpora = Vec::new();
    for id in &args.corpus {
        if corpora.iter().all(|corpus: &Corpus| corpus.id() != id) {
            corpora.push(corpus(catalog, id, &args.places, display)?);
        }
    }
    let mut declared = declared(args, display)?;
    for one in &mut declared {
        if corpora.iter().any(|corpus| corpus.id() == one.corpus) {
            continue;
        }
        match readable(catalog, &one.corpus, &args.places) {
            Ok(()) => corpora.push(corpus(catalog, &one.corpus, &args.places, display)?),
            Err(why) => one.unread = Some(why),
        }
    }
    Ok((corpora, declared))
}

/// Reads a context graph's or a dataset's molecules. A context graph declares no assays; those of a dataset are its tasks.
fn corpus(catalog: &Catalog, id: &str, places: &Places, display: &Display) -> anyhow::Result<Corpus> {
    let (smiles, assays) = match catalog.get(id) {
        Ok(_) => {
            let dataset = catalog.dataset(id, &places.data_dir)?;
            (dataset.smiles, Some(dataset.tasks))
        }
        Err(_) => (catalog.context(id)?.molecule_smiles(&places.data_dir)?, None),
    };
    let (name, total) = (format!("reading {id}"), smiles.len());
    Ok(Corpus::new(id, &smiles, assays, &mut |done| display.stage(None, &name, done, total)))
}

/// Why a declared corpus cannot be read, if so.
fn readable(catalog: &Catalog, id: &str, places: &Places) -> Result<(), String> {
    let missing = || format!("its files are not in {}", places.data_dir.display());
    if catalog.get(id).is_ok() {
        return super::is_there(catalog, id, &places.data_dir).then_some(()).ok_or_else(missing);
    }
    match catalog.context(id) {
        Ok(manifest) if context::ready(manifest, places) => Ok(()),
        Ok(_) => Err(missing()),
        Err(_) => Err("no context graph or dataset has this name".to_owned()),
    }
}

/// The corpora that the components of the plugins that are found declare, by component and in the order of their names.
fn declared(args: &AuditArgs, display: &Display) -> anyhow::Result<Vec<DeclaredCorpus>> {
    let search = SearchPath::new(&args.plugins.plugins)?;
    let launcher = Launcher::of_this_binary()?;
    let plugins = search.all();
    let mut declared = BTreeSet::new();
    for (done, (id, path)) in plugins.iter().enumerate() {
        display.stage(None, &format!("asking plugin {id}"), done, plugins.len());
        match molarena_host::describe(&launcher, path, &std::env::temp_dir()) {
            Ok(plugin) => {
                for component in plugin.description.components {
                    let name = format!("{}/{}", plugin.description.id, component.id);
                    declared.extend(component.corpora.into_iter().map(|corpus| DeclaredCorpus {
                        component: name.clone(),
                        corpus,
                        unread: None,
                    }));
                }
            }
            Err(error) => {
                display.line(&format!("warning: {error}; the corpora that it declares are not known"));
            }
        }
    }
    Ok(declared.into_iter().collect())
}
