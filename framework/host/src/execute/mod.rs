//! Executes steps: a directed acyclic graph without barriers, one driver for every kind of step.

mod drive;
pub(crate) mod event;
pub(crate) mod executor;
mod schedule;
pub(crate) mod slurm;
mod spending;
mod turns;

use std::{
    collections::BTreeSet,
    sync::{Arc, atomic::AtomicBool},
};

use molarena_record::step::{Kind, StepRecord};

use crate::{
    arena::Arena,
    error::Result,
    execute::{
        drive::Driver,
        event::Observer,
        executor::{Executor, InProcess, Local},
        schedule::Budget,
        slurm::Slurm,
        turns::Turns,
    },
    inputs::Inputs,
    plan::{missing::Missing, step::Step},
};

/// How steps are executed.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions<'a> {
    /// Threads of all workers on this machine together.
    pub threads: usize,
    /// Where steps run if not on this machine.
    pub slurm: Option<&'a Slurm>,
}

/// Executes `steps`, each after its needs, and stores each as soon as it is done. When `interrupted` is set,
/// running workers end and finished steps stay stored. If Slurm only collects, executes those whose jobs have ended, and
/// what takes no worker of its own.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted), and errors of inputs and of the store. A
/// plugin's failure is not an error but the step's outcome.
pub fn execute(
    steps: &[Arc<Step>],
    arena: &Arena,
    options: RunOptions<'_>,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<()> {
    let RunOptions { threads, slurm } = options;
    let run = |steps: &[Arc<Step>], executor: &dyn Executor, total: usize, turns: usize| {
        let (inputs, turns) = (Inputs::default(), Turns::new(turns));
        let driver = Driver { arena, executor, interrupted, observer, inputs, turns };
        let share = |step: &Step| executor.share(&step.limits);
        let budget = Budget { total: total.max(1), share: &share };
        schedule::in_order(steps, budget, &|step| driver.drive(step).map(drop))
    };
    let local = Local { launcher: &arena.launcher };
    match slurm {
        Some(slurm) if slurm.collects() => {
            run(&collectable(steps, slurm), slurm, Slurm::turns(), Slurm::turns())
        }
        Some(slurm) => {
            slurm.serve(interrupted, observer, || run(steps, slurm, slurm.budget(), Slurm::turns()))
        }
        None if arena.launcher.in_process => run(steps, &InProcess, threads, usize::MAX),
        None => run(steps, &local, threads, usize::MAX),
    }
}

/// The steps whose jobs have ended, and those that take no worker once their needs are among these or stored.
fn collectable(steps: &[Arc<Step>], slurm: &Slurm) -> Vec<Arc<Step>> {
    let missing: BTreeSet<&str> = steps.iter().map(|step| step.key.as_str()).collect();
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for step in steps {
        let ready =
            |need: &Arc<Step>| !missing.contains(need.key.as_str()) || done.contains(need.key.as_str());
        let workerless = step.kind() == Kind::Combine && step.needs.iter().all(ready);
        if workerless || slurm.has_ended(&step.key) {
            done.insert(&step.key);
            found.push(Arc::clone(step));
        }
    }
    found
}

/// Executes a step and its needs unless they are stored. Returns its outcome, which may be a failure.
///
/// # Errors
/// As [`execute`].
pub(crate) fn executed(
    step: &Arc<Step>,
    arena: &Arena,
    options: RunOptions<'_>,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<StepRecord> {
    let (mut missing, present) = (Missing::default(), arena.store.present()?);
    missing.add(step, arena, &present)?;
    execute(&missing.steps, arena, options, interrupted, observer)?;
    step.stored(arena)
}
