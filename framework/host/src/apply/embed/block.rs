//! Computed rows of a chunk, with gaps where a row cannot be read.

use crate::error::{Error, Result};
use molarena_features::Features;

/// Layout of one output row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Values in a row: bits or numbers.
    pub columns: usize,
    /// Whether bits are packed eight to a byte, the first in the lowest bit
    /// (`numpy.packbits(bitorder="little")`).
    pub packed: bool,
    /// Column names, if the features name their columns.
    pub names: Option<&'static [&'static str]>,
}

impl Layout {
    /// Name of a column; `x0`, `x1`, ... where the features name none.
    pub(super) fn name(&self, column: usize) -> String {
        self.names.map_or_else(|| format!("x{column}"), |names| names[column].to_owned())
    }
}

/// Rows of one layout. An unreadable row holds zeros (bits) or NaN (numbers).
pub(super) struct Block {
    layout: Layout,
    /// `[rows]`: whether the row could be read.
    pub(super) there: Vec<bool>,
    pub(super) values: Values,
}

pub(super) enum Values {
    /// `[rows, columns]` of 0 and 1, or `[rows, columns / 8]` packed.
    Bytes(Vec<u8>),
    /// `[rows, columns]`.
    Numbers(Vec<f32>),
}

impl Block {
    /// A block of `rows` molecules; `features` belong to those at the indices `kept`.
    pub(super) fn new(
        features: &Features,
        kept: &[usize],
        rows: usize,
        unpacked: bool,
        names: Option<&'static [&'static str]>,
    ) -> Result<Self> {
        let mut there = vec![false; rows];
        for &row in kept {
            there[row] = true;
        }
        let no_vectors = || Error::Request("the features are no vectors".into());
        let layout = Layout {
            columns: features.columns().ok_or_else(no_vectors)?,
            packed: !unpacked && matches!(features, Features::Bits { .. }),
            names,
        };
        let values = match features {
            Features::Bits { n_bits, words, .. } => {
                let words_a_row = n_bits.div_ceil(64);
                let width = if unpacked { *n_bits } else { n_bits.div_ceil(8) };
                let mut bytes = vec![0; rows * width];
                for (&row, words) in kept.iter().zip(words.chunks(words_a_row)) {
                    let target = &mut bytes[row * width..(row + 1) * width];
                    for (index, byte) in target.iter_mut().enumerate() {
                        *byte = if unpacked {
                            (words[index / 64] >> (index % 64) & 1) as u8
                        } else {
                            (words[index / 8] >> (index % 8 * 8)) as u8
                        };
                    }
                }
                Values::Bytes(bytes)
            }
            Features::Dense { columns, values, .. } => {
                let mut numbers = vec![f32::NAN; rows * columns];
                for (&row, values) in kept.iter().zip(values.chunks((*columns).max(1))) {
                    numbers[row * columns..(row + 1) * columns].copy_from_slice(values);
                }
                Values::Numbers(numbers)
            }
            Features::Smiles(_) | Features::Graphs(_) => return Err(no_vectors()),
        };
        Ok(Self { layout, there, values })
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout.clone()
    }

    /// Stored values per row: bytes or numbers.
    pub(super) fn width(&self) -> usize {
        match &self.values {
            Values::Bytes(_) if self.layout.packed => self.layout.columns.div_ceil(8),
            _ => self.layout.columns,
        }
    }
}
