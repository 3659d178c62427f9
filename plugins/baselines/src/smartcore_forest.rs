//! The baseline `rf-smartcore`: the forest of the smartcore library, for comparison.

use molarena_sdk::{
    Baseline, Bits, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
    TaskKind,
};
use schemars::JsonSchema;
use serde::Deserialize;
use smartcore::{
    ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters},
    linalg::basic::matrix::DenseMatrix,
};

use crate::{
    forest::mixed,
    pool,
    targets::{Targets, gather, without_labels},
};

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
/// the number of features for classes, and all features for numbers.
#[derive(Debug)]
pub struct SmartcoreForest {
    config: SmartcoreConfig,
    n_bits: usize,
    tasks: Vec<Task>,
}

#[derive(Debug)]
enum Task {
    Constant(f32),
    Forest(Box<Forest>),
}

impl Component for SmartcoreForest {
    type Config = SmartcoreConfig;
    const INFO: Info = Info {
        id: "rf-smartcore",
        summary: "random forest of the smartcore library, one for each task",
        inputs: &[InputKind::Bits],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };

    fn new(config: SmartcoreConfig) -> Result<Self> {
        if config.n_trees == 0 {
            return Err(Error::invalid_config("`n_trees` is 0, must be at least 1"));
        }
        Ok(Self { config, n_bits: 0, tasks: Vec::new() })
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
        let bits = train.bits()?;
        let targets = gather(labels, train.rows)?;
        self.n_bits = bits.n_bits;
        self.tasks = pool::map(
            targets.len(),
            call,
            "growing forests",
            || (),
            |(), task| {
                let targets = &targets[task];
                match targets.mean() {
                    None => Ok(Task::Constant(without_labels(labels.kind, task, call))),
                    // The library refuses or mishandles a single row.
                    Some(mean) if targets.len() == 1 => Ok(Task::Constant(mean)),
                    Some(_) => self.grow(&bits, targets, labels.kind, mixed(call.seed, task)),
                }
            },
        )?;
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.tasks.len()
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let bits = inputs.bits()?;
        if self.tasks.is_empty() || bits.n_bits != self.n_bits {
            return Err(Error::invalid_argument("`predict` needs `fit` first, on as many bits"));
        }
        let rows: Vec<u32> = (0..bits.rows as u32).collect();
        let columns = pool::map(
            self.tasks.len(),
            call,
            "predicting",
            || (),
            |(), task| match &self.tasks[task] {
                Task::Constant(value) => Ok(vec![f64::from(*value); bits.rows]),
                Task::Forest(_) if rows.is_empty() => Ok(Vec::new()),
                Task::Forest(forest) => {
                    forest.predict(&dense(&bits, &rows)?).map_err(|error| library(&error))
                }
            },
        )?;
        let values = (0..bits.rows).flat_map(|row| columns.iter().map(move |column| column[row] as f32));
        Matrix::new(bits.rows, columns.len(), values.collect())
    }
}

impl SmartcoreForest {
    fn grow(&self, bits: &Bits<'_>, targets: &Targets, kind: TaskKind, seed: u64) -> Result<Task> {
        let labels: Vec<f64> = targets.values.iter().copied().map(f64::from).collect();
        let tried = match kind {
            TaskKind::Classification => bits.n_bits.isqrt(),
            TaskKind::Regression => bits.n_bits,
        };
        let parameters = RandomForestRegressorParameters::default()
            .with_n_trees(self.config.n_trees)
            .with_m(tried.max(1))
            // The library adds the tree's index to the seed.
            .with_seed(seed >> 1);
        let forest = Forest::fit(&dense(bits, &targets.rows)?, &labels, parameters);
        Ok(Task::Forest(Box::new(forest.map_err(|error| library(&error))?)))
    }
}

/// The bits of `rows` as 0 and 1, column-major.
fn dense(bits: &Bits<'_>, rows: &[u32]) -> Result<Columns> {
    let mut values = vec![0f32; rows.len() * bits.n_bits];
    for (position, &row) in rows.iter().enumerate() {
        let words = bits.row(row as usize);
        for bit in (0..bits.n_bits).filter(|bit| words[bit / 64] >> (bit % 64) & 1 == 1) {
            values[bit * rows.len() + position] = 1.0;
        }
    }
    DenseMatrix::new(rows.len(), bits.n_bits, values, true).map_err(|error| library(&error))
}

fn library(error: &smartcore::error::Failed) -> Error {
    Error::internal(format!("smartcore: {error}"))
}

#[cfg(test)]
mod tests {
    use molarena_sdk::OwnedLabels;

    use super::*;

    #[test]
    fn a_bit_that_is_the_label_is_found() {
        let words: Vec<u64> = (0..40).map(|row| (row % 2) | (row / 2 % 2) << 1).collect();
        let labels: Vec<f32> = (0..40).flat_map(|row| [(row % 2) as f32, f32::NAN]).collect();
        let labels = OwnedLabels::from_nan(TaskKind::Classification, 40, 2, labels).unwrap();
        let inputs = Inputs::from_bits(Bits::new(&words, 40, 2).unwrap());
        let mut forest = SmartcoreForest::new(SmartcoreConfig { n_trees: 20 }).unwrap();
        let call = Call::new(1, 2);
        assert!(forest.predict(&inputs, &call).is_err());
        forest.fit(&inputs, &labels.view(), &inputs, &labels.view(), &call).unwrap();
        let predictions = forest.predict(&inputs, &call).unwrap();
        for (row, pair) in predictions.values.chunks(2).enumerate() {
            assert!((pair[0] - (row % 2) as f32).abs() < 0.5);
            assert_eq!(pair[1], 0.5);
        }
        assert!(SmartcoreForest::new(SmartcoreConfig { n_trees: 0 }).is_err());
    }
}
