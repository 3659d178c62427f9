//! The record of a matching cell, `matches/<ab>/<key>.json`. Its step keeps the ranks.

use std::collections::BTreeMap;

use molarena_metrics::{hit_at, ndcg_at, reciprocal_rank};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::parts::{ComponentUse, Cost, Failure, PretrainCost, Pretrained, SplitInfo};

/// Schema name of [`MatchRecord`].
pub const MATCH_SCHEMA: &str = "molarena.match/1";
/// File name of a matching step's ranks.
pub const RANKS_FILE: &str = "ranks.npz";

/// The profiles that are ranked for each query.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Candidates {
    /// All profiles of the space.
    #[default]
    All,
    /// The profiles of the queries only.
    Test,
}

impl Candidates {
    /// The name in suites and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Test => "test",
        }
    }
}

/// One matching cell: method x context x split x seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchRecord {
    /// [`MATCH_SCHEMA`].
    pub schema: String,
    /// Hash of everything that determines the result; also the file's name.
    pub key: String,
    /// Name of the method.
    pub method: String,
    /// Id of the context graph.
    pub context: String,
    /// Hash of the context's content, with no molecule left out.
    pub context_key: String,
    /// Whether the context's data are simulated.
    pub simulated: bool,
    /// Split of the molecules that have a profile in any of the spaces; the test part is the queries.
    pub split: SplitInfo,
    /// The spaces, in the order of the suite; they determine which molecules are split.
    pub spaces: Vec<String>,
    /// Those of the spaces whose profiles the method ranks; absent if it ranks all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranked: Option<Vec<String>>,
    /// Which profiles are ranked.
    pub candidates: Candidates,
    /// Seed of the method.
    pub seed: u64,
    /// Components of the method.
    pub composition: MatchComposition,
    /// Whether the worker was confined (no data folder, no store, no network).
    pub confined: bool,
    /// Whether all its plugins declare that equal runs give equal bits. Records of earlier versions have no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitwise: Option<bool>,
    /// Scores, or why there are none.
    pub outcome: MatchOutcome,
    /// Cost of the step; `predict_s` is the time in the decoder.
    pub cost: Cost,
    /// Cost of the pretraining of the encoder, once for all cells that use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrain_cost: Option<PretrainCost>,
    /// When its step finished, in seconds since 1970 (UTC). Records of earlier versions have no such field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// Class of the device, such as `cuda`, if it is not `cpu`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The parameters that the suite varies, with this method's values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub varied: BTreeMap<String, serde_json::Value>,
}

impl MatchRecord {
    /// The spaces whose profiles the method ranks.
    pub fn ranked_spaces(&self) -> &[String] {
        self.ranked.as_deref().unwrap_or(&self.spaces)
    }

    /// How [`Pretrained::leave_out`] names the query molecules of a matching task on `spaces`.
    pub fn queries_of(spaces: &[String]) -> String {
        format!("queries of {}", spaces.join(", "))
    }
}

/// Components of a matching method.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MatchComposition {
    /// Features of the molecules, as in the method file.
    pub features: serde_json::Value,
    /// Chemistry version that computed the features.
    pub chemistry: String,
    /// The encoder; null without one.
    pub encoder: Option<ComponentUse>,
    /// The pretraining of the encoder; null if it is untrained.
    pub pretraining: Option<Pretrained>,
    /// The decoder.
    pub decoder: ComponentUse,
    /// Whether the decoder loads the encoder's state; it does if both are from one plugin.
    pub decoder_is_trained: bool,
    /// Key of the graph whose column bounds scale the candidates: the method's corpus, or the context without
    /// the queries.
    pub bounds: String,
}

/// Scores, or why there are none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum MatchOutcome {
    /// The cell was scored.
    Scored {
        /// Each space, in the order of the suite.
        spaces: Vec<SpaceScores>,
        /// sha256 of the file of ranks.
        ranks_sha256: String,
    },
    /// The step failed, so there are no ranks to score.
    Failed(Failure),
}

/// Scores of one space, as means over the queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpaceScores {
    /// Name of the space.
    pub space: String,
    /// Number of query molecules with a profile in the space.
    pub queries: usize,
    /// Number of profiles ranked for each query.
    pub candidates: usize,
    /// Number of profiles of the queries themselves, all of them relevant.
    pub relevant: usize,
    /// Normalised discounted cumulative gain at 1, which is HIT@1.
    pub ndcg_1: f64,
    /// Normalised discounted cumulative gain at 10.
    pub ndcg_10: f64,
    /// Fraction of queries with one of their own profiles at rank 1.
    pub hit_1: f64,
    /// Fraction of queries with one of their own profiles among the first 10.
    pub hit_10: f64,
    /// Mean reciprocal rank.
    pub mrr: f64,
    /// Distribution of the best rank of each query.
    pub ranks: RankDistribution,
    /// The best rank of each query, in the order of the queries. Records of earlier versions have none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub best_ranks: Vec<usize>,
}

/// Order statistics of ranks: of n sorted ranks, the one at `ceil(q n)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RankDistribution {
    /// The best rank.
    pub best: usize,
    /// A quarter of the ranks is at or before this.
    pub quarter: usize,
    /// Half of the ranks is at or before this.
    pub median: usize,
    /// Three quarters of the ranks are at or before this.
    pub three_quarters: usize,
    /// The worst rank.
    pub worst: usize,
}

impl RankDistribution {
    /// The distribution of `ranks`, of which there must be at least one.
    fn of(ranks: &[usize]) -> Self {
        let mut ranks = ranks.to_vec();
        ranks.sort_unstable();
        let at = |quarters: usize| ranks[(ranks.len() * quarters).div_ceil(4).max(1) - 1];
        Self {
            best: ranks[0],
            quarter: at(1),
            median: at(2),
            three_quarters: at(3),
            worst: ranks[ranks.len() - 1],
        }
    }
}

impl SpaceScores {
    /// Scores of `ranks`: for each query, the ranks of its own profiles among `candidates`.
    ///
    /// # Panics
    /// If a query has no profile, or there is no query.
    pub fn of(space: &str, candidates: usize, ranks: &[Vec<usize>]) -> Self {
        let mean = |score: &dyn Fn(&[usize]) -> Option<f64>| {
            let scores = ranks.iter().map(|ranks| score(ranks).expect("every query has a profile"));
            scores.sum::<f64>() / ranks.len() as f64
        };
        let best = ranks.iter().map(|ranks| *ranks.iter().min().expect("every query has a profile"));
        let best_ranks: Vec<usize> = best.collect();
        Self {
            space: space.to_owned(),
            queries: ranks.len(),
            candidates,
            relevant: ranks.iter().map(Vec::len).sum(),
            ndcg_1: mean(&|ranks| ndcg_at(ranks, 1)),
            ndcg_10: mean(&|ranks| ndcg_at(ranks, 10)),
            hit_1: mean(&|ranks| hit_at(ranks, 1)),
            hit_10: mean(&|ranks| hit_at(ranks, 10)),
            mrr: mean(&reciprocal_rank),
            ranks: RankDistribution::of(&best_ranks),
            best_ranks,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_over_queries_by_hand() {
        let scores = SpaceScores::of("s", 40, &[vec![1, 30], vec![4], vec![11], vec![2]]);
        assert_eq!((scores.queries, scores.candidates, scores.relevant), (4, 40, 5));
        assert_eq!(scores.best_ranks, [1, 4, 11, 2]);
        assert_eq!((scores.hit_1, scores.hit_10, scores.ndcg_1), (0.25, 0.75, 0.25));
        assert!((scores.mrr - (1.0 + 0.25 + 1.0 / 11.0 + 0.5) / 4.0).abs() < 1e-15);
        let log = |x: f64| 1.0 / x.log2();
        let ndcg_10 = (1.0 / (1.0 + log(3.0)) + log(5.0) + log(3.0)) / 4.0;
        assert!((scores.ndcg_10 - ndcg_10).abs() < 1e-15);
        let RankDistribution { best, quarter, median, three_quarters, worst } = scores.ranks;
        assert_eq!([best, quarter, median, three_quarters, worst], [1, 1, 2, 4, 11]);
    }
}
