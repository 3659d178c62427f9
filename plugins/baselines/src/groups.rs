//! Groups tasks that are labelled on the same rows.

use std::collections::HashMap;

use molarena_sdk::{Call, TaskKind};

use crate::targets::{Targets, without_labels};

/// Tasks whose labels are on the same rows.
pub(crate) struct Group {
    /// Training rows, in increasing order.
    pub(crate) rows: Vec<u32>,
    pub(crate) members: Vec<Member>,
}

/// One task of a group.
pub(crate) struct Member {
    pub(crate) task: usize,
    /// Label of each row of the group.
    pub(crate) labels: Vec<f32>,
    pub(crate) mean: f64,
    /// Population standard deviation; not 0.
    pub(crate) deviation: f64,
}

impl Group {
    /// Standardised label of a member at a position in the group's rows.
    pub(crate) fn standardised(&self, member: usize, position: usize) -> f64 {
        let member = &self.members[member];
        (f64::from(member.labels[position]) - member.mean) / member.deviation
    }
}

impl Member {
    /// A task whose labels vary; otherwise `None`.
    fn new(task: usize, labels: Vec<f32>) -> Option<Self> {
        let first = *labels.first()?;
        if labels.iter().all(|&label| label == first) {
            return None;
        }
        let count = labels.len() as f64;
        let mean = labels.iter().copied().map(f64::from).sum::<f64>() / count;
        let square: f64 = labels.iter().map(|&label| (f64::from(label) - mean).powi(2)).sum();
        Some(Self { task, labels, mean, deviation: (square / count).sqrt() })
    }
}

/// The predictions of the tasks without labels or with constant labels, and groups of the other tasks, the largest
/// first.
pub(crate) fn grouped(
    targets: Vec<Targets>,
    kind: TaskKind,
    call: &Call<'_>,
) -> (Vec<Option<f32>>, Vec<Group>) {
    let mut constants = vec![None; targets.len()];
    let mut groups: Vec<Group> = Vec::new();
    let mut of_rows: HashMap<Vec<u32>, usize> = HashMap::new();
    for (task, targets) in targets.into_iter().enumerate() {
        let mean = targets.mean();
        let Some(member) = Member::new(task, targets.values) else {
            constants[task] = Some(mean.unwrap_or_else(|| without_labels(kind, task, call)));
            continue;
        };
        let group = *of_rows.entry(targets.rows).or_insert_with_key(|rows| {
            groups.push(Group { rows: rows.clone(), members: Vec::new() });
            groups.len() - 1
        });
        groups[group].members.push(member);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(group.rows.len()));
    (constants, groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_equal_rows_are_together() {
        let targets = |rows: &[u32], values: &[f32]| Targets { rows: rows.to_vec(), values: values.to_vec() };
        let all = vec![
            targets(&[0, 2], &[1.0, 3.0]),
            targets(&[], &[]),
            targets(&[0, 1, 2], &[0.0, 1.0, 1.0]),
            targets(&[1, 2], &[7.0, 7.0]),
            targets(&[0, 2], &[4.0, 0.0]),
        ];
        let (constants, groups) = grouped(all, TaskKind::Regression, &Call::new(0, 1));
        assert_eq!(constants, [None, Some(0.0), None, Some(7.0), None]);
        let tasks = |group: &Group| group.members.iter().map(|member| member.task).collect::<Vec<_>>();
        assert_eq!((tasks(&groups[0]), tasks(&groups[1])), (vec![2], vec![0, 4]));
        assert_eq!((groups[1].members[1].mean, groups[1].members[1].deviation), (2.0, 2.0));
        assert_eq!(groups[1].standardised(0, 1), 1.0);
    }
}
