//! What `train` and `predict` share.

use std::path::Path;

use molarena_host::{Arena, Error, HeldOut};

use super::{arena, own};
use crate::{args::LearningArgs, output::Inputs};

/// An arena whose store is in `folder`, because nothing in it is for a board. Trained encoders are worth
/// keeping and may exist already, so they go to the user's own store.
pub(super) fn arena(args: &LearningArgs, method: Option<&str>, folder: &Path) -> anyhow::Result<Arena> {
    let store = folder.join("store");
    let mut arena = arena::arena(&store, args.methods_dir.as_deref(), &args.places, &args.plugins)?;
    if let Some(method) = method
        && arena.methods.get(method, Path::new(""))?.is_pretrained(&arena.methods)?
    {
        arena.encoders = arena::create_store(&args.store.store)?;
    }
    Ok(arena)
}

/// What is read to learn.
pub(super) fn inputs(args: &LearningArgs, method: Option<&String>) -> anyhow::Result<Inputs> {
    let inputs = Inputs::of_places(&args.places, Some(&args.plugins), args.methods_dir.as_deref())?;
    let inputs = inputs.and(args.own.csv.as_deref()).and_methods(method, Path::new(""));
    Ok(inputs.and_folder([args.store.store.as_path()]))
}

/// Ids of the datasets to learn from: the named one, or those of the user's own table.
pub(super) fn datasets(args: &LearningArgs, arena: &mut Arena) -> anyhow::Result<Vec<String>> {
    let ids: Vec<String> = match (own::load(&args.own, None)?, &args.dataset) {
        (Some(own), _) => own::register(&own, &mut arena.catalog),
        (None, dataset) => dataset.iter().cloned().collect(),
    };
    if ids.is_empty() {
        return Err(Error::Request("name a --dataset or a --csv FILE to learn from".into()).into());
    }
    Ok(ids)
}

/// Prints how many molecules a method learnt from.
pub(super) fn say_learnt(dataset: &str, method: &str, held_out: &HeldOut) {
    let HeldOut { train, valid, by, unparsed, .. } = held_out;
    say!(
        "{dataset}: {method} learnt from {train} molecules and chose on {valid} held out ({by} split); not readable: \
         {unparsed}"
    );
}
