//! Evaluates the steps of appendix A as printed: left side minus right side.
//!
//! It uses one world (d = 2, I = 1) and a critic and a decoder that are not optimal, so that no two sides agree by
//! chance.

use std::f64::consts::E;

use ndarray::Array2;

use crate::{
    contrast::{Samples, dlb, gap, log_means, nce},
    critic::Critic,
    suite::{Part, Row},
    world::{Estimate, Random, World},
};

const PAIRS: usize = 200_000;
const BLOCKS: usize = 4000;
const K: usize = 8;

/// KL(N(m, v) || N(0, w)) in one dimension.
fn divergence(mean_square: f64, variance: f64, other: f64) -> f64 {
    0.5 * ((variance + mean_square) / other - 1.0 - (variance / other).ln())
}

pub(crate) fn rows(random: &mut Random) -> Vec<Row> {
    let world = World::of_information(2, 1.0);
    let mut critic = Critic::zero(2);
    critic.bilinear = Array2::eye(2) * 0.6;
    critic.linear_y.fill(0.4);
    critic.square_y.fill(-0.1);
    let mut found = closed_forms(&world);
    found.extend(of_the_critic(&world, &critic, random));
    found.into_iter().map(|(name, estimate)| Row::new(Part::Algebra, name, 1.0, None, estimate)).collect()
}

type Step = (&'static str, Estimate);

/// Eq. 5 and 6 for Gaussian q, in closed form.
fn closed_forms(world: &World) -> Vec<Step> {
    let exactly = |mean: f64| Estimate { mean, error: 0.0 };
    let (d, rho, noise) = (world.dimension as f64, world.correlation, world.noise());
    // q(y|z) = N(0.5 z, 0.8): E[log q] = -ln(2 pi 0.8) / 2 - E[(y - 0.5 z)²] / 1.6, by dimension.
    let square = noise + (rho - 0.5).powi(2);
    let log_q = -0.5 * (2.0 * std::f64::consts::PI * 0.8).ln() - square / 1.6;
    let bound = d * log_q + world.entropy();
    let kl = d * divergence((rho - 0.5).powi(2), noise, 0.8);
    // p(z|x) = N(rho x, 1 - rho²), q(z) = N(0, 1.5).
    let upper = d * divergence(rho * rho, noise, 1.5);
    vec![
        ("Eq. 5: I - (E[log q/p] + E[KL(p || q)])", exactly(world.information() - (bound + kl))),
        ("Eq. 6: I - (E[log p(z|x)/q(z)] - KL(p(z) || q(z)))", {
            exactly(world.information() - (upper - d * divergence(0.0, 1.0, 1.5)))
        }),
    ]
}

fn of_the_critic(world: &World, critic: &Critic, random: &mut Random) -> Vec<Step> {
    let (z, y) = world.pairs(PAIRS, random);
    let own = critic.of_pairs(&z, &y);
    let log_partition = critic.log_partition(&z);
    let partition = log_partition.mapv(f64::exp);
    // log q(y|z) + H(Y) with the Gaussian density of q.
    let (mean, variance) = critic.decoder(&z);
    let density = {
        let errors = &y - &mean;
        let logs =
            -0.5 * (&errors * &errors / &variance + variance.mapv(|v| (2.0 * std::f64::consts::PI * v).ln()));
        logs.sum_axis(ndarray::Axis(1)) + world.entropy()
    };
    let of = |values: ndarray::Array1<f64>| Estimate::of(&values.to_vec());
    let fourth = &own - &log_partition;
    let mut steps = vec![
        ("Eq. 7: I_DLB - (E[h] - E[log Z]), line 4", of(&density - &fourth)),
        ("Eq. 7: I_DLB - (E[h] - E[Z]), line 3 as printed", of(&density - &(&own - &partition))),
        ("Eq. 8: I_DLB - right side, a = 2", of(&fourth - &(&own - &(&partition / 2.0 + 2_f64.ln() - 1.0)))),
        ("Eq. 9: I_DLB - I_NWJ", of(&fourth - &(&own - &(&partition / E)))),
        ("Eq. 10: E[e^h / m] - 1, all y from p(y)", last_term(critic, random)),
    ];
    let mut of_y = Critic::zero(2);
    of_y.linear_y[0] = 1.5;
    let with = nce(critic, world, K, Samples::WithPositive, BLOCKS, random);
    let without = nce(critic, world, K, Samples::NegativesOnly, BLOCKS, random);
    let own = dlb(critic, world, PAIRS, random);
    let less = |one: Estimate, other: Estimate| Estimate {
        mean: one.mean - other.mean,
        error: one.error.hypot(other.error),
    };
    steps.extend([
        ("Eq. 11: I_NCE less its last line, y_1 from p(y)", less(with, without)),
        ("Eq. 12: I_DLB - I_NCE, y_1 from p(y|z)", less(own, with)),
        ("Eq. 12: the same, y_1 from the critic's q(y|z)", gap(critic, world, K, true, BLOCKS, random)),
        (
            "Eq. 12: I_DLB - I_NCE of a critic of y alone, y_1 from p(y|z)",
            gap(&of_y, world, K, false, BLOCKS, random),
        ),
        ("Eq. 12: I_DLB - last line of Eq. 11, y_1 from p(y)", less(own, without)),
    ]);
    steps
}

/// The last expectation of Eq. 10 minus 1.
fn last_term(critic: &Critic, random: &mut Random) -> Estimate {
    let values: Vec<f64> = (0..BLOCKS)
        .map(|_| {
            let (z, y) = (random.normal(64, 2), random.normal(64, 2));
            let own = critic.of_pairs(&z, &y);
            let logs = log_means(&own, &critic.of_all(&z, &random.normal(K - 1, 2)), Samples::WithPositive);
            (own - logs).mapv(f64::exp).mean().expect("there are rows") - 1.0
        })
        .collect();
    Estimate::of(&values)
}
