//! An audit of a dataset and a split: what makes its scores too good, too noisy or wrong.
//!
//! [`Audit::new`] looks for twins (rows of one molecule under another spelling, tautomer, salt or stereoisomer), labels
//! that contradict each other, label columns that repeat each other, scaffolds in several parts, neighbours of test
//! molecules in the training part, tasks with too few labels to rank methods by, and molecules of the test part in a
//! [`Corpus`]. It changes nothing and reads no file. A finding is not an error.
//!
//! Equal data, splits and corpora give equal audits, byte by byte, on any number of threads.

mod canary;
mod columns;
mod conflicts;
mod corpus;
mod groups;
mod keys;
mod neighbours;
mod scaffolds;
#[cfg(test)]
mod tests;
mod thin;
mod twins;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::manifest::TaskType;
use crate::prepared::PreparedDataset;
use crate::split::{Part, Split};

pub use canary::{Canary, CanaryCell, canary};
pub use columns::{ColumnRelation, Columns, SameColumns};
pub use conflicts::{ConflictExample, Conflicts, TaskConflicts};
pub use corpus::{AssayOverlap, Corpus, CorpusOverlap};
pub use neighbours::{Neighbours, ShareAtLeast};
pub use scaffolds::{ScaffoldOverlap, Scaffolds};
pub use thin::{ThinTask, ThinTasks};
pub use twins::{PairCounts, TwinExample, TwinKind, Twins, TwinsOfKind};

/// Schema name of [`Report`].
pub const AUDIT_SCHEMA: &str = "molarena.audit/1";

/// Examples kept of each kind of finding; counts are always complete.
pub const EXAMPLES: usize = 10;

/// What `molarena audit` found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`AUDIT_SCHEMA`].
    pub schema: String,
    /// Each dataset, in the order of the request.
    pub datasets: Vec<Audit>,
    /// Corpora that plugins declare their weights to be pretrained on.
    pub declared: Vec<DeclaredCorpus>,
    /// Methods trained on shuffled labels; `None` if no store was looked at.
    pub canaries: Option<Vec<Canary>>,
}

/// A corpus that a component declares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredCorpus {
    /// `plugin/component`.
    pub component: String,
    /// The corpus as the component names it.
    pub corpus: String,
    /// Why its overlap cannot be told; `None` if it is among [`Audit::corpora`] of every dataset.
    pub unread: Option<String>,
}

/// The audit of one dataset under one split. Rows are data rows of the dataset's file, from 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Audit {
    /// The dataset's id.
    pub dataset: String,
    /// Its title.
    pub title: String,
    /// SHA-256 of its file.
    pub sha256: String,
    /// The kind of label.
    #[schemars(with = "String")]
    pub task_type: TaskType,
    /// Number of tasks.
    pub tasks: usize,
    /// The split.
    pub split: AuditedSplit,
    /// Rows whose SMILES cannot be read; they are in nothing below.
    pub unreadable_rows: Vec<usize>,
    /// Rows of one molecule.
    pub twins: Twins,
    /// Labels of one molecule that contradict each other.
    pub conflicts: Conflicts,
    /// Label columns that repeat each other.
    pub columns: Columns,
    /// Scaffolds in several parts.
    pub scaffolds: Scaffolds,
    /// How near test molecules are to the training part.
    pub neighbours: Neighbours,
    /// Tasks with too few labels in the test part to rank methods by.
    pub thin: ThinTasks,
    /// Molecules and assays shared with each corpus, in the order of the request.
    pub corpora: Vec<CorpusOverlap>,
}

/// A split, in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditedSplit {
    /// Name of the protocol.
    pub protocol: String,
    /// The seed; 0 if the protocol uses none.
    pub seed: u64,
    /// SHA-256 of the index lists.
    pub sha256: String,
    /// Molecules to learn from.
    pub train: usize,
    /// Molecules to choose settings with.
    pub valid: usize,
    /// Molecules to be scored on.
    pub test: usize,
}

/// How much of a test part is known from elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contamination {
    /// The dataset's id.
    pub dataset: String,
    /// Name of the split's protocol.
    pub split: String,
    /// Rows of the test part.
    pub test_rows: usize,
    /// Rows of the test part whose identity key (first block of the `InChIKey`) a training row has.
    pub twin_rows: usize,
    /// `twin_rows` / `test_rows`, from 0 to 1.
    pub twin_share: f64,
    /// Each corpus: its id, and the share of the rows of the test part whose identity key it has, from 0 to 1.
    pub corpora: Vec<(String, f64)>,
}

/// JSON Schema of [`Report`].
pub fn json_schema() -> serde_json::Value {
    schemars::schema_for!(Report).to_value()
}

impl Audit {
    /// Audits a dataset under a split.
    ///
    /// # Panics
    /// If the split has an index that is not a molecule of the dataset.
    pub fn new(prepared: &PreparedDataset, split: &Split, corpora: &[Corpus]) -> Self {
        let dataset = &prepared.dataset;
        let parts = PartOfRow::new(split, dataset.len());
        let keys = keys::all(&prepared.molecules);
        let identities: Vec<&str> = keys.iter().map(|keys| keys.identity.as_str()).collect();
        let identities = groups::numbered(&identities);
        let flat_scaffolds: Vec<String> = keys.iter().map(|keys| keys.flat_scaffold.clone()).collect();
        Self {
            dataset: dataset.id.clone(),
            title: dataset.title.clone(),
            sha256: dataset.sha256.clone(),
            task_type: dataset.task_type,
            tasks: dataset.tasks.len(),
            split: AuditedSplit {
                protocol: split.protocol.clone(),
                seed: split.seed,
                sha256: split.sha256(),
                train: split.train.len(),
                valid: split.valid.len(),
                test: split.test.len(),
            },
            unreadable_rows: prepared.failures.iter().map(|failure| failure.row).collect(),
            twins: twins::find(prepared, &parts, &keys),
            conflicts: conflicts::find(dataset, &identities),
            columns: columns::find(dataset),
            scaffolds: scaffolds::find(&prepared.scaffolds, &flat_scaffolds, split),
            neighbours: neighbours::find(&prepared.molecules, split),
            thin: thin::find(dataset, &split.test),
            corpora: corpora.iter().map(|corpus| corpus.overlap(dataset, &parts, &keys)).collect(),
        }
    }

    /// How much of the test part is known from the training part and from each corpus.
    pub fn contamination(&self) -> Contamination {
        let test_rows = self.split.test;
        Contamination {
            dataset: self.dataset.clone(),
            split: self.split.protocol.clone(),
            test_rows,
            twin_rows: self.twins.test_rows_with_training_twin,
            twin_share: share(self.twins.test_rows_with_training_twin, test_rows),
            corpora: self
                .corpora
                .iter()
                .map(|corpus| (corpus.corpus.clone(), share(corpus.test_rows, test_rows)))
                .collect(),
        }
    }

    /// Whether rows of one molecule, of whatever kind, are in several parts, or labels of one molecule contradict each
    /// other.
    pub fn has_twins_across_parts_or_conflicts(&self) -> bool {
        self.twins.kinds.iter().any(|kind| kind.pairs.across() > 0) || self.conflicts.molecules > 0
    }
}

/// `count` / `total`; 0 of nothing.
fn share(count: usize, total: usize) -> f64 {
    if total == 0 { 0.0 } else { count as f64 / total as f64 }
}

/// The part of each molecule; `None` for one that the split leaves out.
struct PartOfRow(Vec<Option<Part>>);

impl PartOfRow {
    fn new(split: &Split, molecules: usize) -> Self {
        let mut parts = vec![None; molecules];
        for (part, indices) in split.parts() {
            for &index in indices {
                parts[index] = Some(part);
            }
        }
        Self(parts)
    }

    fn of(&self, molecule: usize) -> Option<Part> {
        self.0[molecule]
    }
}
