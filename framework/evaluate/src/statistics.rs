//! Intervals, ranks and ties of the rows of one board, from stored predictions and labels.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use molarena_metrics::{
    Scoring, mean_and_std, mean_defined, score_tasks,
    statistics::{
        Bootstrap, Interval, compact_letters, percentile_interval, rank_intervals, separated_pairs,
    },
};
use molarena_record::{cell::Record, key::key_of};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    contamination::{SeenCorpus, seen},
    labels::{Labels, TestPart},
    row::{Row, difference, is_ranked},
};

/// Schema name of [`Measure`], which changes with what it means.
const MEASURE_SCHEMA: &str = "molarena.measure/1";

/// How uncertainty is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// Number of resamples of molecules and seeds.
    pub resamples: usize,
    /// Seed of the resamples.
    pub seed: u64,
    /// Confidence of the intervals, between 0 and 1; 1 less it is the level of the tests.
    pub confidence: f64,
}

impl Default for Resampling {
    fn default() -> Self {
        Self { resamples: 2000, seed: 0, confidence: 0.95 }
    }
}

/// What the test molecules and the seeds say of the rows of a board.
#[derive(Clone, Debug, PartialEq)]
pub struct BoardStatistics {
    /// How it was measured.
    pub resampling: Resampling,
    /// Number of test molecules that have a [twin](TestPart::twins) in training.
    pub twins: usize,
    /// The rows by name; rows without a score have no entry.
    pub rows: BTreeMap<String, RowStatistics>,
}

/// What the test molecules and the seeds say of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct RowStatistics {
    /// Percentile interval of the mean score, by the bootstrap over molecules and seeds.
    pub interval: Interval,
    /// Mean over seeds of the score on the test molecules without a twin in training, and its sample standard
    /// deviation; `None` where no task is defined on them.
    pub twin_free: Option<(f64, Option<f64>)>,
    /// The row among those that are ranked; `None` for a row that is not.
    pub standing: Option<Standing>,
    /// The corpora that its encoder was pretrained on.
    pub corpora: Vec<SeenCorpus>,
}

/// A row among those that are ranked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The better end of the interval of its rank, from 1.
    pub best: usize,
    /// The worse end.
    pub worst: usize,
    /// Letters of its tie groups: rows with a letter in common cannot be told apart.
    pub ties: Vec<String>,
}

/// The statistics of a row that need its predictions; kept in the store's cache.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Measure {
    schema: String,
    /// The mean over defined tasks, averaged over seeds.
    estimate: f64,
    /// The same on each resample.
    replicates: Vec<f64>,
    /// For each seed the score on the molecules without a twin; empty where no task is defined on them.
    twin_free: Vec<f64>,
}

/// The statistics of the rows of one board.
///
/// A tie group is a run of rows none of which are separated by simultaneous tests of all pairs
/// ([`separated_pairs`]). What the rows' predictions say is kept in the cache of the store of `labels`.
///
/// # Errors
/// Says why there are none: predictions or labels are missing, or rows are not of one board.
pub fn board_statistics(
    rows: &[Row<'_>],
    labels: &mut Labels<'_>,
    resampling: Resampling,
) -> Result<BoardStatistics, String> {
    let scored: Vec<&Row<'_>> = rows.iter().filter(|row| !row.scored().is_empty()).collect();
    let Some(first) = scored.first() else {
        return Ok(BoardStatistics { resampling, twins: 0, rows: BTreeMap::new() });
    };
    let record = first.records[0];
    let board = OneBoard::of(record, labels, resampling)?;
    let measures = board.measures(&scored, labels)?;
    let ranked: Vec<usize> = (0..scored.len()).filter(|&row| is_ranked(scored[row].records[0])).collect();
    let mut standings = standings(&ranked, &measures, record.metric.higher_is_better(), resampling);
    let of_rows = scored.iter().zip(&measures).enumerate().map(|(index, (row, measure))| {
        let interval = percentile_interval(&measure.replicates, resampling.confidence)
            .ok_or_else(|| format!("{}: no resample has a score", row.name))?;
        let twin_free = mean_and_std(&measure.twin_free);
        let corpora = seen(row.records[0], &board.test, labels)?;
        let standing = standings.remove(&index);
        Ok((row.name.clone(), RowStatistics { interval, twin_free, standing, corpora }))
    });
    let rows = of_rows.collect::<Result<_, String>>()?;
    Ok(BoardStatistics { resampling, twins: board.twins.iter().filter(|twin| **twin).count(), rows })
}

/// Estimate and replicates of each row, on resamples that the rows share. Every row has a scored record.
///
/// # Errors
/// Says why there are none: predictions or labels are missing, or rows are not of one board.
pub(crate) fn estimates(
    rows: &[&Row<'_>],
    labels: &mut Labels<'_>,
    resampling: Resampling,
) -> Result<Vec<(f64, Vec<f64>)>, String> {
    let Some(first) = rows.first() else { return Ok(Vec::new()) };
    let board = OneBoard::of(first.records[0], labels, resampling)?;
    let measures = board.measures(rows, labels)?;
    Ok(measures.into_iter().map(|measure| (measure.estimate, measure.replicates)).collect())
}

/// The standings of rows that are ranked with each other, by index.
fn standings(
    ranked: &[usize],
    measures: &[Measure],
    higher_is_better: bool,
    resampling: Resampling,
) -> BTreeMap<usize, Standing> {
    let mut order = ranked.to_vec();
    let estimate = |row: &usize| measures[*row].estimate;
    order.sort_by(|one, other| estimate(one).total_cmp(&estimate(other)));
    if higher_is_better {
        order.reverse();
    }
    let estimates: Vec<f64> = order.iter().map(estimate).collect();
    let replicates: Vec<&[f64]> = order.iter().map(|&row| measures[row].replicates.as_slice()).collect();
    let ranks = rank_intervals(&replicates, higher_is_better, resampling.confidence).unwrap_or_default();
    let separated = separated_pairs(&estimates, &replicates, resampling.confidence);
    let letters = compact_letters(&separated, order.len());
    let standing = |(rank, ties): (molarena_metrics::statistics::RankInterval, Vec<String>)| Standing {
        // Rows that a resample ties share the mean of their ranks.
        best: rank.low.floor() as usize,
        worst: rank.high.ceil() as usize,
        ties,
    };
    order.into_iter().zip(ranks.into_iter().zip(letters).map(standing)).collect()
}

/// What the rows of a board share.
struct OneBoard<'a> {
    record: &'a Record,
    test: Arc<TestPart>,
    twins: Vec<bool>,
    resampling: Resampling,
}

impl<'a> OneBoard<'a> {
    fn of(record: &'a Record, labels: &mut Labels<'_>, resampling: Resampling) -> Result<Self, String> {
        let test = labels.test(record)?;
        let twins = test.twins(labels.store()).map_err(|error| error.to_string())?;
        Ok(Self { record, test, twins, resampling })
    }

    /// The measure of each row, from the cache or from its predictions.
    fn measures(&self, rows: &[&Row<'_>], labels: &Labels<'_>) -> Result<Vec<Measure>, String> {
        let names: Vec<String> = rows.iter().map(|row| self.cache_name(row)).collect();
        let store = labels.store();
        let cached: Vec<Option<Measure>> = names.iter().map(|name| read(&store.cache_path(name))).collect();
        if cached.iter().all(Option::is_some) {
            return Ok(cached.into_iter().flatten().collect());
        }
        // Each draws the same resamples, so that rows of other scorings share them, too.
        let mut bootstraps: Vec<(Scoring, Bootstrap<'_>)> = Vec::new();
        for scoring in rows.iter().map(|row| scoring(row)) {
            if bootstraps.iter().all(|(known, _)| *known != scoring) {
                bootstraps.push((scoring, self.bootstrap(scoring)));
            }
        }
        let all = cached.into_par_iter().zip(rows).zip(names);
        let measured = |((cached, row), name): ((Option<Measure>, &&Row<'_>), String)| {
            if let Some(measure) = cached {
                return Ok(measure);
            }
            let of_row = bootstraps.iter().find(|(known, _)| *known == scoring(row));
            let (_, bootstrap) = of_row.expect("each row's scoring has one");
            let measure = self.measure(row, bootstrap)?;
            let write = |measure: &Measure, path: &Path| {
                Ok(fs_err::write(path, serde_json::to_vec(measure).expect("plain data"))?)
            };
            store.cached(&name, read, || Ok(measure), write).map_err(|error| error.to_string())
        };
        all.map(measured).collect()
    }

    fn bootstrap(&self, scoring: Scoring) -> Bootstrap<'_> {
        let Resampling { resamples, seed, .. } = self.resampling;
        Bootstrap::new(
            self.record.metric,
            scoring,
            &self.test.labels,
            self.record.tasks.len(),
            resamples,
            seed,
        )
    }

    /// The name says everything that determines the measure.
    fn cache_name(&self, row: &Row<'_>) -> String {
        let Record { metric, tasks, composition, split, .. } = self.record;
        let scored = row.scored();
        let fits: Vec<(&u64, &str)> =
            scored.iter().map(|(seed, record)| (seed, record.fit_key.as_str())).collect();
        let Resampling { resamples, seed, .. } = self.resampling;
        let key = key_of(&json!({
            "schema": MEASURE_SCHEMA,
            "metric": metric,
            "scoring": scoring(row),
            "tasks": tasks,
            "data": composition.data_sha256,
            "split": split.sha256,
            "twins": self.twins,
            "chosen": self.test.chosen(),
            "fits": fits,
            "resamples": resamples,
            "seed": seed,
        }));
        format!("measure-{key}.json")
    }

    fn measure(&self, row: &Row<'_>, bootstrap: &Bootstrap<'_>) -> Result<Measure, String> {
        let labels = &self.test.labels;
        let scored = row.scored();
        let tables: Vec<Vec<f32>> = scored
            .values()
            .map(|record| self.same_board(row, record).and_then(|()| row.predictions(record, &self.test)))
            .collect::<Result<_, String>>()?;
        let slices: Vec<&[f32]> = tables.iter().map(Vec::as_slice).collect();
        let replicates = bootstrap
            .replicates(&slices)
            .ok_or_else(|| format!("{}: a prediction is not finite, or no task is defined", row.name))?;
        let tasks = self.record.tasks.len();
        let without_twins: Vec<f32> = labels
            .chunks_exact(tasks)
            .zip(&self.twins)
            .flat_map(|(labels, &twin)| labels.iter().map(move |&label| if twin { f32::NAN } else { label }))
            .collect();
        let score = |table: &Vec<f32>| {
            mean_defined(&score_tasks(self.record.metric, scoring(row), &without_twins, table, tasks))
        };
        Ok(Measure {
            schema: MEASURE_SCHEMA.to_owned(),
            estimate: replicates.estimate,
            replicates: replicates.values,
            twin_free: tables.iter().filter_map(score).collect(),
        })
    }

    /// Rows of one board share data, split, tasks and metric.
    fn same_board(&self, row: &Row<'_>, record: &Record) -> Result<(), String> {
        difference(self.record, record)
            .map_or(Ok(()), |what| Err(format!("{} is of other {what} than its board", row.name)))
    }
}

/// The scoring of a row, which all its records share.
fn scoring(row: &Row<'_>) -> Scoring {
    row.records[0].scoring
}

fn read(path: &Path) -> Option<Measure> {
    let measure: Measure = serde_json::from_slice(&fs_err::read(path).ok()?).ok()?;
    let finite = measure.replicates.iter().chain(&measure.twin_free).all(|value| value.is_finite());
    (measure.schema == MEASURE_SCHEMA && finite && measure.estimate.is_finite()).then_some(measure)
}
