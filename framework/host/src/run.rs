//! Runs a plan: one worker for each fit, several at a time, each finished one stored at once.

use std::{
    collections::{BTreeMap, VecDeque, btree_map::Entry},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use molarena_metrics::{mean_defined, score_tasks};

use crate::{
    Arena, Error, Limits, Plan, PlannedCell, PlannedFit, Result,
    features::{Features, select_rows},
    job::{self, Envelope, FitJob, Job, JobComponent, JobTask, Output, Progress, TEST, TRAIN, VALID},
    plan::PlannedComponent,
    record::{Cost, FIT_SCHEMA, Failure, Fit, Outcome, RECORD_SCHEMA, Reason, Record},
    shuffle::shuffle_labels,
    store::{from_npy, to_npy},
    supervise::{self, Ending},
};

/// How a plan is run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Limits of each worker.
    pub limits: Limits,
    /// Workers at a time.
    pub jobs: usize,
    /// Whether failed cells of earlier runs run again.
    pub retry_failed: bool,
}

/// Is told how a run goes. Called from several threads.
pub trait Observer: Sync {
    /// The plan is valid: so many cells, of which so many are finished already.
    fn planned(&self, cells: usize, finished: usize);
    /// Features of a dataset are computed or read.
    fn features(&self, dataset: &str);
    /// A worker starts.
    fn started(&self, fit: &PlannedFit);
    /// A worker reports.
    fn progress(&self, fit: &PlannedFit, progress: &Progress);
    /// The cells of a fit are stored.
    fn finished(&self, records: &[Record]);
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cells that were scored in this run.
    pub scored: usize,
    /// Cells of the plan that failed, in this run or before.
    pub failed: usize,
    /// Cells that were finished before.
    pub resumed: usize,
}

/// Runs what is missing of `plan`. When `interrupted` is set, running workers end, and what is finished stays.
pub fn run(
    plan: &Plan,
    arena: &Arena,
    options: RunOptions,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Summary> {
    let mut summary = Summary::default();
    let mut missing = VecDeque::new();
    for fit in &plan.fits {
        let mut records = stored_records(fit, arena)?;
        if options.retry_failed && records.iter().flatten().any(failed) {
            let keys: Vec<String> = fit.cells.iter().map(|cell| cell.key.clone()).collect();
            arena.store.forget_failure(&fit.key, &keys)?;
            records.fill(None);
        }
        summary.resumed += records.iter().flatten().count();
        summary.failed += records.iter().flatten().filter(|record| failed(record)).count();
        if records.iter().any(Option::is_none) {
            missing.push_back(fit);
        }
    }
    observer.planned(plan.cells(), summary.resumed);
    if missing.is_empty() {
        return Ok(summary);
    }
    let features = features_of(&missing, arena, interrupted, observer)?;
    let runner = Runner { arena, options, interrupted, observer, features };
    let queue = Mutex::new(missing);
    let outcome: Mutex<Result<Summary>> = Mutex::new(Ok(summary));
    thread::scope(|scope| {
        for slot in 0..options.jobs.max(1) {
            let (runner, queue, outcome) = (&runner, &queue, &outcome);
            scope.spawn(move || {
                // In the loop's condition itself, the lock would be held until the cells are done.
                let next = || lock(queue).pop_front();
                while let Some(fit) = next() {
                    let result = runner.cells_of(fit, slot);
                    let mut outcome = lock(outcome);
                    match (result, outcome.as_mut()) {
                        (Ok(records), Ok(summary)) => {
                            let failures = records.iter().filter(|record| failed(record)).count();
                            summary.failed += failures;
                            summary.scored += records.len() - failures;
                        }
                        (Err(error), Ok(_)) => {
                            *outcome = Err(error);
                            lock(queue).clear();
                        }
                        (_, Err(_)) => {}
                    }
                }
            });
        }
    });
    outcome.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(record: &Record) -> bool {
    matches!(record.outcome, Outcome::Failed(_))
}

fn stored_records(fit: &PlannedFit, arena: &Arena) -> Result<Vec<Option<Record>>> {
    fit.cells.iter().map(|cell| arena.store.record(&cell.key)).collect()
}

type FeatureKey = (String, String);

fn feature_key(fit: &PlannedFit) -> FeatureKey {
    (fit.dataset.dataset.id.clone(), fit.composition.features.to_string())
}

fn features_of(
    fits: &VecDeque<&PlannedFit>,
    arena: &Arena,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<BTreeMap<FeatureKey, Features>> {
    let mut features = BTreeMap::new();
    for fit in fits {
        if interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let key = feature_key(fit);
        if let Entry::Vacant(entry) = features.entry(key) {
            observer.features(&fit.dataset.dataset.id);
            entry.insert(fit.dataset.features(fit.method.features, &arena.store)?);
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
}

impl Runner<'_> {
    /// Fits unless that is done, scores the cells, and stores them.
    fn cells_of(&self, planned: &PlannedFit, slot: usize) -> Result<Vec<Record>> {
        let store = &self.arena.store;
        let fit = if let Some(fit) = store.fit(&planned.key)? {
            fit
        } else {
            if self.interrupted.load(Ordering::Relaxed) {
                return Err(Error::Interrupted);
            }
            self.observer.started(planned);
            self.fit(planned, slot)?
        };
        let predictions = if fit.failure.is_none() { Some(store.predictions(&fit)?) } else { None };
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
            let record = record_of(planned, cell, &fit, outcome);
            store.put_record(&record)?;
            records.push(record);
        }
        self.observer.finished(&records);
        Ok(records)
    }

    /// Runs the worker and stores its outcome.
    fn fit(&self, planned: &PlannedFit, slot: usize) -> Result<Fit> {
        let folder = tempfile::Builder::new().prefix("job-").tempdir_in(self.arena.store.work_dir())?;
        self.write_inputs(planned, folder.path())?;
        let job = self.job(planned, slot);
        let ending = supervise::run(
            &self.arena.launcher,
            &job,
            folder.path(),
            self.options.limits.wall,
            self.interrupted,
            &|progress| self.observer.progress(planned, progress),
        )?;
        let (predictions, failure) = judge(planned, folder.path(), &ending);
        let fit = self.fit_of(planned, &ending, predictions.as_deref(), failure);
        self.arena.store.put_fit(&fit, predictions.as_deref())?;
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

    fn job(&self, planned: &PlannedFit, slot: usize) -> Job {
        let limits = self.options.limits;
        let component = |component: &PlannedComponent| JobComponent {
            library: component.library.clone(),
            component: component.id.clone(),
            config: component.config.clone(),
        };
        let libraries = planned.encoder.iter().chain([&planned.baseline]);
        Job {
            envelope: Envelope {
                memory: limits.memory,
                processors: processors(slot, limits.threads),
                confine: true,
                readable: libraries.map(|component| component.library.clone()).collect(),
            },
            task: JobTask::Fit(Box::new(FitJob {
                encoder: planned.encoder.as_ref().map(component),
                baseline: component(&planned.baseline),
                input: planned.method.features.input(),
                task_type: planned.dataset.dataset.task_type,
                tasks: planned.dataset.dataset.tasks.len(),
                seed: planned.seed,
                threads: limits.threads,
            })),
        }
    }

    fn fit_of(
        &self,
        planned: &PlannedFit,
        ending: &Ending,
        predictions: Option<&[u8]>,
        failure: Option<Failure>,
    ) -> Fit {
        let (encode_s, fit_s, predict_s) = match ending.result {
            Ok(Output::Timings { encode_s, fit_s, predict_s }) => (encode_s, fit_s, predict_s),
            _ => (0.0, 0.0, 0.0),
        };
        Fit {
            schema: FIT_SCHEMA.into(),
            fit_key: planned.key.clone(),
            failure,
            predictions_sha256: predictions.map(molarena_data::sha256_hex),
            confined: ending.confined,
            cost: Cost {
                wall_s: seconds(ending.wall),
                encode_s,
                fit_s,
                predict_s,
                peak_rss_mb: (ending.peak_rss as f64 / f64::from(1 << 20) * 10.0).round() / 10.0,
                threads: self.options.limits.threads,
            },
        }
    }
}

/// The predictions as bytes, or why there are none. The host trusts nothing that the worker wrote.
fn judge(planned: &PlannedFit, folder: &Path, ending: &Ending) -> (Option<Vec<u8>>, Option<Failure>) {
    let failure =
        |reason, message: String| (None, Some(Failure { reason, message, output: ending.output.clone() }));
    if let Err(error) = &ending.result {
        return failure(error.reason, error.message.clone());
    }
    let bytes = match job::read_plain(&job::predictions_file(folder), 1 << 30) {
        Ok(bytes) => bytes,
        Err(error) => return failure(Reason::NoResult, error.to_string()),
    };
    let expected = (planned.split.test.len(), planned.dataset.dataset.tasks.len());
    match from_npy(&bytes) {
        Err(message) => failure(Reason::NoResult, format!("predictions.npy: {message}")),
        Ok((rows, columns, _)) if (rows, columns) != expected => failure(
            Reason::WrongShape,
            format!("expected {} x {}, found {rows} x {columns}", expected.0, expected.1),
        ),
        Ok((_, _, values)) if values.iter().any(|value| !value.is_finite()) => {
            failure(Reason::NotFinite, "predictions.npy has NaN or infinite values".into())
        }
        Ok(_) => (Some(bytes), None),
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

/// The processors of a slot: `threads` of those that this process may use, another set for each slot.
fn processors(slot: usize, threads: usize) -> Vec<usize> {
    let allowed = allowed_processors();
    if allowed.len() < threads {
        return Vec::new();
    }
    (0..threads).map(|thread| allowed[(slot * threads + thread) % allowed.len()]).collect()
}

#[cfg(target_os = "linux")]
fn allowed_processors() -> Vec<usize> {
    use nix::{sched::CpuSet, sched::sched_getaffinity, unistd::Pid};
    let Ok(set) = sched_getaffinity(Pid::from_raw(0)) else { return Vec::new() };
    (0..CpuSet::count()).filter(|&processor| set.is_set(processor).unwrap_or(false)).collect()
}

#[cfg(not(target_os = "linux"))]
fn allowed_processors() -> Vec<usize> {
    Vec::new()
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
        split: planned.split_info(),
        seed: planned.seed,
        task_type: planned.dataset.dataset.task_type,
        metric: cell.metric,
        scoring: cell.method.protocol.scoring,
        shuffled_labels: cell.method.protocol.shuffle_labels,
        tasks: planned.dataset.dataset.tasks.clone(),
        composition: planned.composition.clone(),
        unparsed_molecules: planned.dataset.unparsed.len(),
        confined: fit.confined,
        outcome,
        cost: fit.cost,
    }
}
