//! Jointly Gaussian Z and Y with known mutual information.

use std::f64::consts::{E, PI};

use ndarray::{Array2, Axis};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// Z and Y have the same dimension and are standard normal; `z[j]` and `y[j]` are correlated, all other pairs
/// independent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct World {
    /// Dimension d of Z and of Y.
    pub dimension: usize,
    /// Correlation ρ of each pair, in [0, 1).
    pub correlation: f64,
}

impl World {
    /// The world whose mutual information is I = -d/2 ln(1 - ρ²) nats.
    pub fn of_information(dimension: usize, nats: f64) -> Self {
        Self { dimension, correlation: (1.0 - (-2.0 * nats / dimension as f64).exp()).sqrt() }
    }

    /// I(Z; Y) in nats.
    pub fn information(&self) -> f64 {
        -0.5 * self.dimension as f64 * self.noise().ln()
    }

    /// Variance of each `y[j]` given `z`, 1 - ρ².
    pub fn noise(&self) -> f64 {
        1.0 - self.correlation * self.correlation
    }

    /// H(Y) in nats.
    pub fn entropy(&self) -> f64 {
        0.5 * self.dimension as f64 * (2.0 * PI * E).ln()
    }

    /// Pairs from p(z, y): two matrices of `rows` x d.
    pub fn pairs(&self, rows: usize, random: &mut Random) -> (Array2<f64>, Array2<f64>) {
        let z = random.normal(rows, self.dimension);
        let y = self.correlation * &z + self.noise().sqrt() * random.normal(rows, self.dimension);
        (z, y)
    }
}

/// A stream of random numbers, determined by a seed and a purpose.
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The stream of a seed and a purpose.
    pub fn new(seed: u64, purpose: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose))
    }

    /// Uniform in (0, 1].
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// `count` integers below `bound`, drawn with replacement.
    pub fn choices(&mut self, count: usize, bound: usize) -> Vec<usize> {
        (0..count).map(|_| ((u128::from(self.0.next_u64()) * bound as u128) >> 64) as usize).collect()
    }

    /// Independent standard normal numbers (Box and Muller).
    pub fn normal(&mut self, rows: usize, columns: usize) -> Array2<f64> {
        Array2::from_shape_simple_fn((rows, columns), || {
            let radius = (-2.0 * self.uniform().ln()).sqrt();
            radius * (2.0 * PI * self.uniform()).cos()
        })
    }
}

/// A mean and its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Standard deviation of the mean.
    pub error: f64,
}

impl Estimate {
    /// Mean of at least two independent values.
    pub fn of(values: &[f64]) -> Self {
        let (mean, std) = molarena_metrics::mean_and_std(values).expect("there are values");
        Self { mean, error: std.expect("there are two values") / (values.len() as f64).sqrt() }
    }

    /// Adds a known number to the estimate.
    #[must_use]
    pub fn plus(self, known: f64) -> Self {
        Self { mean: self.mean + known, ..self }
    }
}

/// Sum of each row.
pub(crate) fn row_sums(values: &Array2<f64>) -> Vec<f64> {
    values.sum_axis(Axis(1)).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_and_correlation_fit() {
        // -16/2 ln(1 - ρ²) = 4: 1 - ρ² = e^(-1/2).
        let world = World::of_information(16, 4.0);
        assert!((world.noise() - (-0.5_f64).exp()).abs() < 1e-12);
        assert!((world.information() - 4.0).abs() < 1e-12);
    }

    #[test]
    fn samples_have_the_moments() {
        let world = World::of_information(4, 1.0);
        let (z, y) = world.pairs(20_000, &mut Random::new(1, 0));
        let mean = |values: Array2<f64>| Estimate::of(&values.iter().copied().collect::<Vec<_>>());
        for (what, expected) in
            [(&z * &z, 1.0), (&y * &y, 1.0), (&z * &y, world.correlation), (y.clone(), 0.0)]
        {
            let found = mean(what);
            assert!((found.mean - expected).abs() < 4.0 * found.error, "{found:?}, {expected}");
        }
        let again = world.pairs(20_000, &mut Random::new(1, 0));
        assert_eq!((z, y), again);
    }
}
