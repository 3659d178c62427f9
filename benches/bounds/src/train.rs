//! Trains critics by gradient ascent on fresh samples.

use std::f64::consts::E;

use ndarray::{Array1, Array2, Axis};

use crate::{
    contrast::{BLOCK, Samples, log_means, nce_of_block},
    critic::{Critic, Family},
    world::{Random, World},
};

/// The maximised bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Objective {
    /// `I_NCE` with K samples.
    Nce(usize),
    /// `I_NWJ`, with the same number of independent y for each z.
    Nwj(usize),
}

/// Source of the training pairs.
#[derive(Clone, Debug)]
pub enum Source {
    /// Drawn anew at every step.
    Fresh(World),
    /// Drawn from these pairs, z and y; the other samples are y from the same pairs.
    Fixed(Array2<f64>, Array2<f64>),
}

impl Source {
    fn dimension(&self) -> usize {
        match self {
            Self::Fresh(world) => world.dimension,
            Self::Fixed(z, _) => z.ncols(),
        }
    }

    /// z and y of a block, and `others`, further samples of y.
    fn block(&self, others: usize, random: &mut Random) -> (Array2<f64>, Array2<f64>, Array2<f64>) {
        match self {
            Self::Fresh(world) => {
                let (z, y) = world.pairs(BLOCK, random);
                (z, y, random.normal(others, world.dimension))
            }
            Self::Fixed(z, y) => {
                let (own, other) = (random.choices(BLOCK, z.nrows()), random.choices(others, y.nrows()));
                (z.select(Axis(0), &own), y.select(Axis(0), &own), y.select(Axis(0), &other))
            }
        }
    }
}

/// The bound of one block and its gradient.
fn ascent(
    critic: &Critic,
    objective: Objective,
    z: &Array2<f64>,
    y: &Array2<f64>,
    others: &Array2<f64>,
) -> (f64, Critic) {
    let rows = z.nrows() as f64;
    let (own, all) = (critic.of_pairs(z, y), critic.of_all(z, others));
    match objective {
        Objective::Nce(samples) => {
            // Each sample's share of the mean: e^h / (K m).
            let logs = log_means(&own, &all, Samples::WithPositive) + (samples as f64).ln();
            let own_weights = (&own - &logs).mapv(|log| (1.0 - log.exp()) / rows);
            let weights = (&all - &logs.insert_axis(Axis(1))).mapv(|log| -log.exp() / rows);
            (
                nce_of_block(&own, &all, Samples::WithPositive),
                Critic::gradient((z, y, others), &own_weights, &weights),
            )
        }
        Objective::Nwj(_) => {
            let own_weights = Array1::from_elem(z.nrows(), 1.0 / rows);
            let weights = all.mapv(|score| -score.exp() / (E * all.len() as f64));
            (
                own.mean().expect("there are rows") + weights.sum(),
                Critic::gradient((z, y, others), &own_weights, &weights),
            )
        }
    }
}

/// Longer gradients are scaled down to this length, because `I_NWJ` has exponentials of scores in its gradient.
const LONGEST_GRADIENT: f64 = 10.0;
const LEARNING_RATE: f64 = 0.03;

/// Trains a critic of `family` from h = 0 by Adam, with a learning rate that falls to 0.
pub fn train(
    source: &Source,
    family: Family,
    objective: Objective,
    steps: usize,
    random: &mut Random,
) -> Critic {
    let others = match objective {
        Objective::Nce(k) => k - 1,
        Objective::Nwj(count) => count,
    };
    let dimension = source.dimension();
    let mut critic = Critic::zero(dimension);
    let mut parameters = critic.parameters(family);
    let (mut first, mut second) = (vec![0.0; parameters.len()], vec![0.0; parameters.len()]);
    for step in 0..steps {
        let (z, y, others) = source.block(others, random);
        let (_, gradient) = ascent(&critic, objective, &z, &y, &others);
        let gradient = gradient.parameters(family);
        let length = gradient.iter().map(|value| value * value).sum::<f64>().sqrt();
        let shortened = if length > LONGEST_GRADIENT { LONGEST_GRADIENT / length } else { 1.0 };
        let rate = LEARNING_RATE * (1.0 - step as f64 / steps as f64);
        let power = step as i32 + 1;
        for (index, value) in gradient.iter().enumerate() {
            let value = value * shortened;
            first[index] = 0.9 * first[index] + 0.1 * value;
            second[index] = 0.99 * second[index] + 0.01 * value * value;
            let mean = first[index] / (1.0 - 0.9_f64.powi(power));
            let spread = (second[index] / (1.0 - 0.99_f64.powi(power))).sqrt();
            parameters[index] += rate * mean / (spread + 1e-8);
        }
        critic = Critic::from_parameters(dimension, family, &parameters);
    }
    critic
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contrast::nce;

    #[test]
    fn gradients_are_those_of_finite_differences() {
        let world = World { dimension: 3, correlation: 0.7 };
        let random = &mut Random::new(5, 0);
        let list: Vec<f64> = random.normal(1, 22).iter().map(|value| 0.3 * value).collect();
        let (z, y) = world.pairs(5, random);
        for (objective, others) in [(Objective::Nce(7), 6), (Objective::Nwj(6), 6)] {
            let others = random.normal(others, 3);
            let bound = |list: &[f64]| {
                ascent(&Critic::from_parameters(3, Family::Quadratic, list), objective, &z, &y, &others)
            };
            let gradient = bound(&list).1.parameters(Family::Quadratic);
            for index in 0..list.len() {
                let step = 1e-5;
                let at = |change: f64| {
                    let mut moved = list.clone();
                    moved[index] += change;
                    bound(&moved).0
                };
                let difference = (at(step) - at(-step)) / (2.0 * step);
                assert!(
                    (gradient[index] - difference).abs() < 1e-7 * difference.abs().max(1.0),
                    "{objective:?}, parameter {index}: {} and {difference}",
                    gradient[index]
                );
            }
        }
    }

    #[test]
    fn a_trained_critic_comes_near_the_optimal_one() {
        let world = World::of_information(2, 1.0);
        let random = &mut Random::new(5, 1);
        let trained = train(&Source::Fresh(world), Family::Quadratic, Objective::Nce(64), 300, random);
        let bound =
            |critic: &Critic| nce(critic, &world, 64, Samples::WithPositive, 200, &mut Random::new(5, 2));
        let (trained, optimal) = (bound(&trained), bound(&Critic::optimal(&world)));
        assert!((trained.mean - optimal.mean).abs() < 0.05, "{trained:?}, {optimal:?}");
    }
}
