//! A dataset as the arena uses it: readable molecules, scaffolds, features; all cached by content hash.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
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
    files::plain::read_stored,
    inputs::{corpus::Sources, profiles},
    store::Store,
};
use molarena_features::{FeatureSpec, Features, flat, select_rows};
use molarena_record::key::key_of;

const MOLECULES_SCHEMA: &str = "molarena.molecules/1";

/// A dataset whose unreadable molecules are set aside.
#[derive(Debug)]
pub struct ArenaDataset {
    /// Manifest of the dataset.
    pub manifest: Manifest,
    /// The readable rows.
    pub dataset: Dataset,
    /// Murcko scaffold of each row, with stereochemistry.
    pub scaffolds: Vec<String>,
    /// Rows that cannot be read, with the reason.
    pub unparsed: Vec<RowFailure>,
    data_dir: PathBuf,
    /// Molecules parsed by `prepare`, until the first use takes them.
    molecules: Mutex<Option<Vec<Molecule>>>,
}

/// The cached result of parsing a dataset's molecules.
#[derive(Debug, Serialize, Deserialize)]
struct CachedMolecules {
    schema: String,
    kept: Vec<usize>,
    scaffolds: Vec<String>,
    unparsed: Vec<RowFailure>,
}

impl ArenaDataset {
    /// Prepares a loaded dataset: parses its molecules, or takes the result from the store's cache.
    pub fn prepare(manifest: &Manifest, dataset: &Dataset, data_dir: &Path, store: &Store) -> Result<Self> {
        let key = key_of(&json!({
            "schema": MOLECULES_SCHEMA,
            "data": dataset.sha256,
            "smiles": manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
        }));
        let read = |path: &Path| -> Option<CachedMolecules> {
            let cached: CachedMolecules = serde_json::from_slice(&read_stored(path).ok()?).ok()?;
            (cached.schema == MOLECULES_SCHEMA).then_some(cached)
        };
        let mut molecules = None;
        let rows = &dataset.rows;
        let make = || {
            let prepared = PreparedDataset::new(dataset.clone())?;
            let kept: HashSet<usize> = prepared.dataset.rows.iter().copied().collect();
            molecules = Some(prepared.molecules);
            Ok(CachedMolecules {
                schema: MOLECULES_SCHEMA.into(),
                kept: (0..rows.len()).filter(|&index| kept.contains(&rows[index])).collect(),
                scaffolds: prepared.scaffolds,
                unparsed: prepared.failures,
            })
        };
        let cached = store.cached(&format!("molecules-{key}.json"), read, make, write_json_to)?;
        Ok(Self {
            manifest: manifest.clone(),
            dataset: dataset.select(&cached.kept),
            scaffolds: cached.scaffolds,
            unparsed: cached.unparsed,
            data_dir: data_dir.to_owned(),
            molecules: Mutex::new(molecules),
        })
    }

    /// Splits the molecules; an empty part is an error that names it.
    pub fn split(&self, protocol: Protocol, seed: u64) -> Result<Split> {
        Ok(protocol.split(&self.scaffolds, seed).without_empty_part(&self.dataset.id)?)
    }

    /// The spec as records keep it: with the sha256 of the companion files and the keys of the context graphs that it reads.
    ///
    /// # Errors
    /// [`Error::Features`] for a companion file that the dataset does not have; errors of building a context graph.
    pub fn describe_features(&self, spec: &FeatureSpec, sources: &Sources<'_>) -> Result<serde_json::Value> {
        spec.described(&|part| match part {
            FeatureSpec::Companion { file } => Ok(self.companion(file)?.sha256.clone()),
            part => profiles::key(sources, part),
        })
    }

    /// Key of the features of all molecules: data, chemistry version and feature spec.
    ///
    /// # Errors
    /// As [`describe_features`](Self::describe_features).
    pub fn features_key(&self, spec: &FeatureSpec, sources: &Sources<'_>) -> Result<String> {
        Ok(key_of(&json!({
            "data": self.dataset.sha256,
            "smiles": self.manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
            "features": self.describe_features(spec, sources)?,
        })))
    }

    /// The features of all molecules, computed unless the store's cache has them.
    ///
    /// # Errors
    /// [`Error::Features`] if they cannot be computed, and errors of the store.
    pub fn features(&self, spec: &FeatureSpec, sources: &Sources<'_>, store: &Store) -> Result<Features> {
        let read = |path: &Path| {
            let features = Features::read(path, spec.input()).ok()?;
            (features.rows() == self.dataset.len()).then_some(features)
        };
        let make = || {
            let read_measured = |part: &FeatureSpec| match part {
                FeatureSpec::Companion { file } => self.read_companion(file),
                part => profiles::read(sources, part, &self.identities(store)?),
            };
            spec.compute(&self.dataset.smiles, &self.molecules()?, &read_measured)
        };
        let write = |features: &Features, path: &Path| Ok(features.write(path)?);
        store.cached(&format!("features-{}.npz", self.features_key(spec, sources)?), read, make, write)
    }

    /// The [identity key](Molecule::identity) of each readable molecule, computed unless the store's cache has them.
    ///
    /// # Errors
    /// Errors of the store.
    pub fn identities(&self, store: &Store) -> Result<Vec<String>> {
        let key = key_of(&json!({
            "data": self.dataset.sha256,
            "smiles": self.manifest.table.smiles,
            "chemistry": CHEMISTRY_VERSION,
        }));
        let read = |path: &Path| {
            let keys: Vec<String> = serde_json::from_slice(&read_stored(path).ok()?).ok()?;
            (keys.len() == self.dataset.len()).then_some(keys)
        };
        let make = || Ok(self.molecules()?.iter().map(Molecule::identity).collect());
        store.cached(&format!("identity-keys-{key}.json"), read, make, write_json_to)
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

    /// The parsed molecules. The first call takes those that `prepare` parsed, if any; later calls parse
    /// again, because kept molecules take about 10 KiB each.
    fn molecules(&self) -> Result<Vec<Molecule>> {
        if let Some(molecules) = self.molecules.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(molecules);
        }
        let parsed =
            molarena_chem::parse_all(&self.dataset.smiles).into_iter().collect::<Result<Vec<_>, _>>();
        parsed.map_err(|error| Error::Features {
            dataset: self.dataset.id.clone(),
            message: format!(
                "{error}; the store's cache is from another chemistry: remove its folder `cache`"
            ),
        })
    }
}

fn write_json_to(value: &impl Serialize, path: &Path) -> Result<()> {
    Ok(fs_err::write(path, serde_json::to_vec(value).expect("plain data"))?)
}
