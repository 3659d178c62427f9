//! What the baselines share: one model for each task, and tasks that need none.

use molarena_sdk::{
    Call, Error, Inputs, Labels, Matrix, Result, TaskKind,
    targets::{Targets, gather, without_labels},
};
use rand_chacha_03::ChaCha8Rng;
use rand_chacha_03::rand_core::SeedableRng;
use serde::{Deserialize, Serialize};

use crate::{rows::Rows, tasks};

/// A fitted model of every task.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Model<T> {
    columns: usize,
    tasks: Vec<Task<T>>,
}

#[derive(Debug, Serialize, Deserialize)]
enum Task<T> {
    /// What every molecule is predicted to have: the labels do not vary, or there are none.
    Constant(f32),
    Fitted(T),
}

impl<T: Send + Sync> Model<T> {
    /// Fits each task whose labels vary with `fit(rows, labelled rows, task)`.
    pub(crate) fn fit(
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        call: &Call<'_>,
        fit: impl Fn(&Rows<'_>, &Targets, usize) -> Result<T> + Sync,
    ) -> Result<Self> {
        let rows = Rows::of(train)?;
        let targets = gather(labels, train.rows)?;
        let tasks = tasks::map(targets.len(), call, "fitting", |task| {
            let targets = &targets[task];
            match targets.values.first() {
                None => Ok(Task::Constant(without_labels(labels.kind, task, call))),
                Some(&only) if targets.values.iter().all(|&label| label == only) => Ok(Task::Constant(only)),
                Some(_) => fit(&rows, targets, task).map(Task::Fitted),
            }
        })?;
        Ok(Self { columns: rows.columns(), tasks })
    }

    /// Number of tasks.
    pub(crate) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// Number of columns that the model was fitted to.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// The models of the tasks that have one.
    pub(crate) fn fitted(&self) -> impl Iterator<Item = &T> {
        self.tasks.iter().filter_map(|task| match task {
            Task::Constant(_) => None,
            Task::Fitted(model) => Some(model),
        })
    }

    /// Predicts each task with `predict(model, prepared rows)`; `prepare` makes them once for all tasks.
    pub(crate) fn predict<P: Sync>(
        &self,
        inputs: &Inputs<'_>,
        call: &Call<'_>,
        prepare: impl Fn(&Rows<'_>) -> Result<P>,
        predict: impl Fn(&T, &P) -> Result<Vec<f32>> + Sync,
    ) -> Result<Matrix> {
        let rows = Rows::of(inputs)?;
        if rows.columns() != self.columns {
            return Err(Error::invalid_argument(format!(
                "the model was fitted to {} columns, these inputs have {}",
                self.columns,
                rows.columns()
            )));
        }
        if rows.len() == 0 {
            return Ok(Matrix::zeros(0, self.tasks()));
        }
        let prepared = prepare(&rows)?;
        let columns = tasks::map(self.tasks(), call, "predicting", |task| match &self.tasks[task] {
            Task::Constant(value) => Ok(vec![*value; rows.len()]),
            Task::Fitted(model) => predict(model, &prepared),
        })?;
        let values = (0..rows.len()).flat_map(|row| columns.iter().map(move |column| column[row]));
        Matrix::new(rows.len(), columns.len(), values.collect())
    }
}

/// Refuses labels that are numbers. The check comes before any work.
pub(crate) fn classes_only(baseline: &str, labels: &Labels<'_>) -> Result<()> {
    match labels.kind {
        TaskKind::Classification => Ok(()),
        TaskKind::Regression => Err(Error::unsupported(format!(
            "`{baseline}` is for classification only: linfa has no such model for numbers"
        ))),
    }
}

/// Whether each label is 1.
pub(crate) fn classes(targets: &Targets) -> Vec<bool> {
    targets.values.iter().map(|&label| label == 1.0).collect()
}

/// Random numbers of a task: a stream of its own for each task of a seed.
pub(crate) fn random(seed: u64, task: usize) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(task as u64);
    random
}

/// Rows of the training matrix as places.
pub(crate) fn places(targets: &Targets) -> impl ExactSizeIterator<Item = usize> + '_ {
    targets.rows.iter().map(|&row| row as usize)
}
