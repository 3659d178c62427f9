//! Random numbers for a network: weights, orders of molecules, dropout.

use rand_xoshiro::{
    SplitMix64, Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// A stream of random numbers, xoshiro256++ (Blackman and Vigna 2021).
#[derive(Clone, Debug)]
pub struct Random(Xoshiro256PlusPlus);

impl Random {
    /// The stream of (seed, member, purpose). Streams do not depend on the order in which they are used.
    pub fn of(seed: u64, member: u64, purpose: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(mix(mix(mix(seed) ^ member) ^ purpose)))
    }

    /// A number below `bound`, which is at least 1: the high half of a 32 by 32 bit product (Lemire 2019 without the
    /// rejection step).
    pub fn below(&mut self, bound: usize) -> usize {
        ((u64::from((self.0.next_u64() >> 32) as u32) * bound as u64) >> 32) as usize
    }

    /// A number that is uniform in [0, 1).
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// `count` numbers that are uniform in [-bound, bound).
    pub fn uniform(&mut self, count: usize, bound: f64) -> Vec<f32> {
        (0..count).map(|_| ((2.0 * self.unit() - 1.0) * bound) as f32).collect()
    }

    /// `count` standard normal numbers (Box and Muller 1958).
    pub fn normal(&mut self, count: usize) -> Vec<f32> {
        let mut numbers = Vec::with_capacity(count + 1);
        while numbers.len() < count {
            let [one, other] = [0, 1].map(|_| ((self.0.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64);
            let (radius, angle) = ((-2.0 * one.ln()).sqrt(), std::f64::consts::TAU * other);
            numbers.extend([(radius * angle.cos()) as f32, (radius * angle.sin()) as f32]);
        }
        numbers.truncate(count);
        numbers
    }

    /// The numbers below `count` in a random order (Fisher and Yates).
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for last in (1..count).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    /// A dropout mask (Srivastava et al. 2014): each of `count` factors is 0 with probability `dropout`, below 1, and 1
    /// / (1 - `dropout`) otherwise. The probability has a resolution of 2^-32.
    pub fn mask(&mut self, count: usize, dropout: f64) -> Vec<f32> {
        let (keep, bound) = ((1.0 / (1.0 - dropout)) as f32, (dropout * 2f64.powi(32)) as u32);
        let factor = |bits: u32| if bits < bound { 0.0 } else { keep };
        let mut mask = Vec::with_capacity(count + 1);
        while mask.len() < count {
            let bits = self.0.next_u64();
            mask.extend([factor(bits as u32), factor((bits >> 32) as u32)]);
        }
        mask.truncate(count);
        mask
    }
}

/// The first number of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014) with this seed.
fn mix(seed: u64) -> u64 {
    SplitMix64::seed_from_u64(seed).next_u64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_their_own_and_repeat() {
        let first = |seed, member, purpose| Random::of(seed, member, purpose).below(1 << 30);
        assert_eq!(first(1, 2, 3), first(1, 2, 3));
        let streams = [first(1, 2, 3), first(2, 1, 3), first(1, 3, 2), first(0, 2, 3)];
        assert!((1..4).all(|stream| streams[stream] != streams[0]), "{streams:?}");
    }

    #[test]
    fn an_order_has_every_number_once_at_any_place() {
        let mut random = Random::of(0, 0, 0);
        let mut firsts = [0; 5];
        for _ in 0..10_000 {
            let mut order = random.order(5);
            firsts[order[0]] += 1;
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
        // The standard deviation of a count is 40.
        assert!(firsts.iter().all(|first| (1800..2200).contains(first)), "{firsts:?}");
        assert_eq!(random.order(0), [] as [usize; 0]);
    }

    #[test]
    fn uniform_numbers_fill_their_range() {
        let numbers = Random::of(3, 0, 0).uniform(100_000, 0.5);
        assert!(numbers.iter().all(|number| (-0.5..=0.5).contains(number)));
        let mean = |power| numbers.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / 1e5;
        // The standard deviations of the two means are 9e-4 and 2.4e-4.
        assert!(mean(1).abs() < 5e-3 && (mean(2) - 1.0 / 12.0).abs() < 1.5e-3, "{} {}", mean(1), mean(2));
    }

    #[test]
    fn normal_numbers_have_the_moments() {
        let numbers = Random::of(3, 0, 0).normal(100_001);
        assert_eq!(numbers.len(), 100_001);
        let mean = |power| numbers.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / 100_001.0;
        // Standard deviations: 0.0032, 0.0045, 0.031.
        assert!(mean(1).abs() < 0.016 && (mean(2) - 1.0).abs() < 0.022 && (mean(4) - 3.0).abs() < 0.16);
    }

    #[test]
    fn a_mask_keeps_its_share_and_the_mean() {
        let mask = Random::of(3, 0, 0).mask(100_001, 0.2);
        assert_eq!(mask.len(), 100_001);
        let dropped = mask.iter().filter(|&&factor| factor == 0.0).count();
        // The standard deviation of the count is 126.
        assert!((19_300..20_700).contains(&dropped), "{dropped}");
        assert!(mask.iter().all(|&factor| factor == 0.0 || factor == 1.25));
    }
}
