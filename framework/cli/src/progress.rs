//! How a run is shown: a bar on a terminal, a line for each finished cell elsewhere.

use std::{
    io::IsTerminal,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_host::{
    Observer, PlannedFit,
    job::Progress,
    record::{Outcome, Record},
};

/// Shows a run on standard error.
pub(crate) struct Display {
    bar: Option<ProgressBar>,
    started: Mutex<Instant>,
    total: AtomicUsize,
    done: AtomicUsize,
    done_now: AtomicUsize,
}

impl Display {
    /// A bar on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "[{bar:30}] {pos}/{len} cells, {elapsed} gone {msg}";
            bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        Self {
            bar,
            started: Mutex::new(Instant::now()),
            total: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            done_now: AtomicUsize::new(0),
        }
    }

    /// Removes the bar.
    pub(crate) fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => eprintln!("{line}"),
        }
    }

    /// The time that the remaining cells take if they are like those of this run.
    fn remaining(&self) -> Option<Duration> {
        let now = self.done_now.load(Ordering::Relaxed);
        let left = self.total.load(Ordering::Relaxed).saturating_sub(self.done.load(Ordering::Relaxed));
        let gone = self.started.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        (now > 0).then(|| Duration::from_secs((gone.as_secs_f64() / now as f64 * left as f64) as u64))
    }
}

fn name(fit: &PlannedFit) -> String {
    let seeds: std::collections::BTreeSet<u64> = fit.cells.iter().map(|cell| cell.seed).collect();
    let seed = if seeds.len() > 1 { format!("{} seeds", seeds.len()) } else { format!("seed {}", fit.seed) };
    format!("{} {} {seed}", fit.dataset.dataset.id, fit.method.name)
}

impl Observer for Display {
    fn planned(&self, cells: usize, finished: usize) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.total.store(cells, Ordering::Relaxed);
        self.done.store(finished, Ordering::Relaxed);
        if finished > 0 {
            self.line(&format!("{finished} of {cells} cells were finished before"));
        }
        if let Some(bar) = &self.bar {
            bar.set_length(cells as u64);
            bar.set_position(finished as u64);
        }
    }

    fn features(&self, dataset: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(format!("| features of {dataset}")),
            None => eprintln!("features of {dataset}"),
        }
    }

    fn started(&self, fit: &PlannedFit) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("| {}", name(fit)));
        }
    }

    fn progress(&self, fit: &PlannedFit, progress: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!(
                "| {}: {:.0} % {}",
                name(fit),
                100.0 * progress.fraction,
                progress.message
            ));
        }
    }

    fn finished(&self, records: &[Record]) {
        for record in records {
            let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
            self.done_now.fetch_add(1, Ordering::Relaxed);
            let result = match &record.outcome {
                Outcome::Scored { mean: Some(mean), .. } => format!("{} {mean:.4}", record.metric),
                Outcome::Scored { mean: None, .. } => "no task can be scored".into(),
                Outcome::Failed(failure) => format!("failed ({}): {}", failure.reason, failure.message),
            };
            let remaining = self
                .remaining()
                .map(|left| format!(", about {} left", humantime::format_duration(left)))
                .unwrap_or_default();
            self.line(&format!(
                "[{done}/{}] {} {} seed {}: {result} in {:.1} s{remaining}",
                self.total.load(Ordering::Relaxed),
                record.dataset,
                record.method,
                record.seed,
                record.cost.wall_s
            ));
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.done.load(Ordering::Relaxed) as u64);
        }
    }
}
