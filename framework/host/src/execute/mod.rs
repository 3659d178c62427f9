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

/// Executes `steps`, what is needed before what needs it. Each is stored as soon as it is done; when `interrupted` is
/// set, running workers end, and what is finished stays.
///
/// # Errors
/// [`Error::Interrupted`](crate::error::Error::Interrupted), and those of inputs and of the store. A failure of a plugin
/// is no error: it is the step's outcome.
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

/// Executes a step and what it needs, unless they are stored; its outcome, which may be a failure.
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
