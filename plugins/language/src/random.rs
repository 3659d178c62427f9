//! Random weights: the control that trained ones have to beat.

use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};

/// Draws so many numbers that are uniform in [-bound, bound).
pub(crate) fn uniform(seed: u64) -> impl FnMut(usize, f64) -> Vec<f32> {
    let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
    move |count, bound| {
        let unit = |random: &mut Xoshiro256PlusPlus| (random.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        (0..count).map(|_| ((2.0 * unit(&mut random) - 1.0) * bound) as f32).collect()
    }
}
