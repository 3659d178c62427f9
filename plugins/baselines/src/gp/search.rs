//! Chooses hyperparameters by marginal likelihood.

use molarena_sdk::{Call, Result};

use super::{
    config::Parameters,
    kernel::{Kernel, Lower, decay},
};
use crate::{
    factor::{Factor, columns},
    groups::Group,
    pool,
};

/// Noise variances to try: half decades from 0.01 to 100 times the amplitude.
const NOISES: [f64; 9] = [0.01, 0.031_622_8, 0.1, 0.316_228, 1.0, 3.162_28, 10.0, 31.622_8, 100.0];

/// Number of length scales to try, from 1/4 to 8 times the natural one in steps of the square root of 2.
const LENGTH_SCALES: i32 = 11;

/// Logarithms of the marginal likelihood, for each task and each candidate.
pub(super) type Evidence = Vec<Vec<f64>>;

/// At most `most` evenly spaced numbers below `rows`.
pub(super) fn evenly_spaced(rows: usize, most: usize) -> Vec<usize> {
    if rows <= most { (0..rows).collect() } else { (0..most).map(|i| i * rows / most).collect() }
}

/// The noise variances to try for these parameters.
pub(super) fn noises(parameters: &Parameters) -> Vec<f64> {
    parameters.0.noise.fixed().map_or_else(|| NOISES.to_vec(), |noise| vec![noise])
}

/// Sets the length scale of a kernel that has one. It is either the fixed one, or the one that maximises the sum over
/// the tasks of the log marginal likelihood (Gaussian noise on standardised labels, each task at its best noise).
pub(super) fn set_length_scale(
    parameters: &Parameters,
    kernel: &mut Kernel,
    lower: &mut Lower,
    groups: &[Group],
    call: &Call<'_>,
) -> Result<()> {
    let Some(natural) = kernel.natural_length_scale() else {
        kernel.finish(lower);
        return Ok(());
    };
    let chosen = match parameters.0.length_scale.fixed() {
        Some(length_scale) => length_scale,
        None => best_length_scale(parameters, natural, lower, groups, call)?,
    };
    kernel.set_length_scale(chosen, lower);
    Ok(())
}

fn best_length_scale(
    parameters: &Parameters,
    natural: f64,
    lower: &Lower,
    groups: &[Group],
    call: &Call<'_>,
) -> Result<f64> {
    let mut best = (f64::NEG_INFINITY, natural);
    for step in 0..LENGTH_SCALES {
        let length_scale = natural * 0.25 * 2f64.powf(f64::from(step) / 2.0);
        let decay = decay(length_scale);
        let radial = |squared: f32| (-f64::from(squared) * decay).exp();
        let evidence = gaussian(parameters, lower, groups, &radial, "choosing the length scale", call)?;
        let sum: f64 = evidence.iter().map(|task| task.iter().copied().fold(f64::MIN, f64::max)).sum();
        if sum > best.0 {
            best = (sum, length_scale);
        }
    }
    Ok(best.1)
}

/// Log marginal likelihood (Rasmussen and Williams 2006, eq. 2.30) of each task's standardised labels for each noise,
/// at the amplitude that maximises it: `y^T (K + noise I)^-1 y / n`. Uses `search_molecules` of each task. The order is
/// that of the groups and their members.
pub(super) fn gaussian(
    parameters: &Parameters,
    lower: &Lower,
    groups: &[Group],
    kernel: &(impl Fn(f32) -> f64 + Sync),
    what: &str,
    call: &Call<'_>,
) -> Result<Evidence> {
    let noises = noises(parameters);
    let most = parameters.0.search_molecules;
    let of_groups = pool::map(
        groups.len(),
        call,
        what,
        || (),
        |(), group| {
            let group = &groups[group];
            let positions = evenly_spaced(group.rows.len(), most);
            let rows: Vec<u32> = positions.iter().map(|&position| group.rows[position]).collect();
            let labels: Vec<Vec<f64>> = (0..group.members.len())
                .map(|member| {
                    positions.iter().map(|&position| group.standardised(member, position)).collect()
                })
                .collect();
            let mut evidence = vec![Vec::with_capacity(noises.len()); labels.len()];
            for &noise in &noises {
                call.check()?;
                let factor = noisy(lower, &rows, noise, kernel)?;
                let mut solved = columns(rows.len(), &labels);
                factor.half_solve(&mut solved);
                let (size, determinant) = (rows.len() as f64, factor.log_determinant());
                for (member, evidence) in evidence.iter_mut().enumerate() {
                    let square: f64 = solved.col(member).iter().map(|value| value * value).sum();
                    let amplitude = (square / size).max(1e-12);
                    evidence.push(
                        -0.5 * (size * (amplitude.ln() + 1.0 + std::f64::consts::TAU.ln()) + determinant),
                    );
                }
            }
            Ok(evidence)
        },
    )?;
    Ok(of_groups.into_iter().flatten().collect())
}

/// Factor of the kernel matrix of `rows` with noise on its diagonal.
pub(super) fn noisy(lower: &Lower, rows: &[u32], noise: f64, kernel: &impl Fn(f32) -> f64) -> Result<Factor> {
    Factor::new(rows.len(), |row| {
        let values = lower.row(rows[row]);
        move |column| kernel(values[rows[column] as usize]) + if row == column { noise } else { 0.0 }
    })
}

/// For each task the candidate that maximises its own log marginal likelihood plus the mean over all tasks; the first,
/// if several are equal. The mean is an empirical prior with the weight of one task; it decides for a task with few
/// labels.
pub(super) fn choose(evidence: &Evidence) -> Vec<usize> {
    let candidates = evidence.first().map_or(0, Vec::len);
    let mean: Vec<f64> = (0..candidates)
        .map(|candidate| evidence.iter().map(|task| task[candidate]).sum::<f64>() / evidence.len() as f64)
        .collect();
    let best = |task: &Vec<f64>| {
        (0..candidates).fold(0, |best, candidate| {
            if task[candidate] + mean[candidate] > task[best] + mean[best] { candidate } else { best }
        })
    };
    evidence.iter().map(best).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_evenly_spaced() {
        assert_eq!(evenly_spaced(3, 5), [0, 1, 2]);
        assert_eq!(evenly_spaced(10, 4), [0, 2, 5, 7]);
    }

    #[test]
    fn tasks_of_little_evidence_follow_the_others() {
        let evidence = vec![vec![0.0, 90.0, 30.0], vec![0.0, 0.1, 0.2], vec![20.0, 10.0, 0.0]];
        // The means are 6.7, 33.4 and 10.1.
        assert_eq!(choose(&evidence), [1, 1, 1]);
        let evidence = vec![vec![0.0, 90.0, 30.0], vec![0.0, 0.1, 0.2], vec![50.0, 10.0, 0.0]];
        // The means are 16.7, 33.4 and 10.1.
        assert_eq!(choose(&evidence), [1, 1, 0]);
        assert!(choose(&Vec::new()).is_empty());
    }
}
