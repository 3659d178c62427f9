//! A built context graph.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// What a node stands for. The values are those of `MOLARENA_NODE_*` in the plugin interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum NodeKind {
    /// A molecule; its features are Morgan bits.
    Molecule = 0,
    /// A gene; it may have features in some spaces (profiles of cells in which it was perturbed).
    Gene = 1,
    /// A cell-morphology profile.
    Morphology = 2,
    /// A gene-expression profile.
    Expression = 3,
}

impl NodeKind {
    /// All kinds, in the order of their values.
    pub const ALL: [Self; 4] = [Self::Molecule, Self::Gene, Self::Morphology, Self::Expression];
}

impl std::fmt::Display for NodeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Molecule => "molecule",
            Self::Gene => "gene",
            Self::Morphology => "morphology",
            Self::Expression => "expression",
        })
    }
}

/// Why two nodes are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EdgeKind {
    /// A molecule and a profile of cells that were treated with it. Weight 1.
    Perturbs,
    /// A molecule or gene changes a gene's expression: listed, or one of the largest absolute values of a profile.
    Regulates,
    /// A molecule binds a gene's product.
    Binds,
    /// Two genes' products interact.
    Interacts,
    /// Two genes covary.
    Covaries,
    /// Two molecules, or two rows of a feature space, are similar. The weight is the similarity.
    Similar,
}

impl EdgeKind {
    /// All kinds, in the order of their values.
    pub const ALL: [Self; 6] =
        [Self::Perturbs, Self::Regulates, Self::Binds, Self::Interacts, Self::Covaries, Self::Similar];
}

impl std::fmt::Display for EdgeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Perturbs => "perturbs",
            Self::Regulates => "regulates",
            Self::Binds => "binds",
            Self::Interacts => "interacts",
            Self::Covaries => "covaries",
            Self::Similar => "similar",
        })
    }
}

/// A molecule node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Molecule {
    /// Index in [`ContextGraph::node_kinds`].
    pub node: u64,
    /// Id in the table it comes from.
    pub name: String,
    /// SMILES, without a CXSMILES extension or a name after it.
    pub smiles: String,
    /// Identity key, [`molarena_chem::Molecule::identity`]; no two molecules of a graph have the same.
    pub identity: String,
}

/// A row of a molecule table whose SMILES cannot be read; it is not a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MoleculeFailure {
    /// The file's path in the data folder.
    pub file: String,
    /// Data row of the file, from 1.
    pub row: usize,
    /// The molecule's id.
    pub name: String,
    /// The SMILES.
    pub smiles: String,
    /// What the parser said.
    pub reason: String,
}

/// Features of nodes of one kind, measured in one way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Space {
    /// Name, such as `expression` or `morphology-jump`.
    pub name: String,
    /// Kind of the nodes.
    pub kind: NodeKind,
    /// Number of columns.
    pub columns: usize,
    /// `[columns]`: names of the columns, or empty if the manifest names none.
    pub names: Vec<String>,
    /// `[rows]`: the node of each row; no node has two rows.
    pub nodes: Vec<u64>,
    /// `f32[rows, columns]`, row-major, each column scaled to [0, 1] over the rows; NaN where a value is missing.
    #[serde(skip)]
    pub values: Vec<f32>,
    /// `[columns]`: each column's minimum and maximum before scaling; NaN where no row has a value. A column whose
    /// minimum is its maximum is 0.
    pub bounds: Vec<[f32; 2]>,
    /// `[rows]`: the data row, from 1, of the space's table that each row comes from.
    pub rows: Vec<u64>,
    /// `[rows]`: the number of each row's batch, the place of its name in `batch_names`; empty if the manifest names no
    /// batches.
    pub batches: Vec<u32>,
    /// Names of the batches of the rows, sorted.
    pub batch_names: Vec<String>,
    /// `[rows]`: number of cells behind each row, NaN where it is not known; empty if the manifest names no counts.
    pub cell_counts: Vec<f32>,
}

impl Space {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there are no rows, as when every molecule with such a profile was left out.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// `[columns]`: the scaled values of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.columns..][..self.columns]
    }
}

/// An undirected edge between two different nodes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Edge {
    /// The node with the smaller number.
    pub source: u64,
    /// The node with the larger number.
    pub target: u64,
    /// Weight, from 0 (excluded) to 1.
    pub weight: f32,
    /// Why the nodes are joined; of several reasons, the one with the largest weight.
    pub kind: EdgeKind,
}

/// What was left out or changed while a graph was built; nothing is dropped silently.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the molecule tables.
    pub molecule_rows: usize,
    /// Rows that repeat a molecule of an earlier row by identity key (stereoisomers, too) and share its node.
    pub merged_molecules: usize,
    /// Rows with the id of an earlier row, in tables that allow it; only the first counts.
    pub repeated_molecule_ids: usize,
    /// SMILES with a CXSMILES extension or a name after a blank, which was cut off.
    pub cut_smiles: usize,
    /// Profiles left out because their molecule was.
    pub left_out_profiles: usize,
    /// Profiles that are not nodes because their molecule's SMILES cannot be read or because they name no
    /// molecule.
    pub profiles_without_molecule: usize,
    /// Rows that repeat a gene in a space; only the first counts.
    pub repeated_gene_rows: usize,
    /// Listed edges with an end at a molecule that was left out or cannot be read.
    pub edges_of_left_molecules: usize,
    /// Listed edges, and expression values above the threshold, that name no node, where the manifest allows it.
    pub edges_without_node: usize,
    /// Edges from a node to itself, and edges of weight 0.
    pub void_edges: usize,
    /// Edges between nodes that another edge joins; the edge with the largest weight stays.
    pub repeated_edges: usize,
    /// Columns, over all spaces, with a single value; they are scaled to 0.
    pub constant_columns: usize,
    /// Columns, over all spaces, that lost all their values when molecules were left out; they stay, all
    /// missing.
    pub emptied_columns: usize,
}

/// A context graph: nodes are numbered molecules first, then genes, then the rows of the profile spaces in the
/// manifest's order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ContextGraph {
    /// The manifest's id.
    pub id: String,
    /// The manifest's title.
    pub title: String,
    /// Whether the data are simulated.
    pub simulated: bool,
    /// `[nodes]`: the kind of each node.
    pub node_kinds: Vec<NodeKind>,
    /// The molecules, by node.
    pub molecules: Vec<Molecule>,
    /// `u64[molecules, words_per_row]`: Morgan bits, as in [`molarena_chem::BitMatrix`].
    pub fingerprints: Vec<u64>,
    /// Bits of a fingerprint.
    pub fingerprint_bits: usize,
    /// Radius of the fingerprint.
    pub fingerprint_radius: u32,
    /// Ids of the genes, by node; the first gene's node is `molecules.len()`.
    pub genes: Vec<String>,
    /// The feature spaces, in the manifest's order.
    pub spaces: Vec<Space>,
    /// The edges by source and target; each pair of nodes at most once.
    pub edges: Vec<Edge>,
    /// Number of molecules left out (distinct identity keys).
    pub left_out: usize,
    /// Rows whose SMILES cannot be read.
    pub failures: Vec<MoleculeFailure>,
    /// Counts of everything else that was left out or changed.
    pub counts: Counts,
    /// Files that the manifest names without a digest: path and the sha256 found.
    pub unverified: Vec<(String, String)>,
    /// SHA-256, as 64 hex digits, of what the graph is made from: manifest, digests of the files, molecules
    /// to leave out, chemistry version. Equal keys mean equal graphs.
    pub key: String,
}

/// A step of [`ContextGraph::build`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Comparing the files with the manifest.
    Files,
    /// Reading or writing the cached graph.
    Cache,
    /// Reading molecules.
    Molecules,
    /// Reading feature spaces.
    Features,
    /// Reading lists of edges.
    Edges,
    /// Clustering similar rows.
    Clusters,
    /// Comparing molecules and rows.
    Similarity,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Files => "checking files",
            Self::Cache => "cached graph",
            Self::Molecules => "molecules",
            Self::Features => "features",
            Self::Edges => "edges",
            Self::Clusters => "clusters",
            Self::Similarity => "similarity",
        })
    }
}

/// Progress of a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'a> {
    /// How far a step is.
    At {
        /// The step.
        step: Step,
        /// How much of it is done.
        done: usize,
        /// How much of it there is.
        total: usize,
    },
    /// Something to tell the user, such as a damaged file in the cache that is built again.
    Note(&'a str),
}

impl ContextGraph {
    /// 64-bit words per fingerprint.
    pub fn words_per_row(&self) -> usize {
        self.fingerprint_bits / 64
    }

    /// The Morgan bits of a molecule.
    ///
    /// # Panics
    /// If there is no such molecule.
    pub fn fingerprint(&self, molecule: usize) -> &[u64] {
        &self.fingerprints[molecule * self.words_per_row()..][..self.words_per_row()]
    }

    /// The space called `name`, if there is one.
    pub fn space(&self, name: &str) -> Option<&Space> {
        self.spaces.iter().find(|space| space.name == name)
    }

    /// The molecule of each profile in a space, as (row of the space, index in [`ContextGraph::molecules`]),
    /// by row. Empty for a space of genes and for an unknown space.
    pub fn profiles_of(&self, space: &str) -> Vec<(usize, usize)> {
        let Some(space) = self.space(space).filter(|space| space.kind != NodeKind::Gene) else {
            return Vec::new();
        };
        let mut molecule_of = HashMap::new();
        for edge in self.edges.iter().filter(|edge| edge.kind == EdgeKind::Perturbs) {
            // Molecules have the smaller numbers, and molecule i is node i.
            molecule_of.insert(edge.target, edge.source as usize);
        }
        let pairs = space.nodes.iter().enumerate();
        pairs.filter_map(|(row, node)| Some((row, *molecule_of.get(node)?))).collect()
    }
}
