//! What the resamples draw.

use rand_xoshiro::{
    SplitMix64, Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

use super::lanes::{LANES, Weights};

/// How often each molecule counts in each resample, and the random numbers of the seeds.
#[derive(Debug)]
pub(super) struct Draws {
    molecules: usize,
    resamples: usize,
    seed: u64,
    /// Block after block of `LANES` resamples, `[molecules]` each. Lanes after the last resample are 0.
    weights: Vec<Weights>,
}

impl Draws {
    pub(super) fn new(molecules: usize, resamples: usize, seed: u64) -> Self {
        let mut weights = vec![[0; LANES]; resamples.div_ceil(LANES) * molecules];
        if molecules > 0 {
            for resample in 0..resamples {
                let block = resample / LANES * molecules;
                let mut random = stream(seed, resample, 0);
                for _ in 0..molecules {
                    weights[block + below(&mut random, molecules)][resample % LANES] += 1;
                }
            }
        }
        Self { molecules, resamples, seed, weights }
    }

    pub(super) fn molecules(&self) -> usize {
        self.molecules
    }

    pub(super) fn resamples(&self) -> usize {
        self.resamples
    }

    /// The weights of `LANES` resamples at a time, `[molecules]` each.
    pub(super) fn blocks(&self) -> impl Iterator<Item = &[Weights]> {
        (0..self.resamples.div_ceil(LANES))
            .map(|block| &self.weights[block * self.molecules..(block + 1) * self.molecules])
    }

    pub(super) fn multiplicities(&self, resample: usize) -> Vec<u16> {
        assert!(resample < self.resamples, "there is no resample {resample}");
        let block = resample / LANES * self.molecules;
        self.weights[block..block + self.molecules].iter().map(|weights| weights[resample % LANES]).collect()
    }

    pub(super) fn seeds(&self, resample: usize, seeds: usize) -> Vec<usize> {
        assert!(resample < self.resamples, "there is no resample {resample}");
        assert!(seeds > 0, "a row has at least one seed");
        let mut random = stream(self.seed, resample, seeds as u64);
        (0..seeds).map(|_| below(&mut random, seeds)).collect()
    }
}

/// The stream of random numbers of one resample: of molecules if `purpose` is 0, else of that many seeds.
fn stream(seed: u64, resample: usize, purpose: u64) -> Xoshiro256PlusPlus {
    let mut key = seed;
    for part in [resample as u64, purpose] {
        key = SplitMix64::seed_from_u64(key ^ part).next_u64();
    }
    Xoshiro256PlusPlus::seed_from_u64(key)
}

/// A number below `count`, by the high half of a product; its bias is below `count` / 2^64.
fn below(random: &mut Xoshiro256PlusPlus, count: usize) -> usize {
    ((u128::from(random.next_u64()) * count as u128) >> 64) as usize
}
