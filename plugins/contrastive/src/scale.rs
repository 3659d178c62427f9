//! Columns of profiles with mean 0 and variance 1.

use molarena_nn::{Array, Arrays};
use molarena_sdk::{Error, Result};

/// The largest standard deviation of a column in [0, 1] that counts as 0, because rounding causes it.
const CONSTANT: f64 = 1e-6;
/// Standardised values beyond this are cut off.
const CLIP: f32 = 5.0;

const MEANS: &str = "scale.means";
const DEVIATIONS: &str = "scale.deviations";

/// Mean and standard deviation of each column; a constant column has the deviation 0.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Scale {
    means: Vec<f32>,
    deviations: Vec<f32>,
}

impl Scale {
    /// The scale of `rows`, each with `columns` values, NaN where missing. An error if no column has two different values.
    pub(crate) fn of<'a>(
        rows: &(impl Iterator<Item = &'a [f32]> + Clone),
        columns: usize,
        space: &str,
    ) -> Result<Self> {
        let mut scale = Self { means: Vec::with_capacity(columns), deviations: Vec::with_capacity(columns) };
        for column in 0..columns {
            let values = || rows.clone().map(|row| f64::from(row[column])).filter(|value| !value.is_nan());
            let count = values().count().max(1) as f64;
            let mean = values().sum::<f64>() / count;
            let deviation = (values().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
            scale.means.push(mean as f32);
            scale.deviations.push(if deviation > CONSTANT { deviation as f32 } else { 0.0 });
        }
        if scale.deviations.iter().all(|deviation| *deviation == 0.0) {
            return Err(Error::data(format!("corpus: all profiles of the space `{space}` are equal")));
        }
        Ok(scale)
    }

    /// Number of columns.
    pub(crate) fn columns(&self) -> usize {
        self.means.len()
    }

    /// Rows with standardised values; 0 where a value is missing or its column is constant.
    pub(crate) fn apply(&self, values: &[f32]) -> Vec<f32> {
        let scaled = |(value, (mean, deviation)): (&f32, (&f32, &f32))| {
            if value.is_nan() || *deviation == 0.0 {
                0.0
            } else {
                ((value - mean) / deviation).clamp(-CLIP, CLIP)
            }
        };
        let rows = values.chunks_exact(self.columns().max(1));
        rows.flat_map(|row| row.iter().zip(self.means.iter().zip(&self.deviations)).map(scaled)).collect()
    }

    /// Adds the scale to the arrays of a state.
    pub(crate) fn save(&self, arrays: &mut Arrays) {
        for (name, values) in [(MEANS, &self.means), (DEVIATIONS, &self.deviations)] {
            arrays.arrays.insert(name.to_owned(), Array::new(&[values.len()], values.clone()));
        }
    }

    /// Takes the scale of `columns` columns out of the arrays of a state.
    pub(crate) fn take(arrays: &mut Arrays, columns: usize) -> Result<Self> {
        let scale =
            Self { means: arrays.take(MEANS, &[columns])?, deviations: arrays.take(DEVIATIONS, &[columns])? };
        let sound = scale.means.iter().chain(&scale.deviations).all(|value| value.is_finite());
        if sound { Ok(scale) } else { Err(Error::data("weights have a scale that is not finite")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_mean_0_and_variance_1() {
        let rows = [[0.0, 0.5, f32::NAN], [1.0, 0.5, 0.25], [0.5, 0.5, 0.75]];
        let scale = Scale::of(&rows.iter().map(|row| &row[..]), 3, "s").unwrap();
        let scaled = scale.apply(rows.as_flattened());
        let deviation = (0.5f32 / 3.0).sqrt();
        let expected = [-0.5 / deviation, 0.0, 0.0, 0.5 / deviation, 0.0, -1.0, 0.0, 0.0, 1.0];
        assert!(scaled.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-6), "{scaled:?}");
        assert_eq!(scale.apply(&[100.0, 100.0, -100.0]), [CLIP, 0.0, -CLIP]);
        let mut arrays = Arrays::default();
        scale.save(&mut arrays);
        assert_eq!(Scale::take(&mut arrays, 3).unwrap(), scale);
    }

    #[test]
    fn equal_profiles_are_refused() {
        let rows = [[0.5f32, f32::NAN], [0.5, 0.25]];
        let error = Scale::of(&rows.iter().map(|row| &row[..]), 2, "cells").unwrap_err();
        assert_eq!(error.to_string(), "corpus: all profiles of the space `cells` are equal");
    }
}
