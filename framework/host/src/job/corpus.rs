//! The corpus of a pretraining as files of the job folder.
//!
//! | file | what |
//! |---|---|
//! | `corpus.json` | [`Contents`] |
//! | `node_kinds.npy` | `u8[nodes]` |
//! | `molecule_nodes.npy` | `u64[molecules]` |
//! | `molecules-smiles.npz`, `-bits`, `-graphs`, `-dense` | the molecules, as feature files |
//! | `space-0-nodes.npy`, `space-0-values.npy`, ... | `u64[rows]` and `f32[rows, columns]`, NaN where missing |
//! | `space-0-batches.npy`, `space-0-cell-counts.npy`, ... | `u32[rows]` and `f32[rows]`, NaN where unknown; where known |
//! | `edge_sources.npy`, `edge_targets.npy`, `edge_weights.npy` | `u64[edges]`, `u64[edges]`, `f32[edges]` |
//!
//! They hold nothing else of the arena: no labels, and no left-out molecules.

use std::path::{Path, PathBuf};

use molarena_data::context::ContextGraph;
use molarena_sdk::{Corpus, Dense, InputKind, Inputs, NodeKind, Profiles};
use ndarray::{ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::files::json::read_json;
use crate::files::json::write_json;
use crate::files::npy::{read_matrix, read_vector, write_npy};
use molarena_features::{FeatureSpec, Features, OwnedSmiles};

/// Content of `corpus.json`, which describes the other files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Contents {
    /// Input kinds of the molecule files.
    inputs: Vec<InputKind>,
    /// The spaces.
    spaces: Vec<SpaceContents>,
}

/// A space of [`Contents`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SpaceContents {
    name: String,
    /// `MOLARENA_NODE_*`.
    kind: u8,
    /// Whether the batches of the rows are known.
    batches: bool,
    /// Whether the numbers of cells are known.
    cell_counts: bool,
}

fn molecules_file(folder: &Path, kind: InputKind) -> PathBuf {
    folder.join(format!("molecules-{kind}.npz"))
}

fn space_file(folder: &Path, index: usize, what: &str) -> PathBuf {
    folder.join(format!("space-{index}-{what}.npy"))
}

/// Writes `graph` into a job folder. The molecules are written as SMILES, graphs, bits, and dense features if
/// the method has them. SMILES are in the form of `features` if those are SMILES, else as the graph's files write them; the bits are
/// `features` if those are bits, else the graph's own fingerprints.
///
/// # Errors
/// [`Error::Features`] if a molecule of the graph cannot be read, and errors of writing.
pub(crate) fn write(graph: &ContextGraph, features: &FeatureSpec, folder: &Path) -> Result<()> {
    let mut inputs = vec![InputKind::Smiles, InputKind::Graphs, InputKind::Bits];
    let smiles: Vec<&str> = graph.molecules.iter().map(|molecule| molecule.smiles.as_str()).collect();
    let computed = |features| crate::inputs::corpus::computed(&graph.id, &smiles, features);
    let of_smiles = match features.input() {
        InputKind::Smiles => computed(features)?,
        _ => Features::Smiles(OwnedSmiles::new(&smiles)),
    };
    of_smiles.write(&molecules_file(folder, InputKind::Smiles))?;
    computed(&FeatureSpec::Graphs {})?.write(&molecules_file(folder, InputKind::Graphs))?;
    let own = match features.input() {
        InputKind::Smiles | InputKind::Graphs => None,
        _ => Some(computed(features)?),
    };
    let fingerprints = || Features::Bits {
        n_bits: graph.fingerprint_bits,
        words: graph.fingerprints.clone(),
        rows: graph.molecules.len(),
    };
    match own {
        Some(bits @ Features::Bits { .. }) => bits.write(&molecules_file(folder, InputKind::Bits))?,
        other => {
            fingerprints().write(&molecules_file(folder, InputKind::Bits))?;
            if let Some(dense) = other {
                dense.write(&molecules_file(folder, InputKind::Dense))?;
                inputs.push(InputKind::Dense);
            }
        }
    }
    write_nodes(graph, folder)?;
    write_edges(graph, folder)?;
    let spaces = graph.spaces.iter().map(|space| SpaceContents {
        name: space.name.clone(),
        kind: space.kind as u8,
        batches: !space.batches.is_empty(),
        cell_counts: !space.cell_counts.is_empty(),
    });
    let spaces = spaces.collect();
    write_json(folder, "corpus.json", &Contents { inputs, spaces })
}

fn write_nodes(graph: &ContextGraph, folder: &Path) -> Result<()> {
    let kinds: Vec<u8> = graph.node_kinds.iter().map(|&kind| kind as u8).collect();
    write_npy(&folder.join("node_kinds.npy"), &ArrayView1::from(&kinds))?;
    let nodes: Vec<u64> = graph.molecules.iter().map(|molecule| molecule.node).collect();
    write_npy(&folder.join("molecule_nodes.npy"), &ArrayView1::from(&nodes))?;
    for (index, space) in graph.spaces.iter().enumerate() {
        write_npy(&space_file(folder, index, "nodes"), &ArrayView1::from(&space.nodes))?;
        let values = ArrayView2::from_shape((space.len(), space.columns), &space.values);
        write_npy(&space_file(folder, index, "values"), &values.expect("rows x columns values"))?;
        if !space.batches.is_empty() {
            write_npy(&space_file(folder, index, "batches"), &ArrayView1::from(&space.batches))?;
        }
        if !space.cell_counts.is_empty() {
            write_npy(&space_file(folder, index, "cell-counts"), &ArrayView1::from(&space.cell_counts))?;
        }
    }
    Ok(())
}

fn write_edges(graph: &ContextGraph, folder: &Path) -> Result<()> {
    let sources: Vec<u64> = graph.edges.iter().map(|edge| edge.source).collect();
    write_npy(&folder.join("edge_sources.npy"), &ArrayView1::from(&sources))?;
    let targets: Vec<u64> = graph.edges.iter().map(|edge| edge.target).collect();
    write_npy(&folder.join("edge_targets.npy"), &ArrayView1::from(&targets))?;
    let weights: Vec<f32> = graph.edges.iter().map(|edge| edge.weight).collect();
    write_npy(&folder.join("edge_weights.npy"), &ArrayView1::from(&weights))
}

/// A corpus in memory, to be lent to an encoder.
#[derive(Debug)]
pub(crate) struct OwnedCorpus {
    node_kinds: Vec<u8>,
    molecules: Vec<Features>,
    molecule_nodes: Vec<u64>,
    spaces: Vec<OwnedProfiles>,
    edge_sources: Vec<u64>,
    edge_targets: Vec<u64>,
    edge_weights: Vec<f32>,
}

#[derive(Debug)]
struct OwnedProfiles {
    name: String,
    kind: NodeKind,
    nodes: Vec<u64>,
    columns: usize,
    values: Vec<f32>,
    batches: Option<Vec<u32>>,
    cell_counts: Option<Vec<f32>>,
}

impl OwnedCorpus {
    /// Reads what [`write()`] wrote.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        let contents: Contents = read_json(folder, "corpus.json")?;
        let molecules =
            contents.inputs.iter().map(|&kind| Features::read(&molecules_file(folder, kind), kind));
        let molecules = molecules.collect::<Result<Vec<_>, _>>()?;
        let spaces = contents.spaces.into_iter().enumerate().map(|(index, space)| {
            let path = space_file(folder, index, "values");
            let failed = |message: String| Error::Store { path: path.clone(), message };
            let (_, columns, values) = read_matrix(&path)?;
            let kind =
                NodeKind::from_abi(u32::from(space.kind)).map_err(|error| failed(error.to_string()))?;
            let nodes = read_vector(&space_file(folder, index, "nodes"))?;
            let batches = space.batches.then(|| read_vector(&space_file(folder, index, "batches")));
            let cell_counts =
                space.cell_counts.then(|| read_vector(&space_file(folder, index, "cell-counts")));
            Ok(OwnedProfiles {
                name: space.name,
                kind,
                nodes,
                columns,
                values,
                batches: batches.transpose()?,
                cell_counts: cell_counts.transpose()?,
            })
        });
        Ok(Self {
            node_kinds: read_vector(&folder.join("node_kinds.npy"))?,
            molecules,
            molecule_nodes: read_vector(&folder.join("molecule_nodes.npy"))?,
            spaces: spaces.collect::<Result<Vec<_>>>()?,
            edge_sources: read_vector(&folder.join("edge_sources.npy"))?,
            edge_targets: read_vector(&folder.join("edge_targets.npy"))?,
            edge_weights: read_vector(&folder.join("edge_weights.npy"))?,
        })
    }

    /// The borrowed view that an encoder gets.
    pub(crate) fn view(&self) -> molarena_sdk::Result<Corpus<'_>> {
        let mut molecules = Inputs { rows: self.molecule_nodes.len(), ..Inputs::default() };
        for features in &self.molecules {
            let Inputs { smiles, bits, dense, graphs, .. } = features.inputs();
            molecules.smiles = molecules.smiles.or(smiles);
            molecules.bits = molecules.bits.or(bits);
            molecules.dense = molecules.dense.or(dense);
            molecules.graphs = molecules.graphs.or(graphs);
        }
        let spaces = self.spaces.iter().map(|space| {
            let values = Dense::new(&space.values, space.nodes.len(), space.columns)?;
            Ok(Profiles {
                space: &space.name,
                kind: space.kind,
                nodes: &space.nodes,
                values,
                batches: space.batches.as_deref(),
                cell_counts: space.cell_counts.as_deref(),
            })
        });
        Ok(Corpus {
            node_kinds: &self.node_kinds,
            molecules,
            molecule_nodes: &self.molecule_nodes,
            spaces: spaces.collect::<molarena_sdk::Result<Vec<_>>>()?,
            edge_sources: &self.edge_sources,
            edge_targets: &self.edge_targets,
            edge_weights: &self.edge_weights,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use molarena_features::SmilesForm;

    use crate::testing::small_graph;

    #[test]
    fn what_is_written_is_read_and_nothing_else_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let graph = small_graph();
        let morgan = FeatureSpec::Morgan { radius: 1, bits: 128, chirality: false };
        write(&graph, &morgan, folder.path()).unwrap();
        let read = OwnedCorpus::read(folder.path()).unwrap();
        let corpus = read.view().unwrap();
        assert_eq!(corpus.node_kinds, [0, 0, 0, 1, 2, 3, 3]);
        assert_eq!(corpus.molecule_nodes, [0, 1, 2]);
        let smiles: Vec<&str> = corpus.molecules.smiles().unwrap().iter().collect();
        assert_eq!(smiles, ["CCO", "c1ccccc1", "CC(=O)O"]);
        assert_eq!(corpus.molecules.graphs().unwrap().atom_range(1), 3..9);
        assert_eq!(corpus.molecules.bits().unwrap().n_bits, 128, "the method's bits");
        assert!(corpus.molecules.dense.is_none());
        assert_eq!(corpus.spaces.len(), 2);
        assert_eq!((corpus.spaces[1].space, corpus.spaces[1].kind), ("expression", NodeKind::Expression));
        assert_eq!(corpus.spaces[1].nodes, [5, 6]);
        assert_eq!(corpus.spaces[1].values.row(1)[0], 1.0);
        assert!(corpus.spaces[1].values.row(1)[1].is_nan());
        assert_eq!((corpus.spaces[0].batches, corpus.spaces[0].cell_counts), (None, None));
        assert_eq!(corpus.spaces[1].batches, Some(&[1, 0][..]));
        let cells = corpus.spaces[1].cell_counts.unwrap();
        assert!(cells[0] == 40.0 && cells[1].is_nan());
        assert_eq!((corpus.edge_sources, corpus.edge_targets), (&[0, 0, 2][..], &[4, 5, 6][..]));
        assert_eq!(corpus.edge_weights, [1.0, 1.0, 1.0]);
    }

    #[test]
    fn smiles_have_the_form_that_the_method_s_have() {
        let mut graph = small_graph();
        graph.molecules[0].smiles = "OCC".into();
        let smiles = |form| {
            let folder = tempfile::tempdir().unwrap();
            write(&graph, &FeatureSpec::Smiles { form }, folder.path()).unwrap();
            let read = OwnedCorpus::read(folder.path()).unwrap();
            read.view().unwrap().molecules.smiles().unwrap().iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(smiles(SmilesForm::Written), ["OCC", "c1ccccc1", "CC(=O)O"]);
        assert_eq!(smiles(SmilesForm::Canonical), ["CCO", "c1ccccc1", "CC(=O)O"]);
    }

    #[test]
    fn dense_features_come_beside_the_graphs_own_fingerprints() {
        let folder = tempfile::tempdir().unwrap();
        let graph = small_graph();
        write(&graph, &FeatureSpec::Descriptors {}, folder.path()).unwrap();
        let read = OwnedCorpus::read(folder.path()).unwrap();
        let molecules = read.view().unwrap().molecules;
        assert_eq!(molecules.dense().unwrap().columns, molarena_chem::DESCRIPTOR_NAMES.len());
        assert_eq!(molecules.bits().unwrap().row(1), graph.fingerprint(1));
    }
}
