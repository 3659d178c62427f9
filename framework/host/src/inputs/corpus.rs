//! Context graphs without left-out molecules, and their descriptions in records.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use molarena_chem::{CHEMISTRY_VERSION, Molecule};
use molarena_data::{
    Catalog,
    context::{ContextGraph, Progress, Step},
};
use molarena_features::{FeatureSpec, Features};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    error::{Error, Result},
    files::plain::read_stored,
    store::Store,
};
use molarena_record::{
    encoder::{CorpusUse, ENCODER_SCHEMA},
    key::key_of,
};

/// The sources of context graphs.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// Manifests of the context graphs.
    pub catalog: &'a Catalog,
    /// Folder of the data files.
    pub data_dir: &'a Path,
    /// The store whose cache keeps built graphs.
    pub store: &'a Store,
    /// Called with notices for the user, such as long work.
    pub tell: fn(&str),
}

/// Molecules to leave out of a corpus, and where they come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaveOut {
    /// Names of their origins: ids of datasets, or the queries of a matching task.
    pub names: BTreeSet<String>,
    /// Identity keys of the molecules.
    pub identities: BTreeSet<String>,
}

impl LeaveOut {
    /// Adds the molecules of the origin `name`.
    pub(crate) fn add(&mut self, name: &str, identities: &BTreeSet<String>) {
        self.names.insert(name.to_owned());
        self.identities.extend(identities.iter().cloned());
    }
}

/// The cached description of a graph, so that a plan need not read the graph again.
#[derive(Serialize, Deserialize)]
struct Remembered {
    schema: String,
    corpus: CorpusUse,
}

/// The context graph `id` without the molecules `leave_out`, built or from the cache.
///
/// # Errors
/// An unknown id, and errors of building the graph.
pub(crate) fn graph(sources: &Sources<'_>, id: &str, leave_out: &BTreeSet<String>) -> Result<ContextGraph> {
    let manifest = sources.catalog.context(id)?;
    let cache = sources.store.cache_path("");
    let mut told = false;
    let mut tell = |progress: Progress<'_>| match progress {
        Progress::At { step: Step::Molecules, .. } if !told => {
            (sources.tell)(&format!("builds context graph {id}, {} molecules to leave out", leave_out.len()));
            told = true;
        }
        Progress::At { .. } => {}
        Progress::Note(note) => (sources.tell)(&format!("context graph {id}: {note}")),
    };
    Ok(ContextGraph::build(manifest, sources.data_dir, leave_out, Some(&cache), 0, &mut tell)?)
}

/// Describes the context graph `id` without the molecules of `leave_out`. The description is cached under the
/// manifest, which has the digests of the files; a graph with unverified files is read each time.
pub(crate) fn used(sources: &Sources<'_>, id: &str, leave_out: &LeaveOut) -> Result<Arc<CorpusUse>> {
    let manifest = sources.catalog.context(id)?;
    let key = key_of(&json!({
        "schema": ENCODER_SCHEMA,
        "manifest": manifest,
        "leave_out": leave_out.identities,
        "chemistry": CHEMISTRY_VERSION,
        "version": env!("CARGO_PKG_VERSION"),
    }));
    let name = format!("corpus-{key}.json");
    let path = sources.store.cache_path(&name);
    let names: Vec<String> = leave_out.names.iter().cloned().collect();
    let read = |path: &Path| -> Option<Remembered> { serde_json::from_slice(&read_stored(path).ok()?).ok() };
    if let Some(remembered) = read(&path).filter(|remembered| remembered.schema == ENCODER_SCHEMA) {
        return Ok(Arc::new(CorpusUse { leave_out: names, ..remembered.corpus }));
    }
    let graph = graph(sources, id, &leave_out.identities)?;
    let corpus = CorpusUse::of(&graph, names);
    if graph.unverified.is_empty() {
        let remembered = Remembered { schema: ENCODER_SCHEMA.into(), corpus: corpus.clone() };
        sources.store.publish(&path, &serde_json::to_vec(&remembered).expect("plain data"))?;
    }
    Ok(Arc::new(corpus))
}

/// The identity keys of the molecules of the context graph `id`; rows that cannot be read have none. They are cached
/// under the manifest, as far as it has the digests of all files.
///
/// # Errors
/// An unknown id, and errors of reading the tables.
pub fn identities(catalog: &Catalog, data_dir: &Path, store: &Store, id: &str) -> Result<BTreeSet<String>> {
    let manifest = catalog.context(id)?;
    let make = || {
        let smiles = manifest.molecule_smiles(data_dir)?;
        let readable = molarena_chem::parse_chunks(&smiles, CHUNK).flatten().filter_map(Result::ok);
        Ok(readable.map(|molecule| molecule.identity()).collect())
    };
    if manifest.files.iter().any(|file| file.sha256.is_none()) {
        return make();
    }
    let key = key_of(&json!({
        "schema": "molarena.corpus-identities/1",
        "manifest": manifest,
        "chemistry": CHEMISTRY_VERSION,
    }));
    let read = |path: &Path| serde_json::from_slice(&read_stored(path).ok()?).ok();
    let write = |keys: &BTreeSet<String>, path: &Path| {
        Ok(fs_err::write(path, serde_json::to_vec(keys).expect("plain data"))?)
    };
    store.cached(&format!("corpus-identities-{key}.json"), read, make, write)
}

/// Molecules parsed at a time; each takes about 10 KiB.
const CHUNK: usize = 1 << 13;

/// The features of parsed molecules.
pub(crate) fn computed_of(
    id: &str,
    smiles: &[String],
    molecules: &[Molecule],
    spec: &FeatureSpec,
) -> Result<Features> {
    let failed = |message: String| Error::Features { dataset: id.to_owned(), message };
    let nothing_measured =
        |part: &FeatureSpec| Err(failed(format!("nothing was measured for these molecules: {part:?}")));
    spec.compute(smiles, molecules, &nothing_measured)
}

/// The features of molecules, computed in chunks.
pub(crate) fn computed<S: AsRef<str> + Sync>(id: &str, smiles: &[S], spec: &FeatureSpec) -> Result<Features> {
    let failed = |message: String| Error::Features { dataset: id.to_owned(), message };
    let mut all: Option<Features> = None;
    for chunk in smiles.chunks(CHUNK) {
        let text: Vec<String> = chunk.iter().map(|smiles| smiles.as_ref().to_owned()).collect();
        let molecules = molarena_chem::parse_all(&text).into_iter().collect::<Result<Vec<_>, _>>();
        let molecules = molecules.map_err(|error| failed(error.to_string()))?;
        let features = computed_of(id, &text, &molecules, spec)?;
        match &mut all {
            Some(all) => all.append(features),
            None => all = Some(features),
        }
    }
    all.ok_or_else(|| failed("there are no molecules".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_appended() {
        let smiles: Vec<String> = (0..CHUNK + 2).map(|index| "C".repeat(1 + index % 3)).collect();
        let Features::Graphs(_) = computed("c", &smiles, &FeatureSpec::Graphs {}).unwrap() else { panic!() };
        let all = computed("c", &smiles, &FeatureSpec::Graphs {}).unwrap();
        let graphs = all.inputs().graphs().unwrap();
        assert_eq!((graphs.rows(), graphs.atom_range(CHUNK + 1).len()), (CHUNK + 2, 1 + (CHUNK + 1) % 3));
        let bad = computed("c", &["C", "not"], &FeatureSpec::Graphs {}).unwrap_err().to_string();
        assert!(bad.starts_with("features of c: "), "{bad}");
    }
}
