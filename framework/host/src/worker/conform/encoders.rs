//! Cases of encoders.

use molarena_features::Features;
use molarena_sdk::{Call, Matrix};

use super::{
    Checked, Subject, Verdict, close,
    data::{Graph, MOLECULES, of_form, preferred},
    demand, done, ends_soon, failed, finite, is_unsupported, verdict,
};
use crate::plugin::loader::{LoadError, LoadedEncoder};

/// An encoder as it is made, with the weights that the check was given.
pub(super) fn encoder(subject: &Subject<'_>) -> Result<LoadedEncoder, Verdict> {
    let mut encoder = done(subject.plugin.encoder(subject.id(), subject.config), "create")?;
    if let Some(weights) = subject.weights {
        done(encoder.load(weights), "load of the weights")?;
    }
    Ok(encoder)
}

/// Features of the first form that the encoder takes under its configuration.
pub(super) fn features(subject: &Subject<'_>) -> Result<Features, Verdict> {
    let first = of_form(preferred(&subject.description)?)?;
    if takes(subject, &first)? {
        return Ok(first);
    }
    for form in &subject.description.inputs[1..] {
        let features = of_form(*form)?;
        if takes(subject, &features)? {
            return Ok(features);
        }
    }
    Ok(first)
}

/// Whether the encoder does not refuse the form of these features; it may refuse all else.
fn takes(subject: &Subject<'_>, features: &Features) -> Result<bool, Verdict> {
    let encoded = encoder(subject)?.encode(&features.select(&[0]).inputs(), &Call::new(0, 1));
    Ok(!encoded.is_err_and(|error| is_unsupported(&error)))
}

/// An encoder that can encode: trained on the suite's context graph if it cannot without.
pub(super) fn ready(
    subject: &Subject<'_>,
    features: &Features,
    call: &Call<'_>,
) -> Result<LoadedEncoder, Verdict> {
    let mut untrained = encoder(subject)?;
    let Err(why) = untrained.encode(&features.select(&[0]).inputs(), call) else { return encoder(subject) };
    trained(subject, call)?.map_err(|error| match error {
        LoadError::Call { .. } => failed(format!("`encode` failed: {why}")),
        error => failed(format!("`fit` failed: {error}")),
    })
}

/// An encoder that was trained on the suite's context graph, or what its `fit` said.
pub(super) fn trained(
    subject: &Subject<'_>,
    call: &Call<'_>,
) -> Result<Result<LoadedEncoder, LoadError>, Verdict> {
    let mut trained = encoder(subject)?;
    let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
    let result = trained.fit(&Graph::new()?.corpus(), &call.with_folder(folder.path()));
    Ok(result.map(|()| trained))
}

fn encoded(subject: &Subject<'_>, features: &Features, call: &Call<'_>) -> Result<Matrix, Verdict> {
    done(ready(subject, features, call)?.encode(&features.inputs(), call), "encode")
}

pub(super) fn encode(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let features = features(subject)?;
        let before = features.clone();
        let vectors = encoded(subject, &features, &Call::new(0, 1))?;
        demand(features == before, || "it wrote to its inputs, which are lent for reading".into())?;
        demand(vectors.columns > 0, || "its vectors have no column".into())?;
        finite(&vectors, "a vector")
    };
    verdict(check())
}

/// Encodes all molecules.
pub(super) fn once(subject: &Subject<'_>) -> Checked {
    encoded(subject, &features(subject)?, &Call::new(0, 1)).map(drop)
}

pub(super) fn few(subject: &Subject<'_>) -> Verdict {
    let check = || -> Checked {
        let features = features(subject)?;
        encoded(subject, &features.select(&[3]), &Call::new(0, 1))?;
        ready(subject, &features, &Call::new(0, 1))?
            .encode(&features.select(&[]).inputs(), &Call::new(0, 1))
            .map(drop)
            .map_err(|error| Verdict::Warning(format!("no molecule at all: {error}")))
    };
    verdict(check())
}

pub(super) fn company(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let features = features(subject)?;
        let call = Call::new(0, 1);
        let all = encoded(subject, &features, &call)?;
        let backwards: Vec<usize> = (0..MOLECULES).rev().collect();
        let reversed = encoded(subject, &features.select(&backwards), &call)?;
        demand(close(&rows(&all, &backwards), &reversed), || {
            "vectors change with the order of the molecules in the call".into()
        })?;
        let some = [5, 17, 40];
        let alone = encoded(subject, &features.select(&some), &call)?;
        demand(close(&rows(&all, &some), &alone), || {
            "vectors change with the other molecules of the call; normalise with what was learnt, not with the batch".into()
        })
    };
    verdict(check())
}

fn rows(matrix: &Matrix, indices: &[usize]) -> Matrix {
    let values = molarena_features::select_rows(&matrix.values, matrix.columns, indices);
    Matrix { rows: indices.len(), columns: matrix.columns, values }
}

pub(super) fn seed(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let features = features(subject)?;
        let [one, other] = [(); 2].map(|()| encoded(subject, &features, &Call::new(7, 1)));
        let (one, other) = (one?, other?);
        demand(subject.agree(&one, &other), || {
            format!(
                "two equal runs differ more than its determinism, {}, says",
                subject.description.determinism
            )
        })?;
        let third = encoded(subject, &features, &Call::new(8, 1))?;
        demand(subject.description.uses_seed || subject.agree(&one, &third), || {
            "another seed gives other vectors, and it declares that it uses none".into()
        })
    };
    verdict(check())
}

pub(super) fn threads(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let features = features(subject)?;
        let one = encoded(subject, &features, &Call::new(7, 1))?;
        let two = encoded(subject, &features, &Call::new(7, 2))?;
        demand(subject.agree(&one, &two), || {
            format!(
                "two threads give other vectors than one; its determinism is {}",
                subject.description.determinism
            )
        })
    };
    verdict(check())
}

pub(super) fn pretraining(subject: &Subject<'_>) -> Verdict {
    let check = || -> Checked {
        let graph = Graph::new()?;
        let features = features(subject)?;
        let folder = tempfile::tempdir().map_err(|error| failed(error.to_string()))?;
        let cancelled = || {
            let call = |call: &Call<'_>| {
                let folder = tempfile::tempdir().ok();
                let call = Call { folder: folder.as_ref().map(tempfile::TempDir::path), ..*call };
                match encoder(subject) {
                    Ok(mut encoder) => encoder.fit(&graph.corpus(), &call),
                    Err(_) => Ok(()),
                }
            };
            ends_soon(call, "fit")
        };
        cancelled()?;
        let mut trained = encoder(subject)?;
        let call = Call::new(1, 1).with_folder(folder.path());
        match trained.fit(&graph.corpus(), &call) {
            Err(LoadError::Call { message, status }) if status == molarena_abi::MOLARENA_ERROR_DATA => {
                return Err(Verdict::Skipped(format!(
                    "the suite's context graph does not suit it: {message}"
                )));
            }
            result => done(result, "fit")?,
        }
        let vectors = done(trained.encode(&features.inputs(), &call), "encode")?;
        finite(&vectors, "a vector of the trained encoder")?;
        let state = match trained.save() {
            Err(error) if is_unsupported(&error) => {
                return Err(failed(
                    "it is pretrained, but does not save its state, so that the training is lost",
                ));
            }
            state => done(state, "save")?,
        };
        let mut other = encoder(subject)?;
        done(other.load(&state), "load")?;
        let again = done(other.encode(&features.inputs(), &call), "encode")?;
        demand(subject.agree(&vectors, &again), || "vectors change when its state is saved and loaded".into())
    };
    verdict(check())
}

pub(super) fn damaged_state(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let features = features(subject)?;
        let mut any = ready(subject, &features, &Call::new(0, 1))?;
        for state in super::damaged(any.save().ok()) {
            match any.load(&state) {
                Err(error) if is_unsupported(&error) => {
                    return Err(Verdict::Skipped(format!("it does not offer `load`: {error}")));
                }
                Err(LoadError::Ended { message }) => return Err(failed(message)),
                Err(_) => any = encoder(subject)?,
                Ok(()) => return Err(failed(super::accepted(&state))),
            }
        }
        Ok(())
    };
    verdict(check())
}
