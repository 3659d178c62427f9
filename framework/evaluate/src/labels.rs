//! Test labels for records, read from the data folder.

use std::{
    collections::{BTreeMap, HashSet},
    path::Path,
    sync::Arc,
};

use molarena_data::{Catalog, Manifest, Protocol, Split, TaskColumns};
use molarena_features::select_rows;
use molarena_host::{ArenaDataset, Result, Sources, Store, profiled};
use molarena_record::{cell::Record, parts::SplitInfo};

use crate::row::check_count;

/// The datasets that records were scored on, each read once.
#[derive(Debug)]
pub struct Labels<'a> {
    catalog: &'a Catalog,
    data_dir: &'a Path,
    store: &'a Store,
    datasets: BTreeMap<String, Result<Arc<ArenaDataset>, String>>,
    /// Identity keys of datasets and context graphs.
    identities: BTreeMap<String, Result<Arc<HashSet<String>>, String>>,
    /// The space of profiles that test molecules must have one in, if not all count.
    profiled: Option<Profiled>,
    /// The last test part, by data and split.
    last: Option<(String, Arc<TestPart>)>,
}

/// A space of profiles of molecules: a context graph and one of its spaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileSpace {
    /// Id of the context graph.
    pub context: String,
    /// Name of the space.
    pub space: String,
}

impl std::fmt::Display for ProfileSpace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.context, self.space)
    }
}

impl std::str::FromStr for ProfileSpace {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('/') {
            Some((context, space)) if !context.is_empty() && !space.is_empty() => {
                Ok(Self { context: context.to_owned(), space: space.to_owned() })
            }
            _ => Err("expected CONTEXT/SPACE, such as context-open/expression".to_owned()),
        }
    }
}

/// Which molecules count, and who is told of long work.
#[derive(Clone, Debug)]
struct Profiled {
    space: ProfileSpace,
    tell: fn(&str),
}

/// The test part of a dataset under a split, or those of its molecules that have a profile.
#[derive(Debug)]
pub struct TestPart {
    /// `f32[molecules, tasks]`, row-major, NaN where missing.
    pub labels: Vec<f32>,
    /// Row of each molecule in the dataset's table, from 1.
    pub rows: Vec<usize>,
    /// SMILES of each molecule, as in the dataset's table.
    pub smiles: Vec<String>,
    /// Murcko scaffold of each molecule, with stereochemistry; empty for molecules without rings.
    pub scaffolds: Vec<String>,
    /// Number of tasks of the dataset, and the places among them of the record's, if these are not all.
    tasks: usize,
    columns: Option<Vec<usize>>,
    dataset: Arc<ArenaDataset>,
    split: Split,
    /// Number of molecules of the whole test part, and the places in it of `rows`, if these are not all.
    molecules: usize,
    chosen: Option<Vec<usize>>,
}

impl TestPart {
    /// `chosen` are places in the test part of the split.
    fn new(
        dataset: Arc<ArenaDataset>,
        mut split: Split,
        columns: Option<Vec<usize>>,
        chosen: Option<Vec<usize>>,
    ) -> Self {
        let molecules = split.test.len();
        if let Some(chosen) = &chosen {
            split.test = chosen.iter().map(|&place| split.test[place]).collect();
        }
        let places = chosen;
        let chosen = |texts: &[String]| split.test.iter().map(|&row| texts[row].clone()).collect();
        Self {
            labels: select(
                dataset.dataset.labels_to_score(&split),
                dataset.dataset.tasks.len(),
                columns.as_deref(),
            ),
            rows: split.test.iter().map(|&row| dataset.dataset.rows[row]).collect(),
            smiles: chosen(&dataset.dataset.smiles),
            scaffolds: chosen(&dataset.scaffolds),
            tasks: dataset.dataset.tasks.len(),
            columns,
            dataset,
            split,
            molecules,
            chosen: places,
        }
    }

    /// Of predictions for all test molecules of the split and all tasks of the dataset, those for these molecules and the
    /// record's tasks.
    ///
    /// # Errors
    /// There is not one for each test molecule and task.
    pub(crate) fn predictions(&self, mut predictions: Vec<f32>) -> Result<Vec<f32>, String> {
        check_count(&predictions, self.molecules * self.tasks)?;
        if let Some(chosen) = &self.chosen {
            predictions = select_rows(&predictions, self.tasks, chosen);
        }
        Ok(select(predictions, self.tasks, self.columns.as_deref()))
    }

    /// The places in the test part of the split of these molecules; `None` if they are all.
    pub(crate) fn chosen(&self) -> Option<&[usize]> {
        self.chosen.as_deref()
    }

    /// The [identity key](molarena_chem::Molecule::identity) of each test molecule.
    ///
    /// # Errors
    /// They can be neither read from the store's cache nor computed.
    pub fn identities(&self, store: &Store) -> Result<Vec<String>> {
        let keys = self.dataset.identities(store)?;
        Ok(self.split.test.iter().map(|&row| keys[row].clone()).collect())
    }

    /// Whether each test molecule has a twin in training: a molecule with the same first block of the `InChIKey`.
    ///
    /// # Errors
    /// The identity keys can be neither read from the store's cache nor computed.
    pub fn twins(&self, store: &Store) -> Result<Vec<bool>> {
        let keys = self.dataset.identities(store)?;
        let training: HashSet<&str> = self.split.train.iter().map(|&row| keys[row].as_str()).collect();
        Ok(self.split.test.iter().map(|&row| training.contains(keys[row].as_str())).collect())
    }
}

/// The places of `some` names among `all`, if they are there in the same order.
fn places(some: &[String], all: &[String]) -> Option<Vec<usize>> {
    let mut rest = all.iter().enumerate();
    some.iter().map(|name| rest.find(|(_, other)| *other == name).map(|(place, _)| place)).collect()
}

/// The columns at these places, or all.
fn select(values: Vec<f32>, columns: usize, places: Option<&[usize]>) -> Vec<f32> {
    let Some(places) = places else { return values };
    values.chunks_exact(columns).flat_map(|row| places.iter().map(|&place| row[place])).collect()
}

impl<'a> Labels<'a> {
    /// Labels of the datasets of a catalog; the store's cache keeps which molecules are readable.
    pub fn new(catalog: &'a Catalog, data_dir: &'a Path, store: &'a Store) -> Self {
        let (datasets, identities) = (BTreeMap::new(), BTreeMap::new());
        Self { catalog, data_dir, store, datasets, identities, profiled: None, last: None }
    }

    /// From now on, test parts are of the molecules with a profile in `space` only. `tell` is told of long work.
    pub fn only_profiled(&mut self, space: ProfileSpace, tell: fn(&str)) {
        self.profiled = Some(Profiled { space, tell });
        self.last = None;
    }

    /// The places in the test part of a split of the molecules with a profile; `None` if all count.
    fn profiled(&self, dataset: &ArenaDataset, split: &Split) -> Result<Option<Vec<usize>>, String> {
        let Some(Profiled { space, tell }) = &self.profiled else { return Ok(None) };
        let ProfileSpace { context, space } = space;
        let sources =
            Sources { catalog: self.catalog, data_dir: self.data_dir, store: self.store, tell: *tell };
        let found = dataset
            .identities(self.store)
            .and_then(|identities| profiled(&sources, context, space, &identities))
            .map_err(|error| error.to_string())?;
        let places: Vec<usize> = (0..split.test.len()).filter(|&place| found[split.test[place]]).collect();
        if places.is_empty() {
            return Err(format!(
                "no test molecule of {} has a profile in {context}/{space}",
                dataset.dataset.id
            ));
        }
        Ok(Some(places))
    }

    /// The test part that a record was scored on.
    ///
    /// # Errors
    /// Says why there is none: the dataset is not in the catalog or cannot be read, or it or its split
    /// differs from the record's.
    pub fn test(&mut self, record: &Record) -> Result<Arc<TestPart>, String> {
        let (data, split) = (&record.composition.data_sha256, &record.split.sha256);
        let place = format!("{data} {split} {} {:?}", record.task_type, record.tasks);
        if let Some((known, test)) = &self.last
            && *known == place
        {
            return Ok(Arc::clone(test));
        }
        let id = self.name_of_data(record);
        let dataset = self.dataset(&id)?;
        if dataset.dataset.sha256 != record.composition.data_sha256 {
            return Err(format!("the data of {} are others than the record's", record.dataset));
        }
        let Some(places) = places(&record.tasks, &dataset.dataset.tasks) else {
            return Err(format!("the tasks of {} are others than the record's", record.dataset));
        };
        let columns = (places.len() < dataset.dataset.tasks.len()).then_some(places);
        let split = if let Some(parts) = self.catalog.parts(&id) {
            parts.split(&dataset.dataset.rows, &dataset.scaffolds, record.split.seed)
        } else {
            let protocol: Protocol =
                record.split.protocol.parse().map_err(|error: molarena_data::Error| error.to_string())?;
            dataset.split(protocol, record.split.seed).map_err(|error| error.to_string())?
        };
        if SplitInfo::of(&split) != *record.split {
            return Err(format!("the split {} of {} is another", record.split.protocol, record.dataset));
        }
        let chosen = self.profiled(&dataset, &split)?;
        let test = Arc::new(TestPart::new(dataset, split, columns, chosen));
        self.last = Some((place, Arc::clone(&test)));
        Ok(test)
    }

    /// The identity keys of the molecules of a dataset or a context graph.
    ///
    /// # Errors
    /// Says why there are none: nothing has this name, or its files cannot be read.
    pub(crate) fn identities(&mut self, id: &str) -> Result<Arc<HashSet<String>>, String> {
        if let Some(known) = self.identities.get(id) {
            return known.clone();
        }
        let keys = if self.catalog.get(id).is_ok() {
            let keys = self
                .dataset(id)
                .and_then(|dataset| dataset.identities(self.store).map_err(|error| error.to_string()));
            keys.map(|keys| keys.into_iter().collect())
        } else {
            let keys = molarena_host::corpus_identities(self.catalog, self.data_dir, self.store, id);
            keys.map(|keys| keys.into_iter().collect()).map_err(|error| error.to_string())
        };
        let keys: Result<Arc<HashSet<String>>, String> = keys.map(Arc::new);
        self.identities.insert(id.to_owned(), keys.clone());
        keys
    }

    /// The store whose cache the labels use.
    pub(crate) fn store(&self) -> &'a Store {
        self.store
    }

    /// The tasks of a group in the data of a record, in the order of the dataset; `None` if the dataset names no such group.
    pub(crate) fn group(&self, record: &Record, group: &str) -> Option<Vec<String>> {
        let manifest = self.catalog.get(&self.name_of_data(record)).ok()?;
        let members = manifest.tasks.groups.get(group)?;
        Some(record.tasks.iter().filter(|task| members.contains(task)).cloned().collect())
    }

    /// Whether a record's split is the one by which its dataset is evaluated.
    pub(crate) fn is_of_own_split(&self, record: &Record) -> bool {
        let manifest = self.catalog.get(&self.name_of_data(record));
        manifest.is_ok_and(|manifest| manifest.protocol.split.to_string() == record.split.protocol)
    }

    /// The id in the catalog of the data of a record, which may have been made under another name of them.
    fn name_of_data(&self, record: &Record) -> String {
        let is_of = |manifest: &&Manifest| {
            manifest.assays().sha256 == record.composition.data_sha256
                && manifest.tasks.kind == record.task_type
                && match &manifest.tasks.columns {
                    TaskColumns::Named(names) => places(&record.tasks, names).is_some(),
                    TaskColumns::Rest(_) => manifest.tasks.count >= record.tasks.len(),
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
