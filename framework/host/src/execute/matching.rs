//! Runs matching cells: candidates in the corpus's own scale, a worker that scores them, ranks.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Cursor,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use molarena_data::context::{ContextGraph, Space};
use molarena_metrics::relevant_ranks;
use ndarray::ArrayView2;
use ndarray_npy::NpzWriter;

use crate::files::npy::write_npy;
use crate::files::plain::read_plain;
use crate::{
    arena::Arena,
    error::{Error, Result},
    execute::cost::cost_of,
    execute::observer::Observer,
    files::npy::from_npy,
    inputs::corpus,
    job,
    job::{Job, JobState, JobTask, MatchJob, MatchJobSpace, Output},
    launch,
    launch::Ending,
    plan::matching::{MatchSpace, MatchTask, PlannedMatch},
    request::limits::Limits,
    sandbox::Envelope,
};
use molarena_features::{FeatureSpec, Features};
use molarena_record::{
    encoder::EncoderRecord,
    matching::{MATCH_SCHEMA, MatchOutcome, MatchRecord, SpaceScores},
    parts::{Cost, Failure, Reason},
};

/// Largest score file of a worker in bytes.
const SCORES_LIMIT: u64 = 8 << 30;

/// The candidates of one space, in an order that their content alone decides.
#[derive(Debug)]
pub(crate) struct Ordered {
    /// Row of the context's space of each candidate.
    rows: Vec<usize>,
    columns: usize,
    /// `f32[candidates, columns]`.
    values: Vec<f32>,
}

/// What several cells share.
#[derive(Debug, Default)]
pub(crate) struct Prepared {
    /// By content of the context, kind of candidates and bounds.
    candidates: Mutex<BTreeMap<String, Arc<Vec<Ordered>>>>,
    /// Features of the queries.
    queries: Mutex<BTreeMap<String, Arc<Features>>>,
}

impl Prepared {
    fn candidates(&self, planned: &PlannedMatch, arena: &Arena) -> Result<Arc<Vec<Ordered>>> {
        let task = &planned.task;
        let spaces: Vec<_> = task.spaces.iter().map(|space| (&space.name, &space.candidates)).collect();
        let key = molarena_record::key::key_of(&(&task.context_key, &spaces, &planned.composition.bounds));
        let mut known = self.candidates.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(candidates) = known.get(&key) {
            return Ok(Arc::clone(candidates));
        }
        let corpus = corpus::graph(arena, &task.context, &planned.bounds_without)?;
        let bounds = task.spaces.iter().map(|space| Ok(space_of(&corpus, &space.name)?.bounds.clone()));
        let bounds = bounds.collect::<Result<Vec<_>>>()?;
        drop(corpus);
        let context = corpus::graph(arena, &task.context, &BTreeSet::new())?;
        let ordered =
            task.spaces.iter().zip(&bounds).map(|(space, bounds)| {
                Ok(ordered(space_of(&context, &space.name)?, &space.candidates, bounds))
            });
        let ordered = Arc::new(ordered.collect::<Result<Vec<_>>>()?);
        known.insert(key, Arc::clone(&ordered));
        Ok(ordered)
    }

    fn queries(&self, task: &MatchTask, features: &FeatureSpec) -> Result<Arc<Features>> {
        let key = molarena_record::key::key_of(&(&task.context_key, &task.nodes, features));
        let mut known = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queries) = known.get(&key) {
            return Ok(Arc::clone(queries));
        }
        let computed = Arc::new(job::corpus::computed(&task.context, &task.queries, features)?);
        known.insert(key, Arc::clone(&computed));
        Ok(computed)
    }
}

fn space_of<'a>(graph: &'a ContextGraph, name: &str) -> Result<&'a Space> {
    graph.space(name).ok_or_else(|| Error::Request(format!("context `{}` has no space `{name}`", graph.id)))
}

/// Rows of `space` in the scale of `bounds`, ordered by their values: no order tells whose they are.
fn ordered(space: &Space, rows: &[usize], bounds: &[[f32; 2]]) -> Ordered {
    let rescaled = |row: &usize| -> Vec<f32> {
        let values = space.row(*row).iter().zip(&space.bounds).zip(bounds);
        values.map(|((&value, &own), &bounds)| rescale(value, own, bounds)).collect()
    };
    let mut scaled: Vec<(usize, Vec<f32>)> = rows.iter().map(|row| (*row, rescaled(row))).collect();
    scaled.sort_by(|(_, one), (_, other)| {
        let pairs = one.iter().zip(other);
        pairs
            .map(|(one, other)| one.total_cmp(other))
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ordered {
        rows: scaled.iter().map(|(row, _)| *row).collect(),
        columns: space.columns,
        values: scaled.into_iter().flat_map(|(_, values)| values).collect(),
    }
}

/// A value that was scaled to [0, 1] by the bounds `own`, scaled by `bounds` instead and clipped to [0, 1]. A missing value
/// stays missing; a column whose bounds are equal is 0, one without bounds is missing.
fn rescale(value: f32, own: [f32; 2], bounds: [f32; 2]) -> f32 {
    let [own_low, own_high] = own.map(f64::from);
    let [low, high] = bounds.map(f64::from);
    if value.is_nan() || low.is_nan() || high.is_nan() {
        return f32::NAN;
    }
    if own == bounds {
        return value;
    }
    if high <= low {
        return 0.0;
    }
    let raw = own_low + f64::from(value) * (own_high - own_low);
    ((raw - low) / (high - low)).clamp(0.0, 1.0) as f32
}

/// Runs the worker of a cell unless that is done, and stores the record.
pub(crate) fn run_match(
    planned: &PlannedMatch,
    arena: &Arena,
    prepared: &Prepared,
    encoder: Option<&EncoderRecord>,
    (limits, processors): (Limits, Vec<usize>),
    interrupted: &std::sync::atomic::AtomicBool,
    observer: &dyn Observer,
) -> Result<Option<MatchRecord>> {
    if arena.store.match_record(&planned.key)?.is_some() {
        return Ok(None);
    }
    let pretrain_cost = encoder.map(|record| record.cost);
    if let Some(failure) = encoder.and_then(EncoderRecord::failure_of_dependents) {
        let confined = encoder.is_some_and(|record| record.confined);
        let outcome = MatchOutcome::Failed(failure);
        let record = MatchRecord { pretrain_cost, ..record(planned, outcome, confined, Cost::default()) };
        arena.store.put_match(&record, None)?;
        return Ok(Some(record));
    }
    observer.matching(planned, None);
    let candidates = prepared.candidates(planned, arena)?;
    let folder = tempfile::Builder::new().prefix("job-").tempdir_in(arena.store.work_dir())?;
    let queries = prepared.queries(&planned.task, &planned.features)?;
    queries.write(&job::features_file(folder.path(), job::TEST))?;
    for (index, candidates) in candidates.iter().enumerate() {
        let shape = (candidates.rows.len(), candidates.columns);
        let values = ArrayView2::from_shape(shape, &candidates.values).expect("rows x columns values");
        write_npy(&job::candidates_file(folder.path(), index), &values)?;
    }
    let state = encoder.map(|record| arena.encoders.encoder_state(record)).transpose()?;
    let job = job(planned, state, limits, processors);
    let ending = launch::run(&arena.launcher, &job, folder.path(), limits.wall, interrupted, &|progress| {
        observer.matching(planned, Some(progress));
    })?;
    let (outcome, ranks) = match judge(planned, &candidates, folder.path(), &ending) {
        Ok(ranks) => {
            let bytes = ranks_file(planned, &candidates, &ranks);
            let spaces = planned.task.spaces.iter().zip(&ranks);
            let spaces =
                spaces.map(|(space, ranks)| SpaceScores::of(&space.name, space.candidates.len(), ranks));
            let ranks_sha256 = molarena_data::sha256_hex(&bytes);
            (MatchOutcome::Scored { spaces: spaces.collect(), ranks_sha256 }, Some(bytes))
        }
        Err(failure) => (MatchOutcome::Failed(failure), None),
    };
    let confined = ending.confined && encoder.is_none_or(|record| record.confined);
    let cost = cost_of(&ending, limits);
    let record = MatchRecord { pretrain_cost, ..record(planned, outcome, confined, cost) };
    arena.store.put_match(&record, ranks.as_deref())?;
    Ok(Some(record))
}

fn job(
    planned: &PlannedMatch,
    state: Option<std::path::PathBuf>,
    limits: Limits,
    processors: Vec<usize>,
) -> Job {
    let libraries =
        planned.encoder.iter().chain([&planned.decoder]).map(|component| component.library.clone());
    let spaces = planned.task.spaces.iter().map(|space| MatchJobSpace {
        name: space.name.clone(),
        queries: space.relevant.iter().map(|(query, _)| *query).collect(),
    });
    let pretrain_seed = planned.pretrain.as_ref().map_or(0, |pretrain| pretrain.seed);
    Job {
        envelope: Envelope {
            memory: limits.memory,
            disk: limits.disk,
            processors,
            confine: true,
            readable: libraries.chain(state.clone()).collect(),
            ..Envelope::default()
        },
        task: JobTask::Match(Box::new(MatchJob {
            encoder: planned.encoder.as_ref().map(Into::into),
            state: state.map(|path| JobState { path, seed: pretrain_seed }),
            decoder: (&planned.decoder).into(),
            decoder_loads: planned.composition.decoder_is_trained,
            spaces: spaces.collect(),
            input: planned.features.input(),
            seed: planned.seed,
            threads: limits.threads,
        })),
    }
}

/// The ranks of each query's own profiles in each space, or why there are none. The host trusts nothing that the worker
/// wrote.
fn judge(
    planned: &PlannedMatch,
    candidates: &[Ordered],
    folder: &Path,
    ending: &Ending,
) -> Result<Vec<Vec<Vec<usize>>>, Failure> {
    let failure = |reason, message: String| Failure { reason, message, output: ending.output.clone() };
    match &ending.result {
        Err(error) => return Err(failure(error.reason, error.message.clone())),
        Ok(Output::Timings { .. }) => {}
        Ok(_) => return Err(failure(Reason::NoResult, "the worker answered another question".into())),
    }
    let spaces = planned.task.spaces.iter().zip(candidates).enumerate();
    let ranks = spaces.map(|(index, (space, candidates))| {
        let path = job::scores_file(folder, index);
        let wrong =
            |message: String| failure(Reason::NoResult, format!("scores of {}: {message}", space.name));
        let bytes = read_plain(&path, SCORES_LIMIT).map_err(|error| wrong(error.to_string()))?;
        let (rows, columns, scores) = from_npy(&bytes).map_err(wrong)?;
        let expected = (space.relevant.len(), candidates.rows.len());
        if (rows, columns) != expected {
            let message = format!(
                "scores of {}: expected {} x {}, found {rows} x {columns}",
                space.name, expected.0, expected.1
            );
            return Err(failure(Reason::WrongShape, message));
        }
        if scores.iter().any(|score| !score.is_finite()) {
            let message = format!("scores of {} have NaN or infinite values", space.name);
            return Err(failure(Reason::NotFinite, message));
        }
        Ok(ranks_of(space, candidates, &scores))
    });
    ranks.collect()
}

/// For each query of a space the ranks of its own profiles, ascending.
fn ranks_of(space: &MatchSpace, candidates: &Ordered, scores: &[f32]) -> Vec<Vec<usize>> {
    let place: BTreeMap<usize, usize> =
        candidates.rows.iter().enumerate().map(|(place, &row)| (row, place)).collect();
    let queries = space.relevant.iter().zip(scores.chunks(candidates.rows.len()));
    let ranks = queries.map(|((_, own), scores)| {
        let own: Vec<usize> = own.iter().map(|row| place[row]).collect();
        relevant_ranks(scores, &own)
    });
    ranks.collect()
}

/// The ranks as an `.npz` with one array for each space: `u64[pairs, 2]`, node of the query and rank of one of its own
/// profiles, queries in order and the ranks of each ascending.
fn ranks_file(planned: &PlannedMatch, candidates: &[Ordered], ranks: &[Vec<Vec<usize>>]) -> Vec<u8> {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for ((space, _), ranks) in planned.task.spaces.iter().zip(candidates).zip(ranks) {
        let rows = space.relevant.iter().zip(ranks).flat_map(|((query, _), ranks)| {
            let node = planned.task.nodes[*query];
            ranks.iter().flat_map(move |&rank| [node, rank as u64])
        });
        let values: Vec<u64> = rows.collect();
        let array = molarena_features::matrix(values.len() / 2, 2, values);
        npz.add_array(space.name.as_str(), &array).expect("writing to memory does not fail");
    }
    npz.finish().expect("writing to memory does not fail").into_inner()
}

fn record(planned: &PlannedMatch, outcome: MatchOutcome, confined: bool, cost: Cost) -> MatchRecord {
    let task = &planned.task;
    MatchRecord {
        schema: MATCH_SCHEMA.into(),
        key: planned.key.clone(),
        method: planned.method.name.clone(),
        context: task.context.clone(),
        context_key: task.context_key.clone(),
        simulated: task.simulated,
        split: task.split.clone(),
        spaces: task.spaces.iter().map(|space| space.name.clone()).collect(),
        candidates: task.candidates,
        seed: planned.seed,
        composition: planned.composition.clone(),
        confined,
        outcome,
        cost,
        pretrain_cost: None,
        varied: planned.method.varied.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small_graph;

    #[test]
    fn values_move_from_one_scale_to_another() {
        // Raw -1 to 3: 0.5 is 1. Between 0 and 2 that is 0.5; 3 lies above and -1 below.
        let moved = [0.0, 0.5, 1.0].map(|value| rescale(value, [-1.0, 3.0], [0.0, 2.0]));
        assert_eq!(moved, [0.0, 0.5, 1.0]);
        assert_eq!(rescale(0.25, [-1.0, 3.0], [-2.0, 2.0]), 0.5);
        assert_eq!(rescale(0.3, [0.0, 1.0], [0.0, 1.0]), 0.3);
        assert_eq!(rescale(0.3, [0.0, 1.0], [0.5, 0.5]), 0.0);
        assert!(rescale(f32::NAN, [0.0, 1.0], [0.5, 0.5]).is_nan());
        assert!(rescale(0.3, [0.0, 1.0], [f32::NAN; 2]).is_nan());
        // A column with one value in the context.
        assert_eq!(rescale(0.0, [1.0, 1.0], [0.0, 2.0]), 0.5);
    }

    #[test]
    fn the_order_of_candidates_says_nothing_of_their_owners() {
        let mut graph = small_graph();
        let space = &mut graph.spaces[1];
        let bounds = space.bounds.clone();
        let first = ordered(space, &[0, 1], &bounds);
        // The same profiles, each of the other molecule.
        space.values = [space.row(1), space.row(0)].concat();
        let swapped = ordered(space, &[0, 1], &bounds);
        let bits = |ordered: &Ordered| ordered.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&first), bits(&swapped));
        assert_eq!((first.rows, swapped.rows), (vec![0, 1], vec![1, 0]));
    }

    #[test]
    fn ranks_are_those_of_the_own_profiles() {
        let space = MatchSpace {
            name: "s".into(),
            candidates: vec![4, 7, 9],
            relevant: vec![(0, vec![9, 4]), (2, vec![7])],
        };
        let candidates = Ordered { rows: vec![9, 4, 7], columns: 0, values: Vec::new() };
        let ranks = ranks_of(&space, &candidates, &[0.1, 0.9, 0.5, 0.3, 0.2, 0.1]);
        assert_eq!(ranks, [vec![1, 3], vec![3]]);
    }
}
