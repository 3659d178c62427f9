//! What two rows predicted for the same molecules.

use std::{collections::BTreeMap, sync::Arc};

use molarena_data::TaskType;
use molarena_metrics::{Metric, Scoring, statistics::delong_difference};
use molarena_record::cell::Record;

use super::parts::{FEWEST_LABELS, FEWEST_OF_CLASS};
use crate::{
    labels::{Labels, TestPart},
    row::{Row, difference},
};

/// The predictions of both rows, seed by seed, with the labels.
pub(super) struct Sides {
    record: Record,
    /// Seeds that both rows have scored, ascending.
    pub(super) seeds: Vec<u64>,
    pub(super) test: Arc<TestPart>,
    /// For each seed, `f32[molecules, tasks]`, row-major.
    pub(super) first: Vec<Vec<f32>>,
    pub(super) second: Vec<Vec<f32>>,
}

impl Sides {
    pub(super) fn of(first: &Row<'_>, second: &Row<'_>, labels: &mut Labels<'_>) -> Result<Self, String> {
        let (one, other) = (first.scored(), second.scored());
        let seeds: Vec<u64> = one.keys().filter(|seed| other.contains_key(seed)).copied().collect();
        let Some(record) = seeds.first().map(|seed| one[seed]) else {
            return Err(format!(
                "{} and {} have no scored seed in common: {} and {}",
                first.name,
                second.name,
                listed(&one),
                listed(&other)
            ));
        };
        if let Some(what) = difference(record, other[&seeds[0]]) {
            return Err(format!("{} and {} are of other {what}", first.name, second.name));
        }
        if record.scoring != other[&seeds[0]].scoring {
            return Err(format!("{} and {} are of other scorings", first.name, second.name));
        }
        let test = labels.test(record)?;
        let read = |row: &Row<'_>, records: &BTreeMap<u64, &Record>| -> Result<Vec<Vec<f32>>, String> {
            seeds.iter().map(|seed| row.predictions(records[seed], &test)).collect()
        };
        Ok(Self {
            first: read(first, &one)?,
            second: read(second, &other)?,
            record: record.clone(),
            seeds,
            test,
        })
    }

    /// A record of the first row, for what all records have in common.
    pub(super) fn record(&self) -> &Record {
        &self.record
    }

    pub(super) fn molecules(&self) -> usize {
        self.test.smiles.len()
    }

    /// Number of molecules with a label of a task.
    pub(super) fn labelled(&self, task: usize) -> usize {
        let tasks = self.record.tasks.len();
        self.test.labels.iter().skip(task).step_by(tasks).filter(|label| !label.is_nan()).count()
    }

    /// Whether a task has too few molecules for an interval.
    pub(super) fn is_thin(&self, task: usize) -> bool {
        let labelled = self.labelled(task);
        if self.record.task_type == TaskType::Regression {
            return labelled < FEWEST_LABELS;
        }
        let of_task = self.test.labels.iter().skip(task).step_by(self.record.tasks.len());
        let positive = of_task.filter(|label| **label > 0.5).count();
        positive.min(labelled - positive) < FEWEST_OF_CLASS
    }

    /// The p value of a test of two areas under the ROC curve, where there is one of each.
    pub(super) fn delong(&self, task: usize) -> Option<f64> {
        let record = &self.record;
        if self.seeds.len() != 1 || record.metric != Metric::RocAuc || record.scoring != Scoring::Probability
        {
            return None;
        }
        let column = |table: &[f32]| -> Vec<f32> {
            let rows =
                table.chunks_exact(record.tasks.len()).zip(self.test.labels.chunks_exact(record.tasks.len()));
            rows.filter(|(_, labels)| !labels[task].is_nan()).map(|(row, _)| row[task]).collect()
        };
        delong_difference(&column(&self.test.labels), &column(&self.first[0]), &column(&self.second[0]))
            .map(|test| test.p_value)
    }
}

fn listed(records: &BTreeMap<u64, &Record>) -> String {
    let seeds: Vec<String> = records.keys().map(ToString::to_string).collect();
    if seeds.is_empty() { "none".into() } else { seeds.join(", ") }
}
