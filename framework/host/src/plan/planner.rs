//! Finds and checks what a selection names, and makes the steps of each cell.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_data::{Protocol, Split, WeightsManifest};
use molarena_record::{
    key::{cell_material, key_of},
    keys::SeedKeys,
    parts::{ComponentUse, Composition, MemberUse, Rule, SplitInfo, WeightsUse},
};
use molarena_sdk::{ComponentKind, Determinism, InputKind};

use crate::{
    arena::Arena,
    error::{Error, Result},
    inputs::{dataset::ArenaDataset, profiles},
    plan::{
        cell::{Cell, Row, TaskRow},
        check_hidden_from,
        checks::{self, Check},
        component::Component,
        describe::describe,
        device,
        pretraining::{Encoding, Trained},
        select::{PlanLimits, Selection},
        step::{Label, Step},
        steps::{
            Predicts,
            combine::{CombineShared, CombineWork},
            encode::Molecules,
            fit::{FitShared, FitWork},
        },
    },
    plugin::search::Plugin,
    request::{
        component::ComponentSpec,
        grid,
        method::{Beside, Encoded, Method, Model, Pretraining, Recipe},
        suite::CellGroup,
        sweep::{self, Vary},
    },
};

/// A method and the members of its ensemble.
pub(crate) struct Resolved {
    method: Arc<Method>,
    members: Vec<Method>,
}

/// The dataset and split that a method runs on.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) dataset: &'a Arc<ArenaDataset>,
    pub(crate) split: &'a Arc<Split>,
}

/// What the fits of a method on one dataset and split share across seeds.
struct Fits {
    shared: Arc<FitShared>,
    trained: Option<Trained>,
    /// Keys of the fits by seed.
    keys: SeedKeys,
    /// Whether the seed changes the outcome.
    seeded: bool,
    /// Whether all components declare that equal runs give equal bits.
    bitwise: bool,
    /// Corpora that its components declare.
    corpora: BTreeSet<String>,
}

/// Makes a plan; loads each plugin, dataset and split once.
pub(crate) struct Planner<'a> {
    pub(crate) arena: &'a Arena,
    pub(crate) limits: PlanLimits,
    plugins: BTreeMap<String, Arc<Plugin>>,
    datasets: BTreeMap<String, Arc<ArenaDataset>>,
    splits: BTreeMap<(String, Protocol, u64), Arc<Split>>,
    /// By method and dataset.
    pub(crate) pretrains: BTreeMap<(String, String), Trained>,
    /// Files of weights that were checked, by method and name.
    weights: BTreeMap<(String, String), PathBuf>,
    /// By method, molecules and seed.
    pub(crate) encodings: BTreeMap<(String, usize, String, u64), Arc<Step>>,
    pub(crate) leave_out_of: Option<String>,
    devices: (Option<String>, Option<String>),
    /// Configurations of found components, to be checked together.
    unchecked: Vec<Check>,
    interrupted: &'a AtomicBool,
    /// Whether fits keep the state of their baseline.
    pub(crate) keep: bool,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(arena: &'a Arena, selection: &Selection, interrupted: &'a AtomicBool) -> Result<Self> {
        for name in selection.device.iter().chain(&selection.suite_device) {
            device::check_name(name)?;
        }
        Ok(Self {
            arena,
            limits: selection.limits,
            plugins: BTreeMap::new(),
            datasets: BTreeMap::new(),
            splits: BTreeMap::new(),
            pretrains: BTreeMap::new(),
            weights: BTreeMap::new(),
            encodings: BTreeMap::new(),
            leave_out_of: selection.leave_out_of.clone(),
            devices: (selection.device.clone(), selection.suite_device.clone()),
            unchecked: Vec::new(),
            interrupted,
            keep: selection.keep,
        })
    }

    /// The device that a method runs on: the requested one, else its own, else the suite's, else `cpu`.
    pub(crate) fn device_of(&self, method: &Method) -> String {
        let (asked, suite) = &self.devices;
        let named = asked.as_ref().or(method.device.as_ref()).or(suite.as_ref());
        named.cloned().unwrap_or_else(|| device::CPU.to_owned())
    }

    /// Returns [`Error::Interrupted`] once the user has interrupted the run.
    pub(crate) fn check_interrupted(&self) -> Result<()> {
        if self.interrupted.load(Ordering::Relaxed) { Err(Error::Interrupted) } else { Ok(()) }
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
                methods.push(Resolved { method: Arc::new(method), members });
            }
            for id in &group.datasets {
                self.arena.catalog.get(id)?;
            }
            groups.push((group.clone(), methods));
        }
        Ok(groups)
    }

    /// The named methods, each in all variants.
    pub(crate) fn methods(&mut self, names: &[String], vary: &Vary, base: &Path) -> Result<Vec<Method>> {
        let mut methods = Vec::new();
        for name in names {
            for method in sweep::variants(self.arena.methods.get(name, base)?, vary)? {
                methods.push(self.settled(method)?);
            }
        }
        Ok(methods)
    }

    /// Checks a method. Returns the checked members of an ensemble, which train on the same labels.
    fn members(&mut self, method: &Method) -> Result<Vec<Method>> {
        let ensemble = match &method.recipe {
            Recipe::Model(model) => {
                self.check_predictor(method, model)?;
                if model.features.may_be_absent() {
                    let message = format!(
                        "method `{}` predicts only molecules with a measured profile, so it is no row of a board; make it the first \
                         member of an ensemble with rule = \"first\", before a method that predicts all molecules",
                        method.name
                    );
                    return Err(Error::Request(message));
                }
                return Ok(Vec::new());
            }
            Recipe::Ensemble(ensemble) => ensemble,
        };
        let mut members = Vec::new();
        let mut all_predicted = false;
        for name in &ensemble.members {
            if all_predicted && ensemble.rule == Rule::First {
                let message = format!(
                    "method `{}`: member `{name}` comes after one that predicts all molecules, so rule = \"first\" never asks it",
                    method.name
                );
                return Err(Error::Request(message));
            }
            let mut member = self.settled(self.arena.methods.get(name, Path::new(""))?)?;
            let Recipe::Model(model) = &member.recipe else {
                let message = format!("method `{}`: member `{name}` is an ensemble itself", method.name);
                return Err(Error::Request(message));
            };
            self.check_predictor(&member, model)?;
            all_predicted |= !model.features.may_be_absent();
            if method.protocol.shuffle_labels {
                member = member.with_shuffled_labels();
            }
            members.push(member);
        }
        if !all_predicted {
            let message = format!(
                "method `{}`: each member predicts only molecules with a measured profile; add a member that predicts all molecules",
                method.name
            );
            return Err(Error::Request(message));
        }
        Ok(members)
    }

    /// Checks everything that a method needs to predict.
    fn check_predictor(&mut self, method: &Method, model: &Model) -> Result<()> {
        if model.baseline.is_none() && model.finetune.is_none() {
            let message = format!(
                "method `{}` has no `baseline`, so it cannot predict; it is for [[match]] only",
                method.name
            );
            return Err(Error::Request(message));
        }
        for part in model.features.measured() {
            profiles::check(&self.arena.sources(), part)
                .map_err(|error| Error::Request(format!("method `{}`: {error}", method.name)))?;
        }
        let given = self.check_encoder(method, model)?;
        match (&model.baseline, &model.encoder) {
            (Some(baseline), _) => {
                self.check_component(method, ComponentKind::Baseline, baseline, &configurations(model), given)
            }
            (None, Some(encoder)) => self.check_finetune(method, encoder, &configurations(model)),
            (None, None) => unreachable!("only an encoder is fine-tuned"),
        }
    }

    /// Checks that an encoder, itself checked before, can be fine-tuned under these configurations.
    fn check_finetune(
        &mut self,
        method: &Method,
        spec: &ComponentSpec,
        configs: &[serde_json::Value],
    ) -> Result<()> {
        let (plugin, id) = self.plugin(&method.name, spec)?;
        let encoders = || {
            let components = plugin.description.components.iter();
            components.filter(|component| component.kind == ComponentKind::Encoder)
        };
        let offered =
            encoders().find(|component| component.id == id).and_then(|found| found.finetune.as_ref());
        let Some(offered) = offered else {
            let others: Vec<&str> = encoders()
                .filter(|component| component.finetune.is_some())
                .map(|component| component.id.as_str())
                .collect();
            return Err(Error::FineTune {
                method: method.name.clone(),
                component: spec.component.clone(),
                path: plugin.path.clone(),
                known: if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) },
            });
        };
        let schema = offered.config_schema.to_string();
        let device = self.device_of(method);
        self.unchecked.extend(configs.iter().map(|config| Check {
            method: method.name.clone(),
            component: spec.component.clone(),
            id: id.clone(),
            kind: ComponentKind::Encoder,
            config: spec.config.clone(),
            finetune: Some(config.clone()),
            schema: schema.clone(),
            library: plugin.path.clone(),
            library_sha256: plugin.sha256.clone(),
            device: device.clone(),
        }));
        Ok(())
    }

    /// Checks the encoder and its corpus; returns the input kind of the next component.
    pub(crate) fn check_encoder(&mut self, method: &Method, model: &Model) -> Result<InputKind> {
        if let Some(Pretraining { corpus, leave_out, .. }) = &model.pretraining {
            self.arena.catalog.context(corpus)?;
            for id in leave_out {
                self.arena.catalog.get(id)?;
            }
        }
        let given = model.features.input();
        let Some(encoder) = &model.encoder else { return Ok(given) };
        let mut check = |encoder: &ComponentSpec, given| {
            let configs = std::slice::from_ref(&encoder.config);
            self.check_component(method, ComponentKind::Encoder, encoder, configs, given)
        };
        check(encoder, given)?;
        for part in &model.join {
            if let Beside::Encoded(Encoded { features, encoder }) = part {
                check(encoder, features.input())?;
            }
        }
        Ok(InputKind::Dense)
    }

    pub(crate) fn check_component(
        &mut self,
        method: &Method,
        kind: ComponentKind,
        spec: &ComponentSpec,
        configs: &[serde_json::Value],
        given: InputKind,
    ) -> Result<()> {
        let (plugin, id) = self.plugin(&method.name, spec)?;
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
        let device = self.device_of(method);
        if !device::runs_on(&component.devices, &device) {
            return Err(Error::Device {
                method: method.name.clone(),
                component: spec.component.clone(),
                device,
                known: component.devices.join(", "),
            });
        }
        if !component.inputs.contains(&given) {
            let wanted: Vec<String> = component.inputs.iter().map(|input| format!("`{input}`")).collect();
            return Err(Error::Inputs {
                method: method.name.clone(),
                component: spec.component.clone(),
                wanted: wanted.join(" or "),
                given: format!("`{given}`"),
            });
        }
        let schema = component.config_schema.to_string();
        self.unchecked.extend(configs.iter().map(|config| Check {
            method: method.name.clone(),
            component: spec.component.clone(),
            id: id.clone(),
            kind,
            config: config.clone(),
            finetune: None,
            schema: schema.clone(),
            library: plugin.path.clone(),
            library_sha256: plugin.sha256.clone(),
            device: device.clone(),
        }));
        Ok(())
    }

    /// Checks the configurations of all components that were found so far, in workers.
    pub(crate) fn check_configurations(&mut self) -> Result<()> {
        let unchecked = std::mem::take(&mut self.unchecked);
        checks::check(&unchecked, self.arena, &self.limits.cells, self.interrupted)
    }

    pub(crate) fn plugin(&mut self, method: &str, spec: &ComponentSpec) -> Result<(Arc<Plugin>, String)> {
        let (plugin, id) = spec.split().expect("method files are checked when they are read");
        if let Some(known) = self.plugins.get(plugin) {
            return Ok((Arc::clone(known), id.to_owned()));
        }
        let path = self.arena.plugins.find(plugin).ok_or_else(|| Error::UnknownPlugin {
            method: method.to_owned(),
            plugin: plugin.to_owned(),
            searched: self.arena.plugins.trace(plugin),
        })?;
        check_hidden_from(&path, self.arena)?;
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
            Arc::new(ArenaDataset::prepare(manifest, &dataset, &self.arena.data_dir, &self.arena.store)?);
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
            Some(parts) => {
                let split = parts.split(&dataset.dataset.rows, &dataset.scaffolds, group.split_seed);
                // A kept fit is not evaluated, so its test part may be empty.
                if self.keep { split } else { split.without_empty_part(&dataset.dataset.id)? }
            }
            None => dataset.split(protocol, group.split_seed)?,
        };
        let split = Arc::new(split);
        self.splits.insert(key, Arc::clone(&split));
        Ok(split)
    }

    /// An error of weights that a manifest names says how to get them.
    fn with_source(&self, error: Error, named: &WeightsUse) -> Error {
        let mut known = self.arena.catalog.all_weights();
        let has = |manifest: &&WeightsManifest| manifest.files.iter().any(|file| file.path == named.file);
        match (error, known.find(has)) {
            (Error::Weights { path, message }, Some(manifest)) => {
                let data_dir = self.arena.data_dir.display();
                let message = format!(
                    "{message}; get it with: molarena data fetch {} --data-dir {data_dir}",
                    manifest.id
                );
                Error::Weights { path, message }
            }
            (error, _) => error,
        }
    }

    /// The checked file of the weights that a component names.
    fn weights_of(&mut self, method: &Method, spec: &ComponentSpec) -> Result<Option<PathBuf>> {
        let Some(named) = &spec.weights else { return Ok(None) };
        let place = (method.name.clone(), named.file.clone());
        if let Some(known) = self.weights.get(&place) {
            return Ok(Some(known.clone()));
        }
        let found =
            method.weights(named, &self.arena.data_dir).map_err(|error| self.with_source(error, named))?;
        self.weights.insert(place, found.clone());
        Ok(Some(found))
    }

    /// A component of a method that was already checked.
    pub(crate) fn component(
        &mut self,
        method: &Method,
        kind: ComponentKind,
        spec: &ComponentSpec,
    ) -> Result<Component> {
        let weights = self.weights_of(method, spec)?;
        let (plugin, id) = self.plugin(&method.name, spec)?;
        let used = ComponentUse {
            component: spec.component.clone(),
            version: plugin.description.version.clone(),
            sha256: plugin.identity.clone(),
            config: spec.config.clone(),
            weights: spec.weights.clone(),
        };
        let mut components = plugin.description.components.iter();
        let described = components.find(|component| component.kind == kind && component.id == id);
        let uses_seed = described.is_some_and(|component| component.uses_seed);
        let bitwise = described.is_some_and(|component| component.determinism == Determinism::Bitwise);
        let (library, library_sha256) = (plugin.path.clone(), plugin.sha256.clone());
        let mut corpora = described.map(|component| component.corpora.clone()).unwrap_or_default();
        corpora.extend(spec.weights.iter().flat_map(|weights| weights.corpora.iter().cloned()));
        Ok(Component { library, library_sha256, id, used, uses_seed, bitwise, corpora, weights })
    }

    /// Plans the cells of a method on one dataset and split, and passes each to `add`.
    pub(crate) fn task_cells(
        &mut self,
        resolved: &Resolved,
        place: Place<'_>,
        seeds: impl Iterator<Item = u64>,
        add: &mut dyn FnMut(Cell),
    ) -> Result<()> {
        let method = &resolved.method;
        let (own, members) = if resolved.members.is_empty() {
            (Some(self.fits(method, place)?), Vec::new())
        } else {
            let members = resolved.members.iter().map(|member| Ok((member, self.fits(member, place)?)));
            (None, members.collect::<Result<Vec<_>>>()?)
        };
        let combined = own.is_none().then(|| {
            let shared = Arc::new(combined(method, &members, place));
            (SeedKeys::of(|seed| shared.material(seed)), shared)
        });
        let composition = match (&own, &combined) {
            (Some(fits), _) => fits.shared.predicts.composition.clone(),
            (None, Some((_, shared))) => shared.predicts.composition.clone(),
            (None, None) => unreachable!("a method is a model or an ensemble"),
        };
        let (split_info, tasks) = (SplitInfo::of(place.split), place.dataset.dataset.tasks.clone());
        let metric = place.dataset.manifest.protocol.metric;
        let (dataset, split) = (Arc::clone(place.dataset), Arc::clone(place.split));
        let all = || own.iter().chain(members.iter().map(|(_, fits)| fits));
        let bitwise = all().all(|fits| fits.bitwise);
        let corpora = all().flat_map(|fits| fits.corpora.iter().cloned()).collect();
        let row = Arc::new(TaskRow {
            dataset,
            split,
            metric,
            composition,
            split_info: split_info.into(),
            tasks: tasks.into(),
            bitwise,
            corpora,
        });
        for seed in seeds {
            self.check_interrupted()?;
            let step = match (&own, &combined) {
                (Some(fits), _) => self.fit(method, fits, seed)?,
                (None, Some(combined)) => self.combine(method, combined, &members, seed)?,
                (None, None) => unreachable!("a method is a model or an ensemble"),
            };
            let key = key_of(&cell_material(&step.key, seed, &method.name, metric, method.protocol.scoring));
            let (method, row) = (Arc::clone(method), Row::Task(Arc::clone(&row)));
            add(Cell { key, step, method, seed, row });
        }
        Ok(())
    }

    fn combine(
        &mut self,
        method: &Method,
        (keys, shared): &(SeedKeys, Arc<CombineShared>),
        members: &[(&Method, Fits)],
        seed: u64,
    ) -> Result<Arc<Step>> {
        let needs =
            members.iter().map(|(member, fits)| self.fit(member, fits, seed)).collect::<Result<_>>()?;
        let subject = &shared.predicts.dataset.dataset.id;
        let label = Label { method: &method.name, subject, seed, device: device::CPU };
        let work = Arc::new(CombineWork { shared: Arc::clone(shared), seed });
        Ok(Arc::new(Step::with_key(keys.key(seed), label, needs, self.limits.cells, work)))
    }

    fn fit(&mut self, method: &Method, fits: &Fits, seed: u64) -> Result<Arc<Step>> {
        let Recipe::Model(model) = &method.recipe else {
            unreachable!("ensembles are made of their members")
        };
        let Fits { shared, trained, keys, seeded, .. } = fits;
        let dataset = &shared.predicts.dataset;
        let molecules = || Molecules::Dataset(Arc::clone(dataset));
        let described = shared.predicts.composition.features.clone();
        let pretrain = trained.as_ref().map(|(step, _)| step);
        // A fine-tuned encoder gets the molecules themselves, and the state that it starts from.
        let mut needs: Vec<_> = if model.finetune.is_some() {
            pretrain.cloned().into_iter().collect()
        } else {
            self.encode_first(method, model, pretrain, molecules(), described, seed)?.into_iter().collect()
        };
        for part in &model.join {
            if let Beside::Encoded(Encoded { features, encoder }) = part {
                let described = dataset.describe_features(features, &self.arena.sources())?;
                let number = needs.len();
                let encoding = Encoding { number, features, described, encoder, pretraining: None };
                needs.push(self.encode(method, encoding, molecules(), seed)?);
            }
        }
        let seed = if *seeded { seed } else { 0 };
        let subject = &shared.predicts.dataset.dataset.id;
        let label = Label { method: &method.name, subject, seed, device: &shared.device };
        let work = Arc::new(FitWork { shared: Arc::clone(shared), seed });
        Ok(Arc::new(Step::with_key(keys.key(seed), label, needs, self.limits.cells, work)))
    }

    /// What all fits of a model on one dataset and split share.
    fn fits(&mut self, method: &Method, place: Place<'_>) -> Result<Fits> {
        let Recipe::Model(model) = &method.recipe else {
            unreachable!("ensembles are made of their members")
        };
        let baseline = match &model.baseline {
            Some(spec) => Some(self.component(method, ComponentKind::Baseline, spec)?),
            None => None,
        };
        let encoder = match &model.encoder {
            Some(spec) => Some(self.component(method, ComponentKind::Encoder, spec)?),
            None => None,
        };
        let (joined, join) = self.joined(method, model, place.dataset)?;
        let trained = self.pretrain_for(method, model, &place.dataset.dataset.id)?;
        // The seed also shuffles labels, and draws the head of a fine-tuning. A trained encoder is the same for all seeds.
        let seeded = method.protocol.shuffle_labels
            || baseline.as_ref().is_none_or(|found| found.uses_seed)
            || joined.iter().any(|found| found.uses_seed)
            || (trained.is_none() && encoder.as_ref().is_some_and(|found| found.uses_seed));
        let all = || encoder.iter().chain(&joined).chain(&baseline);
        let bitwise = all().all(|found| found.bitwise);
        let corpora = all().flat_map(|found| found.corpora.iter().cloned()).collect();
        let composition = Composition {
            data_sha256: place.dataset.dataset.sha256.clone(),
            features: place.dataset.describe_features(&model.features, &self.arena.sources())?,
            chemistry: CHEMISTRY_VERSION.into(),
            encoder: encoder.as_ref().map(|found| found.used.clone()),
            join,
            pretraining: trained.as_ref().map(|(_, described)| described.clone()),
            finetune: model.finetune.clone(),
            baseline: baseline.as_ref().map(|found| found.used.clone()),
            tune: model.tune.clone(),
            members: Vec::new(),
            rule: Rule::Mean,
        };
        let shared = FitShared {
            predicts: predicts(method, place, composition),
            features: model.features.clone(),
            join: model.join.clone(),
            predictor: baseline.or(encoder).expect("checked before"),
            configurations: configurations(model),
            device: self.device_of(method),
            keep: self.keep,
        };
        let keys = SeedKeys::of(|seed| shared.material(seed));
        Ok(Fits { shared: Arc::new(shared), trained, keys, seeded, bitwise, corpora })
    }

    /// The encoders joined to that of a model, and all parts of its `join` as records keep them: one as it is, several as a
    /// list.
    fn joined(
        &mut self,
        method: &Method,
        model: &Model,
        dataset: &ArenaDataset,
    ) -> Result<(Vec<Component>, serde_json::Value)> {
        let (mut encoders, mut parts) = (Vec::new(), Vec::new());
        for part in &model.join {
            parts.push(match part {
                Beside::Features(features) => dataset.describe_features(features, &self.arena.sources())?,
                Beside::Encoded(Encoded { features, encoder }) => {
                    let found = self.component(method, ComponentKind::Encoder, encoder)?;
                    let features = dataset.describe_features(features, &self.arena.sources())?;
                    let part = serde_json::json!({ "features": features, "encoder": found.used });
                    encoders.push(found);
                    part
                }
            });
        }
        let join = match parts.len() {
            0 => serde_json::Value::Null,
            1 => parts.remove(0),
            _ => parts.into(),
        };
        Ok((encoders, join))
    }
}

/// Refuses two different methods with the same name.
pub(crate) fn one_of_a_name(by_name: &mut BTreeMap<String, Method>, method: &Method) -> Result<()> {
    let same = by_name.entry(method.name.clone()).or_insert_with(|| method.clone());
    if same == method {
        return Ok(());
    }
    Err(Error::Request(format!("two different methods are called `{}`; rename one", method.name)))
}

/// The configurations of the baseline or the fine-tuning that a model may choose from.
fn configurations(model: &Model) -> Vec<serde_json::Value> {
    let base = model.finetune.as_ref().or(model.baseline.as_ref().map(|baseline| &baseline.config));
    let Some(base) = base else { return Vec::new() };
    model.tune.as_ref().map_or_else(|| vec![base.clone()], |tune| grid::configurations(tune, base))
}

fn combined(method: &Method, members: &[(&Method, Fits)], place: Place<'_>) -> CombineShared {
    let rule = match &method.recipe {
        Recipe::Ensemble(ensemble) => ensemble.rule,
        Recipe::Model(_) => Rule::Mean,
    };
    let member_use = |(method, fits): &(&Method, Fits)| MemberUse {
        method: method.name.clone(),
        composition: Composition::clone(&fits.shared.predicts.composition),
    };
    let composition = Composition {
        data_sha256: place.dataset.dataset.sha256.clone(),
        features: serde_json::Value::Null,
        chemistry: CHEMISTRY_VERSION.into(),
        encoder: None,
        join: serde_json::Value::Null,
        pretraining: None,
        finetune: None,
        baseline: None,
        tune: None,
        members: members.iter().map(member_use).collect(),
        rule,
    };
    CombineShared {
        predicts: predicts(method, place, composition),
        devices: members.iter().map(|(_, fits)| device::class_of(&fits.shared.device).to_owned()).collect(),
    }
}

fn predicts(method: &Method, place: Place<'_>, composition: Composition) -> Predicts {
    Predicts {
        dataset: Arc::clone(place.dataset),
        split: Arc::clone(place.split),
        split_sha256: place.split.sha256(),
        composition: composition.into(),
        shuffle_labels: method.protocol.shuffle_labels,
    }
}
