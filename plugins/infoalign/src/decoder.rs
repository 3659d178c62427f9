//! The decoder `infoalign`: turns a molecule's vector into profiles.

use std::borrow::Cow;

use burn::tensor::{Tensor, TensorData};
use molarena_nn::with_threads;
use molarena_sdk::{Call, Component, Decoder, Dense, Error, Info, InputKind, Matrix, Result};
use rayon::prelude::*;

use crate::{
    config::{DecoderConfig, Score},
    model::Model,
};

/// The decoders trained with the encoder of the same name, whose state this component loads.
#[derive(Debug)]
pub struct InfoAlignDecoder {
    score: Score,
    model: Option<Model>,
}

impl Component for InfoAlignDecoder {
    type Config = DecoderConfig;
    const INFO: Info = Info {
        id: "infoalign",
        summary: "profiles in [0, 1] decoded from the encoder's vector, and likelihoods of candidates",
        inputs: &[InputKind::Dense],
        devices: molarena_nn::DEVICES,
        determinism: molarena_nn::DETERMINISM,
        corpora: &[],
    };

    fn new(config: DecoderConfig) -> Result<Self> {
        Ok(Self { score: config.score, model: None })
    }
}

impl InfoAlignDecoder {
    fn model(&self) -> Result<&Model> {
        self.model.as_ref().ok_or_else(|| {
            Error::invalid_argument(
                "the decoder has no weights; it loads the state of the encoder `infoalign`",
            )
        })
    }

    fn decoded(&self, z: &Dense<'_>, space: &str, call: &Call<'_>) -> Result<Matrix> {
        let model = self.model()?;
        let number = model.space(space)?;
        let width = model.shape.network.width;
        if z.columns != width {
            return Err(Error::invalid_argument(format!(
                "z has {} columns, the decoder was trained on {width}",
                z.columns
            )));
        }
        let device = molarena_nn::device(call.device)?;
        let vectors = Tensor::from_data(TensorData::new(z.values.to_vec(), [z.rows, z.columns]), &device);
        let decoded = with_threads(call, || model.decode(vectors, number))??;
        let values = decoded.into_data().try_into_vec().expect("profiles are f32");
        Matrix::new(z.rows, model.shape.spaces[number].columns, values)
    }
}

impl Decoder for InfoAlignDecoder {
    fn columns(&self, space: &str) -> Result<usize> {
        let model = self.model()?;
        Ok(model.shape.spaces[model.space(space)?].columns)
    }

    fn decode(&mut self, z: &Dense<'_>, space: &str, call: &Call<'_>) -> Result<Matrix> {
        call.check()?;
        self.decoded(z, space, call)
    }

    fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        call: &Call<'_>,
    ) -> Result<Matrix> {
        call.check()?;
        let decoded = self.decoded(z, space, call)?;
        if candidates.columns != decoded.columns {
            return Err(Error::invalid_argument(format!(
                "candidates have {} columns, space `{space}` has {}",
                candidates.columns, decoded.columns
            )));
        }
        let columns = decoded.columns.max(1);
        let (mut profiles, mut candidate_values) = (decoded.values, Cow::Borrowed(candidates.values));
        if self.score == Score::Standardized {
            let scale = Scale::of(candidates);
            profiles = scale.apply(&profiles);
            candidate_values = Cow::Owned(scale.apply(candidates.values));
        }
        let mut scores = Matrix::zeros(z.rows, candidates.rows);
        with_threads(call, || {
            let rows = scores.values.par_chunks_exact_mut(candidates.rows.max(1));
            rows.zip(profiles.par_chunks_exact(columns)).for_each(|(scores, profile)| {
                let candidates = candidate_values.chunks_exact(columns);
                scores.iter_mut().zip(candidates).for_each(|(score, y)| *score = self.score.of(profile, y));
            });
        })?;
        Ok(scores)
    }

    fn save(&self) -> Result<Vec<u8>> {
        self.model()?.to_bytes()
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(Model::from_bytes(state, None)?);
        Ok(())
    }
}

/// Mean and standard deviation of each column over the candidates that have a value.
struct Scale(Vec<(f64, f64)>);

impl Scale {
    fn of(candidates: &Dense<'_>) -> Self {
        let column = |column: usize| {
            let values = || {
                let rows = candidates.values.chunks_exact(candidates.columns);
                rows.map(move |row| f64::from(row[column])).filter(|value| !value.is_nan())
            };
            let count = values().count().max(1) as f64;
            let mean = values().sum::<f64>() / count;
            let variance = values().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
            (mean, variance.sqrt())
        };
        Self((0..candidates.columns).map(column).collect())
    }

    /// Rows with each column centred and scaled; 0 where the column is constant. NaN stays NaN.
    fn apply(&self, values: &[f32]) -> Vec<f32> {
        let rows = values.chunks_exact(self.0.len().max(1));
        let scaled = |(&value, &(mean, deviation)): (&f32, &(f64, f64))| {
            if value.is_nan() {
                value
            } else if deviation > CONSTANT {
                ((f64::from(value) - mean) / deviation) as f32
            } else {
                0.0
            }
        };
        rows.flat_map(|row| row.iter().zip(&self.0).map(scaled)).collect()
    }
}

/// The largest standard deviation of a column in [0, 1] that counts as 0, because rounding causes it.
const CONSTANT: f64 = 1e-6;

/// The smallest probability in a decoded profile.
const LEAST: f64 = 1e-7;

impl Score {
    /// Score of the candidate `y` (NaN where missing) for the decoded profile `p`. A candidate without any value gets
    /// the lowest score.
    fn of(self, p: &[f32], y: &[f32]) -> f32 {
        let present = || {
            let pairs = p.iter().zip(y).filter(|(_, y)| !y.is_nan());
            pairs.map(|(&p, &y)| (f64::from(p), f64::from(y)))
        };
        let count = present().count();
        if count == 0 {
            return f32::MIN;
        }
        let mean = |sum: f64| (sum / count as f64) as f32;
        match self {
            Self::Likelihood => mean(
                present()
                    .map(|(p, y)| {
                        let p = p.clamp(LEAST, 1.0 - LEAST);
                        y * p.ln() + (1.0 - y) * (1.0 - p).ln()
                    })
                    .sum(),
            ),
            Self::Gaussian => mean(-present().map(|(p, y)| (y - p).powi(2)).sum::<f64>()),
            Self::Cosine | Self::Standardized => {
                let (product, one, other) = present()
                    .fold((0.0, 0.0, 0.0), |(product, one, other), (p, y)| {
                        (product + p * y, one + p * p, other + y * y)
                    });
                if one * other > 0.0 { (product / (one * other).sqrt()) as f32 } else { 0.0 }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_hand() {
        let (p, y) = ([0.5, 0.8, 0.1], [1.0, 0.0, f32::NAN]);
        let close = |score: Score, wanted: f32| {
            let found = score.of(&p, &y);
            assert!((found - wanted).abs() < 1e-6, "{score:?}: {found}");
        };
        close(Score::Likelihood, f32::midpoint(0.5f32.ln(), 0.2f32.ln()));
        close(Score::Gaussian, -f32::midpoint(0.25, 0.64));
        close(Score::Cosine, 0.5 / (0.25f32 + 0.64).sqrt());
        assert_eq!(Score::Cosine.of(&p, &[f32::NAN; 3]), f32::MIN);
    }

    #[test]
    fn columns_are_standardised_over_the_candidates() {
        let values = [0.2, 0.5, f32::NAN, 0.6, 0.5, 0.1, 0.4, 0.5, 0.3];
        let scale = Scale::of(&Dense { rows: 3, columns: 3, values: &values });
        // The means are 0.4, 0.5 and 0.2; the deviations are sqrt(0.08 / 3), 0 and, from two values, 0.1.
        let deviation = (0.08f32 / 3.0).sqrt();
        let expected = [-0.2 / deviation, 0.0, f32::NAN, 0.2 / deviation, 0.0, -1.0, 0.0, 0.0, 1.0];
        for (found, wanted) in scale.apply(&values).iter().zip(expected) {
            assert!((found - wanted).abs() < 1e-5 || found.is_nan() && wanted.is_nan(), "{found} {wanted}");
        }
        // The mean, and a constant column.
        let scaled = scale.apply(&[0.4, 0.9, f32::NAN]);
        assert!(scaled[0].abs() < 1e-6 && scaled[1] == 0.0, "{scaled:?}");
    }
}
