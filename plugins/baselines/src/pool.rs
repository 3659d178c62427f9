//! Parallel work on a given number of threads, with progress and cancellation.

use std::sync::atomic::{AtomicUsize, Ordering};

use molarena_sdk::{Call, Error, Result};
use rayon::prelude::*;

/// Runs `work` inside a pool of `call.threads` threads.
pub(crate) fn with_threads<T: Send>(call: &Call<'_>, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(call.threads).build().map_err(|error| {
        Error::internal(format!("{} threads could not be started: {error}", call.threads))
    })?;
    Ok(pool.install(work))
}

/// Computes `work(scratch, item)` for each of `items` items, in any order on `call.threads` threads; returns the
/// results in item order. Checks for cancellation before each item, and reports progress at most a hundred times.
pub(crate) fn map<S, T: Send>(
    items: usize,
    call: &Call<'_>,
    what: &str,
    scratch: impl Fn() -> S + Sync + Send,
    work: impl Fn(&mut S, usize) -> Result<T> + Sync + Send,
) -> Result<Vec<T>> {
    let done = AtomicUsize::new(0);
    let step = items.div_ceil(100).max(1);
    let one = |scratch: &mut S, item: usize| {
        call.check()?;
        let result = work(scratch, item)?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        if done.is_multiple_of(step) || done == items {
            call.progress(done as f64 / items as f64, what);
        }
        Ok(result)
    };
    with_threads(call, || (0..items).into_par_iter().map_init(scratch, one).collect())?
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use molarena_sdk::Hooks;

    use super::*;

    struct Watcher {
        seen: Mutex<Vec<f64>>,
        stop_after: usize,
    }

    impl Hooks for Watcher {
        fn progress(&self, fraction: f64, _: &str) {
            self.seen.lock().unwrap().push(fraction);
        }
        fn cancelled(&self) -> bool {
            self.seen.lock().unwrap().len() >= self.stop_after
        }
    }

    #[test]
    fn results_keep_their_order_and_progress_ends_at_one() {
        let watcher = Watcher { seen: Mutex::default(), stop_after: usize::MAX };
        let call = Call::new(0, 2).with_hooks(&watcher);
        let squares = map(1000, &call, "squares", || (), |(), item| Ok(item * item)).unwrap();
        assert!(squares.iter().enumerate().all(|(item, &square)| square == item * item));
        let seen = watcher.seen.into_inner().unwrap();
        assert!(seen.len() <= 101 && seen.contains(&1.0));
    }

    #[test]
    fn a_cancelled_call_ends_with_an_error() {
        let watcher = Watcher { seen: Mutex::default(), stop_after: 3 };
        let call = Call::new(0, 1).with_hooks(&watcher);
        let error = map(1000, &call, "nothing", || (), |(), _| Ok(())).unwrap_err();
        assert_eq!(error, Error::cancelled("cancelled by the arena"));
        assert_eq!(watcher.seen.into_inner().unwrap().len(), 3);
    }
}
