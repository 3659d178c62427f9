//! Small molecules and labels for the cases.

use std::sync::LazyLock;

use molarena_features::{FeatureSpec, Features, SmilesForm};
use molarena_sdk::{
    ComponentDescription, Corpus, Dense, InputKind, Inputs, Labels, NodeKind, OwnedLabels, Profiles, TaskKind,
};

use super::Verdict;
use crate::inputs::corpus::computed;

/// Number of molecules.
pub(super) const MOLECULES: usize = 48;
/// The tasks: full, half of the labels missing, all missing, one value.
pub(super) const TASKS: usize = 4;

/// Chains of one to eight carbons with six ends.
pub(super) static SMILES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let ends = ["", "O", "N", "c1ccccc1", "C(=O)O", "C1CCCCC1"];
    (1..=8).flat_map(|length| ends.map(|end| "C".repeat(length) + end)).collect()
});

/// The form of inputs that a component names first.
pub(super) fn preferred(description: &ComponentDescription) -> Result<InputKind, Verdict> {
    let first = description.inputs.first().copied();
    first.ok_or_else(|| Verdict::Failed("it declares no form of inputs".into()))
}

/// Features of a form.
pub(super) fn of_form(input: InputKind) -> Result<Features, Verdict> {
    let spec = match input {
        InputKind::Smiles => FeatureSpec::Smiles { form: SmilesForm::Written },
        InputKind::Graphs => FeatureSpec::Graphs {},
        InputKind::Bits => FeatureSpec::Morgan { radius: 2, bits: 1024, chirality: true },
        InputKind::Dense => {
            FeatureSpec::MorganCounts { radius: 2, columns: 64, chirality: false, max_count: None }
        }
    };
    computed("the conformance suite", &SMILES, &spec).map_err(|error| Verdict::Skipped(error.to_string()))
}

/// Labels of four tasks with every kind of gap; they follow the length of the chain.
pub(super) fn labels(kind: TaskKind, rows: &[usize]) -> OwnedLabels {
    let value = |row: usize| match kind {
        TaskKind::Classification => f32::from(u8::from(row >= MOLECULES / 2)),
        TaskKind::Regression => row as f32 / 6.0,
    };
    let of_row =
        |&row: &usize| [value(row), if row.is_multiple_of(2) { value(row) } else { f32::NAN }, f32::NAN, 1.0];
    let values = rows.iter().flat_map(of_row).collect();
    OwnedLabels::from_nan(kind, rows.len(), TASKS, values).expect("rows x tasks labels")
}

/// A context graph of the molecules, each with a profile of each kind.
pub(super) struct Graph {
    molecules: Vec<Features>,
    node_kinds: Vec<u8>,
    nodes: Vec<u64>,
    values: Vec<f32>,
    profile_nodes: [Vec<u64>; 2],
    batches: Vec<u32>,
    sources: Vec<u64>,
    targets: Vec<u64>,
    weights: Vec<f32>,
}

/// Columns of a profile.
pub(super) const COLUMNS: usize = 12;

impl Graph {
    pub(super) fn new() -> Result<Self, Verdict> {
        let molecules = [InputKind::Smiles, InputKind::Bits, InputKind::Dense, InputKind::Graphs];
        let molecules = molecules.into_iter().map(of_form).collect::<Result<Vec<_>, _>>()?;
        let count = MOLECULES as u64;
        let kinds = [NodeKind::Molecule, NodeKind::Morphology, NodeKind::Expression];
        let node_kinds = kinds.iter().flat_map(|kind| [*kind as u8; MOLECULES]).collect();
        let value = |index: usize| (index * 37 % 101) as f32 / 100.0;
        Ok(Self {
            molecules,
            node_kinds,
            nodes: (0..count).collect(),
            values: (0..MOLECULES * COLUMNS).map(value).collect(),
            profile_nodes: [(count..2 * count).collect(), (2 * count..3 * count).collect()],
            batches: (0..MOLECULES).map(|row| (row % 2) as u32).collect(),
            sources: (0..count).chain(0..count).collect(),
            targets: (count..3 * count).collect(),
            weights: vec![1.0; 2 * MOLECULES],
        })
    }

    pub(super) fn corpus(&self) -> Corpus<'_> {
        let mut molecules = Inputs { rows: MOLECULES, ..Inputs::default() };
        for features in &self.molecules {
            let Inputs { smiles, bits, dense, graphs, .. } = features.inputs();
            molecules.smiles = molecules.smiles.or(smiles);
            molecules.bits = molecules.bits.or(bits);
            molecules.dense = molecules.dense.or(dense);
            molecules.graphs = molecules.graphs.or(graphs);
        }
        let space = |name, kind, nodes| Profiles {
            space: name,
            kind,
            nodes,
            values: Dense::new(&self.values, MOLECULES, COLUMNS).expect("rows x columns values"),
            batches: Some(&self.batches),
            cell_counts: None,
        };
        Corpus {
            node_kinds: &self.node_kinds,
            molecules,
            molecule_nodes: &self.nodes,
            spaces: vec![
                space("morphology", NodeKind::Morphology, &self.profile_nodes[0]),
                space("expression", NodeKind::Expression, &self.profile_nodes[1]),
            ],
            edge_sources: &self.sources,
            edge_targets: &self.targets,
            edge_weights: &self.weights,
        }
    }
}

/// Everything of labels that a call lends.
pub(super) fn lent(labels: &OwnedLabels) -> Labels<'_> {
    labels.view()
}
