//! How work outside of a run is shown: a spinner on a terminal, a line for each step elsewhere.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use molarena_host::{Observer, PlannedFit, PlannedMatch, PlannedPretrain, job::Progress};
use molarena_record::{cell::Record, encoder::EncoderRecord, matching::MatchRecord};

/// Shows what workers do on standard error.
pub(crate) struct Spinner(Option<ProgressBar>);

impl Spinner {
    /// A spinner on a terminal, lines elsewhere.
    pub(crate) fn new() -> Self {
        Self(std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {elapsed} {msg}").expect("the template is valid"),
            );
            bar.enable_steady_tick(std::time::Duration::from_millis(500));
            bar
        }))
    }

    /// Removes the spinner.
    pub(crate) fn close(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }

    fn say(&self, what: String) {
        match &self.0 {
            Some(bar) => bar.set_message(what),
            None => eprintln!("{what}"),
        }
    }

    fn share(&self, name: &str, progress: &Progress) {
        if let Some(bar) = &self.0 {
            bar.set_message(format!("{name}: {:.0} % {}", 100.0 * progress.fraction, progress.message));
        }
    }
}

impl Observer for Spinner {
    fn planned(&self, _cells: usize, _finished: usize) {}

    fn features(&self, dataset: &str) {
        self.say(format!("features of {dataset}"));
    }

    fn started(&self, fit: &PlannedFit) {
        self.say(format!("{} learns and predicts", fit.method.name));
    }

    fn progress(&self, fit: &PlannedFit, progress: &Progress) {
        self.share(&fit.method.name, progress);
    }

    fn finished(&self, _records: &[Record]) {}

    fn pretraining(&self, planned: &PlannedPretrain, progress: Option<&Progress>) {
        let name = format!("{} pretrains on {}", planned.method, planned.corpus.id);
        match progress {
            None => self.say(name),
            Some(progress) => self.share(&name, progress),
        }
    }

    fn pretrained(&self, _planned: &PlannedPretrain, _record: &EncoderRecord) {}

    fn matching(&self, _planned: &PlannedMatch, _progress: Option<&Progress>) {}

    fn matched(&self, _record: &MatchRecord) {}
}
