//! Gaussian noise: regression, and classes treated as numbers.

use molarena_sdk::{Call, Result, TaskKind};
use serde::{Deserialize, Serialize};

use super::{config::Parameters, kernel::Lower, model::Task, platt::Platt, search};
use crate::{factor::columns, groups::Group, pool};

/// A task with Gaussian noise.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Gaussian {
    /// Training rows with a label.
    pub(super) rows: Vec<u32>,
    /// (K + noise I)^-1 y of the standardised labels y.
    pub(super) dual: Vec<f64>,
    mean: f64,
    deviation: f64,
    /// Turns the predicted mean into a probability; for classes only.
    platt: Option<Platt>,
}

impl Gaussian {
    /// The predicted mean in the labels' units, or the probability of class 1, from the kernels with all training rows.
    pub(super) fn predict(&self, kernels: &[f32]) -> f64 {
        let score = weighted_sum(&self.rows, &self.dual, kernels);
        self.platt.map_or(self.mean + self.deviation * score, |platt| platt.probability(score))
    }
}

/// Sum of `weights` times the kernels of `rows`.
pub(super) fn weighted_sum(rows: &[u32], weights: &[f64], kernels: &[f32]) -> f64 {
    rows.iter().zip(weights).map(|(&row, weight)| weight * f64::from(kernels[row as usize])).sum()
}

/// Fits every task of every group (Rasmussen and Williams 2006, algorithm 2.1). Tasks of a group with the same noise
/// share one factor.
pub(super) fn fit(
    parameters: &Parameters,
    lower: &Lower,
    groups: &[Group],
    kind: TaskKind,
    call: &Call<'_>,
) -> Result<Vec<(usize, Task)>> {
    let noises = search::noises(parameters);
    let evidence = if noises.len() > 1 {
        search::gaussian(parameters, lower, groups, &f64::from, "choosing the noise", call)?
    } else {
        vec![vec![0.0]; groups.iter().map(|group| group.members.len()).sum()]
    };
    let mut chosen = search::choose(&evidence).into_iter();
    let mut systems = Vec::new();
    for (number, group) in groups.iter().enumerate() {
        let choices: Vec<usize> = chosen.by_ref().take(group.members.len()).collect();
        for (choice, &noise) in noises.iter().enumerate() {
            let members: Vec<usize> =
                (0..choices.len()).filter(|&member| choices[member] == choice).collect();
            if !members.is_empty() {
                systems.push((number, noise, members));
            }
        }
    }
    let tasks = pool::map(
        systems.len(),
        call,
        "solving",
        || (),
        |(), system| {
            let (group, noise, members) = &systems[system];
            solve(lower, &groups[*group], *noise, members, kind)
        },
    )?;
    Ok(tasks.into_iter().flatten().collect())
}

fn solve(
    lower: &Lower,
    group: &Group,
    noise: f64,
    members: &[usize],
    kind: TaskKind,
) -> Result<Vec<(usize, Task)>> {
    let factor = search::noisy(lower, &group.rows, noise, &f64::from)?;
    let size = group.rows.len();
    let labels: Vec<Vec<f64>> = members
        .iter()
        .map(|&member| (0..size).map(|position| group.standardised(member, position)).collect())
        .collect();
    let mut duals = columns(size, &labels);
    factor.half_solve(&mut duals);
    factor.other_half_solve(&mut duals);
    let inverse = (kind == TaskKind::Classification).then(|| factor.inverse_diagonal());
    let task = |(column, &member): (usize, &usize)| {
        let dual: Vec<f64> = duals.col(column).iter().copied().collect();
        let member = &group.members[member];
        let platt = inverse.as_ref().map(|inverse| {
            // Leave-one-out means (Rasmussen and Williams 2006, eq. 5.12); section 6.5 describes this use of them.
            let left_out: Vec<f64> =
                (0..size).map(|row| labels[column][row] - dual[row] / inverse[row]).collect();
            Platt::fit(&left_out, &member.labels)
        });
        let (mean, deviation) = (member.mean, member.deviation);
        (member.task, Task::Gaussian(Gaussian { rows: group.rows.clone(), dual, mean, deviation, platt }))
    };
    Ok(members.iter().enumerate().map(task).collect())
}
