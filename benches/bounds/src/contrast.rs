//! Bounds from a critic: `I_NCE` (Eq. 11), `I_NWJ` (Eq. 9), and `I_DLB` of the decoder that the critic defines (Eq. 7).

use std::f64::consts::E;

use ndarray::{Array1, Array2, Axis};

use crate::{
    critic::Critic,
    world::{Estimate, Random, World},
};

/// Number of pairs in a block; they share the other samples.
pub const BLOCK: usize = 64;

/// The samples over which the denominator averages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Samples {
    /// The pair's own y and K - 1 independent samples: `InfoNCE`.
    WithPositive,
    /// K independent samples: Eq. 11 if its last expectation is over p(z) alone, as printed.
    NegativesOnly,
}

/// log of the mean of e^x over `row` and, if given, the score of the pair itself.
fn log_mean(own: Option<f64>, row: &[f64]) -> f64 {
    let most = row.iter().copied().chain(own).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = row.iter().chain(&own).map(|score| (score - most).exp()).sum();
    most + (sum / (row.len() + usize::from(own.is_some())) as f64).ln()
}

/// log m of each row of `others`, where m is the mean over K samples (Eq. 10); `own` are the scores of the first.
pub fn log_means(own: &Array1<f64>, others: &Array2<f64>, samples: Samples) -> Array1<f64> {
    let rows = others.outer_iter().zip(own).map(|(row, own)| {
        let row = row.as_slice().expect("in rows");
        log_mean((samples == Samples::WithPositive).then_some(*own), row)
    });
    rows.collect()
}

/// `I_NCE` of one block: E[h(z, y)] - E[log m], in nats.
pub fn nce_of_block(own: &Array1<f64>, others: &Array2<f64>, samples: Samples) -> f64 {
    (own - &log_means(own, others, samples)).mean().expect("a block has rows")
}

/// `I_NCE` of `critic` with K samples, over `blocks` blocks of fresh pairs.
pub fn nce(
    critic: &Critic,
    world: &World,
    k: usize,
    samples: Samples,
    blocks: usize,
    random: &mut Random,
) -> Estimate {
    let others = if samples == Samples::WithPositive { k - 1 } else { k };
    let values: Vec<f64> = (0..blocks)
        .map(|_| {
            let (z, y) = world.pairs(BLOCK, random);
            let negatives = random.normal(others, world.dimension);
            nce_of_block(&critic.of_pairs(&z, &y), &critic.of_all(&z, &negatives), samples)
        })
        .collect();
    Estimate::of(&values)
}

/// `I_NWJ` of `critic` from `rows` pairs and as many independent combinations.
pub fn nwj_once(critic: &Critic, world: &World, rows: usize, random: &mut Random) -> f64 {
    let (z, y) = world.pairs(rows, random);
    let (other_z, other_y) = (random.normal(rows, world.dimension), random.normal(rows, world.dimension));
    let joint = critic.of_pairs(&z, &y).mean().expect("there are rows");
    let apart = critic.of_pairs(&other_z, &other_y).mapv(f64::exp).mean().expect("there are rows");
    joint - apart / E
}

/// `I_DLB` of the decoder p(y) e^h / Z(z) with its exact partition function: E[h(z, y)] - E[log Z(z)].
pub fn dlb(critic: &Critic, world: &World, rows: usize, random: &mut Random) -> Estimate {
    let (z, y) = world.pairs(rows, random);
    Estimate::of(&(critic.of_pairs(&z, &y) - critic.log_partition(&z)).to_vec())
}

/// E[log m] - E[log Z(z)], the difference between the two sides of Eq. 12, with K - 1 independent samples. The first
/// sample is from p(y|z) or from the critic's own decoder q(y|z).
pub fn gap(
    critic: &Critic,
    world: &World,
    k: usize,
    from_decoder: bool,
    blocks: usize,
    random: &mut Random,
) -> Estimate {
    let values: Vec<f64> = (0..blocks)
        .map(|_| {
            let (z, mut y) = world.pairs(BLOCK, random);
            if from_decoder {
                let (mean, variance) = critic.decoder(&z);
                y = mean
                    + random.normal(BLOCK, world.dimension) * &variance.mapv(f64::sqrt).insert_axis(Axis(0));
            }
            let negatives = random.normal(k - 1, world.dimension);
            let logs =
                log_means(&critic.of_pairs(&z, &y), &critic.of_all(&z, &negatives), Samples::WithPositive);
            (logs - critic.log_partition(&z)).mean().expect("a block has rows")
        })
        .collect();
    Estimate::of(&values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::critic::Family;

    const WORLD: World = World { dimension: 3, correlation: 0.8 };

    #[test]
    fn nce_is_never_above_log_k() {
        let random = &mut Random::new(3, 0);
        for round in 0..20 {
            // Holds for any critic, however large its scores.
            let list = random.normal(1, 22).into_raw_vec_and_offset().0;
            let list: Vec<f64> = list.iter().map(|value| value * f64::from(1 << (round / 2))).collect();
            let critic = Critic::from_parameters(3, Family::Quadratic, &list);
            for k in [2, 3, 50] {
                let (z, y) = WORLD.pairs(20, random);
                let others = critic.of_all(&z, &random.normal(k - 1, 3));
                let bound = nce_of_block(&critic.of_pairs(&z, &y), &others, Samples::WithPositive);
                assert!(bound <= (k as f64).ln() + 1e-9, "{bound} with {k}");
            }
        }
    }

    #[test]
    fn nce_by_hand() {
        // One pair with score ln 3 and another with score 0: ln 3 - ln((3 + 1) / 2) = ln 1.5; without the pair ln 3 -
        // ln 1.
        let (own, others) = (Array1::from_elem(1, 3_f64.ln()), Array2::zeros((1, 1)));
        assert!((nce_of_block(&own, &others, Samples::WithPositive) - 1.5_f64.ln()).abs() < 1e-12);
        assert!((nce_of_block(&own, &others, Samples::NegativesOnly) - 3_f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn nwj_of_the_optimal_critic_is_unbiased() {
        let world = World::of_information(2, 0.5);
        let mut critic = Critic::optimal(&world);
        critic.constant += 1.0;
        let random = &mut Random::new(3, 1);
        let values: Vec<f64> = (0..200).map(|_| nwj_once(&critic, &world, 1000, random)).collect();
        let found = Estimate::of(&values);
        assert!((found.mean - 0.5).abs() < 3.0 * found.error && found.error < 0.01, "{found:?}");
    }

    #[test]
    fn the_decoder_of_the_optimal_critic_attains_the_information() {
        let world = World::of_information(4, 3.0);
        let found = dlb(&Critic::optimal(&world), &world, 20_000, &mut Random::new(3, 2));
        assert!((found.mean - 3.0).abs() < 3.0 * found.error && found.error < 0.02, "{found:?}");
    }

    #[test]
    fn equation_12_fails_for_a_critic_of_y_alone() {
        let mut critic = Critic::zero(2);
        critic.linear_y.fill(1.5);
        let world = World::of_information(2, 1.0);
        let found = gap(&critic, &world, 4, false, 400, &mut Random::new(3, 3));
        assert!(found.mean < -5.0 * found.error, "{found:?}");
        let from_decoder = gap(&critic, &world, 4, true, 400, &mut Random::new(3, 4));
        assert!(from_decoder.mean > -3.0 * from_decoder.error, "{from_decoder:?}");
    }
}
