//! Plans matching cells.

use std::{collections::BTreeMap, sync::Arc};

use molarena_chem::CHEMISTRY_VERSION;
use molarena_record::matching::{MatchComposition, MatchRecord};
use molarena_sdk::{ComponentKind, InputKind};
use serde_json::json;

use crate::{
    error::{Error, Result},
    inputs::{
        corpus::{self, LeaveOut},
        matching::{MatchTask, task},
    },
    plan::{
        cell::{Cell, MatchRow, Row},
        planner::{Planner, one_of_a_name},
        select::Selection,
        step::{Label, Step},
        steps::{
            encode::Molecules,
            rank::{RankShared, RankWork},
        },
    },
    request::{
        method::{Method, Recipe},
        suite::MatchGroup,
    },
};

/// What the cells of all seeds share, and the pretraining that they need.
struct Matcher {
    shared: Arc<RankShared>,
    row: Arc<MatchRow>,
    pretrain: Option<Arc<Step>>,
}

/// Matching groups with their checked methods.
pub(crate) type ResolvedMatches = Vec<(MatchGroup, Vec<Arc<Method>>)>;

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
            groups.push((group.clone(), methods.into_iter().map(Arc::new).collect()));
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
        if !model.features.measured().is_empty() {
            return Err(failed(
                "has measured features (companion, profile or cell-count), but queries are molecules only",
            ));
        }
        let mut given = self.check_encoder(method, model)?;
        if model.encoder.is_none() && given == InputKind::Bits {
            // A decoder gets bits as dense 0 and 1.
            given = InputKind::Dense;
        }
        let configs = std::slice::from_ref(&decoder.config);
        self.check_component(method, ComponentKind::Decoder, decoder, configs, given)
    }

    /// Plans the cells of a matching group and passes each to `add`.
    pub(crate) fn match_cells(
        &mut self,
        group: &MatchGroup,
        methods: &[Arc<Method>],
        add: &mut dyn FnMut(Cell),
    ) -> Result<()> {
        let graph = corpus::graph(&self.arena.sources(), &group.context, &std::collections::BTreeSet::new())?;
        let task = Arc::new(task(&graph, group)?);
        drop(graph);
        for method in methods {
            let matcher = self.matcher(method, &task)?;
            for seed in group.seeds.each() {
                self.check_interrupted()?;
                let cell = self.match_cell(method, &matcher, seed)?;
                add(cell);
            }
        }
        Ok(())
    }

    fn match_cell(&mut self, method: &Arc<Method>, matcher: &Matcher, seed: u64) -> Result<Cell> {
        let Recipe::Model(model) = &method.recipe else { unreachable!("checked before") };
        let Matcher { shared, row, pretrain } = matcher;
        let pretrain = pretrain.as_ref();
        let molecules = Molecules::Queries(Arc::clone(&row.task));
        let encode = self.encode_first(method, model, pretrain, molecules, json!(model.features), seed)?;
        let needs = pretrain.cloned().into_iter().chain(encode).collect();
        let label = Label { method: &method.name, subject: &row.task.context, seed, device: &shared.device };
        let work = Arc::new(RankWork { shared: Arc::clone(shared), seed });
        let step = Arc::new(Step::new(label, needs, self.limits.cells, work));
        let (method, row) = (Arc::clone(method), Row::Match(Arc::clone(row)));
        Ok(Cell { key: step.key.clone(), step, method, seed, row })
    }

    /// What the cells of all seeds share.
    fn matcher(&mut self, method: &Method, task: &Arc<MatchTask>) -> Result<Matcher> {
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
        leave_out.add(&MatchRecord::queries_of(&task.split_spaces), &task.identities);
        let bounds_without = Arc::new(leave_out.identities.clone());
        let bounds = corpus::used(&self.arena.sources(), &task.context, &leave_out)?.key.clone();
        let pretrain = match &model.pretraining {
            Some(pretraining) => Some(self.pretrain(method, model, pretraining, leave_out)?),
            None => None,
        };
        let bitwise = decoder.bitwise && encoder.as_ref().is_none_or(|found| found.bitwise);
        let one_plugin = encoder.as_ref().is_some_and(|encoder| encoder.used.sha256 == decoder.used.sha256);
        let weights = encoder.as_ref().and_then(|encoder| encoder.weights.clone()).filter(|_| one_plugin);
        let (pretrain, described) =
            pretrain.map_or((None, None), |(step, described)| (Some(step), Some(described)));
        let composition = MatchComposition {
            features: json!(model.features),
            chemistry: CHEMISTRY_VERSION.into(),
            encoder: encoder.map(|found| found.used),
            pretraining: described,
            decoder: decoder.used.clone(),
            decoder_is_trained: (pretrain.is_some() || weights.is_some()) && one_plugin,
            bounds,
        };
        let row = MatchRow { task: Arc::clone(task), composition: composition.clone(), bitwise };
        let shared = RankShared {
            task: Arc::clone(task),
            method: method.name.clone(),
            features: model.features.clone(),
            decoder,
            weights,
            composition,
            bounds_without,
            device: self.device_of(method),
        };
        Ok(Matcher { shared: Arc::new(shared), row: Arc::new(row), pretrain })
    }
}
