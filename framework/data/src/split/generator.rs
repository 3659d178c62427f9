//! Random numbers that are the same on every machine and in every release.

use rand_xoshiro::{
    SplitMix64,
    rand_core::{Rng, SeedableRng},
};

const WORDS: usize = 624;
const SHIFT: usize = 397;
const UPPER_BIT: u32 = 0x8000_0000;
const TWIST: u32 = 0x9908_b0df;

/// MT19937: the 32-bit Mersenne Twister of Matsumoto and Nishimura (ACM TOMACS 8, 1998, pages 3-30), seeded as their
/// 2002 `init_genrand` does. It is what numpy's `RandomState(seed)` draws from for an integer seed.
pub(super) struct MersenneTwister {
    state: [u32; WORDS],
    next: usize,
}

impl MersenneTwister {
    pub(super) fn new(seed: u32) -> Self {
        let mut state = [seed; WORDS];
        for index in 1..WORDS {
            let previous = state[index - 1];
            state[index] =
                1_812_433_253_u32.wrapping_mul(previous ^ (previous >> 30)).wrapping_add(index as u32);
        }
        Self { state, next: WORDS }
    }

    pub(super) fn next_u32(&mut self) -> u32 {
        if self.next == WORDS {
            self.twist();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    fn twist(&mut self) {
        for index in 0..WORDS {
            let joined = (self.state[index] & UPPER_BIT) | (self.state[(index + 1) % WORDS] & !UPPER_BIT);
            let twisted = (joined >> 1) ^ if joined & 1 == 1 { TWIST } else { 0 };
            self.state[index] = self.state[(index + SHIFT) % WORDS] ^ twisted;
        }
        self.next = 0;
    }
}

/// Draws of 32 bits: the upper half of each 64 of `SplitMix64` (Steele, Lea and Flood, OOPSLA 2014). The crate's own
/// `next_u32` mixes differently, and the splits of this crate are pinned to this one.
pub(super) fn upper_halves(seed: u64) -> impl FnMut() -> u32 {
    let mut generator = SplitMix64::seed_from_u64(seed);
    move || (generator.next_u64() >> 32) as u32
}

/// Fisher-Yates shuffle from the last element to the second, with the order and the draws of numpy's legacy
/// `shuffle`.
pub(super) fn shuffle<T>(items: &mut [T], mut next_u32: impl FnMut() -> u32) {
    for last in (1..items.len()).rev() {
        items.swap(last, at_most(last as u32, &mut next_u32));
    }
}

/// A uniform number from 0 to `most`: takes the low bits of each draw until they are at most `most`.
fn at_most(most: u32, next_u32: &mut impl FnMut() -> u32) -> usize {
    let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
    loop {
        let value = next_u32() & mask;
        if value <= most {
            return value as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mersenne_twister_gives_the_published_numbers() {
        // ISO C++ [rand.predef]: the 10,000th draw with the default seed 5489. The first is well known.
        let mut generator = MersenneTwister::new(5489);
        assert_eq!(generator.next_u32(), 3_499_211_612);
        assert_eq!((1..10_000).map(|_| generator.next_u32()).last(), Some(4_123_659_995));
    }

    #[test]
    fn splitmix_gives_the_published_numbers() {
        // First draws with seed 1234567, as listed with the reference implementation (prng.di.unimi.it).
        let published = [6_457_827_717_110_365_317_u64, 3_203_168_211_198_807_973];
        let mut draw = upper_halves(1_234_567);
        assert_eq!(published.map(|word| (word >> 32) as u32), [draw(), draw()]);
    }

    #[test]
    fn shuffle_is_a_permutation() {
        let mut items: Vec<usize> = (0..100).collect();
        let mut generator = MersenneTwister::new(3);
        shuffle(&mut items, || generator.next_u32());
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
        shuffle(&mut [0; 0], || unreachable!("nothing to draw for"));
        shuffle(&mut [0; 1], || unreachable!("nothing to draw for"));
    }
}
