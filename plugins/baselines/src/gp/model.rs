//! The fitted tasks of a process.

use std::collections::HashMap;

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
use crate::{
    pool,
    targets::{Targets, gather, without_labels},
};

/// Molecules whose kernels with the training molecules are in memory at once.
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
    /// No label, or one label only: what every molecule is predicted to have.
    Constant(f32),
    Gaussian(Gaussian),
    Laplace(Laplace),
}

/// Tasks whose labels are on the same rows.
pub(super) struct Group {
    /// Training rows, rising.
    pub(super) rows: Vec<u32>,
    pub(super) members: Vec<Member>,
}

/// One task of a group.
pub(super) struct Member {
    pub(super) task: usize,
    /// Label of each row of the group.
    pub(super) labels: Vec<f32>,
    pub(super) mean: f64,
    /// Population standard deviation; not 0.
    pub(super) deviation: f64,
}

impl Group {
    /// Label of a member at a position of the group's rows, standardised.
    pub(super) fn standardised(&self, member: usize, position: usize) -> f64 {
        let member = &self.members[member];
        (f64::from(member.labels[position]) - member.mean) / member.deviation
    }
}

impl Member {
    /// A task whose labels vary; otherwise `None`.
    fn new(task: usize, labels: Vec<f32>) -> Option<Self> {
        let first = *labels.first()?;
        if labels.iter().all(|&label| label == first) {
            return None;
        }
        let count = labels.len() as f64;
        let mean = labels.iter().copied().map(f64::from).sum::<f64>() / count;
        let square: f64 = labels.iter().map(|&label| (f64::from(label) - mean).powi(2)).sum();
        Some(Self { task, labels, mean, deviation: (square / count).sqrt() })
    }
}

/// Constant tasks where labels do not vary, and groups of the others, those with most rows first.
fn grouped(targets: Vec<Targets>, kind: TaskKind, call: &Call<'_>) -> (Vec<Option<Task>>, Vec<Group>) {
    let mut tasks = vec![None; targets.len()];
    let mut groups: Vec<Group> = Vec::new();
    let mut of_rows: HashMap<Vec<u32>, usize> = HashMap::new();
    for (task, targets) in targets.into_iter().enumerate() {
        let mean = targets.mean();
        let Some(member) = Member::new(task, targets.values) else {
            tasks[task] = Some(Task::Constant(mean.unwrap_or_else(|| without_labels(kind, task, call))));
            continue;
        };
        let group = *of_rows.entry(targets.rows).or_insert_with_key(|rows| {
            groups.push(Group { rows: rows.clone(), members: Vec::new() });
            groups.len() - 1
        });
        groups[group].members.push(member);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.rows.len()));
    (tasks, groups)
}

impl Model {
    /// Fits all tasks; the kernel is computed once.
    pub(super) fn fit(
        parameters: &Parameters,
        train: &Inputs<'_>,
        labels: &Labels<'_>,
        call: &Call<'_>,
    ) -> Result<Self> {
        call.check()?;
        let mut kernel = Kernel::new(parameters.kernel(train)?, train)?;
        parameters.check_rows(train.rows)?;
        let (mut tasks, groups) = grouped(gather(labels, train.rows)?, labels.kind, call);
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

    /// The kernel matrix again, as it was fitted.
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

    /// Whether all that a prediction reads is there.
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
