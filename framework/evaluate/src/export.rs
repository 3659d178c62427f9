//! What a store and its datasets hold, as tables for other programs.

use molarena_host::{Table, Values};
use molarena_record::cell::{Outcome, Record};

use crate::{labels::Labels, row::Row};

/// Every score of every record, one row each: method, dataset, split, task, seed, metric, value.
///
/// The value is a fraction of 1, or in the labels' unit for errors; it is missing where a task is undefined and where a
/// record failed, whose reason is in the column `failed`.
pub fn scores(records: &[Record]) -> Table {
    let mut texts: [Vec<String>; 7] = Default::default();
    let (mut seeds, mut values) = (Vec::new(), Vec::new());
    for record in records {
        for task in record.tasks.iter() {
            let (value, failed) = match &record.outcome {
                Outcome::Scored { scores, .. } => (scores.get(task).copied().flatten(), String::new()),
                Outcome::Failed(failure) => (None, failure.reason.to_string()),
            };
            let cells = [
                record.method.clone(),
                record.dataset.clone(),
                record.split.protocol.clone(),
                task.clone(),
                record.metric.to_string(),
                failed,
                record.key.clone(),
            ];
            texts.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
            seeds.push(record.seed as i64);
            values.push(value);
        }
    }
    let [methods, datasets, splits, tasks, metrics, failed, keys] = texts;
    Table::default()
        .with("method", Values::Text(methods))
        .with("dataset", Values::Text(datasets))
        .with("split", Values::Text(splits))
        .with("task", Values::Text(tasks))
        .with("seed", Values::Integers(seeds))
        .with("metric", Values::Text(metrics))
        .with("value", Values::Numbers(values))
        .with("failed", Values::Text(failed))
        .with("key", Values::Text(keys))
}

/// The predictions of the test molecules of some rows, one table row for each molecule, task, method and seed: row of the
/// dataset's table (from 1), SMILES, method, seed, task, label, prediction.
///
/// # Errors
/// Says what is missing: predictions or labels.
pub fn predictions(rows: &[Row<'_>], labels: &mut Labels<'_>) -> Result<Table, String> {
    let mut texts: [Vec<String>; 4] = Default::default();
    let (mut places, mut seeds) = (Vec::new(), Vec::new());
    let (mut known, mut predicted) = (Vec::new(), Vec::new());
    for row in rows {
        for (seed, record) in row.scored() {
            let test = labels.test(record)?;
            let table = row.predictions(record, &test)?;
            let tasks = record.tasks.len();
            let cells = table.chunks_exact(tasks).zip(test.labels.chunks_exact(tasks)).enumerate();
            for (molecule, (predictions, labels)) in cells {
                for (task, (&prediction, &label)) in predictions.iter().zip(labels).enumerate() {
                    let cells = [
                        test.smiles[molecule].clone(),
                        row.name.clone(),
                        record.dataset.clone(),
                        record.tasks[task].clone(),
                    ];
                    texts.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell));
                    places.push(test.rows[molecule] as i64);
                    seeds.push(seed as i64);
                    known.push((!label.is_nan()).then(|| short(label)));
                    predicted.push(Some(short(prediction)));
                }
            }
        }
    }
    let [smiles, methods, datasets, tasks] = texts;
    Ok(Table::default()
        .with("dataset", Values::Text(datasets))
        .with("row", Values::Integers(places))
        .with("smiles", Values::Text(smiles))
        .with("method", Values::Text(methods))
        .with("seed", Values::Integers(seeds))
        .with("task", Values::Text(tasks))
        .with("label", Values::Numbers(known))
        .with("prediction", Values::Numbers(predicted)))
}

/// The number as it is written in single precision, not with the digits that its exact value has in double.
fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_keeps_its_digits() {
        assert_eq!([0.1, 1e-38, 3.0, -2.5].map(short), [0.1, 1e-38, 3.0, -2.5]);
    }
}
