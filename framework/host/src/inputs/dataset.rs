//! A dataset as the arena uses it: readable molecules, scaffolds, features; all cached by content hash.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use molarena_chem::{CHEMISTRY_VERSION, Molecule};
use molarena_data::{
    Dataset, FileSpec, Manifest, PreparedDataset, Protocol, Role, RowFailure, Split, read_verified,
};
use ndarray_npy::NpzReader;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    error::{Error, Result},
    store::Store,
};
use molarena_features::{FeatureSpec, Features, flat, select_rows};
use molarena_record::key::key_of;

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
    data_dir: PathBuf,
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
    pub fn prepare(manifest: &Manifest, dataset: Dataset, data_dir: &Path, store: &Store) -> Result<Self> {
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
                data_dir: data_dir.to_owned(),
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
            data_dir: data_dir.to_owned(),
            molecules: OnceLock::from(prepared.molecules),
        })
    }

    /// Splits the molecules; an empty part is an error that names it.
    pub fn split(&self, protocol: Protocol, seed: u64) -> Result<Split> {
        Ok(protocol.split(&self.scaffolds, seed).without_empty_part(&self.dataset.id)?)
    }

    /// The spec as records keep it: with the sha256 of the companion files that it reads.
    pub fn describe_features(&self, spec: &FeatureSpec) -> Result<serde_json::Value> {
        spec.described(&|name| Ok(self.companion(name)?.sha256.clone()))
    }

    /// The features of all molecules, from the store's cache or computed and put there.
    pub fn features(&self, spec: &FeatureSpec, store: &Store) -> Result<Features> {
        let key = key_of(&json!({
            "data": self.dataset.sha256,
            "smiles": self.manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
            "features": self.describe_features(spec)?,
        }));
        let path = store.cache_path(&format!("features-{key}.npz"));
        if path.exists() {
            match Features::read(&path, spec.input()) {
                Ok(features) if features.rows() == self.dataset.len() => return Ok(features),
                // A damaged file of the cache is made again.
                _ => fs_err::remove_file(&path)?,
            }
        }
        let read_companion = |name: &str| self.read_companion(name);
        let features = spec.compute(&self.dataset.smiles, self.molecules()?, &read_companion)?;
        let temporary = store.temporary()?;
        features.write(temporary.path())?;
        store.publish(&path, &fs_err::read(temporary.path())?)?;
        Ok(features)
    }

    /// Identity keys of all molecules that can be read, from the store's cache or computed and put there.
    pub fn identities(&self, store: &Store) -> Result<BTreeSet<String>> {
        let key = key_of(&json!({
            "data": self.dataset.sha256,
            "smiles": self.manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
        }));
        let path = store.cache_path(&format!("identities-{key}.json"));
        // A cached file that cannot be read is made again.
        let cached: Option<BTreeSet<String>> =
            fs_err::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let identities = self.molecules()?.iter().map(Molecule::identity).collect();
        store.publish(&path, &serde_json::to_vec(&identities).expect("plain data"))?;
        Ok(identities)
    }

    fn companion(&self, name: &str) -> Result<&FileSpec> {
        self.manifest.companion(name).ok_or_else(|| {
            let companions = self.manifest.files.iter().filter(|file| file.role == Role::Companion);
            let known: Vec<&str> = companions.map(|file| file.path.as_str()).collect();
            let message = format!("no companion file `{name}`; there are: [{}]", known.join(", "));
            Error::Features { dataset: self.dataset.id.clone(), message }
        })
    }

    /// The vectors of a companion file: row i of its array `data` belongs to data row i of the table.
    fn read_companion(&self, name: &str) -> Result<Features> {
        let file = self.companion(name)?;
        let failed = |message: String| Error::Features {
            dataset: self.dataset.id.clone(),
            message: format!("{}: {message}", file.locate(&self.data_dir).display()),
        };
        let bytes = read_verified(&self.manifest, file, &self.data_dir)?;
        let array = NpzReader::new(std::io::Cursor::new(bytes))
            .and_then(|mut npz| npz.by_name::<ndarray::OwnedRepr<f32>, ndarray::Ix2>("data"));
        let array =
            array.map_err(|error| failed(format!("{error}; expected f32 vectors in an array `data`")))?;
        let (rows, columns) = array.dim();
        if rows != self.manifest.table.rows || columns == 0 {
            let expected = self.manifest.table.rows;
            return Err(failed(format!("`data` is {rows} x {columns}, expected {expected} rows")));
        }
        let indices: Vec<usize> = self.dataset.rows.iter().map(|row| row - 1).collect();
        let values = select_rows(&flat(array), columns, &indices);
        if let Some(index) = values.iter().position(|value| !value.is_finite()) {
            let row = self.dataset.rows[index / columns];
            return Err(failed(format!("row {row} has a value that is missing or not finite")));
        }
        Ok(Features::Dense { columns, values, rows: indices.len() })
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
