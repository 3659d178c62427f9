//! Runs a plan: one worker for each fit, several at a time, each finished one stored at once.

pub(crate) mod cost;
pub(crate) mod ensemble;
pub(crate) mod matching;
pub(crate) mod observer;
pub(crate) mod pretrain;
pub(crate) mod schedule;
mod shuffle;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use molarena_metrics::{mean_defined, score_tasks};

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::cost::cost_of,
    execute::matching::Prepared,
    execute::observer::{Observer, RunOptions, Summary},
    execute::schedule::{Done, in_slots, lock, processors},
    execute::shuffle::shuffle_labels,
    files::npy::{from_npy, to_npy},
    files::plain::read_plain,
    job,
    job::{FitJob, Job, JobState, JobTask, Output, TEST, TRAIN, VALID},
    launch,
    launch::Ending,
    plan::matching::PlannedMatch,
    plan::missing::{failed, missing},
    plan::step::{Plan, PlannedCell, PlannedFit, PlannedModel, PlannedPretrain, Work},
    sandbox::Envelope,
    store::{Part, Predictions},
};
use molarena_features::{Features, select_rows};
use molarena_record::{
    cell::{Outcome, RECORD_SCHEMA, Record},
    encoder::EncoderRecord,
    fit::{FIT_SCHEMA, Fit},
    matching::MatchOutcome,
    parts::{Cost, Failure, PretrainCost, Reason},
};

/// Runs what is missing of `plan`. When `interrupted` is set, running workers end, and what is finished stays.
pub fn run(
    plan: &Plan,
    arena: &Arena,
    options: RunOptions,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Summary> {
    let (missing, matches, summary) = missing(plan, arena, options)?;
    observer.planned(plan.cells(), summary.resumed);
    if missing.is_empty() && matches.is_empty() {
        return Ok(summary);
    }
    let encoders = encoders_of(&missing, &matches, arena, options, interrupted, observer)?;
    let features = features_of(&missing, arena, interrupted, observer)?;
    let prepared = Prepared::default();
    let runner = Runner { arena, options, interrupted, observer, features, encoders, prepared };
    let (models, ensembles): (VecDeque<_>, VecDeque<_>) =
        missing.into_iter().partition(|fit| matches!(fit.work, Work::Model(_)));
    let fits = |fit: &PlannedFit, slot| runner.cells_of(fit, slot);
    let summary = in_slots(options.jobs, models.into(), summary, &fits)?;
    let summary = in_slots(options.jobs, ensembles.into(), summary, &fits)?;
    in_slots(options.jobs, matches, summary, &|planned: &PlannedMatch, slot| runner.matching(planned, slot))
}

/// Trains the encoders that are needed, each once.
fn encoders_of(
    fits: &[&PlannedFit],
    matches: &[&PlannedMatch],
    arena: &Arena,
    options: RunOptions,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<BTreeMap<String, EncoderRecord>> {
    let mut needed: BTreeMap<&str, &PlannedPretrain> = BTreeMap::new();
    let mut order = Vec::new();
    let of_fits = fits.iter().filter_map(|fit| fit.pretrain());
    for pretrain in of_fits.chain(matches.iter().filter_map(|planned| planned.pretrain.as_ref())) {
        if needed.insert(&pretrain.key, pretrain).is_none() {
            order.push(&**pretrain);
        }
    }
    let limits = options.pretraining;
    // As many at a time as have processors.
    let slots = (options.jobs * options.limits.threads / limits.threads).max(1);
    let records = Mutex::new(BTreeMap::new());
    in_slots(slots, order, Summary::default(), &|planned: &PlannedPretrain, slot| {
        let place = (limits, processors(slot, limits.threads));
        let record = pretrain::pretrain(planned, arena, place, interrupted, observer)?;
        lock(&records).insert(planned.key.clone(), record);
        Ok(Done::default())
    })?;
    Ok(records.into_inner().unwrap_or_else(PoisonError::into_inner))
}

type FeatureKey = (String, String);

fn feature_key(fit: &PlannedFit) -> FeatureKey {
    (fit.dataset.dataset.id.clone(), fit.composition.features.to_string())
}

fn features_of(
    fits: &[&PlannedFit],
    arena: &Arena,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<BTreeMap<FeatureKey, Features>> {
    let mut features = BTreeMap::new();
    for fit in fits {
        if interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let Work::Model(model) = &fit.work else { continue };
        if let Entry::Vacant(entry) = features.entry(feature_key(fit)) {
            observer.features(&fit.dataset.dataset.id);
            entry.insert(fit.dataset.features(&model.features, &arena.store)?);
        }
    }
    Ok(features)
}

struct Runner<'a> {
    arena: &'a Arena,
    options: RunOptions,
    interrupted: &'a AtomicBool,
    observer: &'a dyn Observer,
    features: BTreeMap<FeatureKey, Features>,
    /// Outcomes of the pretraining, by key.
    encoders: BTreeMap<String, EncoderRecord>,
    prepared: Prepared,
}

impl Runner<'_> {
    /// Runs a matching cell.
    fn matching(&self, planned: &PlannedMatch, slot: usize) -> Result<Done> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let limits = self.options.limits;
        let encoder = planned.pretrain.as_ref().map(|pretrain| &self.encoders[&pretrain.key]);
        let place = (limits, processors(slot, limits.threads));
        let (arena, prepared) = (self.arena, &self.prepared);
        let record =
            matching::run_match(planned, arena, prepared, encoder, place, self.interrupted, self.observer)?;
        let Some(record) = record else { return Ok(Done::default()) };
        self.observer.matched(&record);
        Ok(match record.outcome {
            MatchOutcome::Scored { .. } => Done { scored: 1, failed: 0 },
            MatchOutcome::Failed(_) => Done { scored: 0, failed: 1 },
        })
    }

    /// Fits unless that is done, scores the cells, and stores them.
    fn cells_of(&self, planned: &PlannedFit, slot: usize) -> Result<Done> {
        let store = &self.arena.store;
        let fit = if let Some(fit) = store.fit(&planned.key)? {
            fit
        } else {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            match &planned.work {
                Work::Model(model) => self.fit_unless_failed(planned, model, slot)?,
                Work::Ensemble(members) => ensemble::fit(planned, members, store)?,
            }
        };
        let predictions =
            if fit.failure.is_none() { Some(store.predictions(&fit, Part::Test)?) } else { None };
        let mut records = Vec::new();
        for cell in &planned.cells {
            if store.record(&cell.key)?.is_some() {
                continue;
            }
            let outcome = match (&fit.failure, &predictions) {
                (Some(failure), _) => Outcome::Failed(failure.clone()),
                (None, Some(predictions)) => score(planned, cell, predictions),
                (None, None) => unreachable!("a fit without failure has predictions"),
            };
            let record = Record {
                pretrain_cost: self.pretrain_cost(planned),
                ..record_of(planned, cell, &fit, outcome)
            };
            store.put_record(&record)?;
            records.push(record);
        }
        self.observer.finished(&records);
        let failures = records.iter().filter(|record| failed(record)).count();
        Ok(Done { scored: records.len() - failures, failed: failures })
    }

    /// Fits, unless the pretraining of the encoder failed.
    fn fit_unless_failed(&self, planned: &PlannedFit, model: &PlannedModel, slot: usize) -> Result<Fit> {
        let encoder = self.encoder(planned);
        if let Some(encoder) = encoder
            && let Some(failure) = encoder.failure_of_dependents()
        {
            return self.without_encoder(planned, encoder, failure);
        }
        self.observer.started(planned);
        self.fit(planned, model, slot)
    }

    /// The trained encoder of a fit, where it has one.
    fn encoder(&self, planned: &PlannedFit) -> Option<&EncoderRecord> {
        planned.pretrain().map(|pretrain| &self.encoders[&pretrain.key])
    }

    /// What the pretraining of a fit's encoder cost, or of those of its members, each once.
    fn pretrain_cost(&self, planned: &PlannedFit) -> Option<PretrainCost> {
        let own = planned.composition.pretraining.iter();
        let members =
            planned.composition.members.iter().filter_map(|member| member.composition.pretraining.as_ref());
        let keys: BTreeSet<&str> = own.chain(members).map(|pretrained| pretrained.key.as_str()).collect();
        let costs = keys.into_iter().filter_map(|key| self.encoders.get(key)).map(|record| record.cost);
        costs.reduce(PretrainCost::and)
    }

    /// Stores that a fit failed because the pretraining of its encoder did.
    fn without_encoder(
        &self,
        planned: &PlannedFit,
        encoder: &EncoderRecord,
        failure: Failure,
    ) -> Result<Fit> {
        let fit = Fit {
            schema: FIT_SCHEMA.into(),
            fit_key: planned.key.clone(),
            failure: Some(failure),
            predictions: None,
            search: None,
            confined: encoder.confined,
            cost: Cost::default(),
        };
        self.arena.store.put_fit(&fit, None)?;
        Ok(self.arena.store.fit(&planned.key)?.unwrap_or(fit))
    }

    /// Runs the worker and stores its outcome.
    fn fit(&self, planned: &PlannedFit, model: &PlannedModel, slot: usize) -> Result<Fit> {
        let folder = tempfile::Builder::new().prefix("job-").tempdir_in(self.arena.store.work_dir())?;
        self.write_inputs(planned, folder.path())?;
        let job = self.job(planned, model, slot)?;
        let ending = launch::run(
            &self.arena.launcher,
            &job,
            folder.path(),
            self.options.limits.wall,
            self.interrupted,
            &|progress| self.observer.progress(planned, progress),
        )?;
        let judged = judge(planned, folder.path(), &ending);
        let fit = self.fit_of(planned, &ending, &judged);
        self.arena.store.put_fit(&fit, judged.as_ref().ok())?;
        // Another machine may have been first.
        Ok(self.arena.store.fit(&planned.key)?.unwrap_or(fit))
    }

    fn write_inputs(&self, planned: &PlannedFit, folder: &Path) -> Result<()> {
        let features = &self.features[&feature_key(planned)];
        let split = &planned.split;
        for (part, indices) in [(TRAIN, &split.train), (VALID, &split.valid), (TEST, &split.test)] {
            features.select(indices).write(&job::features_file(folder, part))?;
        }
        let dataset = &planned.dataset.dataset;
        let tasks = dataset.tasks.len();
        for (part, indices) in [(TRAIN, &split.train), (VALID, &split.valid)] {
            let mut labels = select_rows(&dataset.labels, tasks, indices);
            if planned.method.protocol.shuffle_labels {
                shuffle_labels(&mut labels, tasks, planned.seed);
            }
            fs_err::write(job::labels_file(folder, part), to_npy(indices.len(), tasks, labels))?;
        }
        Ok(())
    }

    fn job(&self, planned: &PlannedFit, model: &PlannedModel, slot: usize) -> Result<Job> {
        let limits = self.options.limits;
        let state = match (self.encoder(planned), &model.pretrain) {
            (Some(encoder), Some(pretrain)) => {
                Some(JobState { path: self.arena.encoders.encoder_state(encoder)?, seed: pretrain.seed })
            }
            _ => None,
        };
        let libraries = model.encoder.iter().chain(model.candidates.first());
        let libraries = libraries.map(|component| component.library.clone());
        Ok(Job {
            envelope: Envelope {
                memory: limits.memory,
                disk: limits.disk,
                processors: processors(slot, limits.threads),
                confine: true,
                readable: libraries.chain(state.as_ref().map(|state| state.path.clone())).collect(),
                ..Envelope::default()
            },
            task: JobTask::Fit(Box::new(FitJob {
                encoder: model.encoder.as_ref().map(Into::into),
                state,
                candidates: model.candidates.iter().map(Into::into).collect(),
                metric: planned.dataset.manifest.protocol.metric,
                input: model.features.input(),
                task_type: planned.dataset.dataset.task_type,
                tasks: planned.dataset.dataset.tasks.len(),
                seed: planned.seed,
                threads: limits.threads,
            })),
        })
    }

    fn fit_of(&self, planned: &PlannedFit, ending: &Ending, judged: &Result<Predictions, Failure>) -> Fit {
        let search = match &ending.result {
            Ok(Output::Timings { search, .. }) => search.clone(),
            _ => None,
        };
        // Predictions follow from the encoder's training as well.
        let confined = ending.confined && self.encoder(planned).is_none_or(|encoder| encoder.confined);
        Fit {
            schema: FIT_SCHEMA.into(),
            fit_key: planned.key.clone(),
            failure: judged.as_ref().err().cloned(),
            predictions: judged.as_ref().ok().map(Predictions::hashes),
            search,
            confined,
            cost: cost_of(ending, self.options.limits),
        }
    }
}

/// The predictions as bytes, or why there are none. The host trusts nothing that the worker wrote.
fn judge(planned: &PlannedFit, folder: &Path, ending: &Ending) -> Result<Predictions, Failure> {
    let failure = |reason, message: String| Failure { reason, message, output: ending.output.clone() };
    if let Err(error) = &ending.result {
        return Err(failure(error.reason, error.message.clone()));
    }
    let tasks = planned.dataset.dataset.tasks.len();
    let read = |part, molecules| {
        read_predictions(&job::predictions_file(folder, part), (molecules, tasks))
            .map_err(|(reason, message)| failure(reason, message))
    };
    Ok(Predictions {
        test: read(TEST, planned.split.test.len())?,
        valid: read(VALID, planned.split.valid.len())?,
    })
}

/// Bytes of an `.npy` file of finite predictions of that shape.
fn read_predictions(path: &Path, shape: (usize, usize)) -> Result<Vec<u8>, (Reason, String)> {
    let bytes = read_plain(path, 1 << 30).map_err(|error| (Reason::NoResult, error.to_string()))?;
    let name = path.file_name().unwrap_or_default().display();
    let (rows, columns, values) =
        from_npy(&bytes).map_err(|message| (Reason::NoResult, format!("{name}: {message}")))?;
    if (rows, columns) != shape {
        let message = format!("{name}: expected {} x {}, found {rows} x {columns}", shape.0, shape.1);
        return Err((Reason::WrongShape, message));
    }
    if values.iter().any(|value| !value.is_finite()) {
        return Err((Reason::NotFinite, format!("{name} has NaN or infinite values")));
    }
    Ok(bytes)
}

fn score(planned: &PlannedFit, cell: &PlannedCell, predictions: &[f32]) -> Outcome {
    let dataset = &planned.dataset.dataset;
    let tasks = dataset.tasks.len();
    let labels = select_rows(&dataset.labels, tasks, &planned.split.test);
    let scores = score_tasks(cell.metric, cell.method.protocol.scoring, &labels, predictions, tasks);
    let mean = mean_defined(&scores);
    Outcome::Scored { scores: dataset.tasks.iter().cloned().zip(scores).collect(), mean }
}

fn record_of(planned: &PlannedFit, cell: &PlannedCell, fit: &Fit, outcome: Outcome) -> Record {
    Record {
        schema: RECORD_SCHEMA.into(),
        key: cell.key.clone(),
        fit_key: planned.key.clone(),
        method: cell.method.name.clone(),
        dataset: planned.dataset.dataset.id.clone(),
        simulated: planned.dataset.manifest.simulated,
        split: planned.split_info(),
        seed: cell.seed,
        task_type: planned.dataset.dataset.task_type,
        metric: cell.metric,
        scoring: cell.method.protocol.scoring,
        shuffled_labels: cell.method.protocol.shuffle_labels,
        tasks: planned.dataset.dataset.tasks.clone(),
        composition: planned.composition.clone(),
        unparsed_molecules: planned.dataset.unparsed.len(),
        confined: fit.confined,
        outcome,
        search: fit.search.clone(),
        cost: fit.cost,
        pretrain_cost: None,
        varied: cell.method.varied.clone(),
    }
}
