//! The decoder `random-ranking`: matching by chance.

use molarena_sdk::{Call, Component, Decoder, Dense, Determinism, Error, Info, InputKind, Matrix, Result};
use rand_xoshiro::{
    Xoshiro256PlusPlus,
    rand_core::{Rng, SeedableRng},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Configuration of [`RandomRanking`]; it has no options.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RandomRankingConfig {}

/// Random scores, uniform between 0 and 1 and independent of the vectors: a floor. For c candidates of which one is relevant, HIT@k
/// is k / c on average. A candidate's score depends on its values, not on its place, as with any decoder.
#[derive(Debug)]
pub struct RandomRanking;

impl Component for RandomRanking {
    type Config = RandomRankingConfig;
    const INFO: Info = Info {
        id: "random-ranking",
        summary: "random scores: what matching reaches by chance",
        inputs: &[InputKind::Dense],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };

    fn new(_: RandomRankingConfig) -> Result<Self> {
        Ok(Self)
    }
}

impl Decoder for RandomRanking {
    fn columns(&self, space: &str) -> Result<usize> {
        Err(Error::unsupported(format!("it decodes nothing, and so has no columns for space `{space}`")))
    }

    fn decode(&mut self, _: &Dense<'_>, _: &str, _: &Call<'_>) -> Result<Matrix> {
        Err(Error::unsupported("it scores candidates, but decodes nothing"))
    }

    /// Each space has different scores under the same seed.
    fn score(
        &mut self,
        z: &Dense<'_>,
        candidates: &Dense<'_>,
        space: &str,
        call: &Call<'_>,
    ) -> Result<Matrix> {
        let of_space = hashed(call.seed, space.bytes());
        let of_candidate = |row: usize| {
            let bytes = candidates.row(row).iter().flat_map(|value| value.to_bits().to_le_bytes());
            Xoshiro256PlusPlus::seed_from_u64(hashed(of_space, bytes))
        };
        let mut random: Vec<_> = (0..candidates.rows).map(of_candidate).collect();
        // The generators of the candidates are drawn from once for each query. 24 bits are exact in an f32.
        let values = (0..z.rows).flat_map(|_| {
            random
                .iter_mut()
                .map(|random| (random.next_u64() >> 40) as f32 / (1 << 24) as f32)
                .collect::<Vec<f32>>()
        });
        Matrix::new(z.rows, candidates.rows, values.collect())
    }
}

/// FNV-1a (Fowler, Noll and Vo), 64 bits.
fn hashed(start: u64, bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scores(seed: u64, space: &str) -> Vec<f32> {
        let z = Matrix::zeros(200, 1);
        let candidates = Matrix::new(50, 3, (0..150).map(|value| value as f32).collect()).unwrap();
        let call = Call::new(seed, 1);
        RandomRanking.score(&z.view(), &candidates.view(), space, &call).unwrap().values
    }

    #[test]
    fn the_share_of_hits_is_that_of_chance() {
        let scores = scores(3, "expression");
        // Candidate 7 is relevant. It is among the first 10 of 50 in a fifth of 200 queries, 40 ± 5.7.
        let hits = scores.chunks(50).filter(|row| row.iter().filter(|&&score| score > row[7]).count() < 10);
        let hits = hits.count();
        assert!((20..=60).contains(&hits), "{hits}");
    }

    #[test]
    fn the_seed_and_the_space_decide() {
        assert_eq!(scores(3, "expression"), scores(3, "expression"));
        assert_ne!(scores(3, "expression"), scores(4, "expression"));
        assert_ne!(scores(3, "expression"), scores(3, "morphology"));
        assert!(RandomRanking.columns("s").unwrap_err().message.contains("space `s`"));
    }
}
