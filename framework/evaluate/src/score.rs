//! Scores of one cell.

use std::collections::BTreeSet;

use molarena_host::{Arena, Cell, MatchRow, Result, Row, Store, TaskRow, device::class_of};
use molarena_metrics::{Metric, Scoring, mean_defined, score_tasks};
use molarena_record::{
    cell::{Outcome, RECORD_SCHEMA, Record},
    matching::{MATCH_SCHEMA, MatchOutcome, MatchRecord, RANKS_FILE, SpaceScores},
    parts::{Cost, PretrainCost, Pretrained},
    step::{Kind, StepRecord},
};

/// A scored cell.
#[derive(Debug)]
pub(crate) enum Scored {
    Task(Box<Record>),
    Match(Box<MatchRecord>),
}

/// Scores predictions `f32[molecules, tasks]` against labels of the same shape, NaN where missing, both
/// row-major.
pub fn outcome_of_predictions(
    metric: Metric,
    scoring: Scoring,
    tasks: &[String],
    labels: &[f32],
    predictions: &[f32],
) -> Outcome {
    let scores = score_tasks(metric, scoring, labels, predictions, tasks.len());
    let mean = mean_defined(&scores);
    Outcome::Scored { scores: tasks.iter().cloned().zip(scores).collect(), mean }
}

/// Scores each space from the ranks that a matching step made; `spaces` are names and numbers of candidates.
///
/// # Errors
/// The ranks are missing, or not those of the step's record.
pub fn outcome_of_ranks(
    store: &Store,
    step: &StepRecord,
    spaces: &[(String, usize)],
) -> Result<MatchOutcome> {
    let mut ranks = store.ranks(step)?;
    let scores = spaces
        .iter()
        .map(|(name, candidates)| Ok(SpaceScores::of(name, *candidates, &ranks.in_space(name)?)))
        .collect::<Result<_>>()?;
    let ranks_sha256 = step.sha256_of(RANKS_FILE).unwrap_or_default().to_owned();
    Ok(MatchOutcome::Scored { spaces: scores, ranks_sha256 })
}

/// Scores a cell whose step is done.
pub(crate) fn score(cell: &Cell, step: &StepRecord, arena: &Arena) -> Result<Scored> {
    match &cell.row {
        Row::Task(row) => Ok(Scored::Task(Box::new(task_record(cell, row, step, arena)?))),
        Row::Match(row) => Ok(Scored::Match(Box::new(match_record(cell, row, step, arena)?))),
    }
}

fn task_record(cell: &Cell, row: &TaskRow, step: &StepRecord, arena: &Arena) -> Result<Record> {
    let dataset = &row.dataset.dataset;
    let protocol = cell.method.protocol;
    let mut profiled = None;
    let outcome = if let Some(failure) = step.failure() {
        Outcome::Failed(failure.clone())
    } else {
        let (_, _, predictions) = arena.store.matrix(step, "test.npy")?;
        let labels = dataset.labels_to_score(&row.split);
        profiled = profiled_share(cell, &labels, arena)?;
        outcome_of_predictions(row.metric, protocol.scoring, &dataset.tasks, &labels, &predictions)
    };
    Ok(Record {
        schema: RECORD_SCHEMA.into(),
        key: cell.key.clone(),
        fit_key: step.key.clone(),
        method: cell.method.name.clone(),
        dataset: dataset.id.clone(),
        simulated: row.dataset.manifest.simulated,
        split: row.split_info.clone(),
        seed: cell.seed,
        task_type: dataset.task_type,
        metric: row.metric,
        scoring: protocol.scoring,
        shuffled_labels: protocol.shuffle_labels,
        tasks: row.tasks.clone(),
        composition: row.composition.clone(),
        unparsed_molecules: row.dataset.unparsed.len(),
        confined: step.confined,
        bitwise: Some(row.bitwise),
        corpora: row.corpora.iter().cloned().collect(),
        profiled,
        outcome,
        search: step.search.clone(),
        cost: step.cost,
        pretrain_cost: pretrain_cost(&row.composition.pretrainings().collect::<Vec<_>>(), arena)?,
        finished: step.finished,
        device: device(step),
        varied: cell.method.varied.clone(),
    })
}

/// Of the labels that are there, the share that a member of an ensemble predicts which does not predict all; `None` if each
/// member predicts all.
fn profiled_share(cell: &Cell, labels: &[f32], arena: &Arena) -> Result<Option<f64>> {
    if cell.step.kind() != Kind::Combine {
        return Ok(None);
    }
    let mut by_some: Option<Vec<bool>> = None;
    for member in &cell.step.needs {
        let (_, _, predictions) = arena.store.matrix(&member.stored(arena)?, "test.npy")?;
        if predictions.iter().any(|value| value.is_nan()) {
            let by_some = by_some.get_or_insert_with(|| vec![false; predictions.len()]);
            for (by_some, value) in by_some.iter_mut().zip(&predictions) {
                *by_some |= !value.is_nan();
            }
        }
    }
    Ok(by_some.map(|by_some| {
        let labelled = || by_some.iter().zip(labels).filter(|(_, label)| !label.is_nan());
        labelled().filter(|(by_some, _)| **by_some).count() as f64 / labelled().count().max(1) as f64
    }))
}

fn match_record(cell: &Cell, row: &MatchRow, step: &StepRecord, arena: &Arena) -> Result<MatchRecord> {
    let task = &row.task;
    let outcome = if let Some(failure) = step.failure() {
        MatchOutcome::Failed(failure.clone())
    } else {
        let spaces = task.spaces.iter().map(|space| (space.name.clone(), space.candidates.len()));
        outcome_of_ranks(&arena.store, step, &spaces.collect::<Vec<_>>())?
    };
    let pretrainings: Vec<&Pretrained> = row.composition.pretraining.iter().collect();
    Ok(MatchRecord {
        schema: MATCH_SCHEMA.into(),
        key: cell.key.clone(),
        method: cell.method.name.clone(),
        context: task.context.clone(),
        context_key: task.context_key.clone(),
        simulated: task.simulated,
        split: task.split.clone(),
        spaces: task.split_spaces.clone(),
        ranked: task.ranked(),
        candidates: task.candidates,
        seed: cell.seed,
        composition: row.composition.clone(),
        confined: step.confined,
        bitwise: Some(row.bitwise),
        outcome,
        cost: step.cost,
        pretrain_cost: pretrain_cost(&pretrainings, arena)?,
        finished: step.finished,
        device: device(step),
        varied: cell.method.varied.clone(),
    })
}

fn device(step: &StepRecord) -> Option<String> {
    step.device.as_deref().map(|device| class_of(device).to_owned())
}

/// Cost of the pretrainings together, each counted once.
fn pretrain_cost(pretrainings: &[&Pretrained], arena: &Arena) -> Result<Option<PretrainCost>> {
    let keys: BTreeSet<&str> = pretrainings.iter().map(|pretrained| pretrained.key.as_str()).collect();
    let mut costs: Option<Cost> = None;
    for key in keys {
        if let Some(record) = arena.store_of(Kind::Pretrain).step(key)? {
            costs = Some(costs.map_or(record.cost, |costs| costs.then(record.cost)));
        }
    }
    Ok(costs.map(PretrainCost::from))
}
