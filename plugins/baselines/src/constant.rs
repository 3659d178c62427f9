//! The baseline `constant`: a method that does not beat it has learnt nothing.

use molarena_sdk::{
    Baseline, Call, Component, Determinism, Error, Info, InputKind, Inputs, Labels, Matrix, Result,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    state::Header,
    targets::{gather, without_labels},
};

const HEADER: Header = Header { name: *b"cons", version: 1 };

/// Configuration of [`Constant`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ConstantConfig {
    /// The number that each task predicts for every molecule.
    pub statistic: Statistic,
}

/// A number that stands for a task's training labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Statistic {
    /// The mean: the share of class 1, or the number with the smallest squared error.
    #[default]
    Mean,
    /// The median: the number with the smallest absolute error. For an even number of labels it is the mean of the
    /// middle two.
    Median,
}

/// Predicts one number for each task, whatever the molecule.
#[derive(Debug)]
pub struct Constant {
    statistic: Statistic,
    values: Vec<f32>,
}

impl Component for Constant {
    type Config = ConstantConfig;
    const INFO: Info = Info {
        id: "constant",
        summary: "the mean or median of each task's training labels",
        inputs: &[InputKind::Bits, InputKind::Dense, InputKind::Smiles, InputKind::Graphs],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: ConstantConfig) -> Result<Self> {
        Ok(Self { statistic: config.statistic, values: Vec::new() })
    }
}

impl Baseline for Constant {
    fn fit(
        &mut self,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        _: &Inputs<'_>,
        _: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<()> {
        call.check()?;
        let targets = gather(labels, train.rows)?;
        let value = |task: usize| match self.statistic {
            Statistic::Mean => targets[task].mean(),
            Statistic::Median => median(targets[task].values.clone()),
        };
        self.values = (0..targets.len())
            .map(|task| value(task).unwrap_or_else(|| without_labels(labels.kind, task, call)))
            .collect();
        Ok(())
    }

    fn tasks(&self) -> usize {
        self.values.len()
    }

    fn predict(&mut self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        call.check()?;
        if self.values.is_empty() {
            return Err(Error::invalid_argument("`predict` needs `fit` or `load` first"));
        }
        Matrix::new(inputs.rows, self.values.len(), self.values.repeat(inputs.rows))
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(&self.values)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.values = HEADER.load(state)?;
        Ok(())
    }
}

/// Median; `None` for an empty list.
fn median(mut values: Vec<f32>) -> Option<f32> {
    values.sort_unstable_by(f32::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f32::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    use molarena_sdk::{OwnedLabels, TaskKind};

    use super::*;

    fn fitted(statistic: Statistic, kind: TaskKind, values: Vec<f32>, tasks: usize) -> Constant {
        let rows = values.len() / tasks;
        let labels = OwnedLabels::from_nan(kind, rows, tasks, values).unwrap();
        let inputs = Inputs { rows, ..Inputs::default() };
        let mut constant = Constant::new(ConstantConfig { statistic }).unwrap();
        constant.fit(&inputs, &labels.view(), &inputs, &labels.view(), &Call::new(0, 1)).unwrap();
        constant
    }

    #[test]
    fn means_and_medians_of_labelled_rows() {
        let values =
            vec![1.0, f32::NAN, 10.0, /**/ 2.0, f32::NAN, f32::NAN, /**/ 9.0, f32::NAN, 20.0];
        let mean = fitted(Statistic::Mean, TaskKind::Regression, values.clone(), 3);
        assert_eq!(mean.values, [4.0, 0.0, 15.0]);
        assert_eq!(fitted(Statistic::Median, TaskKind::Regression, values, 3).values, [2.0, 0.0, 15.0]);
        let classes =
            fitted(Statistic::Mean, TaskKind::Classification, vec![1.0, f32::NAN, 0.0, f32::NAN], 2);
        assert_eq!(classes.values, [0.5, 0.5]);
    }

    #[test]
    fn predictions_survive_saving() {
        let mut constant = fitted(Statistic::Mean, TaskKind::Classification, vec![1.0, 0.0, 1.0, 1.0], 1);
        let inputs = Inputs { rows: 2, ..Inputs::default() };
        let before = constant.predict(&inputs, &Call::new(0, 1)).unwrap();
        assert_eq!(before.values, [0.75, 0.75]);
        let mut other = Constant::new(ConstantConfig::default()).unwrap();
        assert!(other.predict(&inputs, &Call::new(0, 1)).is_err());
        other.load(&constant.save().unwrap()).unwrap();
        assert_eq!(other.predict(&inputs, &Call::new(0, 1)).unwrap(), before);
    }
}
