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
use molarena_host::{Observer, PlannedFit, PlannedMatch, PlannedPretrain, job::Progress};
use molarena_record::{
    cell::Outcome, cell::Record, encoder::EncoderRecord, matching::MatchOutcome, matching::MatchRecord,
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

    fn message(&self, name: &str, progress: Option<&Progress>) {
        let Some(bar) = &self.bar else { return };
        bar.set_message(match progress {
            None => format!("| {name}"),
            Some(progress) => format!("| {name}: {:.0} % {}", 100.0 * progress.fraction, progress.message),
        });
    }

    /// A cell is finished: its line, and the bar.
    fn cell(&self, what: &str, result: &str, wall_s: f64) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        self.done_now.fetch_add(1, Ordering::Relaxed);
        let remaining = self
            .remaining()
            .map(|left| format!(", about {} left", humantime::format_duration(left)))
            .unwrap_or_default();
        let total = self.total.load(Ordering::Relaxed);
        self.line(&format!("[{done}/{total}] {what}: {result} in {wall_s:.1} s{remaining}"));
        if let Some(bar) = &self.bar {
            bar.set_position(done as u64);
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
        self.message(&name(fit), None);
    }

    fn progress(&self, fit: &PlannedFit, progress: &Progress) {
        self.message(&name(fit), Some(progress));
    }

    fn finished(&self, records: &[Record]) {
        for record in records {
            let result = match &record.outcome {
                Outcome::Scored { mean: Some(mean), .. } => format!("{} {mean:.4}", record.metric),
                Outcome::Scored { mean: None, .. } => "no task can be scored".into(),
                Outcome::Failed(failure) => format!("failed ({}): {}", failure.reason, failure.message),
            };
            let what = format!("{} {} seed {}", record.dataset, record.method, record.seed);
            self.cell(&what, &result, record.cost.wall_s);
        }
    }

    fn pretraining(&self, planned: &PlannedPretrain, progress: Option<&Progress>) {
        let name = format!("{} pretrains on {}", planned.used.component, planned.corpus.id);
        if progress.is_none() {
            let nodes: usize = planned.corpus.nodes.values().sum();
            self.line(&format!(
                "{name}: {nodes} nodes, {} molecules left out, for {}",
                planned.corpus.left_out, planned.method
            ));
        }
        self.message(&name, progress);
    }

    fn pretrained(&self, planned: &PlannedPretrain, record: &EncoderRecord) {
        let result = match &record.failure {
            None => "pretrained".to_owned(),
            Some(failure) => format!("pretraining failed ({}): {}", failure.reason, failure.message),
        };
        let wall_s = record.cost.wall_s;
        self.line(&format!("{} on {}: {result} in {wall_s:.1} s", planned.used.component, planned.corpus.id));
    }

    fn matching(&self, planned: &PlannedMatch, progress: Option<&Progress>) {
        self.message(
            &format!("{} {} seed {}", planned.task.context, planned.method.name, planned.seed),
            progress,
        );
    }

    fn matched(&self, record: &MatchRecord) {
        let result = match &record.outcome {
            MatchOutcome::Scored { spaces, .. } => {
                let hits = spaces.iter().map(|space| format!("{} HIT@10 {:.4}", space.space, space.hit_10));
                hits.collect::<Vec<_>>().join(", ")
            }
            MatchOutcome::Failed(failure) => format!("failed ({}): {}", failure.reason, failure.message),
        };
        let what = format!("{} {} seed {}", record.context, record.method, record.seed);
        self.cell(&what, &result, record.cost.wall_s);
    }
}
