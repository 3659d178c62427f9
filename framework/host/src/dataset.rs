//! A dataset as the arena uses it: readable molecules, scaffolds, features; all cached by content hash.

use std::sync::OnceLock;

use molarena_chem::{CHEMISTRY_VERSION, Molecule};
use molarena_data::{Dataset, Manifest, PreparedDataset, Protocol, RowFailure, Split};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{Error, FeatureSpec, Result, Store, canonical::key_of, features::Features};

const MOLECULES_SCHEMA: &str = "molarena.molecules/1";

/// A dataset whose unreadable molecules are set aside.
#[derive(Debug)]
pub struct ArenaDataset {
    /// The manifest.
    pub manifest: Manifest,
    /// The rows that can be read.
    pub dataset: Dataset,
    /// Murcko scaffold of each row, stereo kept.
    pub scaffolds: Vec<String>,
    /// Rows that cannot be read, with the reason.
    pub unparsed: Vec<RowFailure>,
    molecules: OnceLock<Vec<Molecule>>,
}

/// What is cached of a dataset's molecules.
#[derive(Debug, Serialize, Deserialize)]
struct CachedMolecules {
    schema: String,
    kept: Vec<usize>,
    scaffolds: Vec<String>,
    unparsed: Vec<RowFailure>,
}

impl ArenaDataset {
    /// Takes a loaded dataset; reads its molecules, or what the store's cache says of them.
    pub fn prepare(manifest: &Manifest, dataset: Dataset, store: &Store) -> Result<Self> {
        let key = key_of(&json!({
            "schema": MOLECULES_SCHEMA,
            "data": dataset.sha256,
            "smiles": manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
        }));
        let path = store.cache_path(&format!("molecules-{key}.json"));
        // A cached file that cannot be read is made again.
        let cached: Option<CachedMolecules> = fs_err::read(&path)
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .filter(|cached: &CachedMolecules| cached.schema == MOLECULES_SCHEMA);
        if let Some(cached) = cached {
            return Ok(Self {
                manifest: manifest.clone(),
                dataset: dataset.select(&cached.kept),
                scaffolds: cached.scaffolds,
                unparsed: cached.unparsed,
                molecules: OnceLock::new(),
            });
        }
        let rows = dataset.rows.clone();
        let prepared = PreparedDataset::new(dataset)?;
        let kept_rows: std::collections::HashSet<usize> = prepared.dataset.rows.iter().copied().collect();
        let cached = CachedMolecules {
            schema: MOLECULES_SCHEMA.into(),
            kept: (0..rows.len()).filter(|&index| kept_rows.contains(&rows[index])).collect(),
            scaffolds: prepared.scaffolds,
            unparsed: prepared.failures,
        };
        let bytes = serde_json::to_vec(&cached).expect("plain data");
        store.publish(&path, &bytes)?;
        Ok(Self {
            manifest: manifest.clone(),
            dataset: prepared.dataset,
            scaffolds: cached.scaffolds,
            unparsed: cached.unparsed,
            molecules: OnceLock::from(prepared.molecules),
        })
    }

    /// Splits the molecules; an empty part is an error that names it.
    pub fn split(&self, protocol: Protocol, seed: u64) -> Result<Split> {
        Ok(protocol.split(&self.scaffolds, seed).without_empty_part(&self.dataset.id)?)
    }

    /// The features of all molecules, from the store's cache or computed and put there.
    pub fn features(&self, spec: FeatureSpec, store: &Store) -> Result<Features> {
        let key = key_of(&json!({
            "data": self.dataset.sha256,
            "smiles": self.manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
            "features": spec,
        }));
        let path = store.cache_path(&format!("features-{key}.npz"));
        if path.exists() {
            match Features::read(&path, spec.input()) {
                Ok(features) if features.rows() == self.dataset.len() => return Ok(features),
                // A damaged file of the cache is made again.
                _ => fs_err::remove_file(&path)?,
            }
        }
        let features = spec.compute(&self.dataset.smiles, self.molecules()?);
        let temporary = store.temporary()?;
        features.write(temporary.path())?;
        store.publish(&path, &fs_err::read(temporary.path())?)?;
        Ok(features)
    }

    fn molecules(&self) -> Result<&[Molecule]> {
        if let Some(molecules) = self.molecules.get() {
            return Ok(molecules);
        }
        let parsed =
            molarena_chem::parse_all(&self.dataset.smiles).into_iter().collect::<Result<Vec<_>, _>>();
        let parsed = parsed.map_err(|error| Error::Features {
            dataset: self.dataset.id.clone(),
            message: format!(
                "{error}; the store's cache is from another chemistry: remove its folder `cache`"
            ),
        })?;
        Ok(self.molecules.get_or_init(|| parsed))
    }
}
