//! From a selection to fits and cells, all checked before anything runs.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::{Catalog, Protocol, Split};
use molarena_metrics::{METRICS_VERSION, Metric};
use molarena_sdk::{ComponentKind, InputKind};
use serde_json::json;

use crate::{
    ArenaDataset, ComponentSpec, Error, FeatureSpec, Method, Methods, Model, Recipe, Result, Store,
    canonical::{canonical_json, key_of},
    confine,
    discovery::{self, Plugin, SearchPath},
    record::{ComponentUse, Composition, MemberUse, SplitInfo},
    schema::check_config,
    suite::CellGroup,
    supervise::Launcher,
};

/// Which cells to run.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Groups of cells.
    pub groups: Vec<CellGroup>,
    /// Folder that relative paths of method files start from.
    pub base: PathBuf,
    /// Shuffles the training labels of every method.
    pub shuffle_labels: bool,
}

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct Arena {
    /// The datasets.
    pub catalog: Catalog,
    /// The methods.
    pub methods: Methods,
    /// Where plugins are.
    pub plugins: SearchPath,
    /// How workers are started.
    pub launcher: Launcher,
    /// Where the data are.
    pub data_dir: PathBuf,
    /// Where results go.
    pub store: Store,
}

/// One run of a worker and the cells that are scored from it.
#[derive(Clone, Debug)]
pub struct PlannedFit {
    /// Hash of everything that decides the predictions.
    pub key: String,
    /// The dataset.
    pub dataset: Arc<ArenaDataset>,
    /// The split.
    pub split: Arc<Split>,
    /// The method; cells of other names may share its fit.
    pub method: Method,
    /// Seed of the fit: that of its cells, or 0 where the seed changes nothing.
    pub seed: u64,
    /// What makes the predictions.
    pub work: Work,
    /// What goes into the records.
    pub composition: Composition,
    /// The cells; none where only an ensemble needs the predictions.
    pub cells: Vec<PlannedCell>,
}

/// What makes predictions.
#[derive(Clone, Debug)]
pub enum Work {
    /// A worker.
    Model(Box<PlannedModel>),
    /// The host, from the predictions of other fits of the plan.
    Ensemble(Vec<PlannedMember>),
}

/// What a worker fits.
#[derive(Clone, Debug)]
pub struct PlannedModel {
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// The encoder and its library, where there is one.
    pub encoder: Option<PlannedComponent>,
    /// The baseline under each configuration to choose from.
    pub candidates: Vec<PlannedComponent>,
}

/// A member of an ensemble.
#[derive(Clone, Debug)]
pub struct PlannedMember {
    /// Name of the method.
    pub method: String,
    /// Key of its fit.
    pub key: String,
}

/// A component and the library that it is in.
#[derive(Clone, Debug)]
pub struct PlannedComponent {
    /// The library.
    pub library: PathBuf,
    /// Component id inside the plugin.
    pub id: String,
    /// Canonical JSON.
    pub config: String,
}

/// One cell: a fit scored under a protocol, for one row of a board.
#[derive(Clone, Debug)]
pub struct PlannedCell {
    /// Hash of everything that decides the record.
    pub key: String,
    /// Seed of the row's run.
    pub seed: u64,
    /// The method.
    pub method: Method,
    /// The metric.
    pub metric: Metric,
}

/// Everything that is to run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The fits, in the order of the selection.
    pub fits: Vec<PlannedFit>,
}

impl Plan {
    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.fits.iter().map(|fit| fit.cells.len()).sum()
    }

    /// The datasets of the plan, each once.
    pub fn datasets(&self) -> Vec<Arc<ArenaDataset>> {
        let mut seen = BTreeSet::new();
        let datasets = self.fits.iter().map(|fit| &fit.dataset);
        datasets.filter(|dataset| seen.insert(dataset.dataset.id.clone())).cloned().collect()
    }
}

impl PlannedFit {
    /// The members, if this is an ensemble.
    pub fn members(&self) -> &[PlannedMember] {
        match &self.work {
            Work::Model(_) => &[],
            Work::Ensemble(members) => members,
        }
    }

    /// The split as records describe it.
    pub fn split_info(&self) -> SplitInfo {
        let split = &self.split;
        SplitInfo {
            protocol: split.protocol.clone(),
            seed: split.seed,
            sha256: split.sha256(),
            train: split.train.len(),
            valid: split.valid.len(),
            test: split.test.len(),
        }
    }
}

/// Checks the whole selection and makes the plan. Nothing runs before this is valid.
pub fn plan(selection: &Selection, arena: &Arena) -> Result<Plan> {
    check_hidden(arena)?;
    let mut planner =
        Planner { arena, plugins: BTreeMap::new(), datasets: BTreeMap::new(), splits: BTreeMap::new() };
    let groups = planner.resolve(selection)?;
    let mut all = PlannedFits::default();
    for (group, methods) in &groups {
        for id in &group.datasets {
            let dataset = planner.dataset(id)?;
            let split = planner.split(&dataset, group)?;
            for method in methods {
                for seed in group.seeds.to_vec() {
                    let place = Place { dataset: &dataset, split: &split, seed };
                    let (fits, cell) = planner.cell(method, &place)?;
                    all.add(fits, cell);
                }
            }
        }
    }
    let fits = all.fits;
    if fits.is_empty() {
        return Err(Error::NothingSelected("the selection has no dataset, no method or no seed".into()));
    }
    Ok(Plan { fits })
}

/// Fits, each once, in the order in which they were asked for.
#[derive(Default)]
struct PlannedFits {
    fits: Vec<PlannedFit>,
    index: BTreeMap<String, usize>,
    cells: BTreeSet<String>,
}

impl PlannedFits {
    /// Adds fits and the cell that is scored from the last of them.
    fn add(&mut self, fits: Vec<PlannedFit>, cell: PlannedCell) {
        if !self.cells.insert(cell.key.clone()) {
            return;
        }
        let mut last = 0;
        for fit in fits {
            last = *self.index.entry(fit.key.clone()).or_insert_with(|| {
                self.fits.push(fit);
                self.fits.len() - 1
            });
        }
        self.fits[last].cells.push(cell);
    }
}

/// A method and the members that it names.
struct Resolved {
    method: Method,
    members: Vec<Method>,
}

/// A component, the library that it is in, and how records name it.
struct Found {
    library: PathBuf,
    id: String,
    used: ComponentUse,
    uses_seed: bool,
}

impl Found {
    fn planned(&self, config: &serde_json::Value) -> PlannedComponent {
        let config = canonical_json(config);
        PlannedComponent { library: self.library.clone(), id: self.id.clone(), config }
    }
}

/// Where a method is run.
struct Place<'a> {
    dataset: &'a Arc<ArenaDataset>,
    split: &'a Arc<Split>,
    seed: u64,
}

/// Refuses a data folder, an own table or a store where every worker may read.
fn check_hidden(arena: &Arena) -> Result<()> {
    // A missing data folder is reported with the dataset that needs it.
    let data_dir = fs_err::canonicalize(&arena.data_dir).unwrap_or_else(|_| arena.data_dir.clone());
    for (what, path) in [("data folder", data_dir.as_path()), ("store", arena.store.root())] {
        if let Some(root) = confine::exposed_under(path) {
            return Err(Error::Exposed { what, path: path.to_owned(), root });
        }
    }
    for path in arena.catalog.own_files() {
        if let Some(root) = confine::exposed_under(path) {
            return Err(Error::Exposed { what: "table", path: path.to_owned(), root });
        }
    }
    Ok(())
}

struct Planner<'a> {
    arena: &'a Arena,
    plugins: BTreeMap<String, Arc<Plugin>>,
    datasets: BTreeMap<String, Arc<ArenaDataset>>,
    splits: BTreeMap<(String, Protocol, u64), Arc<Split>>,
}

impl Planner<'_> {
    /// Finds all methods and datasets by name and checks methods against their plugins, before any data are read.
    fn resolve(&mut self, selection: &Selection) -> Result<Vec<(CellGroup, Vec<Resolved>)>> {
        let mut groups = Vec::new();
        let mut by_name: BTreeMap<String, Method> = BTreeMap::new();
        for group in &selection.groups {
            let mut methods = Vec::new();
            for name in &group.methods {
                let mut method = self.arena.methods.get(name, &selection.base)?;
                if selection.shuffle_labels {
                    method = method.with_shuffled_labels();
                }
                let members = self.members(&method)?;
                for method in members.iter().chain([&method]) {
                    let same = by_name.entry(method.name.clone()).or_insert_with(|| method.clone());
                    if same != method {
                        let message =
                            format!("two different methods are called `{}`; rename one", method.name);
                        return Err(Error::Request(message));
                    }
                }
                methods.push(Resolved { method, members });
            }
            for id in &group.datasets {
                self.arena.catalog.get(id)?;
            }
            groups.push((group.clone(), methods));
        }
        Ok(groups)
    }

    /// Checks a method; the members of an ensemble, checked, trained on the same labels.
    fn members(&mut self, method: &Method) -> Result<Vec<Method>> {
        let ensemble = match &method.recipe {
            Recipe::Model(model) => {
                self.check_model(method, model)?;
                return Ok(Vec::new());
            }
            Recipe::Ensemble(ensemble) => ensemble,
        };
        let mut members = Vec::new();
        for name in &ensemble.members {
            let mut member = self.arena.methods.get(name, Path::new(""))?;
            let Recipe::Model(model) = &member.recipe else {
                let message = format!("method `{}`: member `{name}` is an ensemble itself", method.name);
                return Err(Error::Request(message));
            };
            self.check_model(&member, model)?;
            if method.protocol.shuffle_labels {
                member = member.with_shuffled_labels();
            }
            members.push(member);
        }
        Ok(members)
    }

    fn check_model(&mut self, method: &Method, model: &Model) -> Result<()> {
        let mut given = model.features.input();
        if let Some(encoder) = &model.encoder {
            self.check_component(method, ComponentKind::Encoder, encoder, given)?;
            given = InputKind::Dense;
        }
        for config in configurations(model) {
            let candidate = ComponentSpec { config, ..model.baseline.clone() };
            self.check_component(method, ComponentKind::Baseline, &candidate, given)?;
        }
        Ok(())
    }

    fn check_component(
        &mut self,
        method: &Method,
        kind: ComponentKind,
        spec: &ComponentSpec,
        given: InputKind,
    ) -> Result<()> {
        let (plugin, id) = self.plugin(method, spec)?;
        let components = &plugin.description.components;
        let Some(component) =
            components.iter().find(|component| component.kind == kind && component.id == id)
        else {
            let known = components.iter().filter(|component| component.kind == kind);
            return Err(Error::UnknownComponent {
                method: method.name.clone(),
                path: plugin.path.clone(),
                kind: kind.to_string(),
                component: id,
                known: known.map(|component| component.id.as_str()).collect::<Vec<_>>().join(", "),
            });
        };
        if !component.inputs.contains(&given) {
            let wanted: Vec<String> = component.inputs.iter().map(|input| format!("`{input}`")).collect();
            return Err(Error::Inputs {
                method: method.name.clone(),
                component: spec.component.clone(),
                wanted: wanted.join(" or "),
                given: format!("`{given}`"),
            });
        }
        check_config(method, spec, &component.config_schema)
    }

    fn plugin(&mut self, method: &Method, spec: &ComponentSpec) -> Result<(Arc<Plugin>, String)> {
        let (plugin, id) = spec.split().expect("method files are checked when they are read");
        if let Some(known) = self.plugins.get(plugin) {
            return Ok((Arc::clone(known), id.to_owned()));
        }
        let path = self.arena.plugins.find(plugin).ok_or_else(|| Error::UnknownPlugin {
            method: method.name.clone(),
            plugin: plugin.to_owned(),
            file: discovery::file_name(plugin),
            searched: self.arena.plugins.describe(),
        })?;
        let found = Arc::new(discovery::describe(&self.arena.launcher, &path, &self.arena.store.work_dir())?);
        self.plugins.insert(plugin.to_owned(), Arc::clone(&found));
        Ok((found, id.to_owned()))
    }

    fn dataset(&mut self, id: &str) -> Result<Arc<ArenaDataset>> {
        if let Some(known) = self.datasets.get(id) {
            return Ok(Arc::clone(known));
        }
        let manifest = self.arena.catalog.get(id)?;
        let dataset = self.arena.catalog.dataset(id, &self.arena.data_dir)?;
        let dataset =
            Arc::new(ArenaDataset::prepare(manifest, dataset, &self.arena.data_dir, &self.arena.store)?);
        self.datasets.insert(id.to_owned(), Arc::clone(&dataset));
        Ok(dataset)
    }

    fn split(&mut self, dataset: &ArenaDataset, group: &CellGroup) -> Result<Arc<Split>> {
        let protocol = group.split.unwrap_or(dataset.manifest.protocol.split);
        let key = (dataset.dataset.id.clone(), protocol, group.split_seed);
        if let Some(known) = self.splits.get(&key) {
            return Ok(Arc::clone(known));
        }
        let split = match self.arena.catalog.parts(&dataset.dataset.id) {
            Some(parts) => parts
                .split(&dataset.dataset.rows, &dataset.scaffolds, group.split_seed)
                .without_empty_part(&dataset.dataset.id)?,
            None => dataset.split(protocol, group.split_seed)?,
        };
        let split = Arc::new(split);
        self.splits.insert(key, Arc::clone(&split));
        Ok(split)
    }

    fn component(&mut self, method: &Method, kind: ComponentKind, spec: &ComponentSpec) -> Result<Found> {
        let (plugin, id) = self.plugin(method, spec)?;
        let used = ComponentUse {
            component: spec.component.clone(),
            version: plugin.description.version.clone(),
            sha256: plugin.sha256.clone(),
            config: spec.config.clone(),
        };
        let mut components = plugin.description.components.iter();
        let uses_seed =
            components.any(|component| component.kind == kind && component.id == id && component.uses_seed);
        Ok(Found { library: plugin.path.clone(), id, used, uses_seed })
    }

    /// The fits that a cell needs, its own last and without cells, and the cell.
    fn cell(&mut self, resolved: &Resolved, place: &Place) -> Result<(Vec<PlannedFit>, PlannedCell)> {
        let method = &resolved.method;
        let mut fits = Vec::new();
        for member in &resolved.members {
            fits.push(self.fit(member, place)?);
        }
        let fit = if fits.is_empty() { self.fit(method, place)? } else { ensemble_fit(method, &fits, place) };
        let metric = place.dataset.manifest.protocol.metric;
        let cell = PlannedCell {
            key: key_of(&json!({
                "schema": crate::record::RECORD_SCHEMA,
                "fit": fit.key,
                "seed": place.seed,
                "method": method.name,
                "metric": metric,
                "metrics_version": METRICS_VERSION,
                "scoring": method.protocol.scoring,
            })),
            seed: place.seed,
            method: method.clone(),
            metric,
        };
        fits.push(fit);
        Ok((fits, cell))
    }

    /// The fit of a model.
    fn fit(&mut self, method: &Method, place: &Place) -> Result<PlannedFit> {
        let Recipe::Model(model) = &method.recipe else {
            unreachable!("ensembles are made of their members")
        };
        let baseline = self.component(method, ComponentKind::Baseline, &model.baseline)?;
        let candidates = configurations(model).iter().map(|config| baseline.planned(config)).collect();
        let encoder = match &model.encoder {
            Some(spec) => Some(self.component(method, ComponentKind::Encoder, spec)?),
            None => None,
        };
        // Shuffled labels are shuffled by the seed, too.
        let seeded = method.protocol.shuffle_labels
            || baseline.uses_seed
            || encoder.as_ref().is_some_and(|found| found.uses_seed);
        let work = PlannedModel {
            features: model.features.clone(),
            encoder: encoder.as_ref().map(|found| found.planned(&found.used.config)),
            candidates,
        };
        let composition = Composition {
            data_sha256: place.dataset.dataset.sha256.clone(),
            features: place.dataset.describe_features(&model.features)?,
            chemistry: CHEMISTRY_VERSION.into(),
            encoder: encoder.map(|found| found.used),
            baseline: Some(baseline.used),
            tune: model.tune.clone(),
            members: Vec::new(),
        };
        let seed = if seeded { place.seed } else { 0 };
        Ok(planned_fit(method, place, seed, Work::Model(Box::new(work)), composition))
    }
}

/// The configurations of the baseline that a model may choose from.
fn configurations(model: &Model) -> Vec<serde_json::Value> {
    let base = &model.baseline.config;
    model.tune.as_ref().map_or_else(|| vec![base.clone()], |tune| tune.configurations(base))
}

fn ensemble_fit(method: &Method, members: &[PlannedFit], place: &Place) -> PlannedFit {
    let member_use = |fit: &PlannedFit| MemberUse {
        method: fit.method.name.clone(),
        composition: fit.composition.clone(),
    };
    let composition = Composition {
        data_sha256: place.dataset.dataset.sha256.clone(),
        features: serde_json::Value::Null,
        chemistry: CHEMISTRY_VERSION.into(),
        encoder: None,
        baseline: None,
        tune: None,
        members: members.iter().map(member_use).collect(),
    };
    let planned = |fit: &PlannedFit| PlannedMember { method: fit.method.name.clone(), key: fit.key.clone() };
    let work = Work::Ensemble(members.iter().map(planned).collect());
    planned_fit(method, place, place.seed, work, composition)
}

fn planned_fit(
    method: &Method,
    place: &Place,
    seed: u64,
    work: Work,
    composition: Composition,
) -> PlannedFit {
    let dataset = &place.dataset.dataset;
    // A choice depends on what decides it.
    let decides =
        composition.tune.as_ref().map(|_| (place.dataset.manifest.protocol.metric, METRICS_VERSION));
    let key = key_of(&json!({
        "schema": crate::record::FIT_SCHEMA,
        "composition": composition,
        "split": place.split.sha256(),
        "tasks": dataset.tasks,
        "task_type": dataset.task_type,
        "seed": seed,
        "shuffle_labels": method.protocol.shuffle_labels,
        "decides": decides,
    }));
    PlannedFit {
        key,
        dataset: Arc::clone(place.dataset),
        split: Arc::clone(place.split),
        method: method.clone(),
        seed,
        work,
        composition,
        cells: Vec::new(),
    }
}

/// The folder that a suite's method paths start from.
pub fn base_of(suite: &Path) -> PathBuf {
    suite.parent().map(Path::to_owned).unwrap_or_default()
}
