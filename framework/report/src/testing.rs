//! Records made by hand.

use std::collections::BTreeMap;

use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring, mean_defined};
use molarena_record::{
    cell::Outcome, cell::RECORD_SCHEMA, cell::Record, parts::ComponentUse, parts::Composition, parts::Cost,
    parts::Failure, parts::Reason, parts::Rule, parts::SplitInfo,
};
use molarena_record::{
    matching::Candidates, matching::MATCH_SCHEMA, matching::MatchComposition, matching::MatchOutcome,
    matching::MatchRecord, matching::RankDistribution, matching::SpaceScores,
};
use molarena_record::{parts::PretrainCost, parts::Pretrained};
use serde_json::json;

/// A scored record of ROC-AUC on tasks `task 1`, `task 2` and so on.
pub(crate) fn classification(method: &str, seed: u64, scores: &[Option<f64>]) -> Record {
    let tasks: Vec<String> = (1..=scores.len()).map(|number| format!("task {number}")).collect();
    let by_name: BTreeMap<_, _> = tasks.iter().cloned().zip(scores.iter().copied()).collect();
    let outcome = Outcome::Scored { scores: by_name, mean: mean_defined(scores) };
    record(method, seed, tasks, outcome)
}

/// A scored record of MAE on tasks `task 1`, `task 2` and so on.
pub(crate) fn regression(method: &str, seed: u64, scores: &[f64]) -> Record {
    let scores: Vec<_> = scores.iter().copied().map(Some).collect();
    let mut record = classification(method, seed, &scores);
    record.dataset = "biogen3k".to_owned();
    (record.task_type, record.metric) = (TaskType::Regression, Metric::Mae);
    record
}

/// A failed record of ROC-AUC on `task 1` and `task 2`.
pub(crate) fn failed(method: &str, seed: u64, reason: Reason, message: &str) -> Record {
    let failure = Failure { reason, message: message.to_owned(), output: String::new() };
    record(method, seed, vec!["task 1".to_owned(), "task 2".to_owned()], Outcome::Failed(failure))
}

fn record(method: &str, seed: u64, tasks: Vec<String>, outcome: Outcome) -> Record {
    let baseline = ComponentUse {
        component: "baselines/rf".to_owned(),
        version: "0.1.0".to_owned(),
        sha256: "c".repeat(64),
        config: json!({"trees": 100}),
        weights: None,
    };
    Record {
        schema: RECORD_SCHEMA.to_owned(),
        key: format!("{method}-{seed}"),
        fit_key: format!("{method}-{seed}"),
        method: method.to_owned(),
        dataset: "chembl2k".to_owned(),
        simulated: false,
        split: SplitInfo {
            protocol: "infoalign".to_owned(),
            seed: 3,
            sha256: "b".repeat(16),
            train: 60,
            valid: 15,
            test: 25,
        }
        .into(),
        seed,
        task_type: TaskType::Classification,
        metric: Metric::RocAuc,
        scoring: Scoring::Probability,
        shuffled_labels: false,
        tasks: tasks.into(),
        composition: Composition {
            data_sha256: "a".repeat(16),
            features: json!({"morgan": {"radius": 2, "bits": 2048}}),
            chemistry: "1".to_owned(),
            encoder: None,
            pretraining: None,
            finetune: None,
            baseline: Some(baseline),
            tune: None,
            members: Vec::new(),
            join: serde_json::Value::Null,
            rule: Rule::Mean,
        }
        .into(),
        unparsed_molecules: 0,
        confined: true,
        bitwise: None,
        corpora: Vec::new(),
        profiled: None,
        outcome,
        search: None,
        cost: Cost {
            wall_s: 2.0,
            encode_s: 0.0,
            fit_s: 1.0,
            predict_s: 0.5,
            peak_rss_mb: 200.0,
            threads: 2,
            ..Cost::default()
        },
        pretrain_cost: None,
        finished: None,
        device: None,
        varied: BTreeMap::new(),
    }
}

/// Records of a classification board with every kind of row, and of a regression board with one seed.
pub(crate) fn sample() -> Vec<Record> {
    let mut records = vec![
        classification("morgan-rf", 1, &[Some(0.75), Some(1.0), None]),
        classification("morgan-rf", 2, &[Some(0.8125), Some(0.875), None]),
        classification("morgan-rf-hard", 1, &[Some(0.5), Some(0.625), None]),
        classification("morgan-rf+shuffled", 1, &[Some(0.5), Some(0.5), None]),
        failed("slow|plugin", 1, Reason::Timeout, "wall-clock limit of 600 s passed"),
        failed("slow|plugin", 2, Reason::Timeout, "wall-clock limit of 600 s passed"),
        failed("morgan-rf", 3, Reason::Panic, "index 7 is out\nof bounds"),
        regression("morgan-rf", 1, &[0.442, 0.5]),
        regression("constant", 1, &[0.662, 0.75]),
    ];
    for record in &mut records[4..7] {
        record.tasks.push("task 3".to_owned());
    }
    for record in &mut records[7..] {
        let name = "LOG HLM_CLint (mL/min/kg)";
        record.tasks[0] = name.to_owned();
        let Outcome::Scored { scores, .. } = &mut record.outcome else { unreachable!("they are scored") };
        let score = scores.remove("task 1").flatten();
        scores.insert(name.to_owned(), score);
        (record.cost.wall_s, record.cost.peak_rss_mb) = (246.0, 1536.0);
    }
    records[2].scoring = Scoring::Hard;
    (records[3].shuffled_labels, records[3].confined) = (true, false);
    records
}

/// A matching record on the spaces `m` and `e`, with mean reciprocal rank `mrr`.
pub(crate) fn matched(method: &str, seed: u64, mrr: f64) -> MatchRecord {
    let component = ComponentUse {
        component: "p/c".to_owned(),
        version: "0.1.0".to_owned(),
        sha256: "c".repeat(64),
        config: json!({}),
        weights: None,
    };
    let space = |space: &str| SpaceScores {
        space: space.to_owned(),
        queries: 4,
        candidates: 40,
        relevant: 5,
        ndcg_1: 0.25,
        ndcg_10: 0.5,
        hit_1: 0.25,
        hit_10: 0.75,
        mrr,
        ranks: RankDistribution { best: 1, quarter: 1, median: 2, three_quarters: 4, worst: 11 },
        best_ranks: vec![1, 2, 4, 11],
    };
    let pretraining = Pretrained {
        key: "k".repeat(64),
        corpus: "c".to_owned(),
        leave_out: vec!["queries of e, m".to_owned()],
        left_out: 7,
        seed: 0,
    };
    MatchRecord {
        schema: MATCH_SCHEMA.to_owned(),
        key: format!("{method}-{seed}"),
        method: method.to_owned(),
        context: "c".to_owned(),
        context_key: "a".repeat(64),
        simulated: false,
        split: SplitInfo {
            protocol: "scaffold".to_owned(),
            seed: 0,
            sha256: "b".repeat(64),
            train: 32,
            valid: 4,
            test: 4,
        },
        spaces: vec!["m".to_owned(), "e".to_owned()],
        ranked: None,
        candidates: Candidates::All,
        seed,
        composition: MatchComposition {
            features: json!({"kind": "graphs"}),
            chemistry: "1".to_owned(),
            encoder: Some(component.clone()),
            pretraining: Some(pretraining),
            decoder: component,
            decoder_is_trained: true,
            bounds: "d".repeat(64),
        },
        confined: true,
        bitwise: None,
        outcome: MatchOutcome::Scored { spaces: vec![space("m"), space("e")], ranks_sha256: "e".repeat(64) },
        cost: Cost {
            wall_s: 2.0,
            encode_s: 0.5,
            fit_s: 0.0,
            predict_s: 1.0,
            peak_rss_mb: 200.0,
            threads: 1,
            ..Cost::default()
        },
        pretrain_cost: Some(PretrainCost {
            wall_s: 120.0,
            cpu_s: 240.0,
            peak_rss_mb: 300.0,
            threads: 2,
            workers: 1,
        }),
        finished: None,
        device: None,
        varied: BTreeMap::new(),
    }
}

/// A matching record of a method that ran out of time.
pub(crate) fn match_failed(method: &str, seed: u64) -> MatchRecord {
    let message = "over the limit of 1s".to_owned();
    let failure = Failure { reason: Reason::Timeout, message, output: String::new() };
    MatchRecord { outcome: MatchOutcome::Failed(failure), ..matched(method, seed, 0.0) }
}
