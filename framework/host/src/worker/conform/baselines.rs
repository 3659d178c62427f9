//! Cases of baselines, and of models that are fine-tuned from encoders.

use molarena_features::Features;
use molarena_sdk::{Call, ComponentKind, Matrix, TaskKind};

use super::{
    Checked, Subject, Verdict, close,
    data::{MOLECULES, TASKS, labels, lent, of_form, preferred},
    demand, done, encoders, ends_soon, failed, finite, is_unsupported, verdict,
};
use crate::{
    plugin::loader::{LoadError, LoadedBaseline},
    request::config_schema::violation,
};

/// Molecules by part: train, validation, test.
struct Parts {
    train: Features,
    train_rows: Vec<usize>,
    valid: Features,
    valid_rows: Vec<usize>,
    test: Features,
}

fn parts(subject: &Subject<'_>) -> Result<Parts, Verdict> {
    let all = match subject.description.kind {
        ComponentKind::Encoder => encoders::features(subject)?,
        _ => of_form(preferred(&subject.description)?)?,
    };
    let of = |part: usize| (0..MOLECULES).filter(|row| row % 4 == part).collect::<Vec<usize>>();
    let train_rows: Vec<usize> = (0..MOLECULES).filter(|row| row % 4 < 2).collect();
    let (valid_rows, test_rows) = (of(2), of(3));
    Ok(Parts {
        train: all.select(&train_rows),
        valid: all.select(&valid_rows),
        test: all.select(&test_rows),
        train_rows,
        valid_rows,
    })
}

/// The baseline; of an encoder, a model that is fine-tuned from it.
fn baseline(subject: &Subject<'_>) -> Result<LoadedBaseline, Verdict> {
    let Some(config) = subject.finetune else {
        return done(subject.plugin.baseline(subject.id(), subject.config), "create");
    };
    of_schema(subject, config)?;
    let encoder = encoders::ready(subject, &encoders::features(subject)?, &Call::new(0, 1))?;
    encoder.finetune(config).map_err(|error| failed(format!("`finetune` failed: {error}")))
}

fn fit(
    baseline: &mut LoadedBaseline,
    parts: &Parts,
    kind: TaskKind,
    call: &Call<'_>,
) -> Result<(), LoadError> {
    let (train, valid) = (labels(kind, &parts.train_rows), labels(kind, &parts.valid_rows));
    baseline.fit(&parts.train.inputs(), &lent(&train), &parts.valid.inputs(), &lent(&valid), call)
}

/// A fitted baseline: of classes, or of values if it knows no classes.
fn fitted(subject: &Subject<'_>, parts: &Parts, call: &Call<'_>) -> Result<LoadedBaseline, Verdict> {
    let mut fitted = baseline(subject)?;
    match fit(&mut fitted, parts, TaskKind::Classification, call) {
        Err(error) if is_unsupported(&error) => {
            fitted = baseline(subject)?;
            done(fit(&mut fitted, parts, TaskKind::Regression, call), "fit")?;
        }
        result => done(result, "fit")?,
    }
    Ok(fitted)
}

fn predicted(subject: &Subject<'_>, parts: &Parts, call: &Call<'_>) -> Result<Matrix, Verdict> {
    done(fitted(subject, parts, call)?.predict(&parts.test.inputs(), TASKS, call), "predict")
}

fn learns(subject: &Subject<'_>, kind: TaskKind) -> Checked {
    let parts = parts(subject)?;
    let (before, call) = (parts.train.clone(), Call::new(0, 1));
    let mut learnt = baseline(subject)?;
    match fit(&mut learnt, &parts, kind, &call) {
        Err(error) if is_unsupported(&error) => {
            return Err(Verdict::Skipped(format!("it does not learn these labels: {error}")));
        }
        result => done(result, "fit")?,
    }
    demand(parts.train == before, || "it wrote to its inputs, which are lent for reading".into())?;
    let predictions = done(learnt.predict(&parts.test.inputs(), TASKS, &call), "predict")?;
    finite(&predictions, "a prediction")?;
    let is_probability = |value: &f32| (0.0..=1.0).contains(value);
    demand(kind == TaskKind::Regression || predictions.values.iter().all(is_probability), || {
        "predictions of classes are not all between 0 and 1; return probabilities of 1".into()
    })
}

/// Fits and predicts.
pub(super) fn once(subject: &Subject<'_>) -> Checked {
    predicted(subject, &parts(subject)?, &Call::new(0, 1)).map(drop)
}

pub(super) fn gaps(subject: &Subject<'_>) -> Verdict {
    verdict(learns(subject, TaskKind::Classification))
}

pub(super) fn values(subject: &Subject<'_>) -> Verdict {
    verdict(learns(subject, TaskKind::Regression))
}

pub(super) fn finetune(subject: &Subject<'_>) -> Verdict {
    // An encoder may be for one kind of labels alone.
    verdict(match [TaskKind::Classification, TaskKind::Regression].map(|kind| learns(subject, kind)) {
        [Err(Verdict::Skipped(_)), other] | [other, Err(Verdict::Skipped(_))] => other,
        [classes, values] => classes.and(values),
    })
}

/// The schema of the fine-tuning accepts its configuration.
fn of_schema(subject: &Subject<'_>, config: &str) -> Checked {
    let Some(offered) = &subject.description.finetune else { return Ok(()) };
    let config = serde_json::from_str(config).map_err(|error| failed(error.to_string()))?;
    let Some(why) = violation(&config, &offered.config_schema.to_string()) else { return Ok(()) };
    if offered.config_schema["required"].as_array().is_some_and(|keys| !keys.is_empty()) {
        let id = subject.id();
        return Err(Verdict::Skipped(format!(
            "its fine-tuning has required keys ({why}); give --config 'finetune/{id}={{...}}'"
        )));
    }
    Err(failed(format!("the schema of its fine-tuning refuses {config}: {why}")))
}

pub(super) fn finetune_seed(subject: &Subject<'_>) -> Verdict {
    match seed(subject) {
        Verdict::Passed => threads(subject),
        verdict => verdict,
    }
}

pub(super) fn finetune_state(subject: &Subject<'_>) -> Verdict {
    match state(subject) {
        Verdict::Passed => damaged_state(subject),
        verdict => verdict,
    }
}

pub(super) fn few(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let (parts, call) = (parts(subject)?, Call::new(0, 1));
        let one = parts.test.select(&[1]);
        done(fitted(subject, &parts, &call)?.predict(&one.inputs(), TASKS, &call), "predict").map(drop)
    };
    verdict(check())
}

pub(super) fn company(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let (parts, call) = (parts(subject)?, Call::new(0, 1));
        let mut fitted = fitted(subject, &parts, &call)?;
        let mut predict =
            |rows: &[usize]| done(fitted.predict(&parts.test.select(rows).inputs(), TASKS, &call), "predict");
        let forwards: Vec<usize> = (0..parts.test.rows()).collect();
        let backwards: Vec<usize> = forwards.iter().rev().copied().collect();
        let all = predict(&forwards)?;
        let rows = |indices: &[usize]| Matrix {
            rows: indices.len(),
            columns: TASKS,
            values: molarena_features::select_rows(&all.values, TASKS, indices),
        };
        demand(close(&rows(&backwards), &predict(&backwards)?), || {
            "predictions change with the order of the molecules in the call".into()
        })?;
        demand(close(&rows(&[2, 7]), &predict(&[2, 7])?), || {
            "predictions change with the other molecules of the call".into()
        })
    };
    verdict(check())
}

pub(super) fn seed(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let parts = parts(subject)?;
        let one = predicted(subject, &parts, &Call::new(7, 1))?;
        let other = predicted(subject, &parts, &Call::new(7, 1))?;
        demand(subject.agree(&one, &other), || {
            format!(
                "two equal runs differ more than its determinism, {}, says",
                subject.description.determinism
            )
        })?;
        let third = predicted(subject, &parts, &Call::new(8, 1))?;
        let uses_seed = subject.description.uses_seed || subject.finetune.is_some();
        demand(uses_seed || subject.agree(&one, &third), || {
            "another seed gives other predictions, and it declares that it uses none".into()
        })
    };
    verdict(check())
}

pub(super) fn threads(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let parts = parts(subject)?;
        let one = predicted(subject, &parts, &Call::new(7, 1))?;
        let two = predicted(subject, &parts, &Call::new(7, 2))?;
        demand(subject.agree(&one, &two), || {
            let determinism = subject.description.determinism;
            format!("two threads give other predictions than one; its determinism is {determinism}")
        })
    };
    verdict(check())
}

pub(super) fn state(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let (parts, call) = (parts(subject)?, Call::new(0, 1));
        let mut fitted = fitted(subject, &parts, &call)?;
        let predictions = done(fitted.predict(&parts.test.inputs(), TASKS, &call), "predict")?;
        let state = done(fitted.save(), "save")?;
        let mut other = baseline(subject)?;
        done(other.load(&state), "load")?;
        let again = done(other.predict(&parts.test.inputs(), TASKS, &call), "predict")?;
        demand(subject.agree(&predictions, &again), || {
            "predictions change when its state is saved and loaded".into()
        })
    };
    verdict(check())
}

pub(super) fn damaged_state(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let parts = parts(subject)?;
        let state = fitted(subject, &parts, &Call::new(0, 1))?.save().ok();
        for state in super::damaged(state) {
            match baseline(subject)?.load(&state) {
                Err(error) if is_unsupported(&error) => {
                    return Err(Verdict::Skipped(format!("it does not offer `load`: {error}")));
                }
                Err(LoadError::Ended { message }) => return Err(failed(message)),
                Err(_) => {}
                Ok(()) => return Err(failed(super::accepted(&state))),
            }
        }
        Ok(())
    };
    verdict(check())
}

pub(super) fn cancel(subject: &Subject<'_>) -> Verdict {
    let check = || {
        let parts = parts(subject)?;
        let mut cancelled = baseline(subject)?;
        ends_soon(|call| fit(&mut cancelled, &parts, TaskKind::Classification, call), "fit")
    };
    verdict(check())
}
