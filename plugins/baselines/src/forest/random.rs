//! Random choices of one tree.

use rand_xoshiro::{
    SplitMix64, Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// A random number generator for one tree, xoshiro256++ (Blackman and Vigna 2021).
#[derive(Clone, Debug)]
pub(crate) struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The generator of (seed, task, tree): trees do not depend on the order in which they grow.
    pub(crate) fn of(seed: u64, task: usize, tree: usize) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(mix(mix(mix(seed) ^ task as u64) ^ tree as u64)))
    }

    /// A number below `bound`, which is at least 1: the high half of a 32 by 32 bit product (Lemire 2019 without the
    /// rejection step, so the bias of a number is at most `bound` in 2^32).
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        ((u64::from((self.0.next_u64() >> 32) as u32) * bound as u64) >> 32) as usize
    }
}

/// Moves to the front the candidates that are among the first `wanted` of `features` features in a random order, and
/// returns their number. The candidates are a subset of the features (selection sampling, Knuth, The Art of Computer
/// Programming 2, section 3.4.2, algorithm S).
pub(crate) fn draw_first<T>(
    random: &mut Random,
    candidates: &mut [T],
    features: usize,
    mut wanted: usize,
) -> usize {
    let (mut unseen, mut kept) = (features, 0);
    for position in 0..candidates.len() {
        if random.below(unseen) < wanted {
            wanted -= 1;
            candidates.swap(kept, position);
            kept += 1;
        }
        unseen -= 1;
    }
    kept
}

/// The first number of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014) with this seed.
fn mix(seed: u64) -> u64 {
    SplitMix64::seed_from_u64(seed).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_drawn_as_often_as_features() {
        let mut random = Random::of(2, 0, 0);
        let (mut counts, mut pairs) = ([0u32; 6], 0);
        for _ in 0..20_000 {
            let mut candidates = [0, 1, 2, 3, 4, 5];
            let kept = draw_first(&mut random, &mut candidates, 20, 8);
            candidates[..kept].iter().for_each(|&candidate: &usize| counts[candidate] += 1);
            pairs += u32::from(candidates[..kept].contains(&1) && candidates[..kept].contains(&4));
        }
        // 8 of 20 features: 8000 with a standard deviation of 69; two of them 8/20 * 7/19: 2947 with 50.
        assert!(counts.iter().all(|&count| count.abs_diff(8000) < 350), "{counts:?}");
        assert!(pairs.abs_diff(2947) < 250, "{pairs}");
        assert_eq!(draw_first(&mut random, &mut [7, 8], 2, 2), 2);
    }

    #[test]
    fn numbers_are_even_and_streams_differ() {
        let mut random = Random::of(7, 0, 0);
        let mut counts = [0u32; 10];
        for _ in 0..100_000 {
            counts[random.below(10)] += 1;
        }
        // The standard deviation of a count is 95.
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 500), "{counts:?}");
        let first = |seed, task, tree| Random::of(seed, task, tree).below(1 << 30);
        assert_ne!(first(0, 0, 1), first(0, 1, 0));
        assert_ne!(first(0, 0, 0), first(1, 0, 0));
        assert_eq!(first(3, 4, 5), first(3, 4, 5));
        assert_eq!(Random::of(1, 1, 1).below(1), 0);
    }
}
