//! Scores without each molecule in turn.

use super::plan::{Task, ascending, loss_of};
use crate::Metric;
use crate::tasks::score_task;

/// The mean over defined tasks without each of the molecules; NaN where no task is left.
///
/// `columns` are tasks with the predictions of their labelled molecules.
pub(super) fn means<'a>(
    metric: Metric,
    columns: impl Iterator<Item = (&'a Task, Vec<f32>)>,
    molecules: usize,
) -> Vec<f64> {
    // Sum and number of the scores of all tasks; then what each molecule's absence changes of them.
    let (mut sum, mut count) = (0.0, 0.0);
    let mut changes = vec![(0.0, 0.0); molecules];
    for (task, predictions) in columns {
        let Some(score) = whole(metric, task, &predictions) else { continue };
        sum += score;
        count += 1.0;
        for (&molecule, without) in task.molecules.iter().zip(without_each(metric, task, &predictions)) {
            let change = &mut changes[molecule as usize];
            change.0 += without.unwrap_or(0.0) - score;
            change.1 -= f64::from(u8::from(without.is_none()));
        }
    }
    changes
        .into_iter()
        .map(|(change, lost)| if count + lost > 0.5 { (sum + change) / (count + lost) } else { f64::NAN })
        .collect()
}

fn whole(metric: Metric, task: &Task, predictions: &[f32]) -> Option<f64> {
    if task.is_fit_for(metric) { score_task(metric, &task.labels, predictions) } else { None }
}

/// The score without each of the labelled molecules. The score of all of them is defined.
fn without_each(metric: Metric, task: &Task, predictions: &[f32]) -> Vec<Option<f64>> {
    if let Some(loss) = loss_of(metric) {
        let losses = task.losses(loss, predictions);
        let (sum, rest) = (losses.iter().sum::<f64>(), losses.len() as f64 - 1.0);
        let root = metric == Metric::Rmse;
        // A sum of errors that are 0 may come out a little below it.
        let mean = |loss: f64| ((sum - loss) / rest).max(0.0);
        let score = |loss: f64| if root { mean(loss).sqrt() } else { mean(loss) };
        return losses.iter().map(|&loss| (rest > 0.0).then(|| score(loss))).collect();
    }
    if metric == Metric::RocAuc {
        return areas_without_each(&task.labels, predictions);
    }
    let (mut labels, mut rest) = (task.labels.clone(), predictions.to_vec());
    (0..labels.len())
        .map(|row| {
            let (label, prediction) = (labels.remove(row), rest.remove(row));
            let score = score_task(metric, &labels, &rest);
            labels.insert(row, label);
            rest.insert(row, prediction);
            score
        })
        .collect()
}

/// Areas under the ROC curve: each molecule takes its own pairs away.
fn areas_without_each(labels: &[f32], predictions: &[f32]) -> Vec<Option<f64>> {
    let is_positive = |row: usize| labels[row] == 1.0;
    let positives = labels.iter().filter(|&&label| label == 1.0).count() as f64;
    let negatives = labels.len() as f64 - positives;
    // For each molecule the pairs in order that it is part of; ties count one half.
    let mut pairs = vec![0.0; labels.len()];
    let (mut positives_below, mut negatives_below, mut in_order) = (0.0, 0.0, 0.0);
    for tied in ascending(predictions).chunk_by(|&a, &b| predictions[a] == predictions[b]) {
        let tied_positives = tied.iter().filter(|&&row| is_positive(row)).count() as f64;
        let tied_negatives = tied.len() as f64 - tied_positives;
        for &row in tied {
            pairs[row] = if is_positive(row) {
                negatives_below + tied_negatives / 2.0
            } else {
                positives - positives_below - tied_positives / 2.0
            };
        }
        in_order += tied_positives * (negatives_below + tied_negatives / 2.0);
        positives_below += tied_positives;
        negatives_below += tied_negatives;
    }
    let without = |row: usize, lost: f64| {
        let size =
            if is_positive(row) { (positives - 1.0) * negatives } else { positives * (negatives - 1.0) };
        (size > 0.0).then(|| (in_order - lost) / size)
    };
    pairs.into_iter().enumerate().map(|(row, lost)| without(row, lost)).collect()
}
