//! The cost of a step that keeps a folder, saved as it runs: if a worker is killed, another one continues the
//! step.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use molarena_record::parts::Cost;

use crate::{error::Result, store::Store};

/// How often the cost so far is saved.
const EVERY: Duration = Duration::from_secs(2);

/// The cost of one step's workers.
pub(super) struct Spending<'a> {
    store: &'a Store,
    key: &'a str,
    /// Cost of earlier workers, with this one counted in `workers`.
    before: Cost,
    started: Instant,
    /// When the cost was last saved, and the processor seconds last reported.
    written: Mutex<(Instant, f64)>,
}

impl<'a> Spending<'a> {
    /// Starts with what earlier workers spent; `counted` says that they include this one, whose job an earlier run started.
    pub(super) fn start(store: &'a Store, key: &'a str, threads: usize, counted: bool) -> Result<Self> {
        let spent = store.spent(key);
        let before = Cost { workers: spent.workers + usize::from(!counted), threads, ..spent };
        store.put_spent(key, &before)?;
        let started = Instant::now();
        Ok(Self { store, key, before, started, written: Mutex::new((started, 0.0)) })
    }

    fn so_far_with(&self, cpu_s: f64) -> Cost {
        let rounded = |seconds: f64| (seconds * 1000.0).round() / 1000.0;
        Cost {
            wall_s: rounded(self.before.wall_s + self.started.elapsed().as_secs_f64()),
            cpu_s: rounded(self.before.cpu_s + cpu_s),
            ..self.before
        }
    }

    /// Takes the processor seconds that the worker reports, and saves the cost if it is due.
    pub(super) fn so_far(&self, cpu_s: f64, tell: fn(&str)) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        written.1 = cpu_s;
        if written.0.elapsed() < EVERY {
            return;
        }
        written.0 = Instant::now();
        // If this fails, the cost is still saved at the end.
        if let Err(error) = self.store.put_spent(self.key, &self.so_far_with(cpu_s)) {
            tell(&format!("cost of a step so far: {error}"));
        }
    }

    pub(super) fn interrupted(&self) -> Result<()> {
        let cpu_s = self.written.lock().unwrap_or_else(PoisonError::into_inner).1;
        self.store.put_spent(self.key, &self.so_far_with(cpu_s))
    }

    /// Saves the cost of a worker that was lost after it `ran`.
    pub(super) fn lost(&self, ran: Duration) -> Result<()> {
        let wall_s = self.before.wall_s + ran.as_secs_f64();
        self.store.put_spent(self.key, &Cost { wall_s, ..self.before })
    }

    /// The cost of all workers, the last of which cost `last`.
    pub(super) fn total(&self, last: Cost) -> Cost {
        Cost {
            wall_s: self.before.wall_s + last.wall_s,
            cpu_s: self.before.cpu_s + last.cpu_s,
            peak_rss_mb: self.before.peak_rss_mb.max(last.peak_rss_mb),
            ..self.before
        }
    }
}
