//! A step, the unit of work, and the trait that each kind of step implements.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    path::{Path, PathBuf},
    sync::Arc,
};

use molarena_features::Features;
use molarena_record::{
    encoder::CorpusUse,
    key::key_of,
    parts::{Cost, Failure, Reason},
    step::{Kind, StepRecord},
};
use serde_json::Value;

use crate::{
    arena::Arena,
    error::{Error, Result},
    inputs::Inputs,
    job::{JobTask, Output},
    plan::{
        component::{self, Component},
        steps::fit::FitWork,
    },
    request::limits::Limits,
    store::Made,
};

/// One step of a plan.
#[derive(Clone, Debug)]
pub struct Step {
    /// Hash of everything that determines the outcome.
    pub key: String,
    /// The steps whose outcomes it builds on.
    pub needs: Vec<Arc<Step>>,
    /// Name of the first method that needs it.
    pub method: String,
    /// Id of its dataset or context graph.
    pub subject: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Limits of its worker.
    pub limits: Limits,
    /// Device that it runs on, such as `cpu` or `cuda:0`.
    pub device: String,
    /// The part that depends on the kind of step.
    pub(crate) work: Arc<dyn Work>,
}

impl Step {
    /// A step whose key is the hash of `work`.
    pub(crate) fn new(label: Label<'_>, needs: Vec<Arc<Self>>, limits: Limits, work: Arc<dyn Work>) -> Self {
        Self::with_key(key_of(&work.of()), label, needs, limits, work)
    }

    /// A step whose key is known to be the hash of `work`.
    pub(crate) fn with_key(
        key: String,
        label: Label<'_>,
        needs: Vec<Arc<Self>>,
        limits: Limits,
        work: Arc<dyn Work>,
    ) -> Self {
        let Label { method, subject, seed, device } = label;
        let (method, subject, device) = (method.to_owned(), subject.to_owned(), device.to_owned());
        Self { key, needs, method, subject, seed, limits, device, work }
    }

    /// Kind of the step.
    pub fn kind(&self) -> Kind {
        self.work.kind()
    }

    /// Its name in messages, such as `morgan-rf: fit of chembl2k, seed 0`.
    pub fn title(&self) -> String {
        format!("{}: {} of {}, seed {}", self.method, self.kind(), self.subject, self.seed)
    }

    /// sha256 of the libraries that its worker opens and its key does not name, by plugin id.
    pub(crate) fn libraries(&self) -> BTreeMap<String, String> {
        component::libraries(&self.work.components())
    }

    /// Its outcome, which must be stored.
    ///
    /// # Errors
    /// [`Error::Store`] if it is no longer there, and errors of reading it.
    pub fn stored(&self, arena: &Arena) -> Result<StepRecord> {
        let store = arena.store_of(self.kind());
        store.step(&self.key)?.ok_or_else(|| Error::Store {
            path: store.root().to_owned(),
            message: format!("{} {} was removed while the run went on; run again", self.kind(), self.key),
        })
    }

    /// The corpus, if this is a pretraining.
    pub fn corpus(&self) -> Option<CorpusUse> {
        self.work.corpus()
    }
}

/// How a step appears in events and messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    pub(crate) method: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) seed: u64,
    pub(crate) device: &'a str,
}

/// A kind of step; [`crate::plan::steps`] has one file for each.
pub(crate) trait Work: Debug + Send + Sync {
    /// Kind of the step.
    fn kind(&self) -> Kind;

    /// Everything that determines the outcome; the step's key is its hash.
    fn of(&self) -> Value;

    /// Writes the job's inputs into its folder and returns the worker's task, or makes the outcome without a
    /// worker.
    ///
    /// # Errors
    /// Errors of reading and writing inputs.
    fn prepare(&self, context: &Context<'_>) -> Result<Prepared>;

    /// Reads what a worker made as if it were hostile.
    ///
    /// # Errors
    /// Reason and message of the failure, for the record.
    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged;

    /// The components that its worker creates.
    fn components(&self) -> Vec<&Component> {
        Vec::new()
    }

    /// The corpus of a pretraining, for the record.
    fn corpus(&self) -> Option<CorpusUse> {
        None
    }

    /// The file of weights that an encoding starts from.
    fn weights(&self) -> Option<&Path> {
        None
    }

    /// This work as a fit, if it is one.
    fn as_fit(&self) -> Option<&FitWork> {
        None
    }

    /// Whether the worker has a folder that outlives it, so that another worker can resume. Then only one
    /// process at a time works on the step.
    fn keeps_folder(&self) -> bool {
        false
    }

    /// The cost of the step with its needs, from the cost of its own worker and their records.
    fn cost(&self, own: Cost, _needs: &[StepRecord]) -> Cost {
        own
    }
}

/// What a worker made, or the reason and message of its failure.
pub(crate) type Judged = Result<Made, (Reason, String)>;

/// How a step continues once it is prepared.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// A worker does the rest.
    Job {
        /// What the worker does.
        task: JobTask,
        /// Files and folders that it may read.
        readable: Vec<PathBuf>,
        /// Folders that it may write to.
        writable: Vec<PathBuf>,
    },
    /// It is done.
    Done(Result<Made, Failure>),
}

/// What a step is prepared and judged with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    /// Catalog, store and data folder.
    pub(crate) arena: &'a Arena,
    /// Inputs that several steps share.
    pub(crate) inputs: &'a Inputs,
    /// Outcomes of the steps that it needs, in their order; none of them failed.
    pub(crate) needs: &'a [StepRecord],
    /// The step.
    pub(crate) step: &'a Step,
    /// The job folder.
    pub(crate) folder: &'a Path,
}

impl Context<'_> {
    /// The vectors of an encoding that this step needs.
    ///
    /// # Errors
    /// The file is missing, or its bytes are not those of the record.
    pub(crate) fn vectors(&self, encoding: &StepRecord) -> Result<Arc<Features>> {
        self.inputs.vectors(encoding, &self.arena.store)
    }

    /// The outcome of the needed step of a kind, if there is one.
    pub(crate) fn need(&self, kind: Kind) -> Option<&StepRecord> {
        self.needs.iter().find(|record| record.kind == kind)
    }
}
