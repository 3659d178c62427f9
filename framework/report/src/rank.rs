//! Ranks of a board's rows.

use std::collections::BTreeMap;

use molarena_metrics::{Metric, mean_and_std};

use crate::build::RowRecords;
use crate::row::Entry;

/// The rank of each row: 1 and the number of ranked rows that are better; `None` for rows that are not ranked.
///
/// Two rows are compared by their means. If a seed of one of them failed, only the seeds that both have scored count, so
/// that no row gains by failing where others score badly.
pub(crate) fn ranks(
    rows: &[RowRecords<'_>],
    entries: &[Vec<Entry<'_>>],
    metric: Metric,
) -> Vec<Option<usize>> {
    let scores: Vec<RowScores> = entries.iter().map(|entries| RowScores::of(entries)).collect();
    let is_ranked = |row: usize| rows[row].is_ranked() && !scores[row].by_seed.is_empty();
    let ranked: Vec<usize> = (0..rows.len()).filter(|&row| is_ranked(row)).collect();
    let better = |one: usize, other: usize| {
        let pair = scores[one].against(&scores[other]);
        pair.is_some_and(|(one, other)| if metric.higher_is_better() { one > other } else { one < other })
    };
    let rank = |row: usize| 1 + ranked.iter().filter(|&&other| better(other, row)).count();
    (0..rows.len()).map(|row| is_ranked(row).then(|| rank(row))).collect()
}

struct RowScores {
    /// Mean over tasks of each scored seed.
    by_seed: BTreeMap<u64, f64>,
    /// Over all of them.
    mean: Option<f64>,
    has_failed: bool,
}

impl RowScores {
    fn of(entries: &[Entry<'_>]) -> Self {
        let score = |entry: &Entry<'_>| Some((entry.record.seed, entry.result.as_ref().ok()?.mean?));
        let by_seed: BTreeMap<u64, f64> = entries.iter().filter_map(score).collect();
        Self { has_failed: by_seed.len() < entries.len(), mean: mean(by_seed.values().copied()), by_seed }
    }

    /// The means of both; over the seeds in common if a seed of one of them failed and there are such seeds.
    fn against(&self, other: &Self) -> Option<(f64, f64)> {
        if self.has_failed || other.has_failed {
            let in_common = |one: &Self, other: &Self| {
                mean(
                    one.by_seed
                        .iter()
                        .filter(|(seed, _)| other.by_seed.contains_key(seed))
                        .map(|(_, score)| *score),
                )
            };
            if let (Some(own), Some(others)) = (in_common(self, other), in_common(other, self)) {
                return Some((own, others));
            }
        }
        Some((self.mean?, other.mean?))
    }
}

fn mean(scores: impl Iterator<Item = f64>) -> Option<f64> {
    let scores: Vec<f64> = scores.collect();
    mean_and_std(&scores).map(|(mean, _)| mean)
}

#[cfg(test)]
mod tests {
    use molarena_record::parts::Reason;

    use crate::testing::{classification, failed, regression};
    use crate::{BoardOptions, build};
    use molarena_record::cell::Record;

    fn ranks(records: &[Record]) -> Vec<(String, Option<usize>)> {
        let boards = build(records, BoardOptions { cost: false }).boards;
        boards[0].rows.iter().map(|row| (row.method.clone(), row.rank)).collect()
    }

    fn scored(method: &str, scores: &[f64]) -> Vec<Record> {
        let record = |(seed, score): (usize, &f64)| classification(method, seed as u64, &[Some(*score); 2]);
        scores.iter().enumerate().map(record).collect()
    }

    #[test]
    fn equal_rows_share_a_rank() {
        let records =
            [scored("a", &[0.5, 0.7]), scored("b", &[0.9, 0.3]), scored("c", &[0.1]), scored("d", &[0.8])];
        let of = |name: &str, rank| (name.to_owned(), Some(rank));
        assert_eq!(ranks(&records.concat()), [of("d", 1), of("a", 2), of("b", 2), of("c", 4)]);
        let errors = [regression("a", 0, &[0.5]), regression("b", 0, &[0.4])];
        assert_eq!(ranks(&errors), [of("b", 1), of("a", 2)]);
    }

    #[test]
    fn checks_and_rows_without_a_score_have_no_rank() {
        let mut records = [scored("a", &[0.5]), scored("hard", &[0.9]), scored("shuffled", &[0.6])].concat();
        records[1].scoring = molarena_metrics::Scoring::Hard;
        records[2].shuffled_labels = true;
        records.push(failed("failed", 0, Reason::Timeout, "too slow"));
        for (name, rank) in ranks(&records) {
            assert_eq!(rank, (name == "a").then_some(1), "{name}");
        }
    }

    /// The first seed is hard: every method scores badly on it.
    #[test]
    fn failing_a_hard_seed_gains_no_rank() {
        let honest = scored("honest", &[0.5, 0.8, 0.8]);
        let mut worse = scored("worse", &[0.0, 0.78, 0.78]);
        worse[0] = failed("worse", 0, Reason::Memory, "over the limit");
        let boards = build(&[honest, worse].concat(), BoardOptions { cost: false }).boards;
        let of = |name: &str| boards[0].rows.iter().find(|row| row.method == name).unwrap();
        // Its mean is the higher one, over other seeds.
        assert!(of("worse").mean > of("honest").mean);
        assert_eq!((of("honest").rank, of("worse").rank), (Some(1), Some(2)));
        assert_eq!((of("honest").coverage, of("worse").coverage), (1.0, 2.0 / 3.0));
        let note = boards[0].notes.iter().find(|note| note.starts_with("Ranked only")).unwrap();
        assert!(note.ends_with("have scored: worse (2 of 3 seeds)."), "{note}");
    }
}
