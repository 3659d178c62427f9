//! Runs a graph of steps on a thread budget: a step starts as soon as its needs are done and threads are
//! free.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{error::Result, plan::step::Step};

/// What is left to do, and what is running.
struct State {
    /// Indices of the steps that may start, in the order of the plan.
    ready: BTreeSet<usize>,
    /// Number of unfinished needs of each step.
    waits_for: Vec<usize>,
    /// Number of steps that are neither done nor running.
    left: usize,
    running: usize,
    free_threads: usize,
    outcome: Result<()>,
}

/// Runs all steps, earlier ones first where there is a choice. After an error, no step starts, and the first
/// error is returned once the running steps are done.
pub(super) fn in_order(
    steps: &[Arc<Step>],
    threads: usize,
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
    let ready = (0..steps.len()).filter(|&index| waits_for[index] == 0).collect();
    let (left, free_threads) = (steps.len(), threads.max(1));
    let state = Mutex::new(State { ready, waits_for, left, running: 0, free_threads, outcome: Ok(()) });
    let changed = Condvar::new();
    thread::scope(|scope| {
        for _ in 0..free_threads.min(steps.len()) {
            scope.spawn(|| {
                while let Some(index) = next(&state, &changed, steps) {
                    let result = work(&steps[index]);
                    done(&mut lock(&state), index, steps, &needed_by, result);
                    changed.notify_all();
                }
            });
        }
    });
    state.into_inner().unwrap_or_else(PoisonError::into_inner).outcome
}

/// Waits for a step that may start; `None` if none is left or a step returned an error.
fn next(state: &Mutex<State>, changed: &Condvar, steps: &[Arc<Step>]) -> Option<usize> {
    let mut state = lock(state);
    loop {
        if state.left == 0 || state.outcome.is_err() {
            return None;
        }
        // A step that wants more threads than the budget runs alone.
        let fits = |index: &usize| steps[*index].limits.threads <= state.free_threads || state.running == 0;
        if let Some(index) = state.ready.iter().copied().find(fits) {
            state.ready.remove(&index);
            state.left -= 1;
            state.running += 1;
            state.free_threads = state.free_threads.saturating_sub(steps[index].limits.threads);
            return Some(index);
        }
        state = changed.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
}

fn done(state: &mut State, index: usize, steps: &[Arc<Step>], needed_by: &[Vec<usize>], result: Result<()>) {
    state.running -= 1;
    state.free_threads += steps[index].limits.threads;
    for &waiting in &needed_by[index] {
        state.waits_for[waiting] -= 1;
        if state.waits_for[waiting] == 0 {
            state.ready.insert(waiting);
        }
    }
    if result.is_err() && state.outcome.is_ok() {
        state.outcome = result;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
