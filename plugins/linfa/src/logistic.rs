//! The baseline `logistic-linfa`.

use linfa::{DatasetBase, traits::Fit};
use linfa_logistic::LogisticRegression;
use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
    state::{Header, fitted},
    targets::Targets,
};
use ndarray_016::{Array1, Array2, Axis};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Model, classes, classes_only, places};
use crate::rows::Rows;

const HEADER: Header = Header { name: *b"llog", version: 1 };

/// Configuration of [`LinfaLogistic`].
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinfaLogisticConfig {
    /// Weight of half the squared weights against the losses of the labelled rows, above 0: 1 over scikit-learn's C.
    pub alpha: f64,
    /// Most iterations of L-BFGS, at least 1. The weights of the best one are kept where they do not suffice.
    #[schemars(range(min = 1))]
    pub max_iterations: u64,
}

impl Default for LinfaLogisticConfig {
    fn default() -> Self {
        Self { alpha: 1.0, max_iterations: 100 }
    }
}

/// linfa's logistic regression for each task, with a free intercept and an L2 penalty, to a gradient of 1e-4. Bits are taken
/// as they are; dense columns are standardised on the task's rows, and one that does not vary there counts for nothing.
/// Classification only.
#[derive(Debug)]
pub struct LinfaLogistic {
    config: LinfaLogisticConfig,
    model: Option<Model<Weights>>,
}

/// The logit of class 1: a weight of each column, and an intercept.
#[derive(Debug, Serialize, Deserialize)]
struct Weights {
    columns: Vec<f64>,
    intercept: f64,
}

impl Component for LinfaLogistic {
    type Config = LinfaLogisticConfig;
    const INFO: Info = Info {
        id: "logistic-linfa",
        summary: "logistic regression of the linfa library, one for each task; classification only",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: LinfaLogisticConfig) -> Result<Self> {
        let LinfaLogisticConfig { alpha, max_iterations } = config;
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(Error::invalid_config(format!("`alpha` is {alpha}, must be above 0")));
        }
        if max_iterations == 0 {
            return Err(Error::invalid_config("`max_iterations` is 0, must be at least 1"));
        }
        Ok(Self { config, model: None })
    }
}

impl Baseline for LinfaLogistic {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        classes_only(Self::INFO.id, labels)?;
        self.model = Some(Model::fit(train, labels, call, |rows, targets, task| {
            self.fit_task(rows, targets)
                .map_err(|error| Error::internal(format!("linfa: task {task}: {error}")))
        })?);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, Model::tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let rows = Rows::of(inputs)?;
        fitted(self.model.as_ref(), "predict")?.predict(
            inputs,
            call,
            |_| Ok(()),
            |weights, ()| Ok((0..rows.len()).map(|row| weights.probability(&rows, row)).collect()),
        )
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(fitted(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        let model: Model<Weights> = HEADER.load(state)?;
        if !model.fitted().all(|weights| weights.columns.len() == model.columns()) {
            return Err(Error::data("state of the regression is damaged: weights and columns do not fit"));
        }
        self.model = Some(model);
        Ok(())
    }
}

impl LinfaLogistic {
    fn fit_task(&self, rows: &Rows<'_>, targets: &Targets) -> linfa_logistic::error::Result<Weights> {
        let mut records: Array2<f64> = rows.array(places(targets));
        let scales = match rows {
            Rows::Bits(_) => None,
            Rows::Dense(_) => Some(standardise(&mut records)),
        };
        let dataset = DatasetBase::new(records, Array1::from(classes(targets)));
        let fitted = LogisticRegression::default()
            .alpha(self.config.alpha)
            .max_iterations(self.config.max_iterations)
            .fit(&dataset)?;
        // The library's positive class is the more frequent one.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        let mut columns: Vec<f64> = fitted.params().iter().map(|weight| sign * weight).collect();
        let mut intercept = sign * fitted.intercept();
        for (weight, (mean, scale)) in columns.iter_mut().zip(scales.into_iter().flatten()) {
            *weight *= scale;
            intercept -= *weight * mean;
        }
        Ok(Weights { columns, intercept })
    }
}

impl Weights {
    /// Of class 1.
    fn probability(&self, rows: &Rows<'_>, row: usize) -> f32 {
        let mut logit = self.intercept;
        rows.for_each(row, |column, value| logit += self.columns[column] * f64::from(value));
        // Infinite where the logit is far below 0, which gives 0.
        (1.0 / (1.0 + (-logit).exp())) as f32
    }
}

/// Moves each column to mean 0 and standard deviation 1, and gives what was subtracted and what it was multiplied by: 0 for
/// a column that does not vary.
fn standardise(records: &mut Array2<f64>) -> Vec<(f64, f64)> {
    let rows = records.nrows() as f64;
    let mut scales = Vec::with_capacity(records.ncols());
    for mut column in records.axis_iter_mut(Axis(1)) {
        let mean = column.sum() / rows;
        let variance = column.fold(0.0, |sum, value| sum + (value - mean) * (value - mean)) / rows;
        let deviation = variance.sqrt();
        // What rounding leaves of a constant is no variation.
        let scale = if deviation > 1e-9 * mean.abs() { 1.0 / deviation } else { 0.0 };
        column.mapv_inplace(|value| (value - mean) * scale);
        scales.push((mean, scale));
    }
    scales
}
