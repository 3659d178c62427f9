//! Matching cells of a plan: which molecules ask, which profiles answer, which are their own.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use molarena_chem::{CHEMISTRY_VERSION, Molecule};
use molarena_data::context::{ContextGraph, NodeKind};
use molarena_metrics::METRICS_VERSION;
use molarena_sdk::{ComponentKind, InputKind};
use serde_json::json;

use crate::{
    error::{Error, Result},
    inputs::corpus,
    inputs::corpus::LeaveOut,
    plan::planner::{Planner, one_of_a_name},
    plan::select::Selection,
    plan::step::{PlannedComponent, PlannedPretrain},
    request::method::{Method, Recipe},
    request::suite::MatchGroup,
};
use molarena_features::FeatureSpec;
use molarena_record::{
    key::key_of,
    matching::{Candidates, MATCH_SCHEMA, MatchComposition},
    parts::SplitInfo,
};

/// Molecules and profiles to match, the same for all methods of a group.
#[derive(Clone, Debug)]
pub struct MatchTask {
    /// Id of the context graph.
    pub context: String,
    /// Hash of its content.
    pub context_key: String,
    /// Whether its data are simulated.
    pub simulated: bool,
    /// The split of the molecules that have a profile in any of the spaces.
    pub split: SplitInfo,
    /// Which profiles are ranked.
    pub candidates: Candidates,
    /// SMILES of the query molecules: those of the test part.
    pub queries: Vec<String>,
    /// Nodes of the query molecules.
    pub nodes: Vec<u64>,
    /// The spaces.
    pub spaces: Vec<MatchSpace>,
    /// Identity keys of the query molecules.
    pub identities: BTreeSet<String>,
}

/// One space of a task.
#[derive(Clone, Debug)]
pub struct MatchSpace {
    /// Its name.
    pub name: String,
    /// Rows of the context's space that are ranked, ascending.
    pub candidates: Vec<usize>,
    /// For each query with a profile: its index in [`MatchTask::queries`], and the rows of the context's space that are
    /// its own.
    pub relevant: Vec<(usize, Vec<usize>)>,
}

/// One matching cell.
#[derive(Clone, Debug)]
pub struct PlannedMatch {
    /// Hash of everything that decides the record.
    pub key: String,
    /// What is to be matched.
    pub task: Arc<MatchTask>,
    /// The method.
    pub method: Method,
    /// Seed of the method.
    pub seed: u64,
    /// What is computed of each molecule.
    pub features: FeatureSpec,
    /// The encoder and its library, where there is one.
    pub encoder: Option<PlannedComponent>,
    /// What trains the encoder before, unless it is used untrained.
    pub pretrain: Option<Arc<PlannedPretrain>>,
    /// The decoder and its library.
    pub decoder: PlannedComponent,
    /// Identity keys of the molecules that leave the graph whose bounds scale the candidates.
    pub bounds_without: Arc<BTreeSet<String>>,
    /// What goes into the record.
    pub composition: MatchComposition,
}

/// A matching group and its methods, checked.
pub(crate) type ResolvedMatches = Vec<(MatchGroup, Vec<Method>)>;

impl Planner<'_> {
    /// Finds the methods and contexts of all matching groups and checks methods against their plugins.
    pub(crate) fn resolve_matches(&mut self, selection: &Selection) -> Result<ResolvedMatches> {
        let mut by_name: BTreeMap<String, Method> = BTreeMap::new();
        let mut groups = Vec::new();
        for group in &selection.matches {
            self.arena.catalog.context(&group.context)?;
            let methods = self.methods(&group.methods, &group.vary, &selection.base)?;
            for method in &methods {
                one_of_a_name(&mut by_name, method)?;
                self.check_matcher(method, group)?;
            }
            groups.push((group.clone(), methods));
        }
        Ok(groups)
    }

    fn check_matcher(&mut self, method: &Method, group: &MatchGroup) -> Result<()> {
        let failed = |message: &str| Error::Request(format!("method `{}` {message}", method.name));
        let Recipe::Model(model) = &method.recipe else {
            return Err(failed("is an ensemble, and [[match]] needs one decoder"));
        };
        let Some(decoder) = &model.decoder else {
            let message = "has no `decoder`, which [[match]] needs to score profiles; add decoder = { component = \"...\" }";
            return Err(failed(message));
        };
        if let Some(pretraining) = &model.pretraining
            && pretraining.corpus != group.context
        {
            let message = format!(
                "is pretrained on `{}`, but [[match]] is of `{}`, whose queries could not leave its corpus",
                pretraining.corpus, group.context
            );
            return Err(failed(&message));
        }
        if !model.features.companions().is_empty() {
            return Err(failed("has companion features, which molecules of a context have not"));
        }
        let mut given = self.check_encoder(method, model)?;
        if model.encoder.is_none() && given == InputKind::Bits {
            // Bits are given to a decoder as 0 and 1.
            given = InputKind::Dense;
        }
        self.check_component(method, ComponentKind::Decoder, decoder, given)
    }

    /// The cells of a matching group.
    pub(crate) fn matches(&mut self, group: &MatchGroup, methods: &[Method]) -> Result<Vec<PlannedMatch>> {
        let graph = corpus::graph(self.arena, &group.context, &BTreeSet::new())?;
        let task = Arc::new(task(&graph, group)?);
        drop(graph);
        let mut planned = Vec::new();
        for method in methods {
            let matcher = self.matcher(method, &task)?;
            for seed in group.seeds.to_vec() {
                let key = key_of(&json!({
                    "schema": MATCH_SCHEMA,
                    "context": task.context_key,
                    "spaces": group.spaces,
                    "candidates": group.candidates,
                    "split": task.split,
                    "method": method.name,
                    "composition": matcher.composition,
                    "seed": seed,
                    "metrics_version": METRICS_VERSION,
                }));
                planned.push(PlannedMatch { key, seed, ..matcher.clone() });
            }
        }
        Ok(planned)
    }

    /// A cell without key and seed.
    fn matcher(&mut self, method: &Method, task: &Arc<MatchTask>) -> Result<PlannedMatch> {
        let Recipe::Model(model) = &method.recipe else { unreachable!("checked before") };
        let spec = model.decoder.as_ref().expect("checked before");
        let decoder = self.component(method, ComponentKind::Decoder, spec)?;
        let encoder = match &model.encoder {
            Some(spec) => Some(self.component(method, ComponentKind::Encoder, spec)?),
            None => None,
        };
        let mut leave_out = match &model.pretraining {
            Some(pretraining) => self.leave_out(pretraining)?,
            None => LeaveOut::default(),
        };
        let spaces: Vec<&str> = task.spaces.iter().map(|space| space.name.as_str()).collect();
        leave_out.add(&format!("queries of {}", spaces.join(", ")), &task.identities);
        let bounds_without = Arc::new(leave_out.identities.clone());
        let bounds = corpus::used(self.arena, &task.context, &leave_out)?.key.clone();
        let pretrain = match &model.pretraining {
            Some(pretraining) => Some(Arc::new(self.pretrain(method, model, pretraining, leave_out)?)),
            None => None,
        };
        let one_plugin = encoder.as_ref().is_some_and(|encoder| encoder.used.sha256 == decoder.used.sha256);
        let composition = MatchComposition {
            features: json!(model.features),
            chemistry: CHEMISTRY_VERSION.into(),
            encoder: encoder.as_ref().map(|found| found.used.clone()),
            pretraining: pretrain.as_ref().map(|planned| planned.described()),
            decoder: decoder.used.clone(),
            decoder_is_trained: pretrain.is_some() && one_plugin,
            bounds,
        };
        Ok(PlannedMatch {
            key: String::new(),
            task: Arc::clone(task),
            method: method.clone(),
            seed: 0,
            features: model.features.clone(),
            encoder: encoder.as_ref().map(|found| found.planned(&found.used.config)),
            pretrain,
            decoder: decoder.planned(&decoder.used.config),
            bounds_without,
            composition,
        })
    }
}

/// Which molecules of `graph` are the queries of a group, and which profiles are theirs.
fn task(graph: &ContextGraph, group: &MatchGroup) -> Result<MatchTask> {
    let mut owners = Vec::new();
    for name in &group.spaces {
        owners.push(owners_of(graph, name)?);
    }
    let molecules: BTreeSet<usize> = owners.iter().flatten().map(|&(_, molecule)| molecule).collect();
    let molecules: Vec<usize> = molecules.into_iter().collect();
    let scaffolds = molecules.iter().map(|&molecule| {
        let molecule = Molecule::parse(&graph.molecules[molecule].smiles);
        molecule
            .map(|molecule| molecule.scaffold(true))
            .map_err(|error| Error::Features { dataset: graph.id.clone(), message: error.to_string() })
    });
    let scaffolds = scaffolds.collect::<Result<Vec<_>>>()?;
    let split = group.split.split(&scaffolds, group.split_seed).without_empty_part(&graph.id)?;
    let asked: Vec<usize> = split.test.iter().map(|&index| molecules[index]).collect();
    let query_of: BTreeMap<usize, usize> =
        asked.iter().enumerate().map(|(query, &molecule)| (molecule, query)).collect();
    let spaces = group.spaces.iter().zip(owners).map(|(name, owners)| {
        let mut relevant: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &(row, molecule) in &owners {
            if let Some(&query) = query_of.get(&molecule) {
                relevant.entry(query).or_default().push(row);
            }
        }
        if relevant.is_empty() {
            let message = format!(
                "no query molecule has a profile in space `{name}` of `{}`; another split_seed may help",
                graph.id
            );
            return Err(Error::Request(message));
        }
        let candidates = match group.candidates {
            Candidates::All => owners.iter().map(|&(row, _)| row).collect(),
            Candidates::Test => {
                let mut rows: Vec<usize> = relevant.values().flatten().copied().collect();
                rows.sort_unstable();
                rows
            }
        };
        Ok(MatchSpace { name: name.clone(), candidates, relevant: relevant.into_iter().collect() })
    });
    Ok(MatchTask {
        context: graph.id.clone(),
        context_key: graph.key.clone(),
        simulated: graph.simulated,
        split: SplitInfo::of(&split),
        candidates: group.candidates,
        queries: asked.iter().map(|&molecule| graph.molecules[molecule].smiles.clone()).collect(),
        nodes: asked.iter().map(|&molecule| graph.molecules[molecule].node).collect(),
        identities: asked.iter().map(|&molecule| graph.molecules[molecule].identity.clone()).collect(),
        spaces: spaces.collect::<Result<_>>()?,
    })
}

/// Row and molecule of each profile of a space.
fn owners_of(graph: &ContextGraph, name: &str) -> Result<Vec<(usize, usize)>> {
    let failed =
        |message: String| Error::Request(format!("space `{name}` of context `{}` {message}", graph.id));
    let Some(space) = graph.space(name) else {
        let known: Vec<&str> = graph.spaces.iter().map(|space| space.name.as_str()).collect();
        return Err(failed(format!("is not there; there are: {}", known.join(", "))));
    };
    let owners = graph.profiles_of(name);
    if space.kind == NodeKind::Gene || owners.is_empty() {
        return Err(failed("has no profiles of molecules".into()));
    }
    Ok(owners)
}
