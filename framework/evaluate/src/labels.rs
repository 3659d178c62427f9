//! Test labels for records, read from the data folder.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use molarena_data::{Catalog, Protocol};
use molarena_features::select_rows;
use molarena_host::{ArenaDataset, Result, Store};
use molarena_record::{cell::Record, parts::SplitInfo};

/// The datasets that records were scored on, each read once.
#[derive(Debug)]
pub struct Labels<'a> {
    catalog: &'a Catalog,
    data_dir: &'a Path,
    store: &'a Store,
    datasets: BTreeMap<String, Result<Arc<ArenaDataset>, String>>,
    /// The labels of the last test part, by data and split.
    last: Option<(String, Arc<Vec<f32>>)>,
}

impl<'a> Labels<'a> {
    /// Labels of the datasets of a catalog; the store's cache keeps which molecules are readable.
    pub fn new(catalog: &'a Catalog, data_dir: &'a Path, store: &'a Store) -> Self {
        Self { catalog, data_dir, store, datasets: BTreeMap::new(), last: None }
    }

    /// Labels `f32[test molecules, tasks]` of a record's test part, row-major, NaN where missing.
    ///
    /// # Errors
    /// Says why there are none: the dataset is not in the catalog or cannot be read, or it or its split
    /// differs from the record's.
    pub fn of(&mut self, record: &Record) -> Result<Arc<Vec<f32>>, String> {
        let place = format!("{} {}", record.composition.data_sha256, record.split.sha256);
        if let Some((known, labels)) = &self.last
            && *known == place
        {
            return Ok(Arc::clone(labels));
        }
        let dataset = self.dataset(&record.dataset)?;
        if dataset.dataset.sha256 != record.composition.data_sha256 {
            return Err(format!("the data of {} are others than the record's", record.dataset));
        }
        if dataset.dataset.tasks != record.tasks {
            return Err(format!("the tasks of {} are others than the record's", record.dataset));
        }
        let split = if let Some(parts) = self.catalog.parts(&record.dataset) {
            parts.split(&dataset.dataset.rows, &dataset.scaffolds, record.split.seed)
        } else {
            let protocol: Protocol =
                record.split.protocol.parse().map_err(|error: molarena_data::Error| error.to_string())?;
            dataset.split(protocol, record.split.seed).map_err(|error| error.to_string())?
        };
        if SplitInfo::of(&split) != record.split {
            return Err(format!("the split {} of {} is another", record.split.protocol, record.dataset));
        }
        let labels = select_rows(&dataset.dataset.labels, record.tasks.len(), &split.test);
        let labels = Arc::new(labels);
        self.last = Some((place, Arc::clone(&labels)));
        Ok(labels)
    }

    fn dataset(&mut self, id: &str) -> Result<Arc<ArenaDataset>, String> {
        if let Some(known) = self.datasets.get(id) {
            return known.clone();
        }
        let read = || -> molarena_host::Result<ArenaDataset> {
            let manifest = self.catalog.get(id)?;
            let dataset = self.catalog.dataset(id, self.data_dir)?;
            ArenaDataset::prepare(manifest, &dataset, self.data_dir, self.store)
        };
        let dataset = read().map(Arc::new).map_err(|error| error.to_string());
        self.datasets.insert(id.to_owned(), dataset.clone());
        dataset
    }
}
