//! Builds a row from the records of one method and composition.

use std::collections::BTreeMap;

use molarena_metrics::{AUC_THRESHOLDS, Metric, mean_and_std, threshold_share};
use molarena_record::{cell::Outcome, cell::Record, parts::Reason, parts::Tune};

use crate::{BoardOptions, FailureSummary, Row, RowPretraining, SelectedOn, TaskScore};

/// A record and its scores, or why it has none.
pub(crate) struct Entry<'a> {
    pub(crate) record: &'a Record,
    pub(crate) result: Result<Scores, Failed>,
}

/// Scores, all finite.
pub(crate) struct Scores {
    /// In the order of the record's tasks.
    pub(crate) per_task: Vec<Option<f64>>,
    /// Over the defined tasks.
    pub(crate) mean: Option<f64>,
}

/// Why there are no scores.
pub(crate) struct Failed {
    reason: Reason,
    message: String,
}

impl<'a> Entry<'a> {
    /// Reads a record. A score that is not finite, which JSON cannot hold, makes it a failure.
    pub(crate) fn new(record: &'a Record) -> Self {
        let result = match &record.outcome {
            Outcome::Failed(failure) => {
                Err(Failed { reason: failure.reason, message: one_line(&failure.message) })
            }
            Outcome::Scored { scores, mean } => {
                let per_task: Vec<_> =
                    record.tasks.iter().map(|task| scores.get(task).copied().flatten()).collect();
                if per_task.iter().chain([mean]).flatten().all(|score| score.is_finite()) {
                    Ok(Scores { per_task, mean: *mean })
                } else {
                    let message = "the record holds a score that is not finite".to_owned();
                    Err(Failed { reason: Reason::NotFinite, message })
                }
            }
        };
        Self { record, result }
    }
}

/// The row of `entries`: at least one, all of one method and composition, one for each seed, by ascending seed.
pub(crate) fn row(method: String, entries: &[Entry], options: BoardOptions) -> Row {
    let first = entries[0].record;
    let scored: Vec<&Scores> = entries.iter().filter_map(|entry| entry.result.as_ref().ok()).collect();
    let (mean, std) = summary(scored.iter().map(|scores| scores.mean));
    let [gt80, gt85, gt90] = AUC_THRESHOLDS.map(|threshold| match first.metric {
        Metric::RocAuc => summary(scored.iter().map(|scores| threshold_share(&scores.per_task, threshold))),
        _ => (None, None),
    });
    let (wall_s, peak_rss_mb) = if options.cost { costs(entries) } else { (None, None) };
    let failures = failures(entries);
    let mut failed = BTreeMap::new();
    for failure in &failures {
        *failed.entry(failure.reason.clone()).or_default() += failure.seeds.len();
    }
    let settings = entries.iter().map(|entry| settings(entry.record)).max().unwrap_or(0);
    Row {
        method,
        rank: None,
        seeds: scored.len(),
        coverage: scored.len() as f64 / entries.len() as f64,
        profiled: entries.iter().find_map(|entry| entry.record.profiled),
        mean,
        std,
        gt80: gt80.0,
        gt80_std: gt80.1,
        gt85: gt85.0,
        gt85_std: gt85.1,
        gt90: gt90.0,
        gt90_std: gt90.1,
        statistics: None,
        selected_on: if settings > 0 { SelectedOn::Validation } else { SelectedOn::None },
        settings,
        per_task: per_task(&first.tasks, &scored),
        failed,
        failures,
        wall_s,
        peak_rss_mb,
        pretraining: RowPretraining::of(first, options),
        confined: entries.iter().all(|entry| entry.record.confined),
        device: first.device.clone(),
        verified: 0,
        imported: first.is_imported(),
        shuffled_labels: first.shuffled_labels,
        scoring: first.scoring,
    }
}

/// Number of settings that were tried for a record, over all members of an ensemble.
fn settings(record: &Record) -> usize {
    let own = record.search.as_ref().map_or(0, |search| search.candidates.len());
    let grid = |tune: &Tune| tune.grid.values().map(Vec::len).product::<usize>();
    let members = record.composition.members.iter();
    let combined = record.composition.rule.tried(members.len());
    own + combined + members.filter_map(|member| member.composition.tune.as_ref()).map(grid).sum::<usize>()
}

fn per_task(tasks: &[String], scored: &[&Scores]) -> BTreeMap<String, TaskScore> {
    if scored.is_empty() {
        return BTreeMap::new();
    }
    let summarise = |column: usize| {
        let (mean, std) = summary(scored.iter().map(|scores| scores.per_task[column]));
        TaskScore { mean, std }
    };
    tasks.iter().enumerate().map(|(column, task)| (task.clone(), summarise(column))).collect()
}

/// Failed seeds by reason and message.
fn failures(entries: &[Entry]) -> Vec<FailureSummary> {
    let mut failures: BTreeMap<(&str, &str), FailureSummary> = BTreeMap::new();
    for entry in entries {
        if let Err(Failed { reason, message }) = &entry.result {
            let of = failures.entry((reason.name(), message)).or_insert_with(|| FailureSummary {
                reason: reason.name().to_owned(),
                message: message.clone(),
                seeds: Vec::new(),
                keys: Vec::new(),
            });
            of.seeds.push(entry.record.seed);
            of.keys.push(entry.record.key.clone());
        }
    }
    failures.into_values().collect()
}

/// Mean seconds and largest memory of the scored seeds, or of the failed ones where none was scored.
fn costs(entries: &[Entry]) -> (Option<f64>, Option<f64>) {
    let any_scored = entries.iter().any(|entry| entry.result.is_ok());
    let costs: Vec<_> = entries
        .iter()
        .filter(|entry| entry.result.is_ok() == any_scored)
        .map(|entry| entry.record.cost)
        .collect();
    let (wall_s, _) = summary(costs.iter().map(|cost| Some(cost.wall_s)));
    let peak_rss_mb = costs.iter().map(|cost| cost.peak_rss_mb).fold(f64::NEG_INFINITY, f64::max);
    (wall_s, Some(peak_rss_mb).filter(|peak| peak.is_finite()))
}

/// Mean and sample standard deviation of the values present, each only if finite.
pub(crate) fn summary(values: impl Iterator<Item = Option<f64>>) -> (Option<f64>, Option<f64>) {
    let values: Vec<f64> = values.flatten().collect();
    let Some((mean, std)) = mean_and_std(&values) else { return (None, None) };
    (Some(mean).filter(|mean| mean.is_finite()), std.filter(|std| std.is_finite()))
}

pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{classification, failed, regression};

    fn row_of(records: &[Record]) -> Row {
        let entries: Vec<_> = records.iter().map(Entry::new).collect();
        row("m".to_owned(), &entries, BoardOptions { cost: true })
    }

    #[test]
    fn mean_and_spread_over_seeds_by_hand() {
        // Means over tasks 0.75, 0.70, 0.80: mean 0.75, squares 0 + 0.0025 + 0.0025, divided by 2: 0.0025.
        let row = row_of(&[
            classification("m", 1, &[Some(0.5), Some(1.0)]),
            classification("m", 2, &[Some(0.5), Some(0.9)]),
            classification("m", 3, &[Some(0.8), Some(0.8)]),
        ]);
        assert_eq!(row.seeds, 3);
        assert!((row.mean.unwrap() - 0.75).abs() < 1e-15);
        assert!((row.std.unwrap() - 0.05).abs() < 1e-15);
        // Task 1: 0.5, 0.5, 0.8: mean 0.6, squares 0.01 + 0.01 + 0.04, divided by 2: 0.03.
        assert!((row.per_task["task 1"].mean.unwrap() - 0.6).abs() < 1e-15);
        assert!((row.per_task["task 1"].std.unwrap() - 0.03_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn shares_above_thresholds_by_hand() {
        // Above 0.80, 0.85, 0.90. Seed 1: 2, 1, 1 of 2. Seed 2: 1, 1, 0 of 2. The undefined task counts in neither.
        let row = row_of(&[
            classification("m", 1, &[Some(0.82), Some(0.91), None]),
            classification("m", 2, &[Some(0.80), Some(0.86), None]),
        ]);
        assert_eq!([row.gt80, row.gt85, row.gt90], [Some(0.75), Some(0.5), Some(0.25)]);
        // Two values x and y have the sample standard deviation |x - y| / √2.
        let half_over_root_2 = 0.125_f64.sqrt();
        assert_eq!([row.gt80_std, row.gt85_std, row.gt90_std], {
            [Some(half_over_root_2), Some(0.0), Some(half_over_root_2)]
        });
    }

    #[test]
    fn one_seed_has_no_spread() {
        let row = row_of(&[classification("m", 1, &[Some(0.75)])]);
        assert_eq!((row.seeds, row.mean, row.std, row.gt80_std), (1, Some(0.75), None, None));
        assert_eq!(row.per_task["task 1"], TaskScore { mean: Some(0.75), std: None });
    }

    #[test]
    fn an_undefined_task_is_there_without_a_score() {
        let row = row_of(&[classification("m", 1, &[Some(0.75), None])]);
        assert_eq!(row.mean, Some(0.75));
        assert_eq!(row.per_task["task 2"], TaskScore { mean: None, std: None });
        let row = row_of(&[classification("m", 1, &[None, None])]);
        assert_eq!((row.seeds, row.mean, row.gt80), (1, None, None));
    }

    #[test]
    fn only_areas_under_the_roc_curve_have_shares() {
        let row = row_of(&[regression("m", 1, &[0.85, 0.95])]);
        assert_eq!([row.gt80, row.gt80_std, row.gt85, row.gt90], [None; 4]);
    }

    #[test]
    fn failed_seeds_are_counted_and_do_not_touch_the_scores_or_the_cost() {
        let mut slow = failed("m", 2, Reason::Timeout, "wall-clock limit of 600 s\npassed");
        (slow.cost.wall_s, slow.cost.peak_rss_mb) = (600.0, 9000.0);
        let mut records = vec![classification("m", 1, &[Some(0.5)]), slow.clone()];
        records.push(Record { seed: 3, ..slow.clone() });
        records.push(failed("m", 4, Reason::Panic, "index out of bounds"));
        records.push(classification("m", 5, &[Some(0.7)]));
        (records[4].cost.wall_s, records[4].cost.peak_rss_mb) = (4.0, 300.0);
        let row = row_of(&records);
        assert_eq!((row.seeds, row.mean), (2, Some(0.6)));
        assert_eq!(row.failed, BTreeMap::from([("panic".to_owned(), 1), ("timeout".to_owned(), 2)]));
        assert_eq!(row.failures[1].message, "wall-clock limit of 600 s passed");
        assert_eq!(row.failures[1].seeds, [2, 3]);
        // (2 + 4) / 2 seconds and the larger of 200 and 300 MiB.
        assert_eq!((row.wall_s, row.peak_rss_mb), (Some(3.0), Some(300.0)));

        let row = row_of(&[slow]);
        assert_eq!((row.seeds, row.mean, row.per_task.len()), (0, None, 0));
        assert_eq!((row.wall_s, row.peak_rss_mb), (Some(600.0), Some(9000.0)));
    }

    #[test]
    fn what_is_not_finite_never_gets_through() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut record = classification("m", 1, &[Some(0.5), Some(bad)]);
            (record.cost.wall_s, record.cost.peak_rss_mb) = (bad, bad);
            let row = row_of(&[record]);
            assert_eq!((row.seeds, row.mean, row.failed["not-finite"]), (0, None, 1));
            assert_eq!((row.wall_s, row.peak_rss_mb), (None, None));
        }
        let row = row_of(&[regression("m", 1, &[f64::MAX]), regression("m", 2, &[f64::MAX])]);
        assert_eq!((row.mean, row.std), (None, None));
    }

    #[test]
    fn a_row_is_confined_if_every_worker_was() {
        let mut records = [classification("m", 1, &[Some(0.5)]), classification("m", 2, &[Some(0.5)])];
        assert!(row_of(&records).confined);
        records[1].confined = false;
        assert!(!row_of(&records).confined);
    }
}
