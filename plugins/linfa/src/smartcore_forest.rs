//! The baseline `rf-smartcore`: the forest of the smartcore library, for comparison.

use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result, TaskKind,
    state::fitted, targets::Targets,
};
use rand_chacha_03::rand_core::RngCore;
use schemars::JsonSchema;
use serde::Deserialize;
use smartcore::{
    ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters},
    linalg::basic::matrix::DenseMatrix,
};

use crate::model::{Model, places, random};
use crate::rows::Rows;

type Columns = DenseMatrix<f32>;
type Forest = RandomForestRegressor<f32, f64, Columns, Vec<f64>>;

/// Configuration of [`SmartcoreForest`].
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SmartcoreConfig {
    /// Number of trees of each task's forest, at least 1.
    #[schemars(range(min = 1))]
    pub n_trees: usize,
}

impl Default for SmartcoreConfig {
    fn default() -> Self {
        Self { n_trees: 100 }
    }
}

/// smartcore's random forest for each task. Classes use the regression forest too, since its mean of the leaves' means
/// is the probability of class 1, which the library's classifier does not return. Each split tries the square root of
/// the number of features for classes, and all features for numbers. The state cannot be saved.
#[derive(Debug)]
pub struct SmartcoreForest {
    config: SmartcoreConfig,
    model: Option<Model<Box<Forest>>>,
}

impl Component for SmartcoreForest {
    type Config = SmartcoreConfig;
    const INFO: Info = Info {
        id: "rf-smartcore",
        summary: "random forest of the smartcore library, one for each task",
        inputs: &[InputKind::Bits, InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };

    fn new(config: SmartcoreConfig) -> Result<Self> {
        if config.n_trees == 0 {
            return Err(Error::invalid_config("`n_trees` is 0, must be at least 1"));
        }
        Ok(Self { config, model: None })
    }
}

impl Baseline for SmartcoreForest {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        self.model = Some(Model::fit(train, labels, call, |rows, targets, task| {
            // The library adds the tree's index to the seed.
            self.grow(rows, targets, labels.kind, random(call.seed, task).next_u64() >> 1)
        })?);
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.model.as_ref().map_or(0, Model::tasks)
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        fitted(self.model.as_ref(), "predict")?.predict(
            inputs,
            call,
            |rows| columns(rows, 0..rows.len()),
            |forest, rows| {
                let values = forest.predict(rows).map_err(|error| library(&error))?;
                Ok(values.into_iter().map(|value| value as f32).collect())
            },
        )
    }
}

impl SmartcoreForest {
    fn grow(&self, rows: &Rows<'_>, targets: &Targets, kind: TaskKind, seed: u64) -> Result<Box<Forest>> {
        let labels: Vec<f64> = targets.values.iter().copied().map(f64::from).collect();
        let tried = match kind {
            TaskKind::Classification => rows.columns().isqrt(),
            TaskKind::Regression => rows.columns(),
        };
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(self.config.n_trees)
            .with_m(tried.max(1))
            .with_seed(seed);
        let forest = Forest::fit(&columns(rows, places(targets))?, &labels, parameters);
        forest.map(Box::new).map_err(|error| library(&error))
    }
}

/// Some rows as the library's matrix, column by column.
fn columns(rows: &Rows<'_>, places: impl ExactSizeIterator<Item = usize>) -> Result<Columns> {
    let count = places.len();
    DenseMatrix::new(count, rows.columns(), rows.column_major(places), true).map_err(|error| library(&error))
}

fn library(error: &smartcore::error::Failed) -> Error {
    Error::internal(format!("smartcore: {error}"))
}
