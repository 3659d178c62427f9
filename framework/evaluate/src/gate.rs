//! A store against a baseline: whether any row got worse.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_metrics::Metric;
use molarena_record::cell::{Outcome, Record};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    compare::{CompareOptions, Comparison, Needs, Verdict, compare},
    labels::Labels,
    row::{Row, difference},
    statistics::Resampling,
};

/// Schema name of [`Gate`].
pub const GATE_SCHEMA: &str = "molarena.gate/1";
/// Fewest seeds that decide about a row whose plugins are not `bitwise`.
pub const FEWEST_SEEDS: usize = 3;
/// How much worse a row may be by default, as a fraction of 1; of an error, as a fraction of the baseline's.
pub const MARGIN: f64 = 0.01;

/// How a store is held against a baseline.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GateOptions {
    /// How uncertainty is measured.
    pub resampling: Resampling,
    /// How much worse a row may be, as a fraction of 1 or in the labels' unit; [`MARGIN`] if there is none.
    pub margin: Option<f64>,
    /// Whether time is checked, too.
    pub time: Option<TimeRule>,
}

/// How times are checked: a row's time over that of a reference row of the same run.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeRule {
    /// The reference row, which both stores have.
    pub reference: String,
    /// The ratio may grow by this factor.
    pub factor: f64,
    /// Whether a row that is slower in both runs is a regression; otherwise it is a warning.
    pub is_error: bool,
}

/// What a gate says of a row, or of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema, strum::Display)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum GateVerdict {
    /// The row is not worse by more than the margin.
    Ok,
    /// The data cannot tell.
    Inconclusive,
    /// The rows cannot be compared: other data, or one of them is missing.
    NotComparable,
    /// The row is worse.
    Regressed,
}

/// A store against a baseline.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Gate {
    /// [`GATE_SCHEMA`].
    #[schemars(extend("const" = GATE_SCHEMA))]
    pub schema: String,
    /// The most serious verdict of a row: `regressed`, then `not-comparable`, then `inconclusive`.
    pub verdict: GateVerdict,
    /// The rows of the baseline, board by board.
    pub checks: Vec<GateCheck>,
    /// The rows whose time was checked.
    pub times: Vec<TimeCheck>,
    /// Rows that the baseline does not have, as `dataset: row`.
    pub new_rows: Vec<String>,
}

/// A row of the baseline and the row of the same name in the store.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GateCheck {
    /// Id of the dataset.
    pub dataset: String,
    /// Protocol of the split.
    pub split: String,
    /// The metric of the board.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// The row's name.
    pub row: String,
    /// What the gate says.
    pub verdict: GateVerdict,
    /// Why, in a sentence.
    pub reason: String,
    /// How the scores compare, where they do.
    pub scores: Option<GateScores>,
}

/// Scores of a row of both stores. A gain is positive where the row got better.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct GateScores {
    /// Score in the baseline, over the seeds in common.
    pub baseline: f64,
    /// Score in the store.
    pub store: f64,
    /// The gain.
    pub gain: f64,
    /// Lower end of its interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// How much worse the row may be.
    pub margin: f64,
    /// Number of seeds in common.
    pub seeds: usize,
    /// What would settle an inconclusive gate, if the loss is as large as it looks.
    pub needed: Option<Needs>,
}

/// The time of a row over that of the reference row.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct TimeCheck {
    /// Id of the dataset.
    pub dataset: String,
    /// The row's name.
    pub row: String,
    /// The ratio in the baseline.
    pub baseline: f64,
    /// The ratio in the store.
    pub store: f64,
    /// The ratio in the second run, if there is one.
    pub second: Option<f64>,
    /// Whether the ratio grew by more than the factor, in the second run, too.
    pub is_slower: bool,
    /// Whether the ratio grew by more than the factor in the first run, and there is no second one.
    pub is_unconfirmed: bool,
}

/// Rows of one store.
pub type Rows<'a> = &'a [Row<'a>];

/// Holds the rows of a store against those of a baseline. `second` are the rows of a second run, which confirms times.
///
/// A row has regressed if the interval of its gain is below 0 and reaches below the margin; it is ok if the interval is
/// above the margin, or all predictions are the same; else the gate is inconclusive. Intervals are of the paired
/// bootstrap over molecules and seeds ([`compare`]).
pub fn gate(
    baseline: Rows<'_>,
    store: Rows<'_>,
    second: Rows<'_>,
    labels: &mut Labels<'_>,
    options: &GateOptions,
) -> Gate {
    let checks: Vec<GateCheck> = baseline.iter().map(|row| check(row, store, labels, options)).collect();
    let times = options.time.as_ref().map_or_else(Vec::new, |rule| times(baseline, store, second, rule));
    let is_error = options.time.as_ref().is_some_and(|rule| rule.is_error);
    let of_times = times.iter().filter(|_| is_error).map(|time| match time {
        TimeCheck { is_slower: true, .. } => GateVerdict::Regressed,
        TimeCheck { is_unconfirmed: true, .. } => GateVerdict::Inconclusive,
        _ => GateVerdict::Ok,
    });
    let verdict = checks.iter().map(|check| check.verdict).chain(of_times).max().unwrap_or(GateVerdict::Ok);
    let is_known = |row: &&Row<'_>| {
        baseline
            .iter()
            .any(|known| known.name == row.name && known.records[0].dataset == row.records[0].dataset)
    };
    let new_rows = store.iter().filter(|row| !is_known(row));
    let new_rows = new_rows.map(|row| format!("{}: {}", row.records[0].dataset, row.name)).collect();
    Gate { schema: GATE_SCHEMA.to_owned(), verdict, checks, times, new_rows }
}

fn check(old: &Row<'_>, rows: Rows<'_>, labels: &mut Labels<'_>, options: &GateOptions) -> GateCheck {
    let (verdict, reason, scores) = match found(old, rows).and_then(|new| judge(old, new, labels, options)) {
        Ok(judged) => judged,
        Err(why) => (GateVerdict::NotComparable, why, None),
    };
    let Record { dataset, split, metric, .. } = old.records[0];
    GateCheck {
        dataset: dataset.clone(),
        split: split.protocol.clone(),
        metric: *metric,
        row: old.name.clone(),
        verdict,
        reason,
        scores,
    }
}

/// The row of the same name and board; `Err` says what is in its place.
fn found<'a>(old: &Row<'_>, rows: &'a [Row<'a>]) -> Result<&'a Row<'a>, String> {
    let named: Vec<&Row<'_>> = rows.iter().filter(|row| row.name == old.name).collect();
    if let Some(row) = named.iter().find(|row| row.is_beside(old)) {
        return Ok(row);
    }
    let dataset = &old.records[0].dataset;
    let same_dataset = named.iter().find(|row| row.records[0].dataset == *dataset);
    Err(match same_dataset.and_then(|row| difference(old.records[0], row.records[0])) {
        Some(what) => format!("the store's row is of other {what}"),
        None => "the store has no such row".to_owned(),
    })
}

type Judged = (GateVerdict, String, Option<GateScores>);

fn judge(
    old: &Row<'_>,
    new: &Row<'_>,
    labels: &mut Labels<'_>,
    options: &GateOptions,
) -> Result<Judged, String> {
    let (before, now) = (old.scored(), new.scored());
    if before.is_empty() {
        let said = if now.is_empty() { "it failed in both" } else { "it failed in the baseline" };
        return Ok((GateVerdict::Ok, said.to_owned(), None));
    }
    let failed = new.records.iter().find_map(|record| match &record.outcome {
        Outcome::Failed(failure) if before.contains_key(&record.seed) => Some((record.seed, failure)),
        _ => None,
    });
    if let Some((seed, failure)) = failed {
        let reason = format!("seed {seed} fails now, {}: {}", failure.reason, failure.message);
        return Ok((GateVerdict::Regressed, reason, None));
    }
    let compared = CompareOptions { resampling: options.resampling, margin: 0.0 };
    let comparison = compare(new, old, labels, compared)?;
    let scores = scores(&comparison, old.records[0].task_type, options);
    let is_bitwise =
        |records: &BTreeMap<u64, &Record>| records.values().all(|record| record.bitwise.unwrap_or(false));
    let percent = options.resampling.confidence * 100.0;
    let (verdict, reason) = if comparison.verdict == Verdict::Same {
        (GateVerdict::Ok, "all predictions are the same".to_owned())
    } else if scores.seeds < FEWEST_SEEDS && !(is_bitwise(&before) && is_bitwise(&now)) {
        let reason = format!(
            "{} of at least {FEWEST_SEEDS} seeds in common, and its plugins are not known to be bitwise deterministic",
            scores.seeds
        );
        (GateVerdict::Inconclusive, reason)
    } else if scores.low >= -scores.margin {
        (GateVerdict::Ok, format!("no worse than the margin, at {percent} %"))
    } else if scores.high < 0.0 {
        (GateVerdict::Regressed, format!("worse, at {percent} %"))
    } else {
        (GateVerdict::Inconclusive, format!("neither worse nor within the margin, at {percent} %"))
    };
    let needed = (verdict == GateVerdict::Inconclusive).then_some(comparison.needed).flatten();
    Ok((verdict, reason, Some(GateScores { needed, ..scores })))
}

fn scores(comparison: &Comparison, task_type: TaskType, options: &GateOptions) -> GateScores {
    let Comparison { metric, first, second, difference, low, high, seeds, .. } = comparison;
    let (gain, low, high) =
        if metric.higher_is_better() { (*difference, *low, *high) } else { (-difference, -high, -low) };
    let unit =
        if task_type == TaskType::Regression && !metric.higher_is_better() { second.mean } else { 1.0 };
    GateScores {
        baseline: second.mean,
        store: first.mean,
        gain,
        low,
        high,
        margin: options.margin.unwrap_or(MARGIN * unit),
        seeds: seeds.len(),
        needed: None,
    }
}

/// The times of all rows that both stores have on boards with the reference row.
fn times(baseline: Rows<'_>, store: Rows<'_>, second: Rows<'_>, rule: &TimeRule) -> Vec<TimeCheck> {
    let mut checks = Vec::new();
    for old in baseline.iter().filter(|row| row.name != rule.reference) {
        let ratio = |rows: Rows<'_>| {
            let beside = |name: &str| rows.iter().find(|row| row.name == name && row.is_beside(old));
            Some(seconds(beside(&old.name)?)? / seconds(beside(&rule.reference)?)?)
        };
        let (Some(before), Some(now)) = (ratio(baseline), ratio(store)) else { continue };
        let grew = |ratio: f64| ratio > before * rule.factor;
        let again = ratio(second);
        checks.push(TimeCheck {
            dataset: old.records[0].dataset.clone(),
            row: old.name.clone(),
            baseline: before,
            store: now,
            second: again,
            is_slower: grew(now) && again.is_some_and(grew),
            is_unconfirmed: grew(now) && again.is_none(),
        });
    }
    checks
}

/// Mean seconds in the plugins; `None` without a scored seed or a measurable time.
fn seconds(row: &Row<'_>) -> Option<f64> {
    let scored = row.scored();
    let of = |record: &&Record| record.cost.encode_s + record.cost.fit_s + record.cost.predict_s;
    let sum: f64 = scored.values().map(of).sum();
    (sum > 0.0).then(|| sum / scored.len() as f64)
}
