//! The fitted tasks of a process.

use molarena_sdk::{Call, Inputs, Labels, Matrix, Result, TaskKind};
use serde::{Deserialize, Serialize};

use super::{
    config::{Likelihood, Parameters},
    gaussian::{self, Gaussian},
    kernel::{Kernel, Lower},
    laplace::{self, BLOCK, Laplace},
    molecules::Molecules,
    search,
};
use crate::{groups::grouped, pool, targets::gather};

/// Number of molecules whose kernels with the training molecules are in memory at once.
const CHUNK: usize = 4096;

/// The kernel's molecules and every task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Model {
    kernel: Kernel,
    tasks: Vec<Task>,
}

/// One task.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Task {
    /// All labels are equal, or there is none: every molecule gets this prediction.
    Constant(f32),
    Gaussian(Gaussian),
    Laplace(Laplace),
}

impl Model {
    /// Fits all tasks; computes the kernel once.
    pub(super) fn fit(
        parameters: &Parameters,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<Self> {
        call.check()?;
        let mut kernel = Kernel::new(parameters.kernel(train)?, train)?;
        parameters.check_rows(train.rows)?;
        let (constants, groups) = grouped(gather(labels, train.rows)?, labels.kind, call);
        let mut tasks: Vec<Option<Task>> =
            constants.into_iter().map(|constant| constant.map(Task::Constant)).collect();
        let mut lower = kernel.compare(call)?;
        search::set_length_scale(parameters, &mut kernel, &mut lower, &groups, call)?;
        let fitted = match (labels.kind, parameters.0.likelihood) {
            (TaskKind::Classification, Likelihood::Laplace) => {
                laplace::fit(parameters, &lower, &groups, call)?
            }
            (kind, _) => gaussian::fit(parameters, &lower, &groups, kind, call)?,
        };
        for (task, fitted) in fitted {
            tasks[task] = Some(fitted);
        }
        Ok(Self { kernel, tasks: tasks.into_iter().flatten().collect() })
    }

    /// Number of tasks.
    pub(super) fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// `f32[rows, tasks]`: probabilities of class 1, or values.
    pub(super) fn predict(&self, inputs: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        call.check()?;
        let molecules = self.kernel.molecules(inputs)?;
        let approximate = self.tasks.iter().any(|task| matches!(task, Task::Laplace(_)));
        let lower = if approximate { Some(self.lower(call)?) } else { None };
        let mut values = Vec::with_capacity(inputs.rows * self.tasks.len());
        for start in (0..inputs.rows).step_by(CHUNK) {
            let rows = start..(start + CHUNK).min(inputs.rows);
            values.extend(self.predict_rows(&molecules, rows, lower.as_ref(), call)?);
        }
        Matrix::new(inputs.rows, self.tasks.len(), values)
    }

    /// The kernel matrix, recomputed as it was for fitting.
    fn lower(&self, call: &Call<'_>) -> Result<Lower> {
        let mut lower = self.kernel.compare(call)?;
        self.kernel.finish(&mut lower);
        Ok(lower)
    }

    fn predict_rows(
        &self,
        molecules: &Molecules,
        rows: std::ops::Range<usize>,
        lower: Option<&Lower>,
        call: &Call<'_>,
    ) -> Result<Vec<f32>> {
        let (width, tasks) = (self.kernel.rows(), self.tasks.len());
        let kernels = pool::map(rows.len(), call, "comparing", Vec::new, |scratch, item| {
            let mut kernels = vec![0.0; width];
            self.kernel.cross(molecules, rows.start + item, scratch, &mut kernels);
            let direct = |task: &Task| match task {
                Task::Constant(value) => *value,
                Task::Gaussian(task) => task.predict(&kernels) as f32,
                Task::Laplace(_) => f32::NAN,
            };
            let values: Vec<f32> = self.tasks.iter().map(direct).collect();
            Ok((if lower.is_some() { kernels } else { Vec::new() }, values))
        })?;
        let (kernels, values): (Vec<Vec<f32>>, Vec<Vec<f32>>) = kernels.into_iter().unzip();
        let mut values = values.concat();
        let Some(lower) = lower else { return Ok(values) };
        let columns = pool::map(
            tasks,
            call,
            "predicting",
            || (),
            |(), task| match &self.tasks[task] {
                Task::Laplace(task) => {
                    let factor = task.factor(lower)?;
                    let blocks = kernels.chunks(BLOCK).map(|block| {
                        task.predict(&factor, &block.iter().map(Vec::as_slice).collect::<Vec<_>>())
                    });
                    Ok(blocks.flatten().collect())
                }
                _ => Ok(Vec::new()),
            },
        )?;
        for (task, column) in columns.iter().enumerate() {
            for (row, &value) in column.iter().enumerate() {
                values[row * tasks + task] = value as f32;
            }
        }
        Ok(values)
    }

    /// Checks that everything a prediction reads is present.
    pub(super) fn is_sound(&self) -> bool {
        let rows_there = |rows: &[u32]| rows.iter().all(|&row| (row as usize) < self.kernel.rows());
        let ascending = |rows: &[u32]| rows.windows(2).all(|pair| pair[0] < pair[1]);
        self.kernel.is_sound()
            && self.tasks.iter().all(|task| match task {
                Task::Constant(_) => true,
                Task::Gaussian(task) => rows_there(&task.rows) && task.dual.len() == task.rows.len(),
                Task::Laplace(task) => {
                    let lengths = [task.gradient.len(), task.root_curvature.len()];
                    rows_there(&task.rows) && ascending(&task.rows) && lengths == [task.rows.len(); 2]
                }
            })
    }

    #[cfg(test)]
    pub(super) fn parts(&self) -> (&Kernel, &[Task]) {
        (&self.kernel, &self.tasks)
    }
}
