//! A step: the one unit of work, and what each kind of step says of itself.

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
    /// Hash of everything that decides the outcome.
    pub key: String,
    /// The steps whose outcomes it builds on.
    pub needs: Vec<Arc<Step>>,
    /// Name of the first method that asks for it.
    pub method: String,
    /// Dataset or context graph that it is about.
    pub subject: String,
    /// Seed of every random choice.
    pub seed: u64,
    /// Limits of its worker.
    pub limits: Limits,
    /// Device that it runs on, such as `cpu` or `cuda:0`.
    pub device: String,
    /// What its kind knows of it.
    pub(crate) work: Arc<dyn Work>,
}

impl Step {
    /// The step, under the key of its content.
    pub(crate) fn new(label: Label<'_>, needs: Vec<Arc<Self>>, limits: Limits, work: Arc<dyn Work>) -> Self {
        let Label { method, subject, seed, device } = label;
        let (method, subject, device) = (method.to_owned(), subject.to_owned(), device.to_owned());
        Self { key: key_of(&work.of()), needs, method, subject, seed, limits, device, work }
    }

    /// Kind of the step.
    pub fn kind(&self) -> Kind {
        self.work.kind()
    }

    /// The libraries that its worker opens and that keys do not name, by plugin id.
    pub(crate) fn libraries(&self) -> BTreeMap<String, String> {
        component::libraries(&self.work.components())
    }

    /// Its outcome, which was stored before.
    ///
    /// # Errors
    /// [`Error::Store`] if it is not there any more, and those of reading it.
    pub fn stored(&self, arena: &Arena) -> Result<StepRecord> {
        let store = arena.store_of(self.kind());
        store.step(&self.key)?.ok_or_else(|| Error::Store {
            path: store.root().to_owned(),
            message: format!("{} {} was removed while the run went on; run again", self.kind(), self.key),
        })
    }

    /// What an encoder is trained on, if this is a pretraining.
    pub fn corpus(&self) -> Option<CorpusUse> {
        self.work.corpus()
    }
}

/// What a step is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Label<'a> {
    pub(crate) method: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) seed: u64,
    pub(crate) device: &'a str,
}

/// What a kind of step knows: one file in [`crate::plan::steps`] for each.
pub(crate) trait Work: Debug + Send + Sync {
    /// Which kind it is.
    fn kind(&self) -> Kind;

    /// Everything that decides the outcome; the step's key is its hash.
    fn of(&self) -> Value;

    /// Writes the job's inputs into its folder and says what the worker does; or makes the outcome without a worker.
    ///
    /// # Errors
    /// Those of reading inputs and of writing them.
    fn prepare(&self, context: &Context<'_>) -> Result<Prepared>;

    /// What a worker made, read as if it were hostile; or why it is nothing.
    ///
    /// # Errors
    /// The reason for the record.
    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged;

    /// The components that its worker makes.
    fn components(&self) -> Vec<&Component> {
        Vec::new()
    }

    /// What an encoder is trained on, for the record.
    fn corpus(&self) -> Option<CorpusUse> {
        None
    }

    /// The fit, if it is one.
    fn as_fit(&self) -> Option<&FitWork> {
        None
    }

    /// Whether the worker has a folder that outlives it, so that a killed one goes on. Then one process at a time works on
    /// the step.
    fn keeps_folder(&self) -> bool {
        false
    }

    /// What the step costs with the steps that it needs, from its worker's own cost and theirs.
    fn cost(&self, own: Cost, _needs: &[StepRecord]) -> Cost {
        own
    }
}

/// What a worker made, or why it made nothing that counts.
pub(crate) type Judged = Result<Made, (Reason, String)>;

/// How a step goes on once its inputs are there.
#[derive(Debug)]
pub(crate) enum Prepared {
    /// In a worker.
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
