//! All datasets, context graphs and weights that are known by name.

use std::collections::BTreeMap;
use std::path::Path;

use crate::context::ContextManifest;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::manifest::Manifest;
use crate::own::{OwnDataset, Parts};
use crate::weights::WeightsManifest;

/// The manifests of the repository's `datasets/`, compiled in so that the program works without the
/// repository.
const BUILTIN: [(&str, &str); 6] = [
    ("datasets/biogen3k/dataset.toml", include_str!("../../../datasets/biogen3k/dataset.toml")),
    ("datasets/broad6k/dataset.toml", include_str!("../../../datasets/broad6k/dataset.toml")),
    ("datasets/chembl2k/dataset.toml", include_str!("../../../datasets/chembl2k/dataset.toml")),
    ("datasets/demo/dataset.toml", include_str!("../../../datasets/demo/dataset.toml")),
    ("datasets/demo-regression/dataset.toml", include_str!("../../../datasets/demo-regression/dataset.toml")),
    ("datasets/toxcast/dataset.toml", include_str!("../../../datasets/toxcast/dataset.toml")),
];

const BUILTIN_CONTEXTS: [(&str, &str); 4] = [
    ("datasets/context-moses/context.toml", include_str!("../../../datasets/context-moses/context.toml")),
    ("datasets/context-open/context.toml", include_str!("../../../datasets/context-open/context.toml")),
    ("datasets/demo-context/context.toml", include_str!("../../../datasets/demo-context/context.toml")),
    ("datasets/infoalign-data/context.toml", include_str!("../../../datasets/infoalign-data/context.toml")),
];

const BUILTIN_WEIGHTS: [(&str, &str); 3] = [
    ("datasets/chemnet/weights.toml", include_str!("../../../datasets/chemnet/weights.toml")),
    ("datasets/minimol/weights.toml", include_str!("../../../datasets/minimol/weights.toml")),
    ("datasets/pretrain-gnns/weights.toml", include_str!("../../../datasets/pretrain-gnns/weights.toml")),
];

const MANIFEST_FILE: &str = "dataset.toml";
const CONTEXT_FILE: &str = "context.toml";
const WEIGHTS_FILE: &str = "weights.toml";

/// Manifests, ordered by id.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    manifests: BTreeMap<String, Manifest>,
    own: BTreeMap<String, OwnDataset>,
    contexts: BTreeMap<String, ContextManifest>,
    weights: BTreeMap<String, WeightsManifest>,
}

impl Catalog {
    /// The datasets and context graphs that come with the program.
    ///
    /// # Errors
    /// A built-in manifest is wrong; the tests read them all.
    pub fn builtin() -> Result<Self> {
        let mut catalog = Self::default();
        for (origin, text) in BUILTIN {
            catalog.insert(Manifest::parse(text, origin)?);
        }
        for (origin, text) in BUILTIN_CONTEXTS {
            catalog.insert_context(ContextManifest::parse(text, origin)?)?;
        }
        for (origin, text) in BUILTIN_WEIGHTS {
            catalog.insert_weights(WeightsManifest::parse(text, origin)?)?;
        }
        Ok(catalog)
    }

    /// Reads `dataset.toml`, `context.toml` and `weights.toml` from each folder of `datasets_dir`; skips folders that have
    /// none of them.
    ///
    /// # Errors
    /// The folder cannot be read; a manifest is wrong (the error names file and key); a manifest's id is not its
    /// folder's name; a dataset and a context graph have the same id.
    pub fn load(datasets_dir: &Path) -> Result<Self> {
        let mut catalog = Self::default();
        for entry in fs_err::read_dir(datasets_dir)? {
            let folder = entry?;
            let named = |path: &Path, id: &str| {
                if folder.file_name().to_str() == Some(id) {
                    return Ok(());
                }
                let problem = format!("\"{id}\" is not the name of the manifest's folder");
                Err(Error::ManifestValue { path: path.to_owned(), key: "id".to_owned(), problem })
            };
            let path = folder.path().join(MANIFEST_FILE);
            if path.is_file() {
                let manifest = Manifest::load(&path)?;
                named(&path, &manifest.id)?;
                catalog.insert(manifest);
            }
            let path = folder.path().join(CONTEXT_FILE);
            if path.is_file() {
                let manifest = ContextManifest::load(&path)?;
                named(&path, &manifest.id)?;
                catalog.insert_context(manifest)?;
            }
            let path = folder.path().join(WEIGHTS_FILE);
            if path.is_file() {
                let manifest = WeightsManifest::load(&path)?;
                named(&path, &manifest.id)?;
                catalog.insert_weights(manifest)?;
            }
        }
        Ok(catalog)
    }

    /// The built-in datasets and context graphs and those of `datasets_dir`. A context graph replaces the built-in one
    /// with its id.
    ///
    /// # Errors
    /// Those of [`Catalog::load`], and [`Error::ManifestValue`] for a dataset with the id of a built-in one that says
    /// something else: its rows would stand on the boards of the built-in one.
    pub fn with_dir(datasets_dir: Option<&Path>) -> Result<Self> {
        let mut catalog = Self::builtin()?;
        if let Some(folder) = datasets_dir {
            let more = Self::load(folder)?;
            for (id, manifest) in more.manifests {
                // The arena's own folder of manifests may be named, too.
                if let Some(own) = catalog.manifests.get(&id).filter(|own| !own.is_the_same_as(&manifest)) {
                    let problem =
                        format!("the arena has a dataset \"{}\" of its own; choose another id", own.id);
                    return Err(Error::ManifestValue {
                        path: manifest.origin,
                        key: "id".to_owned(),
                        problem,
                    });
                }
                catalog.manifests.insert(id, manifest);
            }
            for manifest in more.contexts.into_values() {
                catalog.insert_context(manifest)?;
            }
            for manifest in more.weights.into_values() {
                catalog.insert_weights(manifest)?;
            }
        }
        Ok(catalog)
    }

    /// The manifest of dataset `id`.
    ///
    /// # Errors
    /// [`Error::UnknownDataset`], which lists the known ids.
    pub fn get(&self, id: &str) -> Result<&Manifest> {
        self.manifests.get(id).ok_or_else(|| Error::UnknownDataset {
            id: id.to_owned(),
            known: self.manifests.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// All dataset manifests, ordered by id.
    pub fn iter(&self) -> impl Iterator<Item = &Manifest> {
        self.manifests.values()
    }

    /// The manifest of context graph `id`.
    ///
    /// # Errors
    /// [`Error::UnknownContext`], which lists the known ids.
    pub fn context(&self, id: &str) -> Result<&ContextManifest> {
        self.contexts.get(id).ok_or_else(|| Error::UnknownContext {
            id: id.to_owned(),
            known: self.contexts.keys().cloned().collect::<Vec<_>>().join(", "),
        })
    }

    /// The manifests of all context graphs, ordered by id.
    pub fn contexts(&self) -> impl Iterator<Item = &ContextManifest> {
        self.contexts.values()
    }

    /// Adds a context graph, or replaces the one with its id.
    ///
    /// # Errors
    /// [`Error::ManifestValue`] if a dataset has the id.
    pub fn insert_context(&mut self, manifest: ContextManifest) -> Result<()> {
        if self.manifests.contains_key(&manifest.id) {
            let problem = format!("a dataset is called \"{}\", too", manifest.id);
            return Err(Error::ManifestValue { path: manifest.origin, key: "id".to_owned(), problem });
        }
        self.contexts.insert(manifest.id.clone(), manifest);
        Ok(())
    }

    /// The manifest of the weights `id`, if there are any.
    pub fn weights(&self, id: &str) -> Option<&WeightsManifest> {
        self.weights.get(id)
    }

    /// The manifests of all weights, ordered by id.
    pub fn all_weights(&self) -> impl Iterator<Item = &WeightsManifest> {
        self.weights.values()
    }

    /// Adds weights, or replaces those with their id.
    ///
    /// # Errors
    /// [`Error::ManifestValue`] if a dataset or a context graph has the id.
    pub fn insert_weights(&mut self, manifest: WeightsManifest) -> Result<()> {
        if self.manifests.contains_key(&manifest.id) || self.contexts.contains_key(&manifest.id) {
            let problem = format!("a dataset or context graph is called \"{}\", too", manifest.id);
            return Err(Error::ManifestValue { path: manifest.origin, key: "id".to_owned(), problem });
        }
        self.weights.insert(manifest.id.clone(), manifest);
        Ok(())
    }

    /// Adds a manifest, or replaces the one with its id.
    pub fn insert(&mut self, manifest: Manifest) {
        self.manifests.insert(manifest.id.clone(), manifest);
    }

    /// Adds a dataset made from the user's own table and returns its id, with `-own` appended if the id is
    /// taken.
    pub fn insert_own(&mut self, mut own: OwnDataset) -> String {
        while self.manifests.contains_key(&own.manifest.id) {
            own.manifest.id.push_str("-own");
        }
        let id = own.manifest.id.clone();
        own.dataset.id.clone_from(&id);
        self.insert(own.manifest.clone());
        self.own.insert(id.clone(), own);
        id
    }

    /// The SMILES and labels of dataset `id`, from the user's own table or from its file in `data_dir`.
    ///
    /// # Errors
    /// [`Error::UnknownDataset`] and those of [`Dataset::load`].
    pub fn dataset(&self, id: &str, data_dir: &Path) -> Result<Dataset> {
        match self.own.get(id) {
            Some(own) => Ok(own.dataset.clone()),
            None => Dataset::load(self.get(id)?, data_dir),
        }
    }

    /// The split stated in the user's own table of dataset `id`, if it states one.
    pub fn parts(&self, id: &str) -> Option<&Parts> {
        self.own.get(id)?.parts.as_ref()
    }

    /// The files of the user's own tables.
    pub fn own_files(&self) -> impl Iterator<Item = &Path> {
        self.own.values().map(|own| own.file.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::split::Protocol;
    use crate::testing::manifest_text;

    #[test]
    fn builtin_is_the_repository_folder() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../datasets");
        let ids = |catalog: &Catalog| catalog.iter().map(|m| m.id.clone()).collect::<Vec<_>>();
        let builtin = Catalog::builtin().unwrap();
        assert_eq!(ids(&builtin), ids(&Catalog::load(&folder).unwrap()), "add new folders to BUILTIN");
        let contexts = |catalog: &Catalog| catalog.contexts().map(|m| m.id.clone()).collect::<Vec<_>>();
        assert_eq!(contexts(&builtin), contexts(&Catalog::load(&folder).unwrap()), "add to BUILTIN_CONTEXTS");
        assert_eq!(contexts(&builtin), ["context-moses", "context-open", "demo-context", "infoalign-data"]);
        let weights = |catalog: &Catalog| catalog.all_weights().map(|m| m.id.clone()).collect::<Vec<_>>();
        assert_eq!(weights(&builtin), weights(&Catalog::load(&folder).unwrap()), "add to BUILTIN_WEIGHTS");
        assert_eq!(ids(&builtin), ["biogen3k", "broad6k", "chembl2k", "demo", "demo-regression", "toxcast"]);
    }

    #[test]
    fn builtin_states_the_protocol_of_the_paper() {
        let catalog = Catalog::builtin().unwrap();
        let stated = |id| {
            let manifest = catalog.get(id).unwrap();
            (manifest.table.rows, manifest.tasks.count, manifest.protocol.split)
        };
        assert_eq!(stated("chembl2k"), (2355, 41, Protocol::Infoalign));
        assert_eq!(stated("broad6k"), (6567, 32, Protocol::Infoalign));
        assert_eq!(stated("toxcast"), (8576, 617, Protocol::Ogb));
        assert_eq!(stated("biogen3k"), (3521, 6, Protocol::Infoalign));
    }

    #[test]
    fn a_folder_extends_and_takes_no_name_of_the_arena() {
        let folder = tempfile::tempdir().unwrap();
        let add = |id: &str, text: String| {
            fs_err::create_dir(folder.path().join(id)).unwrap();
            fs_err::write(folder.path().join(id).join(MANIFEST_FILE), text).unwrap();
        };
        add("made-up", manifest_text("made-up", ""));
        fs_err::create_dir(folder.path().join("no-manifest-here")).unwrap();
        // The same manifest again does no harm.
        let own = BUILTIN.iter().find(|(path, _)| path.contains("broad6k")).unwrap().1;
        add("broad6k", own.to_owned());
        let catalog = Catalog::with_dir(Some(folder.path())).unwrap();
        assert_eq!(catalog.iter().count(), 7);
        let error = catalog.get("chembl").unwrap_err().to_string();
        assert!(
            error.contains("biogen3k, broad6k, chembl2k, demo, demo-regression, made-up, toxcast"),
            "{error}"
        );
        add("chembl2k", manifest_text("chembl2k", ""));
        let error = Catalog::with_dir(Some(folder.path())).unwrap_err().to_string();
        assert!(
            error.contains("the arena has a dataset \"chembl2k\" of its own; choose another id"),
            "{error}"
        );
        assert!(error.contains("chembl2k/dataset.toml"), "{error}");
    }

    #[test]
    fn a_context_graph_has_an_id_of_its_own() {
        let mut catalog = Catalog::builtin().unwrap();
        let error = catalog.context("context").unwrap_err();
        assert_eq!(error.code(), "E-DATA-033");
        assert!(
            error.to_string().contains("context-moses, context-open, demo-context, infoalign-data"),
            "{error}"
        );
        let mut manifest = catalog.context("context-open").unwrap().clone();
        manifest.id = "chembl2k".to_owned();
        let error = catalog.insert_context(manifest).unwrap_err();
        assert!(error.to_string().contains("a dataset is called \"chembl2k\""), "{error}");
    }

    #[test]
    fn an_id_is_its_folder() {
        let folder = tempfile::tempdir().unwrap();
        fs_err::create_dir(folder.path().join("other")).unwrap();
        fs_err::write(folder.path().join("other").join(MANIFEST_FILE), manifest_text("made-up", "")).unwrap();
        let error = Catalog::load(folder.path()).unwrap_err().to_string();
        assert!(error.contains("other") && error.contains(": id: "), "{error}");
    }
}
