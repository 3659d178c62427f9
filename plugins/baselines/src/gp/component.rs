//! The baseline `gp`.

use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
};

use super::{
    config::{GpConfig, Parameters},
    model::Model,
};
use crate::state::{Header, fitted};

const HEADER: Header = Header { name: *b"gp  ", version: 2 };

/// An exact Gaussian process for each task on the task's labelled rows; all tasks share one kernel matrix.
///
/// Labels are standardised for each task. Numbers have Gaussian noise, and the prediction is the posterior mean in the
/// labels' units (Rasmussen and Williams 2006, algorithm 2.1). Classes have one of two likelihoods: Gaussian noise
/// (least-squares classification, section 6.5, where a logistic function fitted to leave-one-out predictions turns the
/// mean into a probability), or the logistic likelihood by Laplace's approximation (algorithms 3.1 and 3.2; the
/// probability is averaged over the latent function, eq. 3.25).
///
/// By default each task's noise (for Laplace's approximation its amplitude) maximises the marginal likelihood of at
/// most `search_molecules` of its labelled molecules, on a grid of half decades. The mean of all tasks' log marginal
/// likelihoods is added as a prior, so that tasks with few labels follow the others. All tasks share the length scale
/// of `rbf`. Tasks that are labelled on the same rows with the same noise share one Cholesky factor.
///
/// A task without labels predicts 0.5 or 0; a task with one distinct label predicts that label. Validation molecules
/// are not used.
#[derive(Debug)]
pub struct GaussianProcess {
    parameters: Parameters,
    model: Option<Model>,
}

impl Component for GaussianProcess {
    type Config = GpConfig;
    const INFO: Info = Info {
        id: "gp",
        summary: "exact Gaussian process with a Tanimoto, min-max or RBF kernel",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: GpConfig) -> Result<Self> {
        Ok(Self { parameters: config.check()?, model: None })
    }
}

impl GaussianProcess {
    #[cfg(test)]
    pub(super) fn model(&self) -> &Model {
        fitted(self.model.as_ref(), "model").unwrap()
    }
}

impl Baseline for GaussianProcess {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        self.model = Some(Model::fit(&self.parameters, train, labels, call)?);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, Model::tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        fitted(self.model.as_ref(), "predict")?.predict(inputs, call)
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        if !model.is_sound() {
            return Err(Error::data("state of the process is damaged: molecules and tasks do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}
