//! The baseline `linear`.

use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result, TaskKind,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{design::Design, logistic, ridge};
use crate::{
    groups::{Group, grouped},
    logistic::logistic as probability,
    pool,
    scaler::Scaler,
    state::{Header, fitted},
    targets::gather,
};

const HEADER: Header = Header { name: *b"line", version: 1 };

/// Configuration of [`Linear`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinearConfig {
    /// Weight of the L2 penalty relative to the losses of the labelled rows, above 0. Classes use half of it times the
    /// squared weights (1 / scikit-learn's C), numbers all of it (scikit-learn's alpha).
    pub alpha: f64,
}

impl Default for LinearConfig {
    fn default() -> Self {
        Self { alpha: 10.0 }
    }
}

/// Logistic regression for classes and ridge regression for numbers, both with an unpenalised intercept and an L2
/// penalty. Bits are used unchanged. Dense columns are standardised on the training rows; a column that does not vary
/// there has no effect. A task without labels predicts 0.5 or 0; a task with one distinct label predicts that label.
/// Validation molecules are not used.
#[derive(Debug)]
pub struct Linear {
    alpha: f64,
    model: Option<Model>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Model {
    columns: usize,
    /// Standardises dense columns.
    scaler: Option<Scaler>,
    tasks: Vec<Task>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum Task {
    /// The same prediction for every molecule.
    Constant(f32),
    /// Weights of the columns, then the intercept, of the logit.
    Logistic(Vec<f64>),
    /// Weights of the columns, then the intercept.
    Ridge(Vec<f64>),
}

impl Component for Linear {
    type Config = LinearConfig;
    const INFO: Info = Info {
        id: "linear",
        summary: "logistic regression (classes) or ridge regression (numbers), one for each task",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: LinearConfig) -> Result<Self> {
        let alpha = config.alpha;
        if alpha > 0.0 && alpha.is_finite() {
            return Ok(Self { alpha, model: None });
        }
        Err(Error::invalid_config(format!("`alpha` is {alpha}, must be above 0")))
    }
}

impl Baseline for Linear {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let scaler = match (train.bits, train.dense) {
            (None, Some(dense)) => Some(Scaler::fit(&dense)?),
            _ => None,
        };
        let design = Design::new(train, scaler.as_ref())?;
        let (constants, groups) = grouped(gather(labels, train.rows)?, labels.kind, call);
        let mut tasks: Vec<Option<Task>> =
            constants.into_iter().map(|constant| constant.map(Task::Constant)).collect();
        let fitted = match labels.kind {
            TaskKind::Classification => self.fit_classes(&design, &groups, call)?,
            TaskKind::Regression => self.fit_numbers(&design, &groups, call)?,
        };
        for (task, fitted) in fitted {
            tasks[task] = Some(fitted);
        }
        let (columns, tasks) = (design.columns(), tasks.into_iter().flatten().collect());
        self.model = Some(Model { columns, scaler, tasks });
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, |model| model.tasks.len())
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        fitted(self.model.as_ref(), "predict")?.predict(inputs, call)
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model = HEADER.load(state)?;
        let weights_fit = model.tasks.iter().all(|task| match task {
            Task::Constant(_) => true,
            Task::Logistic(weights) | Task::Ridge(weights) => weights.len() == model.columns + 1,
        });
        if !weights_fit || model.scaler.as_ref().is_some_and(|scaler| scaler.columns() != model.columns) {
            return Err(Error::data("state of the linear model is damaged: weights and columns do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

impl Linear {
    fn fit_classes(
        &self,
        design: &Design<'_>,
        groups: &[Group],
        call: &Call<'_>,
    ) -> Result<Vec<(usize, Task)>> {
        let members: Vec<_> = groups
            .iter()
            .flat_map(|group| group.members.iter().map(move |member| (&group.rows, member)))
            .collect();
        pool::map(
            members.len(),
            call,
            "fitting",
            || (),
            |(), item| {
                let (rows, member) = members[item];
                let (weights, reached) = logistic::fit(design, rows, &member.labels, self.alpha, call)?;
                if !reached {
                    let task = member.task;
                    call.progress(
                        0.0,
                        &format!("task {task} stopped before its minimum: a larger `alpha` helps"),
                    );
                }
                Ok((member.task, Task::Logistic(weights)))
            },
        )
    }

    fn fit_numbers(
        &self,
        design: &Design<'_>,
        groups: &[Group],
        call: &Call<'_>,
    ) -> Result<Vec<(usize, Task)>> {
        let fitted = pool::map(
            groups.len(),
            call,
            "fitting",
            || (),
            |(), group| {
                let group = &groups[group];
                let labels: Vec<&[f32]> =
                    group.members.iter().map(|member| member.labels.as_slice()).collect();
                let weights = ridge::fit(design, &group.rows, &labels, self.alpha, call)?;
                let task =
                    |(member, weights): (usize, Vec<f64>)| (group.members[member].task, Task::Ridge(weights));
                Ok(weights.into_iter().enumerate().map(task).collect::<Vec<_>>())
            },
        )?;
        Ok(fitted.into_iter().flatten().collect())
    }
}

impl Model {
    fn predict(&self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let design = Design::new(inputs, self.scaler.as_ref())?;
        if design.columns() != self.columns {
            return Err(Error::invalid_argument(format!(
                "the model was fitted to {} features, these inputs have {}",
                self.columns,
                design.columns()
            )));
        }
        let rows = pool::map(
            inputs.rows,
            call,
            "predicting",
            || (),
            |(), row| {
                let linear = |weights: &[f64]| {
                    design.dot(row as u32, &weights[..self.columns]) + weights[self.columns]
                };
                let value = |task: &Task| match task {
                    Task::Constant(value) => *value,
                    Task::Logistic(weights) => probability(linear(weights)) as f32,
                    Task::Ridge(weights) => linear(weights) as f32,
                };
                Ok(self.tasks.iter().map(value).collect::<Vec<f32>>())
            },
        )?;
        Matrix::new(inputs.rows, self.tasks.len(), rows.concat())
    }
}
