//! Runs a graph of steps on a budget, of threads or of jobs: a step starts as soon as its needs are done and its share
//! of the budget is free.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{error::Result, plan::step::Step, request::limits::MAX_THREADS};

/// What is left to do, and what is running.
struct State<'a> {
    budget: Budget<'a>,
    /// Indices of the steps that may start, in the order of the plan, by what they take of the budget.
    ready: BTreeMap<usize, BTreeSet<usize>>,
    /// Number of unfinished needs of each step.
    waits_for: Vec<usize>,
    /// Number of steps that are neither done nor running.
    left: usize,
    /// What is left of the budget.
    free: usize,
    outcome: Result<()>,
}

impl State<'_> {
    /// Notes that a step may start.
    fn add(&mut self, index: usize, steps: &[Arc<Step>]) {
        self.ready.entry(self.budget.share(&steps[index])).or_default().insert(index);
    }

    /// Takes the first step of the plan that may start within what is left of the budget.
    fn take(&mut self) -> Option<usize> {
        let fitting = self.ready.range(..=self.free);
        let (index, share) = fitting.filter_map(|(share, of)| Some((*of.first()?, *share))).min()?;
        if let Some(of_share) = self.ready.get_mut(&share) {
            of_share.remove(&index);
        }
        self.left -= 1;
        self.free -= share;
        Some(index)
    }
}

/// What running steps may take together.
#[derive(Clone, Copy)]
pub(super) struct Budget<'a> {
    /// At least 1.
    pub(super) total: usize,
    /// What a step takes, at least 1.
    pub(super) share: &'a (dyn Fn(&Step) -> usize + Sync),
}

impl Budget<'_> {
    /// What a step takes of the budget: all of it where it wants more, so that it runs alone.
    fn share(&self, step: &Step) -> usize {
        (self.share)(step).min(self.total)
    }
}

/// Runs all steps, earlier ones first where there is a choice. After an error, no step starts, and the first
/// error is returned once the running steps are done.
pub(super) fn in_order(
    steps: &[Arc<Step>],
    budget: Budget<'_>,
    work: &(dyn Fn(&Step) -> Result<()> + Sync),
) -> Result<()> {
    let place: BTreeMap<&str, usize> =
        steps.iter().enumerate().map(|(place, step)| (step.key.as_str(), place)).collect();
    let mut needed_by = vec![Vec::new(); steps.len()];
    let mut waits_for = vec![0; steps.len()];
    for (index, step) in steps.iter().enumerate() {
        // A need that is not among the steps is already stored.
        let needs: BTreeSet<usize> =
            step.needs.iter().filter_map(|need| place.get(need.key.as_str()).copied()).collect();
        waits_for[index] = needs.len();
        for need in needs {
            needed_by[need].push(index);
        }
    }
    let first: Vec<usize> = (0..steps.len()).filter(|&index| waits_for[index] == 0).collect();
    let (ready, left, free) = (BTreeMap::new(), steps.len(), budget.total);
    let mut state = State { budget, ready, waits_for, left, free, outcome: Ok(()) };
    for index in first {
        state.add(index, steps);
    }
    let state = Mutex::new(state);
    let changed = Condvar::new();
    thread::scope(|scope| {
        let drive = || {
            while let Some(index) = next(&state, &changed) {
                let result = work(&steps[index]);
                done(&mut lock(&state), index, steps, &needed_by, result);
                changed.notify_all();
            }
        };
        // This thread is one of them. Where the system gives no more threads, fewer do the work.
        for _ in 1..budget.total.min(steps.len()).min(MAX_THREADS) {
            if thread::Builder::new().spawn_scoped(scope, drive).is_err() {
                break;
            }
        }
        drive();
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

/// Waits for a step that may start; `None` if none is left or a step returned an error.
fn next(state: &Mutex<State<'_>>, changed: &Condvar) -> Option<usize> {
    let mut state = lock(state);
    loop {
        if state.left == 0 || state.outcome.is_err() {
            return None;
        }
        if let Some(index) = state.take() {
            return Some(index);
        }
        state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

fn done(
    state: &mut State<'_>,
    index: usize,
    steps: &[Arc<Step>],
    needed_by: &[Vec<usize>],
    result: Result<()>,
) {
    state.free += state.budget.share(&steps[index]);
    for &waiting in &needed_by[index] {
        state.waits_for[waiting] -= 1;
        if state.waits_for[waiting] == 0 {
            state.add(waiting, steps);
        }
    }
    if result.is_err() && state.outcome.is_ok() {
        state.outcome = result;
    }
}

fn lock<'a, 'b>(state: &'a Mutex<State<'b>>) -> MutexGuard<'a, State<'b>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        time::Duration,
    };

    use molarena_record::step::Kind;
    use serde_json::Value;

    use super::*;
    use crate::{
        job::Output,
        plan::step::{Context, Judged, Label, Prepared, Work},
        request::limits::Limits,
    };

    #[derive(Debug)]
    struct Named(usize);

    impl Work for Named {
        fn kind(&self) -> Kind {
            Kind::Fit
        }

        fn of(&self) -> Value {
            self.0.into()
        }

        fn prepare(&self, _: &Context<'_>) -> Result<Prepared> {
            unreachable!("the test does the work")
        }

        fn judge(&self, _: &Context<'_>, _: &Output) -> Judged {
            unreachable!("the test does the work")
        }
    }

    #[test]
    fn running_steps_never_take_more_threads_than_there_are() {
        let label = Label { method: "m", subject: "d", seed: 0, device: "cpu" };
        let step = |index: usize, threads: usize| {
            let limits = Limits { threads, ..Limits::default() };
            Arc::new(Step::new(label, Vec::new(), limits, Arc::new(Named(index))))
        };
        // Some want more than the budget of 2, which is theirs alone.
        let steps: Vec<_> = (0..24).map(|index| step(index, [3, 1, 2][index % 3])).collect();
        let (busy, most, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let budget = Budget { total: 2, share: &|step| step.limits.threads };
        in_order(&steps, budget, &|step| {
            let share = step.limits.threads.min(2);
            most.fetch_max(busy.fetch_add(share, Ordering::SeqCst) + share, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(2));
            busy.fetch_sub(share, Ordering::SeqCst);
            done.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
        .unwrap();
        assert_eq!((most.into_inner(), done.into_inner()), (2, 24));
    }
}
