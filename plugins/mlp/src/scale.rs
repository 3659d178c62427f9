//! Scales input columns for the network.

use molarena_nn::{Features, SparseRows};
use molarena_sdk::{Bits, Dense, Error, Inputs, Result};
use serde::{Deserialize, Serialize};

use crate::config::{Params, Standardize};

/// Rows are stored sparsely if less than this share of their values is not zero.
const SPARSE_BELOW: f64 = 0.1;

/// How columns are scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scaler {
    kind: Kind,
    /// One entry per column.
    columns: Vec<Column>,
    clip: f32,
    sparse: bool,
}

/// Kind of the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Bits,
    Dense,
}

/// What happens to a column's values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
enum Column {
    /// They stay unchanged.
    Keep,
    /// (value - mean) times factor, where factor is the inverse of the standard deviation, or 0 for a constant column.
    Scale { mean: f64, factor: f64 },
}

/// Rows of either kind.
#[derive(Clone, Copy)]
enum Rows<'a> {
    Bits(Bits<'a>),
    Dense(Dense<'a>),
}

impl<'a> Rows<'a> {
    /// The bits, or the dense features if there are no bits. Rejects bits after the last one, and values that
    /// are not finite.
    fn of(inputs: &Inputs<'a>) -> Result<Self> {
        if let (None, Some(dense)) = (inputs.bits, inputs.dense) {
            check_finite(&dense)?;
            return Ok(Self::Dense(dense));
        }
        let bits = inputs.bits()?;
        check_bits(&bits)?;
        Ok(Self::Bits(bits))
    }

    fn kind(self) -> Kind {
        match self {
            Self::Bits(_) => Kind::Bits,
            Self::Dense(_) => Kind::Dense,
        }
    }

    fn rows(self) -> usize {
        match self {
            Self::Bits(bits) => bits.rows,
            Self::Dense(dense) => dense.rows,
        }
    }

    fn columns(self) -> usize {
        match self {
            Self::Bits(bits) => bits.n_bits,
            Self::Dense(dense) => dense.columns,
        }
    }

    /// Calls `visit` with row, column and value of each value that is not zero, by row and increasing column.
    fn for_each_entry(self, mut visit: impl FnMut(usize, usize, f32)) {
        match self {
            Self::Bits(bits) => {
                for row in 0..bits.rows {
                    for (word, &packed) in bits.row(row).iter().enumerate() {
                        let mut left = packed;
                        while left != 0 {
                            visit(row, word * 64 + left.trailing_zeros() as usize, 1.0);
                            left &= left - 1;
                        }
                    }
                }
            }
            Self::Dense(dense) => {
                for row in 0..dense.rows {
                    for (column, &value) in dense.row(row).iter().enumerate() {
                        if value != 0.0 {
                            visit(row, column, value);
                        }
                    }
                }
            }
        }
    }
}

fn check_bits(bits: &Bits<'_>) -> Result<()> {
    let spare = bits.n_bits % 64;
    let past = |&row: &usize| spare != 0 && bits.row(row)[bits.words_per_row - 1] >> spare != 0;
    match (0..bits.rows).find(past) {
        None => Ok(()),
        Some(row) => Err(Error::invalid_argument(format!(
            "input `bits`: row {row} has a set bit past the last of {}",
            bits.n_bits
        ))),
    }
}

fn check_finite(dense: &Dense<'_>) -> Result<()> {
    match dense.values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(Error::data(format!(
            "input `dense`: row {}, column {} is {}, must be finite",
            position / dense.columns,
            position % dense.columns,
            dense.values[position]
        ))),
    }
}

impl Scaler {
    /// Learns the columns of the training molecules, and scales those molecules.
    pub(crate) fn fit(params: &Params, train: &Inputs<'_>) -> Result<(Self, Features)> {
        let rows = Rows::of(train)?;
        let columns = match params.standardize {
            Standardize::None => vec![Column::Keep; rows.columns()],
            rule => learn(rows, rule == Standardize::All),
        };
        let mut scaler = Self { kind: rows.kind(), columns, clip: params.clip as f32, sparse: false };
        // A scaled zero is seldom zero.
        let mut filled = 0;
        rows.for_each_entry(|_, column, _| filled += usize::from(scaler.columns[column] == Column::Keep));
        let is_filled = |column: &&Column| matches!(column, Column::Scale { factor, .. } if *factor != 0.0);
        filled += rows.rows() * scaler.columns.iter().filter(is_filled).count();
        scaler.sparse = (filled as f64) < SPARSE_BELOW * (rows.rows() * rows.columns()) as f64;
        let features = scaler.scale(rows);
        Ok((scaler, features))
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// Scales other molecules; the error says what does not fit.
    pub(crate) fn apply(&self, inputs: &Inputs<'_>) -> Result<Features> {
        let rows = match (self.kind, inputs.bits, inputs.dense) {
            (Kind::Dense, Some(_), Some(dense)) => Rows::of(&Inputs::from_dense(dense))?,
            _ => Rows::of(inputs)?,
        };
        if rows.kind() != self.kind || rows.columns() != self.columns() {
            let name = |kind| match kind {
                Kind::Bits => "bits",
                Kind::Dense => "dense features",
            };
            return Err(Error::invalid_argument(format!(
                "the network was trained on {} {}, these inputs have {} {}",
                self.columns(),
                name(self.kind),
                rows.columns(),
                name(rows.kind())
            )));
        }
        Ok(self.scale(rows))
    }

    fn scale(&self, rows: Rows<'_>) -> Features {
        // The scaled values of a row of zeros.
        let zeros: Vec<f32> = self.columns.iter().map(|column| self.value(*column, 0.0)).collect();
        if self.sparse {
            let background: Vec<(u32, f32)> = (0..).zip(zeros).filter(|&(_, value)| value != 0.0).collect();
            return Features::Sparse(self.sparse_rows(rows, &background));
        }
        let mut values = zeros.repeat(rows.rows());
        rows.for_each_entry(|row, column, value| {
            values[row * zeros.len() + column] = self.value(self.columns[column], value);
        });
        Features::Dense { columns: zeros.len(), values }
    }

    /// Sparse rows of the values that are not zero after scaling; `background` is a scaled row of zeros.
    fn sparse_rows(&self, rows: Rows<'_>, background: &[(u32, f32)]) -> SparseRows {
        let mut entries: Vec<Vec<(u32, f32)>> = vec![background.to_vec(); rows.rows()];
        rows.for_each_entry(|row, column, value| {
            let entry = (column as u32, self.value(self.columns[column], value));
            let row = &mut entries[row];
            match row[..background.len()].binary_search_by_key(&entry.0, |&(column, _)| column) {
                Ok(place) => row[place] = entry,
                Err(_) => row.push(entry),
            }
        });
        let mut sparse = SparseRows::new(self.columns());
        for row in &mut entries {
            row.sort_unstable_by_key(|&(column, _)| column);
            sparse.push(row.iter().copied().filter(|&(_, value)| value != 0.0));
        }
        sparse
    }

    fn value(&self, column: Column, value: f32) -> f32 {
        match column {
            Column::Keep => value,
            Column::Scale { mean, factor } => {
                (((f64::from(value) - mean) * factor) as f32).clamp(-self.clip, self.clip)
            }
        }
    }
}

/// Mean and standard deviation of each column to be scaled.
fn learn(rows: Rows<'_>, all: bool) -> Vec<Column> {
    let (count, columns) = (rows.rows() as f64, rows.columns());
    let (mut sums, mut counted, mut keep) = (vec![0f64; columns], vec![0usize; columns], vec![!all; columns]);
    rows.for_each_entry(|_, column, value| {
        sums[column] += f64::from(value);
        counted[column] += 1;
        keep[column] &= [1.0, 2.0, 3.0].contains(&value);
    });
    let means: Vec<f64> = sums.iter().map(|sum| sum / count.max(1.0)).collect();
    let zeros = |column: usize| count - counted[column] as f64;
    let mut squares: Vec<f64> = (0..columns).map(|column| zeros(column) * means[column].powi(2)).collect();
    rows.for_each_entry(|_, column, value| squares[column] += (f64::from(value) - means[column]).powi(2));
    let column = |column: usize| {
        let (mean, deviation) = (means[column], (squares[column] / count.max(1.0)).sqrt());
        // Rounding of the mean gives a constant column a deviation of this size.
        let constant = deviation <= mean.abs() * 1e-7;
        let factor = if constant { 0.0 } else { deviation.recip() };
        if keep[column] { Column::Keep } else { Column::Scale { mean, factor } }
    };
    (0..columns).map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MlpConfig;

    fn fit(json: &str, inputs: &Inputs<'_>) -> (Scaler, Features) {
        let config: MlpConfig = serde_json::from_str(json).unwrap();
        Scaler::fit(&config.check().unwrap(), inputs).unwrap()
    }

    fn dense(values: &[f32], columns: usize) -> Inputs<'_> {
        Inputs::from_dense(Dense::new(values, values.len() / columns, columns).unwrap())
    }

    /// The values, in either storage.
    fn values(features: &Features) -> Vec<f32> {
        match features {
            Features::Dense { values, .. } => values.clone(),
            Features::Sparse(sparse) => {
                let mut values = vec![0.0; sparse.rows() * sparse.columns()];
                for row in 0..sparse.rows() {
                    let (indices, entries) = sparse.row(row);
                    for (&column, &value) in indices.iter().zip(entries) {
                        values[row * sparse.columns() + column as usize] = value;
                    }
                }
                values
            }
        }
    }

    #[test]
    fn whole_numbers_up_to_three_stay_and_others_are_standardised() {
        // A bit, a count, a number, a constant, a count up to 4, and a number far from 0.
        let train = [
            0.0,
            3.0,
            1.0,
            0.1,
            4.0,
            1e6 + 1.0,
            /**/ 1.0,
            0.0,
            2.0,
            0.1,
            0.0,
            1e6 + 2.0,
            /**/ 0.0,
            2.0,
            6.0,
            0.1,
            2.0,
            1e6 + 3.0,
        ];
        let (scaler, features) = fit("{}", &dense(&train, 6));
        let (a, b) = ((14f32 / 3.0).sqrt(), 1.5f32.sqrt());
        let expected = [
            0.0,
            3.0,
            -2.0 / a,
            0.0,
            b,
            -b,
            /**/ 1.0,
            0.0,
            -1.0 / a,
            0.0,
            -b,
            0.0,
            /**/ 0.0,
            2.0,
            3.0 / a,
            0.0,
            0.0,
            b,
        ];
        let near =
            |found: Vec<f32>| found.iter().zip(expected).all(|(found, wanted)| (found - wanted).abs() < 1e-6);
        assert!(near(values(&features)), "{features:?}");
        // Other molecules: far values are clipped, and unscaled columns stay unchanged.
        let other = [7.0, 9.0, -1e9, 5.0, 2.0, 1e6 + 2.0];
        let found = values(&scaler.apply(&dense(&other, 6)).unwrap());
        assert_eq!(found, [7.0, 9.0, -5.0, 0.0, 0.0, 0.0]);
        assert_eq!(values(&fit(r#"{"standardize": "none"}"#, &dense(&train, 6)).1), train);
        let all = values(&fit(r#"{"standardize": "all", "clip": 1.0}"#, &dense(&train, 6)).1);
        assert!((all[0] + 0.5f32.sqrt()).abs() < 1e-6 && all[6] == 1.0, "{all:?}");
    }

    #[test]
    fn bits_stay_bits_and_sparse_rows_are_those_of_dense_ones() {
        let words: Vec<u64> = (0..30).map(|row| 1 << row | (row % 3) << 40).collect();
        let bits = Inputs::from_bits(Bits::new(&words, 30, 60).unwrap());
        let dense_bits: Vec<f32> =
            words.iter().flat_map(|word| (0..60).map(move |bit| (word >> bit & 1) as f32)).collect();
        for (json, sparse) in [("{}", true), (r#"{"standardize": "all"}"#, false)] {
            let (scaler, features) = fit(json, &bits);
            assert_eq!(matches!(features, Features::Sparse(_)), sparse);
            assert_eq!((features.rows(), features.columns()), (30, 60));
            assert_eq!(values(&features), values(&fit(json, &dense(&dense_bits, 60)).1));
            assert_eq!(values(&scaler.apply(&bits).unwrap()), values(&features));
        }
    }

    #[test]
    fn a_few_scaled_columns_leave_rows_sparse() {
        // One number among forty bits; each row has one bit set.
        let mut train = vec![0.0; 41 * 50];
        for row in 0..50 {
            train[row * 41 + row % 40] = 1.0;
            train[row * 41 + 40] = if row < 25 { 0.0 } else { 3.5 };
        }
        let (scaler, features) = fit("{}", &dense(&train, 41));
        assert!(matches!(features, Features::Sparse(_)));
        let found = values(&features);
        assert_eq!((found[40], found[49 * 41 + 40]), (-1.0, 1.0));
        assert_eq!(found[..40], train[..40]);
        assert_eq!(values(&scaler.apply(&dense(&train[..82], 41)).unwrap()), found[..82]);
    }

    #[test]
    fn bits_past_the_last_are_refused() {
        let words = [1u64 << 20];
        let bits = Inputs::from_bits(Bits::new(&words, 1, 20).unwrap());
        let config = MlpConfig::default().check().unwrap();
        let error = Scaler::fit(&config, &bits).unwrap_err();
        assert_eq!(error.to_string(), "input `bits`: row 0 has a set bit past the last of 20");
    }
}
