//! One row of a board against all others.

use molarena_metrics::{
    Metric,
    statistics::{against_reference, dunnett_blocks, win_tie_loss},
};
use molarena_record::cell::{Outcome, Record};
use schemars::JsonSchema;
use serde::Serialize;

use super::{CompareOptions, TaskScores, Verdict, over_seeds};
use crate::{labels::Labels, row::Row, statistics::estimates};

/// Schema name of [`ReferenceComparison`].
pub const REFERENCE_SCHEMA: &str = "molarena.reference-comparison/1";

/// One row of a board against all others. Differences are a row's score less the reference's; scores are fractions of 1,
/// or in the labels' unit for errors.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ReferenceComparison {
    /// [`REFERENCE_SCHEMA`].
    #[schemars(extend("const" = REFERENCE_SCHEMA))]
    pub schema: String,
    /// Id of the dataset.
    pub dataset: String,
    /// Protocol of the split.
    pub split: String,
    /// The metric of the board.
    #[schemars(with = "String")]
    pub metric: Metric,
    /// The reference row.
    pub reference: String,
    /// Its mean over tasks and seeds.
    pub mean: f64,
    /// Confidence that all intervals hold together.
    pub confidence: f64,
    /// Number of resamples of molecules and seeds.
    pub resamples: usize,
    /// Scores up to this far apart are a tie of a task.
    pub margin: f64,
    /// The other rows, best first.
    pub rows: Vec<AgainstRow>,
}

/// A row against the reference.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct AgainstRow {
    /// Its name on the board.
    pub row: String,
    /// Its mean over tasks and seeds.
    pub mean: f64,
    /// Difference to the reference.
    pub difference: f64,
    /// Lower end of its simultaneous interval, by the bootstrap over molecules and seeds that all rows share.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// p value of the same bootstrap, adjusted for the number of rows.
    pub p_value: f64,
    /// p value of Dunnett's test with tasks as blocks; null for fewer than two tasks, or where tasks do not vary.
    pub dunnett_p_value: Option<f64>,
    /// Tasks on which the row is better by more than the margin.
    pub wins: usize,
    /// Tasks on which the two differ by no more than the margin.
    pub ties: usize,
    /// Tasks on which the reference is better by more than the margin.
    pub losses: usize,
    /// What the interval says, with the row as the first and the reference as the second.
    pub verdict: Verdict,
}

/// Compares one row of a board with all others.
///
/// # Errors
/// Says why there is no comparison: no such row, no score, or predictions or labels are missing.
pub fn compare_with_reference(
    rows: &[Row<'_>],
    reference: &str,
    labels: &mut Labels<'_>,
    options: CompareOptions,
) -> Result<ReferenceComparison, String> {
    let rows: Vec<&Row<'_>> = rows.iter().filter(|row| !row.scored().is_empty()).collect();
    let at = rows.iter().position(|row| row.name == reference);
    let at = at.ok_or_else(|| format!("the board has no scored row `{reference}`"))?;
    let record = rows[at].records[0];
    let metric = record.metric;
    let resampled = estimates(&rows, labels, options.resampling)?;
    let others: Vec<usize> = (0..rows.len()).filter(|&row| row != at).collect();
    let of = |row: usize| (resampled[row].0, resampled[row].1.as_slice());
    let all: Vec<(f64, &[f64])> = others.iter().map(|&row| of(row)).collect();
    let confidence = options.resampling.confidence;
    let compared = against_reference(of(at), &all, confidence).ok_or("no resample has a score")?;
    let tasks: Vec<TaskScores> = rows.iter().map(|row| task_scores(row)).collect();
    let dunnett = dunnett(&tasks, at, confidence);
    let mut against: Vec<AgainstRow> = others
        .iter()
        .zip(&compared)
        .map(|(&row, compared)| {
            let counts = win_tie_loss(&tasks[row], &tasks[at], options.margin, metric.higher_is_better());
            AgainstRow {
                row: rows[row].name.clone(),
                mean: resampled[row].0,
                difference: compared.difference,
                low: compared.interval.low,
                high: compared.interval.high,
                p_value: compared.p_value,
                dunnett_p_value: dunnett.as_ref().and_then(|values| values[row]),
                wins: counts.wins,
                ties: counts.ties,
                losses: counts.losses,
                verdict: verdict(compared, resampled[row] == resampled[at], metric),
            }
        })
        .collect();
    against.sort_by(|one, other| one.mean.total_cmp(&other.mean).then_with(|| one.row.cmp(&other.row)));
    if metric.higher_is_better() {
        against.reverse();
    }
    Ok(ReferenceComparison {
        schema: REFERENCE_SCHEMA.to_owned(),
        dataset: record.dataset.clone(),
        split: record.split.protocol.clone(),
        metric,
        reference: reference.to_owned(),
        mean: resampled[at].0,
        confidence,
        resamples: options.resampling.resamples,
        margin: options.margin,
        rows: against,
    })
}

fn verdict(compared: &molarena_metrics::statistics::AgainstReference, same: bool, metric: Metric) -> Verdict {
    if same {
        Verdict::Same
    } else if compared.interval.contains(0.0) {
        Verdict::NotSeparable
    } else {
        Verdict::of_difference(compared.difference, metric)
    }
}

/// Score of each task from the records, averaged over seeds.
fn task_scores(row: &Row<'_>) -> TaskScores {
    let tasks = &row.records[0].tasks;
    let scores = |record: &Record| -> TaskScores {
        let score = |task: &String| match &record.outcome {
            Outcome::Scored { scores, .. } => scores.get(task).copied().flatten(),
            Outcome::Failed(_) => None,
        };
        tasks.iter().map(score).collect()
    };
    let by_seed: Vec<TaskScores> = row.scored().into_values().map(scores).collect();
    over_seeds(&by_seed, tasks.len())
}

/// Dunnett's p value of each row, with the tasks that are defined in all rows as blocks.
fn dunnett(tasks: &[TaskScores], reference: usize, confidence: f64) -> Option<Vec<Option<f64>>> {
    let defined = (0..tasks[reference].len()).filter(|&task| tasks.iter().all(|row| row[task].is_some()));
    let values: Vec<f64> = defined.flat_map(|task| tasks.iter().filter_map(move |row| row[task])).collect();
    let mut p_values = vec![None; tasks.len()];
    for comparison in dunnett_blocks(&values, tasks.len(), reference, confidence)? {
        p_values[comparison.method] = Some(comparison.p_value);
    }
    Some(p_values)
}
