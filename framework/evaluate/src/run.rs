//! Runs a plan: executes its missing steps and scores each cell once its step is done.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use molarena_host::{
    Arena, Cell, Error, Event, Missing, Observer, Plan, Result, Row, RunOptions, Slurm, execute,
    forget_failures,
};
use molarena_record::{cell::Outcome, keys::KeySet, matching::MatchOutcome, step::StepRecord};
use rayon::prelude::*;

use crate::score::{Scored, score};

/// How a plan is run.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Threads for all workers on this machine together.
    pub threads: usize,
    /// Where steps run if not on this machine.
    pub slurm: Option<&'a Slurm>,
    /// Whether to run failed cells of earlier runs again.
    pub retry_failed: bool,
}

/// The result of a run. `scored`, `failed`, `resumed` and `waiting` add up to the cells of the plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number of cells scored in this run, failed ones not counted.
    pub scored: usize,
    /// Number of cells of the plan that failed, in this run or before.
    pub failed: usize,
    /// Number of cells that were scored before, or by another run meanwhile.
    pub resumed: usize,
    /// Number of cells whose steps are not done, if the run only collects.
    pub waiting: usize,
    /// Number of steps executed in this run.
    pub steps: usize,
}

impl Summary {
    /// Counts a cell that the store has.
    fn count_stored(&mut self, failed: bool) {
        self.failed += usize::from(failed);
        self.resumed += usize::from(!failed);
    }
}

/// Runs what is missing of `plan`. Stored steps do not run again, and neither do the steps that they were
/// made from. When `interrupted` is set, running workers end, and finished cells stay.
///
/// # Errors
/// [`Error::Interrupted`], and errors of inputs and of the store. A plugin's failure is a row, not an error.
pub fn run(
    plan: &Plan,
    arena: &Arena,
    options: Options<'_>,
    interrupted: &AtomicBool,
    observer: &dyn Observer,
) -> Result<Summary> {
    if options.retry_failed {
        forget_failures(plan.cells.iter(), arena)?;
    }
    let present = arena.store.present()?;
    let looked_up = |cell: &Cell| {
        if interrupted.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        if present.may_have(&cell.key) { stored(cell, arena) } else { Ok(None) }
    };
    let found: Vec<Option<bool>> = plan.cells.par_iter().map(looked_up).collect::<Result<_>>()?;
    let mut summary = Summary::default();
    let mut waiting = Vec::new();
    for (cell, found) in plan.cells.iter().zip(found) {
        match found {
            Some(failed) => summary.count_stored(failed),
            None => waiting.push(cell),
        }
    }
    observer.event(&Event::Planned { cells: plan.cells.len(), finished: summary.resumed + summary.failed });
    let missing = Missing::of(waiting.iter().copied(), arena, &present)?;
    let scorer = Scorer::new(&waiting, arena, observer, summary);
    let absent: BTreeSet<&str> = missing.steps.iter().map(|step| step.key.as_str()).collect();
    for cell in waiting.iter().filter(|cell| !absent.contains(cell.step.key.as_str())) {
        scorer.score(cell, &cell.step.stored(arena)?)?;
    }
    let Options { threads, slurm, .. } = options;
    execute(&missing.steps, arena, RunOptions { threads, slurm }, interrupted, &scorer)?;
    let collects = slurm.is_some_and(Slurm::collects);
    scorer.score_rest(&waiting, collects)?;
    let Progress { summary, error, .. } =
        scorer.progress.into_inner().unwrap_or_else(PoisonError::into_inner);
    let steps = if collects {
        Missing::of(waiting.into_iter(), arena, &arena.store.present()?)?.steps.len()
    } else {
        0
    };
    error.map_or(Ok(Summary { steps: missing.steps.len() - steps, ..summary }), Err)
}

/// Whether a stored cell failed; `None` if it is not finished.
fn stored(cell: &Cell, arena: &Arena) -> Result<Option<bool>> {
    Ok(match cell.row {
        Row::Task(_) => {
            let record = arena.store.record(&cell.key)?;
            record.map(|record| matches!(record.outcome, Outcome::Failed(_)))
        }
        Row::Match(_) => {
            let record = arena.store.match_record(&cell.key)?;
            record.map(|record| matches!(record.outcome, MatchOutcome::Failed(_)))
        }
    })
}

/// Scores cells as their steps finish, and passes all events on.
struct Scorer<'a> {
    cells: BTreeMap<&'a str, Vec<&'a Cell>>,
    arena: &'a Arena,
    observer: &'a dyn Observer,
    progress: Mutex<Progress>,
}

#[derive(Default)]
struct Progress {
    summary: Summary,
    /// Keys of the cells that are counted.
    counted: KeySet,
    /// The first error of scoring; a step's own errors end the execution.
    error: Option<Error>,
}

impl<'a> Scorer<'a> {
    fn new(waiting: &[&'a Cell], arena: &'a Arena, observer: &'a dyn Observer, summary: Summary) -> Self {
        let mut cells: BTreeMap<&str, Vec<&Cell>> = BTreeMap::new();
        for cell in waiting {
            cells.entry(&cell.step.key).or_default().push(cell);
        }
        Self { cells, arena, observer, progress: Mutex::new(Progress { summary, ..Progress::default() }) }
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scores a cell unless another run on the same store did.
    fn score(&self, cell: &Cell, step: &StepRecord) -> Result<()> {
        if let Some(failed) = stored(cell, self.arena)? {
            let mut progress = self.progress();
            progress.counted.insert(&cell.key);
            progress.summary.count_stored(failed);
            return Ok(());
        }
        let failed = match score(cell, step, self.arena)? {
            Scored::Task(record) => {
                self.arena.store.put_record(&record)?;
                self.observer.event(&Event::Scored(&record));
                matches!(record.outcome, Outcome::Failed(_))
            }
            Scored::Match(record) => {
                self.arena.store.put_match(&record)?;
                self.observer.event(&Event::Matched(&record));
                matches!(record.outcome, MatchOutcome::Failed(_))
            }
        };
        let mut progress = self.progress();
        progress.counted.insert(&cell.key);
        progress.summary.failed += usize::from(failed);
        progress.summary.scored += usize::from(!failed);
        Ok(())
    }

    /// Scores the cells whose steps another run finished meanwhile: this run has no event of them, and the other one may
    /// have ended before it scored them. If the run only `collects`, counts those whose steps are not done.
    fn score_rest(&self, waiting: &[&Cell], collects: bool) -> Result<()> {
        if self.progress().error.is_some() {
            return Ok(());
        }
        for cell in waiting {
            if self.progress().counted.contains(&cell.key) {
                continue;
            }
            let store = self.arena.store_of(cell.step.kind());
            if collects && store.step(&cell.step.key)?.is_none() {
                self.progress().summary.waiting += 1;
            } else {
                self.score(cell, &cell.step.stored(self.arena)?)?;
            }
        }
        Ok(())
    }
}

impl Observer for Scorer<'_> {
    fn event(&self, event: &Event<'_>) {
        self.observer.event(event);
        let Event::Finished(step, record) = event else { return };
        for cell in self.cells.get(step.key.as_str()).into_iter().flatten() {
            if let Err(error) = self.score(cell, record) {
                self.progress().error.get_or_insert(error);
            }
        }
    }
}
