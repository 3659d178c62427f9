//! Records cut to a group of tasks.

use molarena_metrics::mean_defined;
use molarena_record::cell::{Outcome, Record};

use crate::labels::Labels;

/// The records of datasets that name this group of tasks, with the scores of its tasks only, and the datasets that do not name
/// it.
pub fn within_group(labels: &Labels<'_>, group: &str, records: Vec<Record>) -> (Vec<Record>, Vec<String>) {
    let mut kept = Vec::new();
    let mut without: Vec<String> = Vec::new();
    for mut record in records {
        match labels.group(&record, group) {
            Some(tasks) if !tasks.is_empty() => {
                if let Outcome::Scored { scores, mean } = &mut record.outcome {
                    scores.retain(|task, _| tasks.contains(task));
                    let of_tasks: Vec<Option<f64>> =
                        tasks.iter().map(|task| scores.get(task).copied().flatten()).collect();
                    *mean = mean_defined(&of_tasks);
                }
                record.tasks = tasks.into();
                kept.push(record);
            }
            _ if without.contains(&record.dataset) => {}
            _ => without.push(record.dataset),
        }
    }
    (kept, without)
}
