//! How well a record agrees with the same made again.

use molarena_host::Store;
use molarena_record::{
    cell::{Outcome, Record},
    matching::{MatchOutcome, MatchRecord, SpaceScores},
    parts::Failure,
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
    let members = |record: &Record| {
        json!({
            "composition": record.composition,
            "split": record.split,
            "tasks": record.tasks,
            "device": record.device,
        })
    };
    let failure = |outcome: &Outcome| match outcome {
        Outcome::Failed(failure) => Some(failure.clone()),
        Outcome::Scored { .. } => None,
    };
    let mean = |outcome: &Outcome| match outcome {
        Outcome::Scored { mean, .. } => *mean,
        Outcome::Failed(_) => None,
    };
    let outcomes = [failure(&record.outcome), failure(&again.outcome)];
    let (agreement, largest_difference, notes) =
        agreement(outcomes, "predictions", || of_predictions((record, store), (again, other)));
    Reproduction {
        schema: REPRODUCTION_SCHEMA.to_owned(),
        key: record.key.clone(),
        agreement,
        largest_difference,
        score_difference: mean(&again.outcome).zip(mean(&record.outcome)).map(|(again, first)| again - first),
        changed: changed(&members(record), &members(again)),
        notes,
        platform: platform(),
        finished: again.finished,
    }
}

/// Compares a matching record of a store with the same made again in another.
///
/// Ranks must be the same if the plugins of the record promise equal bits. Else rounding may exchange neighbours, and the
/// scores must be the same up to [`ROUNDING`]. The largest difference is that of two ranks; the difference of scores is that
/// of the reciprocal rank, as mean over the spaces.
pub fn compare_matches_again(
    record: &MatchRecord,
    store: &Store,
    again: &MatchRecord,
    other: &Store,
) -> Reproduction {
    let members = |record: &MatchRecord| {
        json!({
            "context_key": record.context_key,
            "composition": record.composition,
            "split": record.split,
            "device": record.device,
        })
    };
    let failure = |outcome: &MatchOutcome| match outcome {
        MatchOutcome::Failed(failure) => Some(failure.clone()),
        MatchOutcome::Scored { .. } => None,
    };
    let outcomes = [failure(&record.outcome), failure(&again.outcome)];
    let (agreement, largest_difference, notes) =
        agreement(outcomes, "ranks", || of_ranks((record, store), (again, other)));
    Reproduction {
        schema: REPRODUCTION_SCHEMA.to_owned(),
        key: record.key.clone(),
        agreement,
        largest_difference,
        score_difference: mean_mrr(again).zip(mean_mrr(record)).map(|(again, first)| again - first),
        changed: changed(&members(record), &members(again)),
        notes,
        platform: platform(),
        finished: again.finished,
    }
}

/// How well two outcomes agree, the largest difference of what they made, and what must be said of it. `outcomes` are the
/// failures of the first and the second; `compared` compares what two steps made, which is called `what`.
fn agreement(
    outcomes: [Option<Failure>; 2],
    what: &str,
    compared: impl FnOnce() -> Result<(Agreement, f64), String>,
) -> (Agreement, Option<f64>, Vec<String>) {
    let different = |note: String| (Agreement::Different, None, vec![note]);
    match outcomes {
        [Some(one), Some(two)] if one.reason == two.reason => (Agreement::Identical, None, Vec::new()),
        [Some(one), Some(two)] => {
            different(format!("it failed for another reason: {}, was {}", two.reason, one.reason))
        }
        [Some(failure), None] => different(format!("it has scores, and failed before: {}", failure.reason)),
        [None, Some(failure)] => different(format!("it failed: {}: {}", failure.reason, failure.message)),
        [None, None] => match compared() {
            Ok((agreement, difference)) => (agreement, Some(difference), Vec::new()),
            Err(why) => different(format!("{what} cannot be compared: {why}")),
        },
    }
}

/// How well the stored ranks of two records agree, and the largest difference of two ranks.
fn of_ranks(one: (&MatchRecord, &Store), two: (&MatchRecord, &Store)) -> Result<(Agreement, f64), String> {
    let read = |(record, store): (&MatchRecord, &Store)| -> Result<Vec<Vec<usize>>, String> {
        let step = store.step(&record.key).map_err(|error| error.to_string())?;
        let step = step.ok_or_else(|| "a step is not in the store".to_owned())?;
        let mut ranks = store.ranks(&step).map_err(|error| error.to_string())?;
        let mut of_queries = Vec::new();
        for space in record.ranked_spaces() {
            of_queries.extend(ranks.in_space(space).map_err(|error| error.to_string())?);
        }
        Ok(of_queries)
    };
    let (ours, theirs) = (read(one)?, read(two)?);
    if ours.iter().map(Vec::len).ne(theirs.iter().map(Vec::len)) {
        return Err("they are of other queries, or of other profiles of them".into());
    }
    let pairs = ours.iter().flatten().zip(theirs.iter().flatten());
    let largest = pairs.map(|(one, two)| one.abs_diff(*two)).max().unwrap_or(0);
    if largest == 0 {
        return Ok((Agreement::Identical, 0.0));
    }
    let scores = |record: &MatchRecord| -> Vec<f64> {
        let MatchOutcome::Scored { spaces, .. } = &record.outcome else { return Vec::new() };
        let all = |space: &SpaceScores| [space.ndcg_1, space.ndcg_10, space.hit_1, space.hit_10, space.mrr];
        spaces.iter().flat_map(all).collect()
    };
    let rounded = scores(one.0).iter().zip(scores(two.0)).all(|(one, two)| (one - two).abs() <= ROUNDING);
    let promised = one.0.bitwise.unwrap_or(true);
    Ok((if rounded && !promised { Agreement::Equal } else { Agreement::Different }, largest as f64))
}

/// The mean reciprocal rank of a scored record, as mean over its spaces.
fn mean_mrr(record: &MatchRecord) -> Option<f64> {
    match &record.outcome {
        MatchOutcome::Scored { spaces, .. } if !spaces.is_empty() => {
            Some(spaces.iter().map(|space| space.mrr).sum::<f64>() / spaces.len() as f64)
        }
        _ => None,
    }
}

fn platform() -> String {
    format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
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

/// The members in which two descriptions differ, each by its path.
fn changed(one: &Value, two: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differences("", one, two, &mut found);
    found
}

fn differences(path: &str, one: &Value, two: &Value, found: &mut Vec<String>) {
    match (one, two) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let names: std::collections::BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
            for name in names {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(&path, &one[name.as_str()], &two[name.as_str()], found);
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
        let one = json!({ "a": { "b": 1, "c": [1, 2] }, "d": null });
        let other = json!({ "a": { "b": 2, "c": [1, 2] }, "e": "new" });
        assert_eq!(changed(&one, &other), ["a.b: 2, was 1", "e: \"new\", was null"]);
        assert_eq!(changed(&one, &one), [""; 0]);
    }
}
