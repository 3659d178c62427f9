//! Cases of decoders. Those that need the state of an encoder say so and are skipped.

use molarena_sdk::{Call, Dense, Matrix};

use super::{Checked, Subject, Verdict, close, demand, done, finite, verdict};
use crate::plugin::loader::LoadError;

/// Vectors, candidates, and columns of each.
const SHAPE: (usize, usize, usize) = (3, 5, 12);

pub(super) fn score(subject: &Subject<'_>) -> Verdict {
    let check = || -> Checked {
        let (vectors, count, columns) = SHAPE;
        let value = |index: usize| (index * 37 % 101) as f32 / 100.0;
        let z: Vec<f32> = (0..vectors * columns).map(value).collect();
        let candidates: Vec<f32> = (0..count * columns).map(|index| value(index + 11)).collect();
        let z = Dense::new(&z, vectors, columns).expect("rows x columns values");
        let mut decoder = done(subject.plugin.decoder(subject.id(), subject.config), "create")?;
        let mut ask = |values: &[f32]| {
            let candidates = Dense::new(values, count, columns).expect("rows x columns values");
            match decoder.score(&z, &candidates, "morphology", &Call::new(0, 1)) {
                Err(LoadError::Call { message, .. }) => {
                    Err(Verdict::Skipped(format!("without the state of a trained encoder: {message}")))
                }
                result => done(result, "score"),
            }
        };
        let scores = ask(&candidates)?;
        finite(&scores, "a score")?;
        let backwards: Vec<f32> = candidates.chunks_exact(columns).rev().flatten().copied().collect();
        let reversed = ask(&backwards)?;
        let turned = Matrix {
            values: scores.values.chunks_exact(count).flat_map(|row| row.iter().rev().copied()).collect(),
            ..scores
        };
        demand(close(&turned, &reversed), || "scores change with the order of the candidates".into())
    };
    verdict(check())
}
