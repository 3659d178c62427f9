//! Molecules in the form that the kernels take.

use molarena_sdk::{Bits, Dense, Error, Result};
use serde::{Deserialize, Serialize};

use crate::forest::{check_bits, check_finite};

/// n molecules with their own copy of the features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Molecules {
    /// Packed bits, and the number of set bits in each row.
    Bits { n_bits: usize, words: Vec<u64>, set: Vec<u32> },
    /// For each row the columns that are not 0, in increasing order, with their counts, and the sum of the row.
    Counts { columns: usize, offsets: Vec<usize>, entries: Vec<(u32, f32)>, sums: Vec<f64> },
    /// Row-major values.
    Dense { rows: usize, columns: usize, values: Vec<f32> },
}

impl Molecules {
    /// Copies packed bits.
    pub(super) fn from_bits(bits: &Bits<'_>) -> Result<Self> {
        check_bits(bits)?;
        let set = (0..bits.rows).map(|row| bits.row(row).iter().map(|word| word.count_ones()).sum());
        Ok(Self::Bits { n_bits: bits.n_bits, words: bits.words.to_vec(), set: set.collect() })
    }

    /// Lists the values that are not 0. The error for a negative or not finite value names it.
    pub(super) fn from_counts(dense: &Dense<'_>) -> Result<Self> {
        check_finite(dense)?;
        let (mut offsets, mut entries, mut sums) = (vec![0], Vec::new(), Vec::with_capacity(dense.rows));
        for row in 0..dense.rows {
            let mut sum = 0.0;
            for (column, &value) in dense.row(row).iter().enumerate() {
                if value < 0.0 {
                    return Err(Error::data(format!(
                        "input `dense`: row {row}, column {column} is {value}: kernel `minmax` takes values of at \
                         least 0, such as counts; choose kernel `rbf`"
                    )));
                }
                if value > 0.0 {
                    entries.push((column as u32, value));
                    sum += f64::from(value);
                }
            }
            offsets.push(entries.len());
            sums.push(sum);
        }
        Ok(Self::Counts { columns: dense.columns, offsets, entries, sums })
    }

    /// Number of molecules.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Bits { set, .. } => set.len(),
            Self::Counts { sums, .. } => sums.len(),
            Self::Dense { rows, .. } => *rows,
        }
    }

    /// Number of features of a molecule.
    pub(super) fn columns(&self) -> usize {
        match self {
            Self::Bits { n_bits, .. } => *n_bits,
            Self::Counts { columns, .. } | Self::Dense { columns, .. } => *columns,
        }
    }

    /// Similarities (Tanimoto, min-max) or squared distances (dense) of `row` of `others` to the first `out.len()`
    /// rows. Both sides must have the same kind and width. `scratch` holds `columns` counts, all 0 before and after.
    pub(super) fn compare(&self, others: &Self, row: usize, scratch: &mut Vec<f32>, out: &mut [f32]) {
        match (self, others) {
            (Self::Bits { n_bits, words, set }, Self::Bits { words: other_words, set: other_set, .. }) => {
                let width = n_bits.div_ceil(64);
                let other = &other_words[row * width..(row + 1) * width];
                for (position, out) in out.iter_mut().enumerate() {
                    let own = &words[position * width..(position + 1) * width];
                    let common: u32 = own.iter().zip(other).map(|(a, b)| (a & b).count_ones()).sum();
                    *out = share(f64::from(common), f64::from(set[position] + other_set[row] - common));
                }
            }
            (
                Self::Counts { columns, offsets, entries, sums },
                Self::Counts { offsets: other_offsets, entries: other_entries, sums: other_sums, .. },
            ) => {
                let other = &other_entries[other_offsets[row]..other_offsets[row + 1]];
                scratch.resize(*columns, 0.0);
                for &(column, count) in other {
                    scratch[column as usize] = count;
                }
                for (position, out) in out.iter_mut().enumerate() {
                    let own = &entries[offsets[position]..offsets[position + 1]];
                    let least: f64 = own
                        .iter()
                        .map(|&(column, count)| f64::from(count.min(scratch[column as usize])))
                        .sum();
                    *out = share(least, sums[position] + other_sums[row] - least);
                }
                for &(column, _) in other {
                    scratch[column as usize] = 0.0;
                }
            }
            (Self::Dense { columns, values, .. }, Self::Dense { values: other_values, .. }) => {
                let other = &other_values[row * columns..(row + 1) * columns];
                for (position, out) in out.iter_mut().enumerate() {
                    *out = squared_distance(&values[position * columns..(position + 1) * columns], other);
                }
            }
            _ => unreachable!("a kernel makes all its molecules in one way"),
        }
    }

    /// Checks that every offset and column is in range.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Bits { n_bits, words, set } => {
                Bits::new(words, set.len(), *n_bits).is_ok_and(|bits| check_bits(&bits).is_ok())
            }
            Self::Counts { columns, offsets, entries, sums } => {
                offsets.len() == sums.len() + 1
                    && offsets.first() == Some(&0)
                    && offsets.last() == Some(&entries.len())
                    && offsets.windows(2).all(|pair| pair[0] <= pair[1])
                    && entries.iter().all(|&(column, _)| (column as usize) < *columns)
            }
            Self::Dense { rows, columns, values } => Dense::new(values, *rows, *columns).is_ok(),
        }
    }
}

/// The ratio of `part` to `whole`; two empty molecules count as equal, so it is 1.
fn share(part: f64, whole: f64) -> f32 {
    if whole > 0.0 { (part / whole) as f32 } else { 1.0 }
}

/// Sum of squared differences, in sixteen partial sums.
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<16>();
    let (b_blocks, b_rest) = b.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..16 {
            let difference = a[lane] - b[lane];
            sums[lane] += difference * difference;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| (a - b) * (a - b)).sum();
    sums.iter().sum::<f32>() + rest
}
