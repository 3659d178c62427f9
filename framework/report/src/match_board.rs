//! Matching boards: methods that ranked the same profiles for the same molecules.

use std::collections::{BTreeMap, BTreeSet};

use molarena_metrics::{
    Metric, Scoring,
    statistics::{Bootstrap, percentile_interval},
};
use molarena_record::{key::key_of, matching::MatchOutcome, matching::MatchRecord, matching::SpaceScores};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::board::is_zero;
use crate::build::{keep_latest_of, row_name, verified_note};
use crate::builds::{newest_build, without_builds};
use crate::row::{one_line, summary};
use crate::units::short;
use crate::{BoardOptions, FailureSummary, RowPretraining, pretraining};

/// Methods that ranked the same candidates for the same queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchBoard {
    /// Id of the context graph.
    pub context: String,
    /// Hash of its content.
    pub context_key: String,
    /// Whether its data are simulated.
    pub simulated: bool,
    /// Name of the feature space.
    pub space: String,
    /// The spaces whose molecules were split together.
    pub spaces: Vec<String>,
    /// Protocol of the split.
    pub split: String,
    /// Seed of the split.
    pub split_seed: u64,
    /// sha256 of the split's index lists.
    pub split_sha256: String,
    /// Which profiles are ranked: `all`, or those of the `test` molecules.
    pub candidates: String,
    /// Query molecules with a profile in the space; 0 where no seed was scored.
    pub queries: usize,
    /// Profiles that are ranked for each.
    pub profiles: usize,
    /// Profiles of the queries themselves.
    pub relevant: usize,
    /// Methods, best mean reciprocal rank first; those without a score last; ties by name.
    pub rows: Vec<MatchRow>,
    /// What a reader must know to read the rows.
    pub notes: Vec<String>,
}

/// One method on a board of matching, summarised over seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchRow {
    /// Name of the method; `name@hash` where records of the method differ in composition.
    pub method: String,
    /// Number of scored seeds.
    pub seeds: usize,
    /// Normalised discounted cumulative gain at 1.
    pub ndcg_1: MeanSd,
    /// Normalised discounted cumulative gain at 10.
    pub ndcg_10: MeanSd,
    /// Share of queries with a profile of their own at rank 1.
    pub hit_1: MeanSd,
    /// Share of queries with a profile of their own among the first 10.
    pub hit_10: MeanSd,
    /// 95 % interval of `hit_10` over queries and seeds; absent where records have no ranks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hit_10_interval: Option<[f64; 2]>,
    /// Mean reciprocal rank.
    pub mrr: MeanSd,
    /// 95 % interval of `mrr` over queries and seeds; absent where records have no ranks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mrr_interval: Option<[f64; 2]>,
    /// Median of the queries' best ranks.
    pub median_rank: MeanSd,
    /// The failed seeds by message.
    pub failures: Vec<FailureSummary>,
    /// Mean wall-clock seconds of the workers. Absent from boards without costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_s: Option<f64>,
    /// Largest peak resident memory in MiB. Absent from boards without costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_rss_mb: Option<f64>,
    /// What the encoder was trained on before; absent for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretraining: Option<RowPretraining>,
    /// Whether every worker was confined.
    pub confined: bool,
    /// Number of its seeds whose record was made again with equal ranks; absent where there is none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub verified: usize,
}

/// Mean and sample standard deviation over seeds; null where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MeanSd {
    /// The mean; null where no seed was scored.
    pub mean: Option<f64>,
    /// The sample standard deviation; null with fewer than two seeds.
    pub std: Option<f64>,
}

impl MeanSd {
    fn of(scores: &[&SpaceScores], score: fn(&SpaceScores) -> f64) -> Self {
        let (mean, std) = summary(scores.iter().map(|scores| Some(score(scores))));
        Self { mean, std }
    }
}

/// Builds boards from matching records, which may come in any order. `verified` has keys of records that were made again with
/// equal ranks.
pub fn build_matches(
    records: &[MatchRecord],
    verified: &BTreeSet<String>,
    options: BoardOptions,
) -> Vec<MatchBoard> {
    grouped(records).into_iter().map(|(space, rows)| board(space, &rows, verified, options)).collect()
}

/// Keeps of each method on a board only the records of the composition that was finished last.
pub fn keep_latest_matches(records: &mut Vec<MatchRecord>) {
    let place = |record: &MatchRecord| {
        let MatchRecord { context_key, split, spaces, candidates, method, .. } = record;
        key_of(&json!([context_key, split, spaces, candidates, method]))
    };
    keep_latest_of(records, place, |record| (record.finished, key_of(&json!(record.composition))));
}

/// Records of one board, by method and hash of the composition: a row each.
pub(crate) type Rows<'a> = BTreeMap<(&'a str, String), Vec<&'a MatchRecord>>;

/// Space and records of each board.
pub(crate) fn grouped(records: &[MatchRecord]) -> Vec<(&str, Rows<'_>)> {
    let mut boards: BTreeMap<_, Rows<'_>> = BTreeMap::new();
    for record in records {
        for space in record.ranked_spaces() {
            let split = &record.split;
            let key = (
                (&record.context, space, &split.protocol, split.seed, record.candidates),
                (&record.context_key, &record.spaces, &split.sha256),
            );
            let row = (record.method.as_str(), key_of(&without_builds(json!(record.composition))));
            boards.entry(key).or_default().entry(row).or_default().push(record);
        }
    }
    boards.into_iter().map(|((key, _), rows)| (key.1.as_str(), rows)).collect()
}

/// Name of a row, and the number of rows of its method.
pub(crate) fn named(groups: &Rows<'_>, (method, hash): &(&str, String)) -> (String, usize) {
    let compositions = groups.keys().filter(|(other, _)| other == method).count();
    (if compositions > 1 { row_name(method, hash) } else { (*method).to_owned() }, compositions)
}

pub(crate) fn board(
    space: &str,
    groups: &Rows<'_>,
    verified: &BTreeSet<String>,
    options: BoardOptions,
) -> MatchBoard {
    let mut rows = Vec::new();
    let mut notes = Vec::new();
    for (key, records) in groups {
        let method = key.0;
        let (name, compositions) = named(groups, key);
        if compositions > 1 {
            notes.push(format!("{name} is one of {compositions} compositions of {method}."));
        }
        let build = |record: &MatchRecord| key_of(&record.composition);
        let (records, on_builds) = newest_build(&name, records.clone(), build, |record| record.finished);
        notes.extend(on_builds);
        rows.push(row(name, space, &records, verified, options));
    }
    rows.sort_by(|one, other| {
        let by_score = match (one.mrr.mean, other.mrr.mean) {
            (Some(one), Some(other)) => other.total_cmp(&one),
            (one, other) => other.is_some().cmp(&one.is_some()),
        };
        by_score.then_with(|| one.method.cmp(&other.method))
    });
    let open: Vec<&str> = rows.iter().filter(|row| !row.confined).map(|row| row.method.as_str()).collect();
    if !open.is_empty() {
        notes.push(format!(
            "Not confined, so that a worker could have read the data folder: {}.",
            open.join(", ")
        ));
    }
    notes.extend(verified_note(
        "ranks",
        rows.iter().map(|row| {
            let failed: usize = row.failures.iter().map(|failure| failure.seeds.len()).sum();
            (row.method.as_str(), row.verified, row.seeds + failed)
        }),
    ));
    notes.extend(pretraining::notes(rows.iter().map(|row| (row.method.as_str(), row.pretraining.as_ref()))));
    let records = groups.values().flatten();
    let scores = records.clone().find_map(|record| scores_of(record, space).ok());
    let first = groups.values().next().expect("a board has records")[0];
    MatchBoard {
        context: first.context.clone(),
        context_key: first.context_key.clone(),
        simulated: first.simulated,
        space: space.to_owned(),
        spaces: first.spaces.clone(),
        split: first.split.protocol.clone(),
        split_seed: first.split.seed,
        split_sha256: first.split.sha256.clone(),
        candidates: first.candidates.name().to_owned(),
        queries: scores.map_or(0, |scores| scores.queries),
        profiles: scores.map_or(0, |scores| scores.candidates),
        relevant: scores.map_or(0, |scores| scores.relevant),
        rows,
        notes,
    }
}

/// The scores of a record in a space; `Err` has the kind and the message of a failure.
pub(crate) fn scores_of<'a>(
    record: &'a MatchRecord,
    space: &str,
) -> Result<&'a SpaceScores, (&'static str, String)> {
    match &record.outcome {
        MatchOutcome::Scored { spaces, .. } => spaces
            .iter()
            .find(|scores| scores.space == space)
            .ok_or_else(|| ("no-result", format!("the record has no scores of {space}"))),
        MatchOutcome::Failed(failure) => Err((failure.reason.name(), one_line(&failure.message))),
    }
}

fn row(
    method: String,
    space: &str,
    records: &[&MatchRecord],
    verified: &BTreeSet<String>,
    options: BoardOptions,
) -> MatchRow {
    let mut records = records.to_vec();
    records.sort_by(|one, other| (one.seed, &one.key).cmp(&(other.seed, &other.key)));
    let scored: Vec<&SpaceScores> =
        records.iter().filter_map(|record| scores_of(record, space).ok()).collect();
    let mut failed: BTreeMap<(&str, String), Vec<(u64, String)>> = BTreeMap::new();
    for record in &records {
        if let Err(failure) = scores_of(record, space) {
            failed.entry(failure).or_default().push((record.seed, record.key.clone()));
        }
    }
    let costs = || records.iter().filter(|_| options.cost).map(|record| record.cost);
    let peak = costs().map(|cost| cost.peak_rss_mb).fold(f64::NEG_INFINITY, f64::max);
    MatchRow {
        method,
        seeds: scored.len(),
        ndcg_1: MeanSd::of(&scored, |scores| scores.ndcg_1),
        ndcg_10: MeanSd::of(&scored, |scores| scores.ndcg_10),
        hit_1: MeanSd::of(&scored, |scores| scores.hit_1),
        hit_10: MeanSd::of(&scored, |scores| scores.hit_10),
        hit_10_interval: interval(&scored, |rank| if rank <= 10 { 1.0 } else { 0.0 }),
        mrr: MeanSd::of(&scored, |scores| scores.mrr),
        mrr_interval: interval(&scored, |rank| 1.0 / rank as f32),
        median_rank: MeanSd::of(&scored, |scores| scores.ranks.median as f64),
        failures: failed
            .into_iter()
            .map(|((reason, message), records)| {
                let (seeds, keys) = records.into_iter().unzip();
                FailureSummary { reason: reason.to_owned(), message, seeds, keys }
            })
            .collect(),
        wall_s: summary(costs().map(|cost| Some(cost.wall_s))).0,
        peak_rss_mb: Some(peak).filter(|peak| peak.is_finite()),
        pretraining: RowPretraining::of_match(records[0], options),
        confined: records.iter().all(|record| record.confined),
        verified: records.iter().filter(|record| verified.contains(&record.key)).count(),
    }
}

/// Resamples of [`interval`], and their seed.
const RESAMPLES: (usize, u64) = (2000, 0);

/// 95 % percentile interval over queries and seeds of the mean of what each query's best rank is worth.
fn interval(scored: &[&SpaceScores], worth: fn(usize) -> f32) -> Option<[f64; 2]> {
    let queries = scored.first()?.best_ranks.len();
    if queries == 0 || scored.iter().any(|scores| scores.best_ranks.len() != queries) {
        return None;
    }
    let values: Vec<Vec<f32>> =
        scored.iter().map(|scores| scores.best_ranks.iter().map(|&rank| worth(rank)).collect()).collect();
    // The mean of values of at least 0 is their mean distance from 0.
    let zeros = vec![0.0; queries];
    let (resamples, seed) = RESAMPLES;
    let bootstrap = Bootstrap::new(Metric::Mae, Scoring::Probability, &zeros, 1, resamples, seed);
    let seeds: Vec<&[f32]> = values.iter().map(Vec::as_slice).collect();
    let found = percentile_interval(&bootstrap.replicates(&seeds)?.values, 0.95)?;
    Some([found.low, found.high])
}

impl MatchBoard {
    /// Whether a row has an interval.
    pub(crate) fn has_intervals(&self) -> bool {
        self.rows.iter().any(|row| row.mrr_interval.is_some())
    }

    /// The first characters of the context's and the split's hashes.
    pub(crate) fn hashes(&self) -> [&str; 2] {
        [short(&self.context_key), short(&self.split_sha256)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::matched;

    #[test]
    fn a_board_for_each_space_best_first() {
        let records = [matched("m", 0, 0.5), matched("random", 0, 0.01), matched("m", 1, 0.25)];
        let verified = ["m-0".to_owned()].into();
        let boards = build_matches(&records, &verified, BoardOptions::default());
        assert_eq!(boards.iter().map(|board| board.space.as_str()).collect::<Vec<_>>(), ["e", "m"]);
        let board = &boards[0];
        assert_eq!((board.queries, board.profiles, board.relevant), (4, 40, 5));
        assert_eq!(board.rows.iter().map(|row| row.method.as_str()).collect::<Vec<_>>(), ["m", "random"]);
        assert_eq!((board.rows[0].seeds, board.rows[0].mrr.mean), (2, Some(0.375)));
        assert!((board.rows[0].mrr.std.unwrap() - 0.03125_f64.sqrt()).abs() < 1e-15);
        // Of best ranks 1, 2, 4 and 11, three are hits.
        let [low, high] = board.rows[1].hit_10_interval.unwrap();
        assert!((0.2..=0.5).contains(&low) && high == 1.0, "{low} {high}");
        let [low, high] = board.rows[1].mrr_interval.unwrap();
        assert!(low > 0.09 && low < 0.46 && high > 0.46 && high < 1.0, "{low} {high}");
        assert_eq!(board.rows[1].mrr.std, None);
        assert_eq!(board.rows.iter().map(|row| row.verified).collect::<Vec<_>>(), [1, 0]);
        assert_eq!(
            board.notes[0],
            "Verified, which is made again from the record with equal ranks: m (1 of 2 seeds)."
        );
        assert!(
            board.notes[1]
                .starts_with("Pretrained on c without 7 molecules of it (leave out: queries of e, m)")
        );
    }

    #[test]
    fn of_two_compositions_the_latest_is_kept() {
        let mut records = vec![matched("m", 0, 0.5), matched("m", 0, 0.25), matched("n", 0, 0.5)];
        records[1].composition.chemistry = "2".to_owned();
        (records[0].finished, records[1].finished) = (Some(1), Some(2));
        keep_latest_matches(&mut records);
        let kept: Vec<_> = records.iter().map(|record| record.composition.chemistry.as_str()).collect();
        assert_eq!(kept, ["2", "1"]);
    }

    #[test]
    fn other_queries_and_other_candidates_are_other_boards() {
        let mut records = vec![matched("m", 0, 0.5), matched("m", 0, 0.5), matched("m", 0, 0.5)];
        records[1].split.sha256 = "c".repeat(64);
        records[2].candidates = molarena_record::matching::Candidates::Test;
        assert_eq!(build_matches(&records, &BTreeSet::new(), BoardOptions::default()).len(), 6);
    }
}
