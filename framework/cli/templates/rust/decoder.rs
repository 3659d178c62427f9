//! A decoder: how similar predicted and measured profiles are.

use molarena_sdk::{Call, Component, Decoder, Dense, Determinism, Error, Info, InputKind, Matrix, Result};
use schemars::JsonSchema;
use serde::Deserialize;

molarena_sdk::export_plugin! { id: "@name@", decoders: [Cosine] }

/// Configuration of [`Cosine`].
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Taken off every value first; profiles are scaled to [0, 1].
    pub centre: f32,
}

impl Default for Config {
    fn default() -> Self {
        Self { centre: 0.5 }
    }
}

/// Cosine similarity of a predicted and a measured profile, over the values that were measured.
#[derive(Debug)]
pub struct Cosine(Config);

impl Component for Cosine {
    type Config = Config;
    const INFO: Info = Info {
        id: "cosine",
        summary: "Cosine similarity to a predicted profile, over the values that were measured",
        inputs: &[InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: Config) -> Result<Self> {
        if !config.centre.is_finite() {
            return Err(Error::invalid_config(format!("`centre` is {}, must be finite", config.centre)));
        }
        Ok(Self(config))
    }
}

impl Decoder for Cosine {
    fn columns(&self, _space: &str) -> Result<usize> {
        Err(makes_none())
    }

    fn decode(&mut self, _z: &Dense<'_>, _space: &str, _call: &Call<'_>) -> Result<Matrix> {
        Err(makes_none())
    }

    fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        call: &Call<'_>,
    ) -> Result<Matrix> {
        if z.columns != candidates.columns {
            return Err(Error::data(format!(
                "the vectors have {} columns, the profiles of {space} {}: this decoder is for encoders that predict the \
                 profile itself",
                z.columns, candidates.columns
            )));
        }
        let mut scores = Matrix::zeros(z.rows, candidates.rows);
        for row in 0..z.rows {
            call.check()?;
            for candidate in 0..candidates.rows {
                scores.values[row * candidates.rows + candidate] =
                    cosine(z.row(row), candidates.row(candidate), self.0.centre);
            }
        }
        Ok(scores)
    }
}

fn makes_none() -> Error {
    Error::unsupported("this decoder makes no profiles, it only scores them")
}

/// Cosine over the values that the profile has; 0 if one of them is all zeros there.
fn cosine(vector: &[f32], profile: &[f32], centre: f32) -> f32 {
    let (mut product, mut of_vector, mut of_profile) = (0.0_f64, 0.0_f64, 0.0_f64);
    for (&one, &other) in vector.iter().zip(profile).filter(|(_, value)| !value.is_nan()) {
        let (one, other) = (f64::from(one - centre), f64::from(other - centre));
        product += one * other;
        of_vector += one * one;
        of_profile += other * other;
    }
    let lengths = (of_vector * of_profile).sqrt();
    if lengths > 0.0 { (product / lengths) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISSING: f32 = f32::NAN;

    #[test]
    fn missing_values_do_not_count() {
        assert_eq!(cosine(&[3.0, 4.0, 9.0], &[3.0, 4.0, MISSING], 0.0), 1.0);
        assert_eq!(cosine(&[3.0, 4.0, 9.0], &[4.0, -3.0, MISSING], 0.0), 0.0);
    }

    #[test]
    fn what_cannot_be_compared_is_0() {
        assert_eq!(cosine(&[1.0, 1.0], &[MISSING, MISSING], 0.0), 0.0);
        assert_eq!(cosine(&[0.5, 0.5], &[0.2, 0.9], 0.5), 0.0);
    }

    #[test]
    fn other_widths_are_refused() {
        let mut decoder = Cosine::new(Config::default()).unwrap();
        let (z, profiles) = (Matrix::zeros(2, 3), Matrix::zeros(4, 3));
        let call = Call::new(0, 1);
        let scores = decoder.score(&z.view(), &profiles.view(), "morphology", &call).unwrap();
        assert_eq!((scores.rows, scores.columns), (2, 4));
        let error = decoder.score(&z.view(), &Matrix::zeros(4, 5).view(), "morphology", &call).unwrap_err();
        assert!(error.to_string().contains("3 columns, the profiles of morphology 5"), "{error}");
    }
}
