//! Drives one step: looks it up in the store, or prepares a job folder, runs a worker, judges its output and
//! stores the record.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use molarena_record::{
    parts::{Cost, Failure, Reason, Search},
    step::{Kind, STEP_SCHEMA, StepOutcome, StepRecord},
};

use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::{
        event::{Event, Observer},
        executor::{self, Executor, JobFolder},
        spending::Spending,
        turns::{Turn, Turns},
    },
    inputs::Inputs,
    job::{self, Job, Output},
    launch::{Ending, kept},
    plan::{
        device::CPU,
        step::{Context, Prepared, Step},
    },
    store::{Made, Store},
};

/// Makes the steps that the store does not have.
pub(super) struct Driver<'a> {
    pub(super) arena: &'a Arena,
    pub(super) executor: &'a dyn Executor,
    pub(super) interrupted: &'a AtomicBool,
    pub(super) observer: &'a dyn Observer,
    pub(super) inputs: Inputs,
    /// Steps that this process may prepare, judge and store at a time.
    pub(super) turns: Turns,
}

/// The outcome of a step before it is stored.
struct Outcome<'a> {
    made: Result<Made, Failure>,
    search: Option<Search>,
    /// sha256 of the opened libraries that keys do not name, by plugin id.
    libraries: BTreeMap<String, String>,
    confined: bool,
    missing_layers: Vec<String>,
    cost: Cost,
    /// Held until the outcome is stored.
    _held: Option<(JobFolder, Turn<'a>)>,
}

impl Outcome<'_> {
    /// What a step made without a worker.
    fn without_worker(made: Result<Made, Failure>, cost: Cost) -> Self {
        let (libraries, missing_layers) = (BTreeMap::new(), Vec::new());
        Self { made, search: None, libraries, confined: true, missing_layers, cost, _held: None }
    }
}

impl Driver<'_> {
    /// The outcome of a step; makes and stores it unless the store has it.
    pub(super) fn drive(&self, step: &Step) -> Result<StepRecord> {
        let store = self.arena.store_of(step.kind());
        if let Some(record) = store.step(&step.key)? {
            return Ok(record);
        }
        let mut _lock = None;
        if step.work.keeps_folder() {
            _lock = Some(store.lock_step(&step.key, self.interrupted)?);
            // Another process may have made it while this one waited.
            if let Some(record) = store.step(&step.key)? {
                return Ok(record);
            }
        }
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let needs = step.needs.iter().map(|need| need.stored(self.arena)).collect::<Result<Vec<_>>>()?;
        self.observer.event(&Event::Started(step));
        let outcome = match failure_of_needs(step, &needs) {
            Some(failure) => Outcome::without_worker(Err(failure), Cost::default()),
            None => self.make(step, &needs, store)?,
        };
        let record = record(step, &needs, &outcome);
        let record = store.put_step(&record, outcome.made.unwrap_or_default())?;
        if step.work.keeps_folder() {
            store.forget_spent(&step.key)?;
        }
        self.observer.event(&Event::Finished(step, &record));
        Ok(record)
    }

    /// Prepares a step and runs its worker, again if its machine is lost.
    fn make(&self, step: &Step, needs: &[StepRecord], store: &Store) -> Result<Outcome<'_>> {
        let mut left = self.executor.left(&step.key);
        let mut lost = Vec::new();
        while lost.len() <= self.executor.retries() {
            let (mut folder, job) = if let Some(folder) = left.take() {
                (folder, None)
            } else {
                let _turn = self.turns.take();
                let folder = self.executor.folder(&step.key, &self.arena.store)?;
                match prepared(step, &self.context(step, needs, folder.path()))? {
                    Ok(job) => (folder, Some(job)),
                    Err(outcome) => return Ok(outcome),
                }
            };
            match self.run(step, job, store, &mut folder)? {
                Ran::Ended(ending, cost) => {
                    let turn = self.turns.take();
                    let (made, search) = judge(step, &self.context(step, needs, folder.path()), &ending);
                    let (libraries, cost) = (step.libraries(), step.work.cost(cost, needs));
                    let Ending { confined, missing_layers, .. } = *ending;
                    let held = Some((folder, turn));
                    return Ok(Outcome {
                        made,
                        search,
                        libraries,
                        confined,
                        missing_layers,
                        cost,
                        _held: held,
                    });
                }
                Ran::Lost(what) => {
                    self.observer.event(&Event::Notice(&format!("{}: {what}", step.title())));
                    lost.push(what);
                }
            }
        }
        let message = format!("its worker was lost {} times: {}", lost.len(), lost.join("; "));
        let failure = Failure { reason: Reason::NoResult, message: kept(&message), output: String::new() };
        let cost = Cost { threads: step.limits.threads, ..Cost::default() };
        Ok(Outcome::without_worker(Err(failure), step.work.cost(cost, needs)))
    }

    fn context<'b>(&'b self, step: &'b Step, needs: &'b [StepRecord], folder: &'b Path) -> Context<'b> {
        Context { arena: self.arena, inputs: &self.inputs, needs, step, folder }
    }

    /// Runs the worker of a step, or waits for the one that an earlier run started.
    fn run(&self, step: &Step, job: Option<Job>, store: &Store, folder: &mut JobFolder) -> Result<Ran> {
        let (threads, left, remote) = (step.limits.threads, job.is_none(), self.executor.is_remote());
        let keeps = step.work.keeps_folder();
        let spending = keeps.then(|| Spending::start(store, &step.key, threads, left)).transpose()?;
        let ran = self.executor.run(job, folder, &step.limits, self.interrupted, &|progress| {
            // What a worker elsewhere spends is known at its end.
            if let Some(spending) = spending.as_ref().filter(|_| !remote) {
                spending.so_far(progress.cpu_s, self.arena.tell);
            }
            self.observer.event(&Event::Progress(step, progress));
        });
        match ran {
            Ok(executor::Outcome::Ended(ending)) => {
                let own = cost_of(&ending, threads);
                Ok(Ran::Ended(ending, spending.map_or(own, |spending| spending.total(own))))
            }
            Ok(executor::Outcome::Lost { what, ran }) => {
                spending.map_or(Ok(()), |spending| spending.lost(ran))?;
                Ok(Ran::Lost(what))
            }
            Err(error) => {
                spending.filter(|_| !remote).map_or(Ok(()), |spending| spending.interrupted())?;
                Err(error)
            }
        }
    }
}

/// Writes a job's inputs and returns the job, or the outcome of a step that needs no worker.
fn prepared<'a>(step: &Step, context: &Context<'_>) -> Result<Result<Job, Outcome<'a>>> {
    Ok(match step.work.prepare(context)? {
        Prepared::Done(made) => {
            Err(Outcome::without_worker(made, step.work.cost(Cost::default(), context.needs)))
        }
        Prepared::Job { task, readable, writable } => Ok(Job {
            envelope: job::envelope(&step.limits, &step.device, context.folder, &readable, &writable),
            seed: step.seed,
            threads: step.limits.threads,
            task,
        }),
    })
}

/// What became of a step's worker.
enum Ran {
    /// How it ended, and the cost, earlier workers included.
    Ended(Box<Ending>, Cost),
    /// What was lost with it.
    Lost(String),
}

/// Checks what a worker made; the host trusts nothing that a worker writes.
fn judge(step: &Step, context: &Context<'_>, ending: &Ending) -> (Result<Made, Failure>, Option<Search>) {
    let failure =
        |reason, message: String| Failure { reason, message: kept(&message), output: ending.output.clone() };
    let output = match &ending.result {
        Ok(output) => output,
        Err(error) => return (Err(failure(error.reason, error.message.clone())), None),
    };
    let search = match output {
        Output::Timings { search, .. } => search.clone(),
        _ => None,
    };
    let made = step.work.judge(context, output);
    (made.map_err(|(reason, message)| failure(reason, message)), search)
}

/// The failure that a step inherits from a failed need, if there is one.
fn failure_of_needs(step: &Step, needs: &[StepRecord]) -> Option<Failure> {
    let mut failed = step.needs.iter().zip(needs);
    let (need, failure) = failed.find_map(|(need, record)| Some((need, record.failure()?)))?;
    let message = match need.kind() {
        Kind::Pretrain => format!("pretraining: {}", failure.message),
        // The message of a failed encoding is kept, as if the fit itself had failed.
        Kind::Encode => failure.message.clone(),
        Kind::Fit | Kind::Combine | Kind::Rank => format!("member {}: {}", need.method, failure.message),
    };
    Some(Failure { message: kept(&message), ..failure.clone() })
}

fn record(step: &Step, needs: &[StepRecord], outcome: &Outcome<'_>) -> StepRecord {
    StepRecord {
        schema: STEP_SCHEMA.into(),
        key: step.key.clone(),
        kind: step.kind(),
        of: step.work.of(),
        outcome: match &outcome.made {
            Ok(_) => StepOutcome::Made { files: BTreeMap::new() },
            Err(failure) => StepOutcome::Failed(failure.clone()),
        },
        search: outcome.search.clone(),
        corpus: step.work.corpus(),
        libraries: outcome.libraries.clone(),
        missing_layers: outcome.missing_layers.clone(),
        confined: outcome.confined && needs.iter().all(|need| need.confined),
        device: (step.device != CPU).then(|| step.device.clone()),
        finished: SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs()),
        cost: outcome.cost,
    }
}

/// The cost of one worker.
fn cost_of(ending: &Ending, threads: usize) -> Cost {
    let (fit_s, predict_s) = match &ending.result {
        Ok(Output::Timings { fit_s, predict_s, .. }) => (*fit_s, *predict_s),
        _ => (0.0, 0.0),
    };
    Cost {
        wall_s: seconds(ending.wall),
        encode_s: 0.0,
        fit_s,
        predict_s,
        peak_rss_mb: (ending.peak_rss as f64 / f64::from(1 << 20) * 10.0).round() / 10.0,
        threads,
        cpu_s: (ending.cpu_s * 1000.0).round() / 1000.0,
        workers: 0,
    }
}

fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
