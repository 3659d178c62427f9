//! Predicts profiles from those of similar molecules, and scores candidates by distance.

use molarena_sdk::{Call, Component, Decoder, Dense, Determinism, Error, Info, InputKind, Matrix, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{HEADER, Model, Space, trained};
use crate::pool;

/// Configuration of [`ProfileDecoder`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileDecoderConfig {
    /// Number of neighbours behind each prediction, at least 1.
    #[schemars(range(min = 1))]
    pub k: usize,
}

impl Default for ProfileDecoderConfig {
    fn default() -> Self {
        Self { k: 10 }
    }
}

/// Predicts a molecule's profile as the weighted mean of the profiles of the k most similar molecules of the corpus.
/// The weight is the similarity, the Tanimoto similarity of their fingerprints. A candidate's score is minus its mean
/// squared distance from that profile over the columns that both have; if they share no column, it is minus the
/// greatest possible distance.
#[derive(Debug)]
pub struct ProfileDecoder {
    config: ProfileDecoderConfig,
    model: Option<Model>,
}

impl Component for ProfileDecoder {
    type Config = ProfileDecoderConfig;
    const INFO: Info = Info {
        id: "profile-knn",
        summary: "the mean profile of the nearest neighbours by Tanimoto similarity",
        inputs: &[InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: ProfileDecoderConfig) -> Result<Self> {
        if config.k == 0 {
            return Err(Error::invalid_config("`k` is 0, must be at least 1"));
        }
        Ok(Self { config, model: None })
    }
}

impl Decoder for ProfileDecoder {
    fn columns(&self, space: &str) -> Result<usize> {
        Ok(trained(self.model.as_ref(), "decode")?.space(space)?.columns)
    }

    fn decode(&mut self, z: &Dense<'_>, space: &str, call: &Call<'_>) -> Result<Matrix> {
        let model = trained(self.model.as_ref(), "decode")?;
        let space = model.space(space)?;
        if z.columns != model.n_bits {
            return Err(Error::invalid_argument(format!(
                "the corpus has fingerprints of {} bits, these vectors have width {}",
                model.n_bits, z.columns
            )));
        }
        if space.molecules.is_empty() {
            return Err(Error::data(format!(
                "no molecule of the corpus has a profile in space `{}`",
                space.name
            )));
        }
        let bits = model.bits()?;
        let rows = pool::map(
            z.rows,
            call,
            "decoding",
            || (),
            |(), row| {
                let query = packed(z.row(row), bits.words_per_row);
                let mut neighbours: Vec<(f64, usize)> = space
                    .molecules
                    .iter()
                    .enumerate()
                    .map(|(place, &molecule)| (tanimoto(&query, bits.row(molecule)), place))
                    .collect();
                neighbours.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
                neighbours.truncate(self.config.k);
                Ok(space.mean(&neighbours))
            },
        )?;
        Matrix::new(z.rows, space.columns, rows.concat())
    }

    fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        call: &Call<'_>,
    ) -> Result<Matrix> {
        let decoded = self.decode(z, space, call)?;
        if candidates.columns != decoded.columns {
            return Err(Error::invalid_argument(format!(
                "candidates have {} columns, space `{space}` has {}",
                candidates.columns, decoded.columns
            )));
        }
        let rows = pool::map(
            z.rows,
            call,
            "scoring",
            || (),
            |(), row| {
                let profile = decoded.view().row(row).to_vec();
                let scores =
                    (0..candidates.rows).map(|candidate| -distance(&profile, candidates.row(candidate)));
                Ok(scores.collect::<Vec<f32>>())
            },
        )?;
        Matrix::new(z.rows, candidates.rows, rows.concat())
    }

    fn save(&self) -> Result<Vec<u8>> {
        HEADER.save(trained(self.model.as_ref(), "save")?)
    }

    fn load(&mut self, state: &[u8]) -> Result<()> {
        self.model = Some(HEADER.load(state)?);
        Ok(())
    }
}

impl Space {
    /// Weighted mean profile of the molecules at these positions; all weigh the same if every weight is 0. NaN where
    /// none of them has a value.
    fn mean(&self, neighbours: &[(f64, usize)]) -> Vec<f32> {
        let none = neighbours.iter().all(|(weight, _)| *weight == 0.0);
        let mean = |column: usize| {
            let (mut sum, mut total) = (0.0, 0.0);
            for &(weight, place) in neighbours {
                let value = self.profiles[place * self.columns + column];
                let weight = if none { 1.0 } else { weight };
                if !value.is_nan() {
                    sum += weight * f64::from(value);
                    total += weight;
                }
            }
            if total > 0.0 { (sum / total) as f32 } else { f32::NAN }
        };
        (0..self.columns).map(mean).collect()
    }
}

/// Mean squared distance over the columns that both have. Without any it is 1, the largest between values in [0, 1].
fn distance(profile: &[f32], candidate: &[f32]) -> f32 {
    let both = profile.iter().zip(candidate).filter(|(a, b)| !a.is_nan() && !b.is_nan());
    let (sum, count) = both.fold((0.0f64, 0usize), |(sum, count), (a, b)| {
        (sum + f64::from(a - b) * f64::from(a - b), count + 1)
    });
    if count == 0 { 1.0 } else { (sum / count as f64) as f32 }
}

fn packed(values: &[f32], words: usize) -> Vec<u64> {
    let mut packed = vec![0u64; words];
    for (bit, _) in values.iter().enumerate().filter(|(_, value)| **value > 0.5) {
        packed[bit / 64] |= 1 << (bit % 64);
    }
    packed
}

/// Size of the intersection divided by that of the union (Rogers and Tanimoto 1960); 0 for two empty sets.
fn tanimoto(one: &[u64], other: &[u64]) -> f64 {
    let pairs = one.iter().zip(other);
    let (both, either) = pairs
        .fold((0, 0), |(both, either), (a, b)| (both + (a & b).count_ones(), either + (a | b).count_ones()));
    if either == 0 { 0.0 } else { f64::from(both) / f64::from(either) }
}
