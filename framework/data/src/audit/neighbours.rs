//! How near test molecules are to the training part.

use molarena_chem::{BitMatrix, Molecule, Morgan};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::split::Split;

/// `ECFP4`.
const FINGERPRINT: Morgan = Morgan { radius: 2, n_bits: 2048, chirality: false };
/// The similarities whose shares are reported.
const LEVELS: [f64; 4] = [0.4, 0.6, 0.8, 1.0];

/// The Tanimoto similarity of each test molecule to its nearest training molecule, as a distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Neighbours {
    /// Radius of the Morgan fingerprint, in bonds.
    pub radius: u32,
    /// Its bits.
    pub bits: usize,
    /// Rows of the test part; 0 if it or the training part is empty.
    pub rows: usize,
    /// Mean, from 0 to 1; `null` of nothing.
    pub mean: Option<f64>,
    /// Minimum, the nine deciles and maximum, interpolated linearly between neighbours in rank; empty of nothing.
    pub deciles: Vec<f64>,
    /// How many are at least as near as 0.4, 0.6, 0.8 and 1.
    pub at_least: Vec<ShareAtLeast>,
}

/// Rows with a neighbour at least as near as a similarity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShareAtLeast {
    /// The similarity.
    pub tanimoto: f64,
    /// Rows.
    pub rows: usize,
    /// Rows as a share of all test rows, from 0 to 1.
    pub share: f64,
}

/// Finds the nearest training molecule of each test molecule.
pub(super) fn find(molecules: &[Molecule], split: &Split) -> Neighbours {
    let matrix = |rows: &[usize]| BitMatrix {
        rows: rows.len(),
        n_bits: FINGERPRINT.n_bits,
        words: rows.par_iter().flat_map_iter(|&row| molecules[row].morgan(&FINGERPRINT)).collect(),
    };
    let mut nearest = nearest(&matrix(&split.test), &matrix(&split.train));
    nearest.sort_unstable_by(f64::total_cmp);
    let at_least = LEVELS.map(|tanimoto| {
        let rows = nearest.iter().filter(|similarity| **similarity >= tanimoto).count();
        ShareAtLeast { tanimoto, rows, share: super::share(rows, nearest.len()) }
    });
    Neighbours {
        radius: FINGERPRINT.radius,
        bits: FINGERPRINT.n_bits,
        rows: nearest.len(),
        mean: (!nearest.is_empty()).then(|| nearest.iter().sum::<f64>() / nearest.len() as f64),
        deciles: (0..=10).filter_map(|tenth| quantile(&nearest, tenth)).collect(),
        at_least: at_least.into(),
    }
}

/// Of each row of `from`, the largest similarity to a row of `to`; nothing if `to` is empty.
fn nearest(from: &BitMatrix, to: &BitMatrix) -> Vec<f64> {
    if to.rows == 0 {
        return Vec::new();
    }
    let bits = |row: &[u64]| row.iter().map(|word| word.count_ones()).sum::<u32>();
    let of_to: Vec<u32> = (0..to.rows).map(|row| bits(to.row(row))).collect();
    let nearest = |row: usize| {
        let row = from.row(row);
        let of_row = bits(row);
        (0..to.rows).fold(0.0, |best: f64, other| {
            // No more bits are common than the row with fewer bits has.
            let (least, most) = (of_row.min(of_to[other]), of_row.max(of_to[other]));
            if f64::from(least) <= best * f64::from(most) {
                return best;
            }
            let common: u32 =
                row.iter().zip(to.row(other)).map(|(one, other)| (one & other).count_ones()).sum();
            best.max(f64::from(common) / f64::from(of_row + of_to[other] - common))
        })
    };
    (0..from.rows).into_par_iter().map(nearest).collect()
}

/// The quantile `tenth / 10` of ascending values.
fn quantile(values: &[f64], tenth: usize) -> Option<f64> {
    let place = (values.len().checked_sub(1)? * tenth) as f64 / 10.0;
    let [below, above] = [values[place.floor() as usize], values[place.ceil() as usize]];
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciles_are_interpolated_as_numpy_does() {
        // numpy.quantile([0, 1, 4], [0, 0.1, 0.5, 0.9, 1]).
        let values = [0.0, 1.0, 4.0];
        let at = |tenth| quantile(&values, tenth).unwrap();
        assert_eq!([at(0), at(1), at(5), at(10)], [0.0, 0.2, 1.0, 4.0]);
        assert!((at(9) - 3.4).abs() < 1e-12);
        assert_eq!(quantile(&[], 5), None);
    }
}
