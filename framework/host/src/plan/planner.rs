//! Finds and checks what a selection names, and makes the fits of each cell.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::{Protocol, Split};
use molarena_metrics::METRICS_VERSION;
use molarena_sdk::{ComponentKind, InputKind};
use serde_json::json;

use crate::{
    arena::Arena,
    error::{Error, Result},
    inputs::dataset::ArenaDataset,
    plan::describe::describe,
    plan::select::Selection,
    plan::step::{
        PlannedCell, PlannedComponent, PlannedFit, PlannedMember, PlannedModel, PlannedPretrain, Work,
    },
    plugin::search,
    plugin::search::Plugin,
    request::component::ComponentSpec,
    request::config_schema::check_config,
    request::grid,
    request::method::{Method, Model, Pretraining, Recipe},
    request::suite::CellGroup,
    request::sweep,
    request::sweep::Vary,
};
use molarena_record::{
    key::{canonical_json, key_of},
    parts::{ComponentUse, Composition, MemberUse},
};

/// A method and the members that it names.
pub(crate) struct Resolved {
    method: Method,
    members: Vec<Method>,
}

/// A component, the library that it is in, and how records name it.
pub(crate) struct Found {
    library: PathBuf,
    id: String,
    pub(crate) used: ComponentUse,
    pub(crate) uses_seed: bool,
}

impl Found {
    pub(crate) fn planned(&self, config: &serde_json::Value) -> PlannedComponent {
        let config = canonical_json(config);
        PlannedComponent { library: self.library.clone(), id: self.id.clone(), config }
    }
}

/// Where a method is run.
pub(crate) struct Place<'a> {
    pub(crate) dataset: &'a Arc<ArenaDataset>,
    pub(crate) split: &'a Arc<Split>,
    pub(crate) seed: u64,
}

/// Plugins, datasets and splits, each found once.
pub(crate) struct Planner<'a> {
    pub(crate) arena: &'a Arena,
    plugins: BTreeMap<String, Arc<Plugin>>,
    datasets: BTreeMap<String, Arc<ArenaDataset>>,
    splits: BTreeMap<(String, Protocol, u64), Arc<Split>>,
    /// By method and dataset.
    pub(crate) pretrains: BTreeMap<(String, String), Arc<PlannedPretrain>>,
    pub(crate) leave_out_of: Option<String>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(arena: &'a Arena, leave_out_of: Option<String>) -> Self {
        Self {
            arena,
            plugins: BTreeMap::new(),
            datasets: BTreeMap::new(),
            splits: BTreeMap::new(),
            pretrains: BTreeMap::new(),
            leave_out_of,
        }
    }

    /// Finds all methods and datasets by name and checks methods against their plugins, before any data are read.
    pub(crate) fn resolve(&mut self, selection: &Selection) -> Result<Vec<(CellGroup, Vec<Resolved>)>> {
        let mut groups = Vec::new();
        let mut by_name: BTreeMap<String, Method> = BTreeMap::new();
        for group in &selection.groups {
            let mut methods = Vec::new();
            for mut method in self.methods(&group.methods, &group.vary, &selection.base)? {
                if selection.shuffle_labels {
                    method = method.with_shuffled_labels();
                }
                let members = self.members(&method)?;
                for method in members.iter().chain([&method]) {
                    one_of_a_name(&mut by_name, method)?;
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

    /// The methods of these names, each in all variants.
    pub(crate) fn methods(&self, names: &[String], vary: &Vary, base: &Path) -> Result<Vec<Method>> {
        let mut methods = Vec::new();
        for name in names {
            methods.extend(sweep::variants(self.arena.methods.get(name, base)?, vary)?);
        }
        Ok(methods)
    }

    /// Checks a method; the members of an ensemble, checked, trained on the same labels.
    fn members(&mut self, method: &Method) -> Result<Vec<Method>> {
        let ensemble = match &method.recipe {
            Recipe::Model(model) => {
                self.check_predictor(method, model)?;
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
            self.check_predictor(&member, model)?;
            if method.protocol.shuffle_labels {
                member = member.with_shuffled_labels();
            }
            members.push(member);
        }
        Ok(members)
    }

    /// Checks all that a method needs to predict.
    fn check_predictor(&mut self, method: &Method, model: &Model) -> Result<()> {
        let Some(baseline) = &model.baseline else {
            let message = format!(
                "method `{}` has no `baseline`, so it cannot predict; it is for [[match]] only",
                method.name
            );
            return Err(Error::Request(message));
        };
        let given = self.check_encoder(method, model)?;
        for config in configurations(model) {
            let candidate = ComponentSpec { config, ..baseline.clone() };
            self.check_component(method, ComponentKind::Baseline, &candidate, given)?;
        }
        Ok(())
    }

    /// Checks the encoder and what it is trained on; says what the next component is given.
    pub(crate) fn check_encoder(&mut self, method: &Method, model: &Model) -> Result<InputKind> {
        if let Some(Pretraining { corpus, leave_out, .. }) = &model.pretraining {
            self.arena.catalog.context(corpus)?;
            for id in leave_out {
                self.arena.catalog.get(id)?;
            }
        }
        let given = model.features.input();
        let Some(encoder) = &model.encoder else { return Ok(given) };
        self.check_component(method, ComponentKind::Encoder, encoder, given)?;
        Ok(InputKind::Dense)
    }

    pub(crate) fn check_component(
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
            file: search::file_name(plugin),
            searched: self.arena.plugins.describe(),
        })?;
        let found = Arc::new(describe(&self.arena.launcher, &path, &self.arena.store.work_dir())?);
        self.plugins.insert(plugin.to_owned(), Arc::clone(&found));
        Ok((found, id.to_owned()))
    }

    pub(crate) fn dataset(&mut self, id: &str) -> Result<Arc<ArenaDataset>> {
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

    pub(crate) fn split(&mut self, dataset: &ArenaDataset, group: &CellGroup) -> Result<Arc<Split>> {
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

    pub(crate) fn component(
        &mut self,
        method: &Method,
        kind: ComponentKind,
        spec: &ComponentSpec,
    ) -> Result<Found> {
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
    pub(crate) fn cell(
        &mut self,
        resolved: &Resolved,
        place: &Place,
    ) -> Result<(Vec<PlannedFit>, PlannedCell)> {
        let method = &resolved.method;
        let mut fits = Vec::new();
        for member in &resolved.members {
            fits.push(self.fit(member, place)?);
        }
        let fit = if fits.is_empty() { self.fit(method, place)? } else { ensemble_fit(method, &fits, place) };
        let metric = place.dataset.manifest.protocol.metric;
        let cell = PlannedCell {
            key: key_of(&json!({
                "schema": molarena_record::cell::RECORD_SCHEMA,
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
        let spec = model.baseline.as_ref().expect("checked before");
        let baseline = self.component(method, ComponentKind::Baseline, spec)?;
        let candidates = configurations(model).iter().map(|config| baseline.planned(config)).collect();
        let encoder = match &model.encoder {
            Some(spec) => Some(self.component(method, ComponentKind::Encoder, spec)?),
            None => None,
        };
        let pretrain = self.pretrain_for(method, model, &place.dataset.dataset.id)?;
        // Shuffled labels are shuffled by the seed, too. A trained encoder is the same for all seeds.
        let seeded = method.protocol.shuffle_labels
            || baseline.uses_seed
            || (pretrain.is_none() && encoder.as_ref().is_some_and(|found| found.uses_seed));
        let composition = Composition {
            data_sha256: place.dataset.dataset.sha256.clone(),
            features: place.dataset.describe_features(&model.features)?,
            chemistry: CHEMISTRY_VERSION.into(),
            encoder: encoder.as_ref().map(|found| found.used.clone()),
            pretraining: pretrain.as_ref().map(|planned| planned.described()),
            baseline: Some(baseline.used),
            tune: model.tune.clone(),
            members: Vec::new(),
        };
        let work = PlannedModel {
            features: model.features.clone(),
            encoder: encoder.as_ref().map(|found| found.planned(&found.used.config)),
            pretrain,
            candidates,
        };
        let seed = if seeded { place.seed } else { 0 };
        Ok(planned_fit(method, place, seed, Work::Model(Box::new(work)), composition))
    }
}

/// Refuses two different methods of one name.
pub(crate) fn one_of_a_name(by_name: &mut BTreeMap<String, Method>, method: &Method) -> Result<()> {
    let same = by_name.entry(method.name.clone()).or_insert_with(|| method.clone());
    if same == method {
        return Ok(());
    }
    Err(Error::Request(format!("two different methods are called `{}`; rename one", method.name)))
}

/// The configurations of the baseline that a model may choose from.
fn configurations(model: &Model) -> Vec<serde_json::Value> {
    let Some(baseline) = &model.baseline else { return Vec::new() };
    let base = &baseline.config;
    model.tune.as_ref().map_or_else(|| vec![base.clone()], |tune| grid::configurations(tune, base))
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
        pretraining: None,
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
        "schema": molarena_record::fit::FIT_SCHEMA,
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
