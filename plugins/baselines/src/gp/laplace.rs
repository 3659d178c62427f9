//! Classes by Laplace's approximation with the logistic likelihood.

use faer::Mat;
use molarena_sdk::{Call, Result};
use serde::{Deserialize, Serialize};

use super::{
    config::Parameters,
    gaussian::weighted_sum,
    kernel::Lower,
    model::Task,
    search::{choose, evenly_spaced},
};
use crate::{
    factor::Factor,
    groups::Group,
    logistic::{log_one_plus_exp, logistic},
    pool,
};

/// Amplitudes to try: half decades from 0.1 to 316.
const AMPLITUDES: [f64; 8] = [0.1, 0.316_228, 1.0, 3.162_28, 10.0, 31.622_8, 100.0, 316.228];

const NEWTON_STEPS: usize = 100;
/// The objective has converged if a step adds less than this.
const TOLERANCE: f64 = 1e-9;
/// Number of molecules whose variances are solved for together. A block always has this size, filled up with empty
/// molecules, so that a variance does not depend on the number of molecules asked for.
pub(super) const BLOCK: usize = 64;

/// A task with the logistic likelihood.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Laplace {
    /// Training rows with a label.
    pub(super) rows: Vec<u32>,
    pub(super) amplitude: f64,
    /// Gradient of the log likelihood at the mode: K^-1 f.
    pub(super) gradient: Vec<f64>,
    /// Square roots of the negative second derivatives of the log likelihood at the mode.
    pub(super) root_curvature: Vec<f64>,
}

/// The posterior mode.
struct Mode {
    gradient: Vec<f64>,
    root_curvature: Vec<f64>,
    /// Log likelihood of the labels minus half of f^T K^-1 f.
    objective: f64,
}

impl Mode {
    /// Approximate log marginal likelihood (eq. 3.32).
    fn evidence(&self, lower: &Lower, rows: &[u32], amplitude: f64) -> Result<f64> {
        let determinant = factor(lower, rows, amplitude, &self.root_curvature)?.log_determinant();
        Ok(self.objective - 0.5 * determinant)
    }
}

/// Fits every task of every group.
pub(super) fn fit(
    parameters: &Parameters,
    lower: &Lower,
    groups: &[Group],
    call: &Call<'_>,
) -> Result<Vec<(usize, Task)>> {
    let members: Vec<(usize, usize)> = (groups.iter().enumerate())
        .flat_map(|(number, group)| (0..group.members.len()).map(move |member| (number, member)))
        .collect();
    let amplitudes = parameters.0.amplitude.fixed().map_or_else(|| AMPLITUDES.to_vec(), |one| vec![one]);
    let evidence = if amplitudes.len() > 1 {
        pool::map(
            members.len(),
            call,
            "choosing the amplitude",
            || (),
            |(), item| {
                let (group, member) = members[item];
                search(parameters, lower, &groups[group], member, &amplitudes, call)
            },
        )?
    } else {
        vec![vec![0.0]; members.len()]
    };
    let chosen = choose(&evidence);
    pool::map(
        members.len(),
        call,
        "finding the modes",
        || (),
        |(), item| {
            let (group, member) = (&groups[members[item].0], members[item].1);
            let amplitude = amplitudes[chosen[item]];
            // The mode of a subset of the molecules is a good first guess.
            let some = Sample::new(group, member, parameters.0.search_molecules);
            let first = mode(lower, &some.rows, &some.signs, amplitude, vec![0.0; some.rows.len()], call)?;
            let mut start = vec![0.0; group.rows.len()];
            for (&position, &value) in some.positions.iter().zip(&first.gradient) {
                start[position] = value;
            }
            let signs = signs(&group.members[member].labels);
            let mode = mode(lower, &group.rows, &signs, amplitude, start, call)?;
            let task = Laplace {
                rows: group.rows.clone(),
                amplitude,
                gradient: mode.gradient,
                root_curvature: mode.root_curvature,
            };
            Ok((group.members[member].task, Task::Laplace(task)))
        },
    )
}

/// A subset of a task's labelled molecules, evenly spaced.
struct Sample {
    positions: Vec<usize>,
    rows: Vec<u32>,
    signs: Vec<f64>,
}

impl Sample {
    fn new(group: &Group, member: usize, most: usize) -> Self {
        let positions = evenly_spaced(group.rows.len(), most);
        let rows = positions.iter().map(|&position| group.rows[position]).collect();
        let labels: Vec<f32> =
            positions.iter().map(|&position| group.members[member].labels[position]).collect();
        Self { positions, rows, signs: signs(&labels) }
    }
}

/// Approximate log marginal likelihood at each amplitude, on `search_molecules` of a task.
fn search(
    parameters: &Parameters,
    lower: &Lower,
    group: &Group,
    member: usize,
    amplitudes: &[f64],
    call: &Call<'_>,
) -> Result<Vec<f64>> {
    let Sample { rows, signs, .. } = Sample::new(group, member, parameters.0.search_molecules);
    let mut evidence = Vec::with_capacity(amplitudes.len());
    let mut start = vec![0.0; rows.len()];
    for &amplitude in amplitudes {
        let mode = mode(lower, &rows, &signs, amplitude, start, call)?;
        evidence.push(mode.evidence(lower, &rows, amplitude)?);
        start = mode.gradient;
    }
    Ok(evidence)
}

/// 1 for class 1, -1 for class 0.
fn signs(labels: &[f32]) -> Vec<f64> {
    labels.iter().map(|&label| if label == 1.0 { 1.0 } else { -1.0 }).collect()
}

/// Mode of the posterior (Rasmussen and Williams 2006, algorithm 3.1), starting from a guess of K^-1 f. A step that
/// would lower the objective is halved until it does not.
fn mode(
    lower: &Lower,
    rows: &[u32],
    signs: &[f64],
    amplitude: f64,
    mut dual: Vec<f64>,
    call: &Call<'_>,
) -> Result<Mode> {
    let mut latent = lower.multiply(rows, amplitude, &dual);
    let mut objective = log_posterior(signs, &dual, &latent);
    for _ in 0..NEWTON_STEPS {
        call.check()?;
        let (gradient, curvature) = derivatives(signs, &latent);
        let root: Vec<f64> = curvature.iter().map(|value| value.sqrt()).collect();
        let factor = factor(lower, rows, amplitude, &root)?;
        let right: Vec<f64> =
            (0..rows.len()).map(|row| curvature[row] * latent[row] + gradient[row]).collect();
        let product = lower.multiply(rows, amplitude, &right);
        let mut solved = Mat::from_fn(rows.len(), 1, |row, _| root[row] * product[row]);
        factor.half_solve(&mut solved);
        factor.other_half_solve(&mut solved);
        let next: Vec<f64> = (0..rows.len()).map(|row| right[row] - root[row] * solved[(row, 0)]).collect();
        let next_latent = lower.multiply(rows, amplitude, &next);
        let Some(gain) = step(signs, (&mut dual, &mut latent, &mut objective), &next, &next_latent) else {
            break;
        };
        if gain < TOLERANCE {
            break;
        }
    }
    let (gradient, curvature) = derivatives(signs, &latent);
    let root_curvature: Vec<f64> = curvature.iter().map(|value| value.sqrt()).collect();
    Ok(Mode { gradient, root_curvature, objective })
}

/// Moves (dual, latent, objective) towards the next dual, as far as the objective does not fall. Returns the gain, or
/// `None` if no part of the step helps.
fn step(
    signs: &[f64],
    (dual, latent, objective): (&mut Vec<f64>, &mut Vec<f64>, &mut f64),
    next: &[f64],
    next_latent: &[f64],
) -> Option<f64> {
    let mut share = 1.0;
    while share > 1e-6 {
        let between = |from: &[f64], to: &[f64]| -> Vec<f64> {
            from.iter().zip(to).map(|(from, to)| from + share * (to - from)).collect()
        };
        let (new_dual, new_latent) = (between(dual, next), between(latent, next_latent));
        let new = log_posterior(signs, &new_dual, &new_latent);
        if new >= *objective {
            let gain = new - *objective;
            (*dual, *latent, *objective) = (new_dual, new_latent, new);
            return Some(gain);
        }
        share *= 0.5;
    }
    None
}

/// Log likelihood of the labels minus half of f^T K^-1 f.
fn log_posterior(signs: &[f64], dual: &[f64], latent: &[f64]) -> f64 {
    let loss: f64 = signs.iter().zip(latent).map(|(sign, latent)| log_one_plus_exp(-sign * latent)).sum();
    -loss - 0.5 * dual.iter().zip(latent).map(|(a, f)| a * f).sum::<f64>()
}

/// First derivatives and negative second derivatives of the log likelihood (eq. 3.15).
fn derivatives(signs: &[f64], latent: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let one = |(sign, latent): (&f64, &f64)| {
        let probability = logistic(*latent);
        (f64::from(u8::from(*sign > 0.0)) - probability, probability * logistic(-latent))
    };
    signs.iter().zip(latent).map(one).unzip()
}

/// Factor of B = I + W^1/2 K W^1/2 (eq. 3.26).
fn factor(lower: &Lower, rows: &[u32], amplitude: f64, root_curvature: &[f64]) -> Result<Factor> {
    Factor::new(rows.len(), |row| {
        let (values, scale) = (lower.row(rows[row]), amplitude * root_curvature[row]);
        move |column| {
            let kernel = f64::from(values[rows[column] as usize]);
            scale * root_curvature[column] * kernel + if row == column { 1.0 } else { 0.0 }
        }
    })
}

impl Laplace {
    /// Approximate log marginal likelihood, starting from a guess of 0.
    #[cfg(test)]
    pub(super) fn evidence(lower: &Lower, rows: &[u32], signs: &[f64], amplitude: f64) -> Result<f64> {
        let mode = mode(lower, rows, signs, amplitude, vec![0.0; rows.len()], &Call::new(0, 1))?;
        mode.evidence(lower, rows, amplitude)
    }

    /// Factor for [`predict`](Self::predict).
    pub(super) fn factor(&self, lower: &Lower) -> Result<Factor> {
        factor(lower, &self.rows, self.amplitude, &self.root_curvature)
    }

    /// Averaged probabilities of class 1 of at most [`BLOCK`] molecules (algorithm 3.2, eq. 3.25), given their kernels
    /// with all training rows.
    pub(super) fn predict(&self, factor: &Factor, kernels: &[&[f32]]) -> Vec<f64> {
        self.latent(factor, kernels).into_iter().map(|(mean, variance)| averaged(mean, variance)).collect()
    }

    /// Mean and variance of the latent function (eq. 3.21 and 3.24; a molecule's kernel with itself is the amplitude).
    pub(super) fn latent(&self, factor: &Factor, kernels: &[&[f32]]) -> Vec<(f64, f64)> {
        let mut right = Mat::zeros(self.rows.len(), BLOCK);
        for (column, kernels) in kernels.iter().enumerate() {
            for (position, &row) in self.rows.iter().enumerate() {
                right[(position, column)] =
                    self.amplitude * self.root_curvature[position] * f64::from(kernels[row as usize]);
            }
        }
        factor.half_solve(&mut right);
        let one = |(column, kernels): (usize, &&[f32])| {
            let mean = self.amplitude * weighted_sum(&self.rows, &self.gradient, kernels);
            let explained: f64 = right.col(column).iter().map(|value| value * value).sum();
            (mean, (self.amplitude - explained).max(0.0))
        };
        kernels.iter().enumerate().map(one).collect()
    }
}

/// Mean of the logistic function under a normal distribution by the trapezoidal rule. Its error falls exponentially
/// with the ratio of 3.14 / deviation, the distance of the nearest pole, to the step (1e-5 at the steps used here).
pub(super) fn averaged(mean: f64, variance: f64) -> f64 {
    let deviation = variance.sqrt();
    let step = (1.7 / deviation.max(1e-9)).clamp(0.01, 0.25);
    let half = (8.0 / step).ceil() as i32;
    let (mut sum, mut weights) = (0.0, 0.0);
    for node in -half..=half {
        let z = f64::from(node) * step;
        let weight = (-0.5 * z * z).exp();
        weights += weight;
        sum += weight * logistic(mean + deviation * z);
    }
    sum / weights
}
