//! Executes steps: a directed acyclic graph without barriers, one driver for every kind of step.

mod drive;
pub(crate) mod event;
pub(crate) mod executor;
mod schedule;
mod spending;

use std::sync::{Arc, atomic::AtomicBool};

use molarena_record::step::StepRecord;

use crate::{
    arena::Arena,
    error::Result,
    execute::{
        drive::Driver,
        event::Observer,
        executor::{Executor, InProcess, Local},
    },
    inputs::Inputs,
    plan::{missing::Missing, step::Step},
};

/// How steps are executed.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Threads of all workers together.
    pub threads: usize,
}

/// Executes `steps`, each after its needs, and stores each as soon as it is done. When `interrupted` is set,
/// running workers end and finished steps stay stored.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted), and errors of inputs and of the store. A
/// plugin's failure is not an error but the step's outcome.
pub fn execute(
    steps: &[Arc<Step>],
    arena: &Arena,
    options: RunOptions,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<()> {
    let local = Local { launcher: &arena.launcher };
    let executor: &dyn Executor = if arena.launcher.in_process { &InProcess } else { &local };
    let driver = Driver { arena, executor, interrupted, observer, inputs: Inputs::default() };
    schedule::in_order(steps, options.threads, &|step| driver.drive(step).map(drop))
}

/// Executes a step and its needs unless they are stored. Returns its outcome, which may be a failure.
///
/// # Errors
/// As [`execute`].
pub(crate) fn executed(
    step: &Arc<Step>,
    arena: &Arena,
    options: RunOptions,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<StepRecord> {
    let mut missing = Missing::default();
    missing.add(step, arena)?;
    execute(&missing.steps, arena, options, interrupted, observer)?;
    step.stored(arena)
}
