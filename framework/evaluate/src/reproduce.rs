//! How well a record agrees with the same made again.

use molarena_host::Store;
use molarena_record::{
    cell::{Outcome, Record},
    reproduction::{Agreement, REPRODUCTION_SCHEMA, Reproduction},
    step::StepRecord,
};
use serde_json::{Value, json};

use crate::row::{predictions, step_of};

/// Largest difference of two predictions that only rounding makes, relative to the larger of 1 and their size: single
/// precision has seven digits, and sums over thousands of terms in another order lose two or three of them.
pub const ROUNDING: f64 = 1e-4;

/// Compares a record of a store with the same made again in another.
///
/// Predictions must be the same bits if the plugins of the record promise that, else the same up to [`ROUNDING`].
pub fn compare_again(record: &Record, store: &Store, again: &Record, other: &Store) -> Reproduction {
    let mut changed = Vec::new();
    differences("composition", &json!(record.composition), &json!(again.composition), &mut changed);
    differences("split", &json!(record.split), &json!(again.split), &mut changed);
    differences("tasks", &json!(record.tasks), &json!(again.tasks), &mut changed);
    differences("device", &json!(record.device), &json!(again.device), &mut changed);
    let mut notes = Vec::new();
    let (agreement, largest_difference) = match (&record.outcome, &again.outcome) {
        (Outcome::Failed(one), Outcome::Failed(two)) if one.reason == two.reason => {
            (Agreement::Identical, None)
        }
        (Outcome::Failed(one), Outcome::Failed(two)) => {
            notes.push(format!("it failed for another reason: {}, was {}", two.reason, one.reason));
            (Agreement::Different, None)
        }
        (Outcome::Failed(failure), Outcome::Scored { .. }) => {
            notes.push(format!("it has scores, and failed before: {}", failure.reason));
            (Agreement::Different, None)
        }
        (Outcome::Scored { .. }, Outcome::Failed(failure)) => {
            notes.push(format!("it failed: {}: {}", failure.reason, failure.message));
            (Agreement::Different, None)
        }
        (Outcome::Scored { .. }, Outcome::Scored { .. }) => {
            match of_predictions((record, store), (again, other)) {
                Ok((agreement, difference)) => (agreement, Some(difference)),
                Err(why) => {
                    notes.push(format!("predictions cannot be compared: {why}"));
                    (Agreement::Different, None)
                }
            }
        }
    };
    Reproduction {
        schema: REPRODUCTION_SCHEMA.to_owned(),
        key: record.key.clone(),
        agreement,
        largest_difference,
        score_difference: mean(&again.outcome).zip(mean(&record.outcome)).map(|(again, first)| again - first),
        changed,
        notes,
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        finished: again.finished,
    }
}

/// How well the stored predictions of two records agree, and their largest difference.
fn of_predictions(one: (&Record, &Store), two: (&Record, &Store)) -> Result<(Agreement, f64), String> {
    let read = |(record, store): (&Record, &Store)| -> Result<(StepRecord, Vec<f32>), String> {
        let step = step_of(store, record)?;
        let values = predictions(store, &step)?;
        Ok((step, values))
    };
    let ((first, ours), (second, theirs)) = (read(one)?, read(two)?);
    if ours.len() != theirs.len() {
        return Err(format!("{} predictions, were {}", theirs.len(), ours.len()));
    }
    if first.sha256_of("test.npy") == second.sha256_of("test.npy") {
        return Ok((Agreement::Identical, 0.0));
    }
    let pairs = || ours.iter().zip(&theirs).map(|(&one, &two)| (f64::from(one), f64::from(two)));
    let largest = pairs().map(|(one, two)| (one - two).abs()).fold(0.0, f64::max);
    let rounded = pairs().all(|(one, two)| (one - two).abs() <= ROUNDING * one.abs().max(two.abs()).max(1.0));
    let promised = one.0.bitwise.unwrap_or(true);
    Ok((if rounded && !promised { Agreement::Equal } else { Agreement::Different }, largest))
}

fn mean(outcome: &Outcome) -> Option<f64> {
    match outcome {
        Outcome::Scored { mean, .. } => *mean,
        Outcome::Failed(_) => None,
    }
}

/// The members in which two descriptions differ, each by its path.
fn differences(path: &str, one: &Value, two: &Value, found: &mut Vec<String>) {
    match (one, two) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                differences(&format!("{path}.{name}"), &one[name.as_str()], &two[name.as_str()], found);
            }
        }
        _ if one == two => {}
        _ => found.push(format!("{path}: {}, was {}", short(two), short(one))),
    }
}

fn short(value: &Value) -> String {
    molarena_chem::shorten(&value.to_string(), 80, "…").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_named_by_its_path() {
        let mut found = Vec::new();
        let one = json!({ "a": { "b": 1, "c": [1, 2] }, "d": null });
        differences("x", &one, &json!({ "a": { "b": 2, "c": [1, 2] }, "e": "new" }), &mut found);
        assert_eq!(found, ["x.a.b: 2, was 1", "x.e: \"new\", was null"]);
        differences("x", &one, &one, &mut found);
        assert_eq!(found.len(), 2);
    }
}
