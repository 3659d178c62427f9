//! The labelled rows of each task.

use crate::{Call, Error, Labels, Result, TaskKind};

/// The labelled rows of one task, in row order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Targets {
    /// Rows of the training matrix, in increasing order.
    pub rows: Vec<u32>,
    /// Label of each row: 0 or 1, or a finite number.
    pub values: Vec<f32>,
}

impl Targets {
    /// Number of labelled rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether no row has a label.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Mean label, summed in row order in f64; `None` without labels.
    pub fn mean(&self) -> Option<f32> {
        let sum: f64 = self.values.iter().copied().map(f64::from).sum();
        (!self.is_empty()).then(|| (sum / self.len() as f64) as f32)
    }
}

/// The labelled rows of every task. The error for a label that is not 0 or 1 (classification) or not finite
/// (regression) names the task and row.
pub fn gather(labels: &Labels<'_>, rows: usize) -> Result<Vec<Targets>> {
    if labels.rows != rows {
        return Err(Error::invalid_argument(format!(
            "labels have {} rows, the training inputs have {rows}",
            labels.rows
        )));
    }
    if u32::try_from(rows).is_err() {
        return Err(Error::unsupported(format!("{rows} training rows: at most {} are supported", u32::MAX)));
    }
    (0..labels.tasks).map(|task| gather_task(labels, task)).collect()
}

fn gather_task(labels: &Labels<'_>, task: usize) -> Result<Targets> {
    let mut targets = Targets::default();
    for (row, label) in labels.labelled(task) {
        let allowed = match labels.kind {
            TaskKind::Classification => label == 0.0 || label == 1.0,
            TaskKind::Regression => label.is_finite(),
        };
        if !allowed {
            let wanted = match labels.kind {
                TaskKind::Classification => "0 or 1",
                TaskKind::Regression => "finite",
            };
            return Err(Error::data(format!("label {label} of task {task}, row {row}: must be {wanted}")));
        }
        targets.rows.push(row as u32);
        targets.values.push(label);
    }
    Ok(targets)
}

/// The prediction for a task without any labelled training row: 0.5 for a class, 0 for a number. Reports it through
/// `call`.
pub fn without_labels(kind: TaskKind, task: usize, call: &Call<'_>) -> f32 {
    let value = match kind {
        TaskKind::Classification => 0.5,
        TaskKind::Regression => 0.0,
    };
    call.progress(0.0, &format!("task {task} has no labelled training row: it predicts {value}"));
    value
}

#[cfg(test)]
mod tests {
    use crate::OwnedLabels;

    use super::*;

    #[test]
    fn missing_labels_are_left_out() {
        let values = vec![1.0, f32::NAN, 0.0, 1.0, f32::NAN, f32::NAN];
        let labels = OwnedLabels::from_nan(TaskKind::Classification, 3, 2, values).unwrap();
        let targets = gather(&labels.view(), 3).unwrap();
        assert_eq!(targets[0], Targets { rows: vec![0, 1], values: vec![1.0, 0.0] });
        assert_eq!(targets[1].mean(), Some(1.0));
    }

    #[test]
    fn wrong_labels_are_named() {
        let labels = OwnedLabels::from_nan(TaskKind::Classification, 2, 1, vec![0.0, 2.0]).unwrap();
        let error = gather(&labels.view(), 2).unwrap_err();
        assert_eq!(error.to_string(), "label 2 of task 0, row 1: must be 0 or 1");
        assert!(gather(&labels.view(), 3).is_err());
        let labels = OwnedLabels::from_nan(TaskKind::Regression, 1, 1, vec![f32::INFINITY]).unwrap();
        assert!(gather(&labels.view(), 1).is_err());
    }
}
