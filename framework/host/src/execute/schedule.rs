//! A graph of steps on a budget of threads: a step starts as soon as what it needs is done and threads are free.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use crate::{error::Result, plan::step::Step};

/// What is to be done, and what is.
struct State {
    /// Places of the steps that could start, in the order of the plan.
    ready: BTreeSet<usize>,
    /// How many steps each one still waits for.
    waits_for: Vec<usize>,
    /// Steps that are neither done nor running.
    left: usize,
    running: usize,
    free_threads: usize,
    outcome: Result<()>,
}

/// Does all steps, earlier ones first where there is a choice. The first error ends it once running steps are done.
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
        // What is not among the steps is stored already.
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

/// The next step, once there is one that may start; `None` when there is nothing left to do.
fn next(state: &Mutex<State>, changed: &Condvar, steps: &[Arc<Step>]) -> Option<usize> {
    let mut state = lock(state);
    loop {
        if state.left == 0 || state.outcome.is_err() {
            return None;
        }
        // One that wants more threads than there are has them all.
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
