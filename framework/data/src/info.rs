//! Summary of a dataset: counts per task, duplicates, scaffolds, splits, and warnings.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use crate::dataset::Dataset;
use crate::error::Result;
use crate::manifest::{Manifest, TaskType};
use crate::prepared::{PreparedDataset, RowFailure};
use crate::split::{Protocol, Split};

/// A summary of a dataset.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// The manifest's id.
    pub id: String,
    /// The manifest's title.
    pub title: String,
    /// Whether the data are simulated.
    pub simulated: bool,
    /// The kind of label.
    pub task_type: TaskType,
    /// SHA-256 of the assay file's bytes.
    pub sha256: String,
    /// Rows in the file.
    pub rows: usize,
    /// Rows whose SMILES can be read. Everything below is about these.
    pub molecules: usize,
    /// Rows whose SMILES cannot be read.
    pub failures: Vec<RowFailure>,
    /// Share of the labels that are known, from 0 to 1.
    pub label_density: f64,
    /// Each task.
    pub tasks: Vec<TaskSummary>,
    /// Distinct molecules by [`molarena_chem::Molecule::identity`], which unites stereoisomers.
    pub distinct_molecules: usize,
    /// Distinct scaffolds; all molecules without a ring count as one.
    pub scaffolds: usize,
    /// Molecules without a ring.
    pub acyclic: usize,
    /// Each protocol's split with seed 0, unless it leaves a part empty.
    pub splits: Vec<SplitSummary>,
    /// Warnings for readers of scores; each names the task, row or protocol.
    pub warnings: Vec<String>,
}

/// Labels of one task.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskSummary {
    /// The task's column.
    pub name: String,
    /// Its unit, where the manifest names one.
    pub unit: Option<String>,
    /// Molecules with a label.
    pub known: usize,
    /// Molecules without one.
    pub missing: usize,
    /// Statistics of the labels.
    #[serde(flatten)]
    pub statistics: LabelStatistics,
}

/// Statistics of a task's labels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LabelStatistics {
    /// Of a classification task.
    Classes {
        /// Labels that are 1.
        positives: usize,
        /// Labels that are 0.
        negatives: usize,
    },
    /// Of a regression task, in the task's unit. NaN (`null` in JSON) where there are too few labels.
    Values {
        /// Mean.
        mean: f64,
        /// Sample standard deviation (n - 1).
        standard_deviation: f64,
    },
}

/// A protocol's split of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitSummary {
    /// The protocol.
    pub protocol: Protocol,
    /// The seed; 0 if the protocol uses none.
    pub seed: u64,
    /// Digest of the index lists.
    pub sha256: String,
    /// Molecules to learn from.
    pub train: usize,
    /// Molecules to choose settings with.
    pub valid: usize,
    /// Molecules to be scored on.
    pub test: usize,
    /// Scaffolds that are in more than one part: leaks.
    pub straddling: usize,
    /// Tasks that can be scored on the test part: both classes occur (classification), or any label (regression).
    pub scored_tasks: usize,
}

impl Summary {
    /// Reads a dataset from the data folder and summarises it.
    ///
    /// # Errors
    /// Those of [`Dataset::load`] and [`PreparedDataset::new`].
    pub fn load(manifest: &Manifest, data_dir: &Path) -> Result<Self> {
        let summary = Self::new(&PreparedDataset::new(Dataset::load(manifest, data_dir)?)?);
        Ok(Self { simulated: manifest.simulated, ..summary })
    }

    /// Summarises a prepared dataset; `simulated` is false, as only the manifest states it.
    pub fn new(prepared: &PreparedDataset) -> Self {
        let dataset = &prepared.dataset;
        let tasks: Vec<TaskSummary> = (0..dataset.tasks.len()).map(|task| summarise(dataset, task)).collect();
        let known: usize = tasks.iter().map(|task| task.known).sum();
        let splits: Vec<SplitSummary> = Protocol::ALL
            .into_iter()
            .filter_map(|protocol| {
                Some(summarise_split(prepared, protocol, &prepared.split(protocol, 0).ok()?))
            })
            .collect();
        let identities = prepared.molecules.iter().map(molarena_chem::Molecule::identity);
        let mut summary = Self {
            id: dataset.id.clone(),
            title: dataset.title.clone(),
            simulated: false,
            task_type: dataset.task_type,
            sha256: dataset.sha256.clone(),
            rows: dataset.len() + prepared.failures.len(),
            molecules: dataset.len(),
            failures: prepared.failures.clone(),
            label_density: known as f64 / dataset.labels.len() as f64,
            tasks,
            distinct_molecules: count(identities).len(),
            scaffolds: count(prepared.scaffolds.iter()).len(),
            acyclic: prepared.scaffolds.iter().filter(|scaffold| scaffold.is_empty()).count(),
            splits,
            warnings: Vec::new(),
        };
        summary.warnings = summary.warn();
        summary
    }

    fn warn(&self) -> Vec<String> {
        let failure = |f: &RowFailure| format!("row {} is left out: \"{}\": {}", f.row, f.smiles, f.reason);
        let mut warnings: Vec<String> = self.failures.iter().map(failure).collect();
        warnings.extend(self.tasks.iter().filter_map(TaskSummary::warning));
        let repeats = self.molecules - self.distinct_molecules;
        if repeats > 0 {
            warnings.push(format!(
                "{repeats} of {} rows repeat a molecule of an earlier row, or are its stereoisomers",
                self.molecules
            ));
        }
        for protocol in Protocol::ALL {
            match self.splits.iter().find(|split| split.protocol == protocol) {
                None => warnings.push(format!("protocol {protocol}: a part would be empty")),
                Some(split) if split.straddling > 0 => warnings.push(format!(
                    "protocol {protocol}: {} of {} scaffolds are in more than one part",
                    split.straddling, self.scaffolds
                )),
                Some(_) => {}
            }
        }
        warnings
    }
}

impl TaskSummary {
    fn warning(&self) -> Option<String> {
        let name = &self.name;
        match self.statistics {
            _ if self.known == 0 => Some(format!("task \"{name}\" has no labels; it cannot be scored")),
            LabelStatistics::Classes { positives: 0, negatives } => Some(format!(
                "task \"{name}\" has {negatives} negatives and no positive; it cannot be scored"
            )),
            LabelStatistics::Classes { positives, negatives: 0 } => Some(format!(
                "task \"{name}\" has {positives} positives and no negative; it cannot be scored"
            )),
            _ => None,
        }
    }
}

fn summarise(dataset: &Dataset, task: usize) -> TaskSummary {
    let labels: Vec<f32> = (0..dataset.len()).filter_map(|molecule| dataset.label(molecule, task)).collect();
    let statistics = match dataset.task_type {
        TaskType::Classification => {
            let positives = labels.iter().filter(|&&label| label == 1.0).count();
            LabelStatistics::Classes { positives, negatives: labels.len() - positives }
        }
        TaskType::Regression => {
            let (mean, standard_deviation) = mean_and_deviation(&labels);
            LabelStatistics::Values { mean, standard_deviation }
        }
    };
    TaskSummary {
        name: dataset.tasks[task].clone(),
        unit: dataset.units[task].clone(),
        known: labels.len(),
        missing: dataset.len() - labels.len(),
        statistics,
    }
}

/// Mean and sample standard deviation; NaN for fewer than one and two values, respectively.
pub(crate) fn mean_and_deviation(values: &[f32]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
    // With one or no value this would be 0 / 0, or 0 / -1, whose root is negative zero.
    let deviation = if values.len() < 2 { f64::NAN } else { (squares / (count - 1.0)).sqrt() };
    (mean, deviation)
}

fn summarise_split(prepared: &PreparedDataset, protocol: Protocol, split: &Split) -> SplitSummary {
    let dataset = &prepared.dataset;
    let scored = |task: &usize| {
        let mut labels = split.test.iter().filter_map(|&molecule| dataset.label(molecule, *task));
        match (dataset.task_type, labels.next()) {
            (_, None) => false,
            (TaskType::Classification, Some(first)) => labels.any(|label| label != first),
            (TaskType::Regression, Some(_)) => true,
        }
    };
    SplitSummary {
        protocol,
        seed: split.seed,
        sha256: split.sha256(),
        train: split.train.len(),
        valid: split.valid.len(),
        test: split.test.len(),
        straddling: split.straddling(&prepared.scaffolds),
        scored_tasks: (0..dataset.tasks.len()).filter(scored).count(),
    }
}

fn count<T: Eq + std::hash::Hash>(items: impl Iterator<Item = T>) -> HashMap<T, usize> {
    items.fold(HashMap::new(), |mut counts, item| {
        *counts.entry(item).or_insert(0) += 1;
        counts
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::made_up;

    fn summary(assays: &str, rows: usize, kind: TaskType) -> Summary {
        let folder = tempfile::tempdir().unwrap();
        let manifest = made_up(folder.path(), assays, |manifest| {
            manifest.table.rows = rows;
            manifest.tasks.kind = kind;
        });
        Summary::load(&manifest, folder.path()).unwrap()
    }

    #[test]
    fn counts_classes_and_names_what_cannot_be_scored() {
        let table = "smiles,t1,t2\nc1ccccc1,1,\nCC,0,0\nC1CCCC1,0,0\nC(C,1,1\nOCC,,0\nCCO,1,0\n";
        let summary = summary(table, 6, TaskType::Classification);
        assert_eq!((summary.rows, summary.molecules), (6, 5));
        assert_eq!(summary.failures[0].row, 4);
        assert_eq!(summary.tasks[0].statistics, LabelStatistics::Classes { positives: 2, negatives: 2 });
        assert_eq!((summary.tasks[1].known, summary.tasks[1].missing), (4, 1));
        assert!((summary.label_density - 0.8).abs() < 1e-12);
        assert_eq!((summary.distinct_molecules, summary.scaffolds, summary.acyclic), (4, 3, 3));
        let has = |text: &str| summary.warnings.iter().any(|warning| warning.contains(text));
        assert!(has("task \"t2\" has 4 negatives and no positive"), "{:?}", summary.warnings);
        assert!(has("row 4 is left out: \"C(C\"") && has("1 of 5 rows repeat"), "{:?}", summary.warnings);
        assert!(!has("\"t1\""), "{:?}", summary.warnings);
        let scaffold = summary.splits.iter().find(|split| split.protocol == Protocol::Scaffold).unwrap();
        assert_eq!((scaffold.train, scaffold.valid, scaffold.test, scaffold.straddling), (3, 1, 1, 0));
    }

    #[test]
    fn gives_mean_and_deviation_of_values() {
        let summary = summary("smiles,t1,t2\nC,1,\nCC,2,3\nCCC,4.5,\n", 3, TaskType::Regression);
        let LabelStatistics::Values { mean, standard_deviation } = summary.tasks[0].statistics else {
            panic!("{:?}", summary.tasks[0]);
        };
        // (1 + 2 + 4.5) / 3 = 2.5; ((1.5)^2 + (0.5)^2 + 2^2) / 2 = 3.25.
        assert_eq!(mean, 2.5);
        assert!((standard_deviation - 3.25_f64.sqrt()).abs() < 1e-12);
        let LabelStatistics::Values { mean, standard_deviation } = summary.tasks[1].statistics else {
            panic!("{:?}", summary.tasks[1]);
        };
        assert!(mean == 3.0 && standard_deviation.is_nan());
    }
}
