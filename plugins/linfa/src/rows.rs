//! What the arena gives, as the matrices that the libraries take.

use molarena_sdk::{Bits, Dense, Error, Inputs, Result};
use ndarray_016::Array2;

/// The inputs of a call: bits, or dense features where no bits are given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rows<'a> {
    /// Each bit is a column of zeros and ones.
    Bits(Bits<'a>),
    /// Finite values.
    Dense(Dense<'a>),
}

impl<'a> Rows<'a> {
    /// An error says that there is neither, or names a value that is not finite.
    pub(crate) fn of(inputs: &Inputs<'a>) -> Result<Self> {
        let (None, Some(dense)) = (inputs.bits, inputs.dense) else {
            return Ok(Self::Bits(inputs.bits()?));
        };
        match dense.values.iter().position(|value| !value.is_finite()) {
            None => Ok(Self::Dense(dense)),
            Some(place) => Err(Error::data(format!(
                "input `dense`: row {}, column {} is {}, must be finite",
                place / dense.columns,
                place % dense.columns,
                dense.values[place]
            ))),
        }
    }

    /// Number of molecules.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.rows,
            Self::Dense(dense) => dense.rows,
        }
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        match self {
            Self::Bits(bits) => bits.n_bits,
            Self::Dense(dense) => dense.columns,
        }
    }

    /// Gives each column of a row that may not be 0, with its value.
    pub(crate) fn for_each(&self, row: usize, mut take: impl FnMut(usize, f32)) {
        match self {
            Self::Bits(bits) => {
                for (place, &word) in bits.row(row).iter().enumerate() {
                    let mut left = word;
                    while left != 0 {
                        take(place * 64 + left.trailing_zeros() as usize, 1.0);
                        left &= left - 1;
                    }
                }
            }
            Self::Dense(dense) => {
                dense.row(row).iter().enumerate().for_each(|(column, &value)| take(column, value));
            }
        }
    }

    /// Some rows as a matrix.
    pub(crate) fn array<F: From<f32> + Clone + Default>(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
    ) -> Array2<F> {
        let mut array = Array2::from_elem((rows.len(), self.columns()), F::default());
        for (place, row) in rows.enumerate() {
            self.for_each(row, |column, value| array[[place, column]] = value.into());
        }
        array
    }

    /// Some rows, column by column.
    pub(crate) fn column_major(&self, rows: impl ExactSizeIterator<Item = usize>) -> Vec<f32> {
        let count = rows.len();
        let mut values = vec![0.0; count * self.columns()];
        for (place, row) in rows.enumerate() {
            self.for_each(row, |column, value| values[column * count + place] = value);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_dense_features_are_the_same_numbers() {
        // Row 0 has bits 0 and 69, row 1 bit 2.
        let words = [1, 1 << 5, 4, 0];
        let mut values = vec![0.0f32; 140];
        (values[0], values[69], values[72]) = (1.0, 1.0, 1.0);
        let bits = Rows::of(&Inputs::from_bits(Bits::new(&words, 2, 70).unwrap())).unwrap();
        let dense = Rows::of(&Inputs::from_dense(Dense::new(&values, 2, 70).unwrap())).unwrap();
        assert!(matches!((bits, dense), (Rows::Bits(_), Rows::Dense(_))));
        for rows in [bits, dense] {
            assert_eq!((rows.len(), rows.columns()), (2, 70));
            let array: Array2<f64> = rows.array([1, 0, 0].into_iter());
            assert_eq!((array[[0, 2]], array[[1, 69]], array[[2, 0]], array.sum()), (1.0, 1.0, 1.0, 5.0));
            let columns = rows.column_major([1, 0].into_iter());
            assert_eq!((columns[2 * 2], columns[69 * 2 + 1], columns.iter().sum::<f32>()), (1.0, 1.0, 3.0));
        }
    }

    #[test]
    fn a_value_that_is_not_finite_is_named() {
        let values = [0.0, 1.0, 2.0, f32::NAN];
        let error = Rows::of(&Inputs::from_dense(Dense::new(&values, 2, 2).unwrap())).unwrap_err();
        assert_eq!(error, Error::data("input `dense`: row 1, column 1 is NaN, must be finite"));
    }
}
