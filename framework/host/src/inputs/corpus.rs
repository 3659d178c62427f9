//! Context graphs without the molecules that must leave, and what is said of them.

use std::{collections::BTreeSet, sync::Arc};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::context::{ContextGraph, Progress, Step};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{arena::Arena, error::Result};
use molarena_record::{
    encoder::{CorpusUse, ENCODER_SCHEMA},
    key::key_of,
};

/// Molecules that leave a corpus, and whose they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaveOut {
    /// Ids of datasets, and the queries of a matching task, by name.
    pub names: BTreeSet<String>,
    /// Identity keys.
    pub identities: BTreeSet<String>,
}

impl LeaveOut {
    /// Adds molecules of `name`.
    pub(crate) fn add(&mut self, name: &str, identities: &BTreeSet<String>) {
        self.names.insert(name.to_owned());
        self.identities.extend(identities.iter().cloned());
    }
}

/// What is remembered of a graph, so that a plan need not read it again.
#[derive(Serialize, Deserialize)]
struct Remembered {
    schema: String,
    corpus: CorpusUse,
}

/// The context graph `id` without the molecules of `leave_out`, built or from the cache.
///
/// # Errors
/// An unknown id, and those of building.
pub(crate) fn graph(arena: &Arena, id: &str, leave_out: &BTreeSet<String>) -> Result<ContextGraph> {
    let manifest = arena.catalog.context(id)?;
    let cache = arena.encoders.cache_path("");
    let mut told = false;
    let mut tell = |progress: Progress<'_>| match progress {
        Progress::At { step: Step::Molecules, .. } if !told => {
            (arena.tell)(&format!("builds context graph {id}, {} molecules to leave out", leave_out.len()));
            told = true;
        }
        Progress::At { .. } => {}
        Progress::Note(note) => (arena.tell)(&format!("context graph {id}: {note}")),
    };
    Ok(ContextGraph::build(manifest, &arena.data_dir, leave_out, Some(&cache), 0, &mut tell)?)
}

/// What is in the context graph `id` without the molecules of `leave_out`. It is remembered by the manifest, which has
/// the digests of the files; a graph of files without a digest is looked at each time.
pub(crate) fn used(arena: &Arena, id: &str, leave_out: &LeaveOut) -> Result<Arc<CorpusUse>> {
    let manifest = arena.catalog.context(id)?;
    let key = key_of(&json!({
        "schema": ENCODER_SCHEMA,
        "manifest": manifest,
        "leave_out": leave_out.identities,
        "chemistry": CHEMISTRY_VERSION,
        "version": env!("CARGO_PKG_VERSION"),
    }));
    let path = arena.encoders.cache_path(&format!("corpus-{key}.json"));
    let names: Vec<String> = leave_out.names.iter().cloned().collect();
    // A cached file that cannot be read is made again.
    let remembered: Option<Remembered> =
        fs_err::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if let Some(remembered) = remembered.filter(|remembered| remembered.schema == ENCODER_SCHEMA) {
        return Ok(Arc::new(CorpusUse { leave_out: names, ..remembered.corpus }));
    }
    let graph = graph(arena, id, &leave_out.identities)?;
    let corpus = CorpusUse::of(&graph, names);
    if graph.unverified.is_empty() {
        let remembered = Remembered { schema: ENCODER_SCHEMA.into(), corpus: corpus.clone() };
        arena.encoders.publish(&path, &serde_json::to_vec(&remembered).expect("plain data"))?;
    }
    Ok(Arc::new(corpus))
}
