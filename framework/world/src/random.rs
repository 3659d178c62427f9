//! Random numbers that are the same on every machine: each thing that is drawn has its own stream, so that
//! neither the order of the work nor the number of threads matters.

use std::f64::consts::TAU;

use rand_xoshiro::{
    SplitMix64,
    rand_core::{Rng, SeedableRng},
};

/// What a stream is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    Candidate = 1,
    Potency,
    Hidden,
    Assay,
    ClassLabel,
    ValueLabel,
    Loading,
    BatchEffect,
    Order,
    Batch,
    Noise,
    GeneEdge,
    CellCount,
}

/// A stream of random numbers.
pub(crate) struct Stream {
    generator: SplitMix64,
    /// The second of a pair of normal numbers.
    spare: Option<f64>,
}

impl Stream {
    /// Stream number `index` for a purpose, under the world's seed.
    pub(crate) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut state = seed;
        for word in [purpose as u64, index] {
            state = mixed(state) ^ word;
        }
        Self { generator: SplitMix64::seed_from_u64(mixed(state)), spare: None }
    }

    /// The stream of row `row` of table `table`.
    pub(crate) fn of_row(seed: u64, purpose: Purpose, table: u64, row: usize) -> Self {
        Self::new(mixed(seed ^ (table << 32)), purpose, row as u64)
    }

    /// Uniform in `[0, 1)`, in steps of 2^-53.
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.generator.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    /// A whole number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.generator.next_u64()) * bound as u128) >> 64) as usize
    }

    /// An index, drawn with probability proportional to its weight.
    pub(crate) fn weighted(&mut self, weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut left = self.below(weights.clone().sum::<u64>() as usize) as u64;
        for (index, weight) in weights.enumerate() {
            if left < weight {
                return index;
            }
            left -= weight;
        }
        unreachable!("the number is below the sum of the weights")
    }

    /// Normal with mean 0 and variance 1 (Box and Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        // 1 - u is in (0, 1]: its logarithm is finite.
        let radius = (-2.0 * libm::log(1.0 - self.uniform())).sqrt();
        let (sine, cosine) = libm::sincos(TAU * self.uniform());
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// The numbers below `count` in random order.
    pub(crate) fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }
}

/// The first number of the stream with this seed.
fn mixed(seed: u64) -> u64 {
    SplitMix64::seed_from_u64(seed).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut stream = Stream::new(7, Purpose::Noise, 0);
        let count = 200_000;
        let normal: Vec<f64> = (0..count).map(|_| stream.normal()).collect();
        let mean = normal.iter().sum::<f64>() / f64::from(count);
        let variance = normal.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / f64::from(count);
        let tail = normal.iter().filter(|value| value.abs() > 1.959_964).count() as f64 / f64::from(count);
        // Four standard errors: 0.009, 0.0127, 0.002.
        assert!(mean.abs() < 0.009 && (variance - 1.0).abs() < 0.0127 && (tail - 0.05).abs() < 0.002);
        let uniform = (0..count).map(|_| stream.uniform()).sum::<f64>() / f64::from(count);
        assert!((uniform - 0.5).abs() < 0.003, "{uniform}");
    }

    #[test]
    fn weights_hold_and_orders_are_permutations() {
        let mut stream = Stream::new(0, Purpose::Order, 3);
        let mut counts = [0; 3];
        for _ in 0..6_000 {
            counts[stream.weighted([1, 0, 2].into_iter())] += 1;
        }
        assert!(counts[1] == 0 && (1_800..2_200).contains(&counts[0]), "{counts:?}");
        let mut order = stream.order(1_000);
        assert!(!order.is_sorted());
        order.sort_unstable();
        assert_eq!(order, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_index() {
        let first = |seed, purpose, index| Stream::new(seed, purpose, index).uniform();
        let all = [
            first(0, Purpose::Noise, 0),
            first(1, Purpose::Noise, 0),
            first(0, Purpose::Batch, 0),
            first(0, Purpose::Noise, 1),
            Stream::of_row(0, Purpose::Noise, 0, 0).uniform(),
            Stream::of_row(0, Purpose::Noise, 1, 0).uniform(),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(all[index + 1..].iter().all(|other| other != one), "{all:?}");
        }
    }
}
