//! Scaling columns to [0, 1].

use rayon::prelude::*;

/// Values that a thread scales at a time, at most, unless a row is longer.
const BLOCK: usize = 1 << 16;

/// Each column's smallest and largest value so far; NaN where there is none.
pub(super) struct Ranges {
    pub(super) bounds: Vec<[f32; 2]>,
}

impl Ranges {
    pub(super) fn new(columns: usize) -> Self {
        Self { bounds: vec![[f32::NAN; 2]; columns] }
    }

    /// Includes a row; NaN is missing.
    pub(super) fn add(&mut self, row: &[f32]) {
        for ([low, high], value) in self.bounds.iter_mut().zip(row) {
            // `min` and `max` ignore a NaN if the other number is not NaN.
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
}

/// Scales `values`, rows of `bounds.len()` columns, in place: (value - minimum) / (maximum - minimum), 0 in a
/// constant column, NaN where the value is NaN.
pub(super) fn scale(values: &mut [f32], bounds: &[[f32; 2]]) {
    let rows = (BLOCK / bounds.len()).max(1);
    values.par_chunks_mut(rows * bounds.len()).for_each(|block| {
        for row in block.chunks_mut(bounds.len()) {
            for (value, [low, high]) in row.iter_mut().zip(bounds) {
                // In 64 bits, the difference of any two 32-bit floats is finite.
                let range = f64::from(*high) - f64::from(*low);
                let part = if range > 0.0 { (f64::from(*value) - f64::from(*low)) / range } else { 0.0 };
                if !value.is_nan() {
                    *value = part as f32;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scaled(rows: &[&[f32]]) -> (Vec<f32>, Vec<[f32; 2]>) {
        let mut ranges = Ranges::new(rows[0].len());
        for row in rows {
            ranges.add(row);
        }
        let mut values = rows.concat();
        scale(&mut values, &ranges.bounds);
        (values, ranges.bounds)
    }

    #[test]
    fn columns_are_scaled_by_what_is_there() {
        let nan = f32::NAN;
        let (values, bounds) =
            scaled(&[&[2.0, 7.0, nan, nan], &[4.0, 7.0, 1.0, nan], &[3.0, nan, -1.0, nan]]);
        assert_eq!(bounds[..3], [[2.0, 4.0], [7.0, 7.0], [-1.0, 1.0]]);
        assert!(bounds[3][0].is_nan() && bounds[3][1].is_nan());
        let expected = [0.0, 0.0, nan, nan, 1.0, 0.0, 1.0, nan, 0.5, nan, 0.0, nan];
        let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&values), bits(&expected));
    }

    proptest! {
        #[test]
        fn scaling_stays_in_its_bounds_and_undoes(column in prop::collection::vec(prop::num::f32::NORMAL, 2..40)) {
            let rows: Vec<&[f32]> = column.chunks(1).collect();
            let (values, bounds) = scaled(&rows);
            let [low, high] = bounds[0].map(f64::from);
            for (value, before) in values.iter().zip(&column) {
                prop_assert!((0.0..=1.0).contains(value));
                let again = low + f64::from(*value) * (high - low);
                prop_assert!((again - f64::from(*before)).abs() <= 1e-6 * (high - low));
            }
        }
    }
}
