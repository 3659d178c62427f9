//! Ranking: a decoder scores profiles for query molecules, and the host computes the ranks of each query's
//! own profiles.

use std::{collections::BTreeMap, io::Cursor, path::PathBuf, sync::Arc};

use molarena_data::Part;
use molarena_features::FeatureSpec;
use molarena_metrics::relevant_ranks;
use molarena_record::{
    key::MatchKey,
    matching::{MatchComposition, RANKS_FILE},
    parts::Cost,
    step::{Kind, StepRecord},
};
use molarena_sdk::InputKind;
use ndarray::ArrayView2;
use ndarray_npy::NpzWriter;
use serde_json::Value;

use crate::{
    error::Result,
    files::npy::write_npy,
    inputs::{
        candidates::Ordered,
        matching::{MatchSpace, MatchTask},
    },
    job::{self, JobTask, Output, RankJob, RankSpace},
    plan::{
        component::Component,
        device::class_of,
        step::{Context, Judged, Prepared, Work},
        steps::{another_question, matrix, with_encoding},
    },
    store::Artifact,
};

/// What the rankings of all seeds share.
#[derive(Clone, Debug)]
pub(crate) struct RankShared {
    pub(crate) task: Arc<MatchTask>,
    /// Name of the method, which is in the key.
    pub(crate) method: String,
    pub(crate) features: FeatureSpec,
    pub(crate) decoder: Component,
    /// The weights of the encoder, which a decoder of the same plugin loads.
    pub(crate) weights: Option<PathBuf>,
    pub(crate) composition: MatchComposition,
    /// Identity keys of the molecules left out of the graph whose bounds scale the candidates.
    pub(crate) bounds_without: Arc<std::collections::BTreeSet<String>>,
    pub(crate) device: String,
}

/// One ranking.
#[derive(Clone, Debug)]
pub(crate) struct RankWork {
    pub(crate) shared: Arc<RankShared>,
    pub(crate) seed: u64,
}

impl RankWork {
    fn candidates(&self, context: &Context<'_>) -> Result<Arc<Vec<Ordered>>> {
        let RankShared { task, composition, bounds_without, .. } = &*self.shared;
        context.inputs.candidates(task, &composition.bounds, bounds_without, &context.arena.sources())
    }
}

impl Work for RankWork {
    fn kind(&self) -> Kind {
        Kind::Rank
    }

    fn of(&self) -> Value {
        let RankShared { task, method, composition, device, .. } = &*self.shared;
        let ranked = task.ranked();
        let key = MatchKey {
            context_key: &task.context_key,
            spaces: &task.split_spaces,
            ranked: ranked.as_deref(),
            candidates: task.candidates,
            split: &task.split,
            method,
            composition,
            seed: self.seed,
            device: class_of(device),
        };
        key.material()
    }

    fn prepare(&self, context: &Context<'_>) -> Result<Prepared> {
        let RankShared { task, features, decoder, weights, composition, .. } = &*self.shared;
        let store = &context.arena.store;
        let (queries, input) = match context.need(Kind::Encode) {
            Some(encoding) => (context.vectors(encoding)?, InputKind::Dense),
            None => (context.inputs.queries(task, features)?, features.input()),
        };
        queries.write(&job::features_file(context.folder, Part::Test))?;
        for (index, candidates) in self.candidates(context)?.iter().enumerate() {
            let shape = (candidates.rows.len(), candidates.columns);
            let values = ArrayView2::from_shape(shape, &candidates.values).expect("rows x columns values");
            write_npy(&job::candidates_file(context.folder, index), &values)?;
        }
        let pretrained = context.need(Kind::Pretrain).filter(|_| composition.decoder_is_trained);
        let state: Option<PathBuf> = pretrained
            .map(|record| context.arena.store_of(Kind::Pretrain).artifact(record, "state"))
            .transpose()?
            .or_else(|| weights.clone());
        let spaces = task.spaces.iter().map(|space| RankSpace {
            name: space.name.clone(),
            queries: space.relevant.iter().map(|(query, _)| *query).collect(),
        });
        let task = JobTask::Rank(RankJob {
            decoder: decoder.in_job(None, context.folder, store)?,
            state: state.as_ref().map(|state| job::relative(context.folder, state)),
            spaces: spaces.collect(),
            input,
        });
        let readable = decoder.reads(store)?.into_iter().chain(state).collect();
        Ok(Prepared::Job { task, readable, writable: Vec::new() })
    }

    fn components(&self) -> Vec<&Component> {
        vec![&self.shared.decoder]
    }

    fn judge(&self, context: &Context<'_>, output: &Output) -> Judged {
        let Output::Timings { .. } = output else { return Err(another_question()) };
        let task = &self.shared.task;
        // The candidates were made when the job was prepared.
        let candidates =
            self.candidates(context).map_err(|error| (another_question().0, error.to_string()))?;
        let mut ranks = Vec::new();
        for (index, (space, candidates)) in task.spaces.iter().zip(candidates.iter()).enumerate() {
            let path = job::scores_file(context.folder, index);
            let (_, scores) = matrix(&path, space.relevant.len(), Some(candidates.rows.len()))
                .map_err(|(reason, message)| (reason, format!("scores of {}: {message}", space.name)))?;
            ranks.push(ranks_of(space, candidates, &scores));
        }
        Ok([(RANKS_FILE, Artifact::Bytes(ranks_file(task, &ranks)))].into())
    }

    fn cost(&self, own: Cost, needs: &[StepRecord]) -> Cost {
        with_encoding(own, needs)
    }
}

/// For each query of a space, the ranks of its own profiles, ascending.
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

/// The ranks as an `.npz` with one array for each space: `u64[pairs, 2]`, the query's node and the rank of
/// one of its own profiles, queries in order and the ranks of each ascending.
fn ranks_file(task: &MatchTask, ranks: &[Vec<Vec<usize>>]) -> Vec<u8> {
    let mut npz = NpzWriter::new(Cursor::new(Vec::new()));
    for (space, ranks) in task.spaces.iter().zip(ranks) {
        let rows = space.relevant.iter().zip(ranks).flat_map(|((query, _), ranks)| {
            let node = task.nodes[*query];
            ranks.iter().flat_map(move |&rank| [node, rank as u64])
        });
        let values: Vec<u64> = rows.collect();
        let array = molarena_features::matrix(values.len() / 2, 2, values);
        npz.add_array(space.name.as_str(), &array).expect("writing to memory does not fail");
    }
    npz.finish().expect("writing to memory does not fail").into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

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
