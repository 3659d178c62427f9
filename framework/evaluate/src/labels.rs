//! Test labels for records, read from the data folder.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use molarena_data::{Catalog, Manifest, Protocol, TaskColumns};
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
        let (data, split) = (&record.composition.data_sha256, &record.split.sha256);
        let place = format!("{data} {split} {} {:?}", record.task_type, record.tasks);
        if let Some((known, labels)) = &self.last
            && *known == place
        {
            return Ok(Arc::clone(labels));
        }
        let id = self.name_of_data(record);
        let dataset = self.dataset(&id)?;
        if dataset.dataset.sha256 != record.composition.data_sha256 {
            return Err(format!("the data of {} are others than the record's", record.dataset));
        }
        if dataset.dataset.tasks != record.tasks {
            return Err(format!("the tasks of {} are others than the record's", record.dataset));
        }
        let split = if let Some(parts) = self.catalog.parts(&id) {
            parts.split(&dataset.dataset.rows, &dataset.scaffolds, record.split.seed)
        } else {
            let protocol: Protocol =
                record.split.protocol.parse().map_err(|error: molarena_data::Error| error.to_string())?;
            dataset.split(protocol, record.split.seed).map_err(|error| error.to_string())?
        };
        if SplitInfo::of(&split) != record.split {
            return Err(format!("the split {} of {} is another", record.split.protocol, record.dataset));
        }
        let labels = Arc::new(dataset.dataset.labels_to_score(&split));
        self.last = Some((place, Arc::clone(&labels)));
        Ok(labels)
    }

    /// The id in the catalog of the data of a record, which may have been made under another name of them.
    fn name_of_data(&self, record: &Record) -> String {
        let is_of = |manifest: &&Manifest| {
            manifest.assays().sha256 == record.composition.data_sha256
                && manifest.tasks.kind == record.task_type
                && match &manifest.tasks.columns {
                    TaskColumns::Named(names) => *names == record.tasks,
                    TaskColumns::Rest(_) => manifest.tasks.count == record.tasks.len(),
                }
        };
        let named = self.catalog.get(&record.dataset).ok().filter(is_of);
        let found = named.or_else(|| self.catalog.iter().find(is_of));
        found.map_or_else(|| record.dataset.clone(), |manifest| manifest.id.clone())
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
