//! One piece of work for each task, on the threads of a call.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use molarena_sdk::{Call, Error, Result};

/// Stack of each thread: the trees of linfa are grown, saved and read by recursion.
const STACK_BYTES: usize = 16 << 20;

/// `work(task)` for each of `tasks` tasks on at most `call.threads` threads; results in task order. Looks before each task
/// whether the call was cancelled, and reports progress after it.
pub(crate) fn map<T: Send>(
    tasks: usize,
    call: &Call<'_>,
    what: &str,
    work: impl Fn(usize) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    call.check()?;
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let one = |task: usize| {
        call.check()?;
        let result = work(task)?;
        let done = 1 + done.fetch_add(1, Ordering::Relaxed);
        call.progress(done as f64 / tasks as f64, what);
        Ok((task, result))
    };
    let worker = || {
        let mut results = Vec::new();
        loop {
            let task = next.fetch_add(1, Ordering::Relaxed);
            if task >= tasks {
                return Ok(results);
            }
            // After an error, the other threads start no further task.
            results.push(one(task).inspect_err(|_| next.store(tasks, Ordering::Relaxed))?);
        }
    };
    let mut results = thread::scope(|scope| {
        let start = |_| {
            thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, worker)
                .map_err(|error| Error::internal(format!("a thread could not be started: {error}")))
        };
        let workers = (0..call.threads.min(tasks)).map(start).collect::<Result<Vec<_>>>()?;
        let mut all = Vec::with_capacity(tasks);
        for worker in workers {
            all.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        Ok(all)
    })?;
    results.sort_by_key(|(task, _)| *task);
    Ok(results.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use molarena_sdk::Hooks;

    use super::*;

    /// Keeps what is reported, and cancels after a number of reports.
    struct Watcher {
        seen: Mutex<Vec<f64>>,
        cancel_after: usize,
    }

    impl Hooks for Watcher {
        fn progress(&self, fraction: f64, _: &str) {
            self.seen.lock().unwrap().push(fraction);
        }
        fn cancelled(&self) -> bool {
            self.seen.lock().unwrap().len() >= self.cancel_after
        }
    }

    #[test]
    fn results_are_in_task_order_and_progress_ends_at_one() {
        let watcher = Watcher { seen: Mutex::default(), cancel_after: usize::MAX };
        let call = Call::new(0, 3).with_hooks(&watcher);
        let squares = map(100, &call, "squares", |task| Ok(task * task)).unwrap();
        assert!(squares.iter().enumerate().all(|(task, &square)| square == task * task));
        let seen = watcher.seen.into_inner().unwrap();
        assert!(seen.len() == 100 && seen.contains(&1.0));
        assert_eq!(map(0, &Call::new(0, 3), "nothing", |_| Ok(())).unwrap(), []);
    }

    #[test]
    fn a_cancelled_call_ends_before_its_next_task() {
        let watcher = Watcher { seen: Mutex::default(), cancel_after: 3 };
        let call = Call::new(0, 1).with_hooks(&watcher);
        let error = map(100, &call, "nothing", |_| Ok(())).unwrap_err();
        assert_eq!(error, Error::cancelled("cancelled by the arena"));
        assert_eq!(watcher.seen.into_inner().unwrap().len(), 3);
    }

    #[test]
    fn an_error_ends_the_work_of_every_thread() {
        let started = AtomicUsize::new(0);
        let error = map(10_000, &Call::new(0, 2), "nothing", |task| {
            started.fetch_add(1, Ordering::Relaxed);
            if task == 5 { Err(Error::data("the fifth")) } else { Ok(()) }
        });
        assert_eq!(error.unwrap_err(), Error::data("the fifth"));
        assert!(started.into_inner() < 10_000);
    }
}
