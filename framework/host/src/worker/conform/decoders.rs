//! Cases of decoders. One that an encoder has the id of gets the state of that encoder, trained.

use molarena_sdk::{Call, Dense, Matrix};

use super::{
    Checked, Subject, Verdict, close, data::COLUMNS, demand, done, encoders, finite, is_unsupported, verdict,
};
use crate::plugin::loader::{LoadError, LoadedDecoder};

/// Vectors and candidates.
const COUNTS: (usize, usize) = (3, 5);

/// Vectors of the encoder, whose state the decoder loads; `None` from one that has neither a state nor vectors.
fn encoded(
    encoder: &Subject<'_>,
    decoder: &mut LoadedDecoder,
    call: &Call<'_>,
) -> Result<Option<Matrix>, Verdict> {
    let molecules = encoders::features(encoder)?.select(&[1, 20, 40]);
    match encoders::trained(encoder, call)? {
        Ok(mut trained) => {
            let state = done(trained.save(), "the encoder's save")?;
            done(decoder.load(&state), "load")?;
            done(trained.encode(&molecules.inputs(), call), "the encoder's encode").map(Some)
        }
        Err(error) if is_unsupported(&error) => {
            Ok(encoders::encoder(encoder)?.encode(&molecules.inputs(), call).ok())
        }
        Err(error) => Err(Verdict::Skipped(format!("its encoder cannot be trained: {error}"))),
    }
}

/// Scores candidates in two orders.
pub(super) fn once(subject: &Subject<'_>) -> Checked {
    let (rows, count) = COUNTS;
    let call = Call::new(0, 1);
    let value = |index: usize| (index * 37 % 101) as f32 / 100.0;
    let candidates: Vec<f32> = (0..count * COLUMNS).map(|index| value(index + 11)).collect();
    let mut decoder = done(subject.plugin.decoder(subject.id(), subject.config), "create")?;
    let arbitrary = || Matrix { rows, columns: COLUMNS, values: (0..rows * COLUMNS).map(value).collect() };
    let vectors = match subject.encoder {
        Some(encoder) => encoded(encoder, &mut decoder, &call)?,
        None => None,
    };
    let z = vectors.unwrap_or_else(arbitrary);
    let z = Dense::new(&z.values, z.rows, z.columns).expect("rows x columns values");
    let mut ask = |values: &[f32]| {
        let candidates = Dense::new(values, count, COLUMNS).expect("rows x columns values");
        match decoder.score(&z, &candidates, "morphology", &call) {
            Err(LoadError::Call { message, .. }) if subject.encoder.is_none() => {
                Err(Verdict::Skipped(format!("without the state of a trained encoder: {message}")))
            }
            result => done(result, "score"),
        }
    };
    let scores = ask(&candidates)?;
    finite(&scores, "a score")?;
    let backwards: Vec<f32> = candidates.chunks_exact(COLUMNS).rev().flatten().copied().collect();
    let reversed = ask(&backwards)?;
    let turned = Matrix {
        values: scores.values.chunks_exact(count).flat_map(|row| row.iter().rev().copied()).collect(),
        ..scores
    };
    demand(close(&turned, &reversed), || "scores change with the order of the candidates".into())
}

pub(super) fn score(subject: &Subject<'_>) -> Verdict {
    verdict(once(subject))
}
