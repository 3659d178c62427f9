//! Tasks with nothing to learn from or to score under a split.

use crate::dataset::Dataset;
use crate::manifest::TaskType;
use crate::split::Split;

impl Dataset {
    /// Why nothing can be learned of a task from the training molecules `train`, if so: they have no label, or all labels
    /// are equal.
    pub fn nothing_to_learn(&self, task: usize, train: &[usize]) -> Option<String> {
        let mut labels = train.iter().filter_map(|&molecule| self.label(molecule, task));
        let Some(first) = labels.next() else { return Some("has no label in training".to_owned()) };
        if labels.any(|label| label != first) {
            return None;
        }
        Some(match (self.task_type, first == 1.0) {
            (TaskType::Classification, true) => "has only positives in training".to_owned(),
            (TaskType::Classification, false) => "has only negatives in training".to_owned(),
            (TaskType::Regression, _) => format!("is constant in training, where all labels are {first}"),
        })
    }

    /// Why a task cannot be scored on the test molecules `test`, if so: they have no label, or only one class.
    pub fn nothing_to_score(&self, task: usize, test: &[usize]) -> Option<String> {
        let mut labels = test.iter().filter_map(|&molecule| self.label(molecule, task));
        let Some(first) = labels.next() else { return Some("has no label in the test part".to_owned()) };
        let single = self.task_type == TaskType::Classification && labels.all(|label| label == first);
        single.then(|| "has only one class in the test part".to_owned())
    }

    /// The labels `f32[test molecules, tasks]` that predictions are scored against, row-major. They are NaN where they are
    /// missing, and for tasks of which nothing can be learned in training: a score of these says nothing about a method,
    /// so that it is in no mean.
    pub fn labels_to_score(&self, split: &Split) -> Vec<f32> {
        let learned: Vec<bool> =
            (0..self.tasks.len()).map(|task| self.nothing_to_learn(task, &split.train).is_none()).collect();
        let masked = |(label, learned): (&f32, &bool)| if *learned { *label } else { f32::NAN };
        split
            .test
            .iter()
            .flat_map(|&molecule| self.labels_of(molecule).iter().zip(&learned).map(masked))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made_up;

    fn dataset(table: &str, kind: TaskType) -> Dataset {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), table, |manifest| {
            manifest.tasks.kind = kind;
            manifest.table.rows = table.lines().count() - 1;
            if kind == TaskType::Regression {
                manifest.protocol.metric = molarena_metrics::Metric::Mae;
            }
        });
        Dataset::load(&manifest, folder.path()).unwrap()
    }

    #[test]
    fn only_tasks_that_vary_in_training_are_scored() {
        // Training: rows 0 and 1. Test: rows 2 and 3.
        let split =
            Split { protocol: String::new(), seed: 0, train: vec![0, 1], valid: vec![], test: vec![2, 3] };
        let classes = dataset("smiles,t1,t2\nC,1,1\nCC,0,1\nCCC,1,0\nCCCC,0,1\n", TaskType::Classification);
        assert_eq!(classes.nothing_to_learn(0, &split.train), None);
        assert_eq!(classes.nothing_to_learn(1, &split.train).unwrap(), "has only positives in training");
        let labels = classes.labels_to_score(&split);
        assert_eq!((labels[0], labels[2]), (1.0, 0.0));
        assert!(labels[1].is_nan() && labels[3].is_nan());
        let numbers = dataset("smiles,t1,t2\nC,2,\nCC,2,\nCCC,5,1\nCCCC,6,2\n", TaskType::Regression);
        let why = numbers.nothing_to_learn(0, &split.train).unwrap();
        assert_eq!(why, "is constant in training, where all labels are 2");
        assert_eq!(numbers.nothing_to_learn(1, &split.train).unwrap(), "has no label in training");
        assert!(numbers.labels_to_score(&split).iter().all(|label| label.is_nan()));
        let parts = dataset("smiles,t1,t2\nC,1,0\nCC,0,1\nCCC,,1\nCCCC,,1\n", TaskType::Classification);
        assert_eq!(parts.nothing_to_score(0, &split.test).unwrap(), "has no label in the test part");
        assert_eq!(parts.nothing_to_score(1, &split.test).unwrap(), "has only one class in the test part");
    }
}
