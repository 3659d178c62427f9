//! Shows work: a bar on a terminal, lines elsewhere; and events as lines of JSON for machines.

use std::{
    io::{IsTerminal, Write},
    path::Path,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_host::{Event, Observer, Step, job::Progress, rate};
use molarena_record::{
    cell::{Outcome, Record},
    matching::{MatchOutcome, MatchRecord},
    step::{Kind, StepRecord},
    text::{visible, visible_json, visible_lines},
};
use molarena_report::with_decimals;

use crate::commands::work_begins;

/// How often a line about a stream or a queue is printed if there is no terminal.
const EVERY: Duration = Duration::from_secs(10);

/// What the bar counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counts {
    /// Cells of a run.
    Cells,
    /// Nothing: a few steps run one after the other.
    Steps,
    /// Rows of a stream without a known end.
    Rows,
    /// Units of a known number, in named stages.
    Stages,
}

impl Counts {
    const fn template(self) -> &'static str {
        match self {
            Self::Cells => "[{bar:30}] {pos}/{len} cells, {elapsed} gone {msg}",
            Self::Steps => "{spinner} {elapsed} {msg}",
            Self::Rows => "{spinner} {human_pos} molecules, {per_sec}, {elapsed} gone",
            Self::Stages => "{msg} [{bar:30}] {pos}/{len} {eta}",
        }
    }
}

/// Shows work on standard error.
pub(crate) struct Display {
    counts: Counts,
    bar: Option<ProgressBar>,
    started: Mutex<Instant>,
    /// When a line about a stream or a queue was last printed.
    last: Mutex<Instant>,
    /// Name of the current stage.
    stage: Mutex<String>,
    total: AtomicUsize,
    done: AtomicUsize,
    done_now: AtomicUsize,
}

impl Display {
    /// A bar on a terminal, lines elsewhere.
    pub(crate) fn new(counts: Counts) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(ProgressStyle::with_template(counts.template()).expect("the template is valid"));
            bar.enable_steady_tick(Duration::from_millis(500));
            bar
        });
        let (started, last) = (Mutex::new(Instant::now()), Mutex::new(Instant::now()));
        let number = || AtomicUsize::new(0);
        let (total, done, done_now) = (number(), number(), number());
        Self { counts, bar, started, last, stage: Mutex::default(), total, done, done_now }
    }

    /// Removes the bar.
    pub(crate) fn close(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    /// Prints a line above the bar.
    pub(crate) fn line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(visible_lines(line)),
            None => say!("{line}"),
        }
    }

    /// Shows that `done` of `total` units of a stage are done. Without a terminal, prints a line with `verb`,
    /// if given, when the stage begins.
    pub(crate) fn stage(&self, verb: Option<&str>, name: &str, done: usize, total: usize) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        let begins = *stage != name;
        name.clone_into(&mut stage);
        match &self.bar {
            Some(bar) => {
                if begins {
                    bar.set_message(visible(name).into_owned());
                    bar.reset_eta();
                }
                bar.set_length(total as u64);
                bar.set_position(done as u64);
            }
            None => {
                if let (true, Some(verb)) = (begins, verb) {
                    say!("{verb}: {name}");
                }
            }
        }
    }

    fn message(&self, name: &str, progress: Option<&Progress>) {
        let Some(bar) = &self.bar else { return };
        let separator = if self.counts == Counts::Cells { "| " } else { "" };
        let text = match progress {
            None => format!("{separator}{name}"),
            Some(Progress { fraction, message, .. }) => {
                format!("{separator}{name}: {:.0} % {message}", 100.0 * fraction)
            }
        };
        bar.set_message(visible(&text).into_owned());
    }

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

    fn step_started(&self, step: &Step) {
        match step.corpus() {
            Some(corpus) => {
                let nodes: usize = corpus.nodes.values().sum();
                self.line(&format!(
                    "pretraining on {}: {nodes} nodes, {} molecules left out, for {}",
                    corpus.id, corpus.left_out, step.method
                ));
            }
            None if self.counts == Counts::Steps && self.bar.is_none() => say!("{}", step.title()),
            None => {}
        }
        self.message(&step.title(), None);
    }

    fn step_finished(&self, step: &Step, record: &StepRecord) {
        if step.kind() != Kind::Pretrain {
            return;
        }
        let result = match record.failure() {
            None => "done".to_owned(),
            Some(failure) => format!("failed ({}): {}", failure.reason, failure.message),
        };
        let wall_s = record.cost.wall_s;
        self.line(&format!("pretraining on {} for {}: {result} in {wall_s:.1} s", step.subject, step.method));
    }

    fn scored(&self, record: &Record) {
        let result = match &record.outcome {
            Outcome::Scored { mean: Some(mean), .. } => {
                format!("{} {}", record.metric, with_decimals(*mean, 4))
            }
            Outcome::Scored { mean: None, .. } => "no task can be scored".into(),
            Outcome::Failed(failure) => format!("failed ({}): {}", failure.reason, failure.message),
        };
        let what = format!("{} {} seed {}", record.dataset, record.method, record.seed);
        self.cell(&what, &result, record.cost.wall_s);
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

    /// Prints the line of a finished cell and moves the bar.
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

    /// Estimated time for the remaining cells, from those of this run.
    fn remaining(&self) -> Option<Duration> {
        let now = self.done_now.load(Ordering::Relaxed);
        let left = self.total.load(Ordering::Relaxed).saturating_sub(self.done.load(Ordering::Relaxed));
        let gone = self.started.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
        (now > 0).then(|| Duration::from_secs((gone.as_secs_f64() / now as f64 * left as f64) as u64))
    }

    /// Shows how many jobs wait and run; as a line now and then if there is no terminal.
    fn queue(&self, pending: usize, running: usize, why: &str) {
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        let text = format!("Slurm: {running} running, {pending} pending{why}");
        if let Some(bar) = &self.bar {
            bar.set_message(visible(&format!("| {text}")).into_owned());
        } else if self.is_due() {
            say!("{text}");
        }
    }

    /// Whether it is time for another line about what goes on.
    fn is_due(&self) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.elapsed() >= EVERY;
        if due {
            *last = Instant::now();
        }
        due
    }

    fn rows(&self, rows: u64) {
        if let Some(bar) = &self.bar {
            bar.set_position(rows);
            return;
        }
        if self.is_due() {
            let gone = self.started.lock().unwrap_or_else(PoisonError::into_inner).elapsed();
            say!("{rows} rows, {:.0} a second", rate(rows, gone));
        }
    }
}

impl Observer for Display {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Started(_) | Event::Rows(_)) {
            work_begins();
        }
        match event {
            Event::Planned { cells, finished } => self.planned(*cells, *finished),
            Event::Started(step) => self.step_started(step),
            Event::Progress(step, progress) => self.message(&step.title(), Some(progress)),
            Event::Finished(step, record) => self.step_finished(step, record),
            Event::Scored(record) => self.scored(record),
            Event::Matched(record) => self.matched(record),
            Event::Rows(rows) => self.rows(*rows),
            Event::Queue { pending, running, why } => self.queue(*pending, *running, why),
            Event::Notice(message) => self.line(message),
        }
    }
}

/// A display and, if requested, a file of events.
pub(crate) struct Watch {
    pub(crate) display: Display,
    events: Option<Mutex<fs_err::File>>,
}

impl Watch {
    /// Creates the file `events`; an existing one is overwritten.
    pub(crate) fn new(counts: Counts, events: Option<&Path>) -> anyhow::Result<Self> {
        let events = events.map(fs_err::File::create).transpose();
        let events = events.map_err(|error| molarena_host::Error::Request(error.to_string()))?;
        Ok(Self { display: Display::new(counts), events: events.map(Mutex::new) })
    }
}

impl Observer for Watch {
    fn event(&self, event: &Event<'_>) {
        self.display.event(event);
        let Some(file) = &self.events else { return };
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // A full disk must not end a run whose results still fit.
        if let Err(error) = writeln!(file, "{}", visible_json(&event.to_json().to_string())) {
            self.display.line(&format!("warning: events: {error}"));
        }
    }
}
