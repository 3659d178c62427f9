//! Several things at a time, each with processors of its own.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    thread,
};

use crate::{error::Result, execute::observer::Summary};

/// What came of one item of a queue.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Done {
    pub(crate) scored: usize,
    pub(crate) failed: usize,
}

/// Does all items, several at a time, each told its slot, and adds to `summary`. The first error ends it.
pub(crate) fn in_slots<T: Sync + ?Sized>(
    slots: usize,
    items: Vec<&T>,
    summary: Summary,
    work: &(dyn Fn(&T, usize) -> Result<Done> + Sync),
) -> Result<Summary> {
    let queue = Mutex::new(VecDeque::from(items));
    let outcome: Mutex<Result<Summary>> = Mutex::new(Ok(summary));
    thread::scope(|scope| {
        for slot in 0..slots.max(1) {
            let (queue, outcome) = (&queue, &outcome);
            scope.spawn(move || {
                // In the loop's condition itself, the lock would be held until the item is done.
                let next = || lock(queue).pop_front();
                while let Some(item) = next() {
                    let result = work(item, slot);
                    let mut outcome = lock(outcome);
                    match (result, outcome.as_mut()) {
                        (Ok(done), Ok(summary)) => {
                            summary.failed += done.failed;
                            summary.scored += done.scored;
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

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The processors of a slot: `threads` of those that this process may use, another set for each slot.
pub(crate) fn processors(slot: usize, threads: usize) -> Vec<usize> {
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
