//! Weighted metrics of many resamples at once: each lane is a resample, and the loops over lanes are of fixed length,
//! so that the compiler turns them into vector instructions.

/// Number of resamples that are computed together.
pub(super) const LANES: usize = 32;

/// How often one molecule counts in each of `LANES` resamples.
pub(super) type Weights = [u16; LANES];

/// Sums of weights: `u16` where the molecules are few enough, which is twice as fast, else `u32`.
///
/// Sums wrap, because checks of overflow would keep the compiler from using vector instructions; they cannot overflow:
/// weights add up to the number of molecules, and all products together are at most half its square.
pub(super) trait Count: Copy + Default {
    /// Sums of products of two counts.
    type Product: Copy + Default;
    fn add(self, weight: u16) -> Self;
    fn add_product(sum: Self::Product, one: Self, other: Self) -> Self::Product;
    fn float(product: Self::Product) -> f64;
}

impl Count for u16 {
    type Product = u32;

    fn add(self, weight: u16) -> Self {
        self.wrapping_add(weight)
    }

    fn add_product(sum: u32, one: Self, other: Self) -> u32 {
        sum.wrapping_add(u32::from(one).wrapping_mul(u32::from(other)))
    }

    fn float(product: u32) -> f64 {
        f64::from(product)
    }
}

impl Count for u32 {
    type Product = u64;

    fn add(self, weight: u16) -> Self {
        self.wrapping_add(u32::from(weight))
    }

    fn add_product(sum: u64, one: Self, other: Self) -> u64 {
        sum.wrapping_add(u64::from(one).wrapping_mul(u64::from(other)))
    }

    fn float(product: u64) -> f64 {
        product as f64
    }
}

/// Adds the weights of these molecules.
pub(super) fn add_weights<C: Count>(sums: &mut [C; LANES], molecules: &[u32], weights: &[Weights]) {
    for &molecule in molecules {
        for (sum, &weight) in sums.iter_mut().zip(&weights[molecule as usize]) {
            *sum = sum.add(weight);
        }
    }
}

/// Adds the products of two counts.
pub(super) fn add_products<C: Count>(sums: &mut [C::Product; LANES], one: &[C; LANES], other: &[C; LANES]) {
    for (sum, (&one, &other)) in sums.iter_mut().zip(one.iter().zip(other)) {
        *sum = C::add_product(*sum, one, other);
    }
}

/// The sum of weights times values.
pub(super) fn weighted_sums(molecules: &[u32], values: &[f64], weights: &[Weights]) -> [f64; LANES] {
    let mut sums = [0.0; LANES];
    for (&molecule, &value) in molecules.iter().zip(values) {
        for (sum, &weight) in sums.iter_mut().zip(&weights[molecule as usize]) {
            *sum += f64::from(weight) * value;
        }
    }
    sums
}
