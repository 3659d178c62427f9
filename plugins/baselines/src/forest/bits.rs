//! Packed fingerprints with lists of their set bits.

use molarena_sdk::{Bits, Error, Result};

/// n rows of packed bits, and the positions of each row's set bits.
pub(crate) struct BitRows<'a> {
    bits: Bits<'a>,
    offsets: Vec<usize>,
    set: Vec<u16>,
}

impl<'a> BitRows<'a> {
    /// Lists the set bits. A row has at most 65,536 bits; bits after the last one must be 0.
    pub(crate) fn new(bits: Bits<'a>) -> Result<Self> {
        check_bits(&bits)?;
        let mut offsets = Vec::with_capacity(bits.rows + 1);
        offsets.push(0);
        let mut set = Vec::new();
        for row in 0..bits.rows {
            for_each_set(bits.row(row), |bit| set.push(bit as u16));
            offsets.push(set.len());
        }
        Ok(Self { bits, offsets, set })
    }

    /// Number of bits in a row.
    pub(crate) fn n_bits(&self) -> usize {
        self.bits.n_bits
    }

    /// Positions of the set bits of `row`, in increasing order.
    pub(crate) fn set(&self, row: u32) -> &[u16] {
        &self.set[self.offsets[row as usize]..self.offsets[row as usize + 1]]
    }

    /// Packed words of `row`.
    pub(crate) fn words(&self, row: u32) -> &'a [u64] {
        self.bits.row(row as usize)
    }

    /// Whether `row` has `bit`: 0 or 1.
    pub(crate) fn bit(&self, row: u32, bit: usize) -> u64 {
        self.bits.words[row as usize * self.bits.words_per_row + bit / 64] >> (bit % 64) & 1
    }
}

/// Rejects more bits than a feature number can hold, and set bits after the last one.
pub(crate) fn check_bits(bits: &Bits<'_>) -> Result<()> {
    if bits.n_bits > 1 << 16 {
        return Err(Error::unsupported(format!("input `bits`: {} bits a row, at most 65536", bits.n_bits)));
    }
    let spare = bits.n_bits % 64;
    if spare != 0
        && let Some(row) = (0..bits.rows).find(|&row| bits.row(row)[bits.words_per_row - 1] >> spare != 0)
    {
        return Err(Error::invalid_argument(format!(
            "input `bits`: row {row} has a set bit past the last of {}",
            bits.n_bits
        )));
    }
    Ok(())
}

/// Calls `visit` with the position of each set bit, in increasing order.
pub(crate) fn for_each_set(words: &[u64], mut visit: impl FnMut(usize)) {
    for (position, &word) in words.iter().enumerate() {
        let mut rest = word;
        while rest != 0 {
            visit(position * 64 + rest.trailing_zeros() as usize);
            rest &= rest - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_bits_are_listed() {
        let words = [0b101, 1 << 5, 0, 0];
        let rows = BitRows::new(Bits::new(&words, 2, 70).unwrap()).unwrap();
        assert_eq!(rows.set(0), [0, 2, 69]);
        assert!(rows.set(1).is_empty());
        assert_eq!((rows.bit(0, 69), rows.bit(0, 1), rows.bit(1, 69)), (1, 0, 0));
    }

    #[test]
    fn impossible_bits_are_refused() {
        let words = [0, 1 << 6];
        let error = BitRows::new(Bits::new(&words, 1, 70).unwrap()).err().unwrap();
        assert_eq!(error.to_string(), "input `bits`: row 0 has a set bit past the last of 70");
        let words = vec![0; 1025];
        assert!(BitRows::new(Bits::new(&words, 1, 65537).unwrap()).is_err());
    }
}
