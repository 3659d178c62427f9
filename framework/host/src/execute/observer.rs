//! How a run is asked for and watched.

use molarena_record::{cell::Record, encoder::EncoderRecord, matching::MatchRecord};

use crate::{
    job::Progress,
    plan::{
        matching::PlannedMatch,
        step::{PlannedFit, PlannedPretrain},
    },
    request::limits::Limits,
};

/// How a plan is run.
#[derive(Clone, Copy, Debug)]
pub struct RunOptions {
    /// Limits of each worker.
    pub limits: Limits,
    /// Limits of each worker that pretrains an encoder.
    pub pretraining: Limits,
    /// Workers at a time.
    pub jobs: usize,
    /// Whether failed cells of earlier runs run again.
    pub retry_failed: bool,
}

/// Is told how a run goes. Called from several threads.
pub trait Observer: Sync {
    /// The plan is valid: so many cells, of which so many are finished already.
    fn planned(&self, cells: usize, finished: usize);
    /// Features of a dataset are computed or read.
    fn features(&self, dataset: &str);
    /// A worker starts.
    fn started(&self, fit: &PlannedFit);
    /// A worker reports.
    fn progress(&self, fit: &PlannedFit, progress: &Progress);
    /// The cells of a fit are stored.
    fn finished(&self, records: &[Record]);
    /// A worker that pretrains starts, or reports.
    fn pretraining(&self, planned: &PlannedPretrain, progress: Option<&Progress>);
    /// A pretraining is stored, or failed.
    fn pretrained(&self, planned: &PlannedPretrain, record: &EncoderRecord);
    /// A worker that matches starts, or reports.
    fn matching(&self, planned: &PlannedMatch, progress: Option<&Progress>);
    /// A matching cell is stored.
    fn matched(&self, record: &MatchRecord);
}

/// What came of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Cells that were scored in this run.
    pub scored: usize,
    /// Cells of the plan that failed, in this run or before.
    pub failed: usize,
    /// Cells that were finished before.
    pub resumed: usize,
}
