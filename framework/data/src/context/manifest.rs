//! A context graph's manifest: `datasets/<id>/context.toml`, schema `molarena.context/1`.

mod check;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::graph::{EdgeKind, NodeKind};
use crate::error::{Error, Result};
use crate::manifest::{FileRef, FileSpec, PackageFile, Role, Source, locate};

/// The manifest's schema and version.
pub const CONTEXT_SCHEMA: &str = "molarena.context/1";

/// What is known about a context graph before any of its bytes are read: its files and their digests, which
/// columns name nodes, which files hold features and edges, and the rules by which further edges are found.
///
/// A value of this type was checked by [`ContextManifest::parse`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextManifest {
    /// Always [`CONTEXT_SCHEMA`].
    pub schema: String,
    /// Short name: lower-case letters, digits, `-` and `_`. The manifest's folder has the same name; no dataset has it.
    pub id: String,
    /// Display name.
    pub title: String,
    /// What the graph is, in a few sentences.
    pub description: String,
    /// Licence of the data, or a statement that none is given.
    pub licence: String,
    /// Works to cite.
    #[serde(default)]
    pub citation: Vec<String>,
    /// Whether the data are simulated, so that they say nothing about chemistry. Shown wherever the graph is.
    #[serde(default)]
    pub simulated: bool,
    /// Where the files were published, if in one place.
    pub source: Option<Source>,
    /// The features of molecules.
    #[serde(default)]
    pub fingerprint: FingerprintSpec,
    /// Which computed similarities become edges.
    #[serde(default)]
    pub similarity: SimilaritySpec,
    /// Tables of molecules.
    pub molecules: Vec<MoleculeTable>,
    /// Columns that list genes. Without any, the graph has no gene nodes.
    #[serde(default)]
    pub genes: Vec<GeneTable>,
    /// Feature spaces.
    #[serde(default)]
    pub spaces: Vec<SpaceSpec>,
    /// Lists of edges.
    #[serde(default)]
    pub edges: Vec<EdgeList>,
    /// All files.
    pub files: Vec<ContextFile>,
    /// Where this manifest was read from, for errors. Not part of the format.
    #[serde(skip)]
    pub origin: PathBuf,
}

/// The Morgan fingerprint that is a molecule's features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FingerprintSpec {
    /// Radius in bonds.
    pub radius: u32,
    /// Number of bits: a multiple of 64.
    pub bits: usize,
}

impl Default for FingerprintSpec {
    fn default() -> Self {
        Self { radius: 2, bits: 1024 }
    }
}

/// A table of molecules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoleculeTable {
    /// Path of the file.
    pub file: String,
    /// Column of the ids by which other files name molecules. Without it a molecule is called by its file and row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Column of SMILES.
    pub smiles: String,
    /// Number of rows to take, evenly spread over the file; without it, all rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<usize>,
    /// How to treat a repeated id.
    #[serde(default)]
    pub repeated_ids: RepeatedIds,
}

/// How to treat an id that an earlier row has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RepeatedIds {
    /// An error.
    #[default]
    Error,
    /// The first row counts; the others are counted as repeated.
    First,
}

/// A file whose columns list genes; an id that occurs again is the same gene.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneTable {
    /// Path of the file.
    pub file: String,
    /// Columns of gene ids.
    pub columns: Vec<String>,
}

/// A feature space: a table that says which node each row belongs to, and a matrix with as many rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceSpec {
    /// Name, such as `expression` or `morphology-jump`.
    pub name: String,
    /// `morphology` or `expression`: each row is a node of its own, joined to its molecule. `gene`: each row holds
    /// features of a gene node.
    pub kind: NodeKind,
    /// Path of the table.
    pub table: String,
    /// Column that names the molecule, for profiles.
    pub molecule: Option<String>,
    /// Column that names the gene, for a space of genes.
    pub gene: Option<String>,
    /// Path of the matrix: a `.npz` with one array `data`.
    pub features: String,
    /// Number of the matrix's columns.
    pub columns: usize,
    /// Path of a text file with one column name per line.
    pub names: Option<String>,
    /// The gene of each column, where the values are a gene's expression.
    pub column_genes: Option<ColumnGenes>,
    /// Column of the table that names the batch, such as a plate, in which a row was measured.
    pub batch: Option<String>,
    /// Column of the table with the number of cells behind a row; an empty cell is unknown.
    pub cell_count: Option<String>,
    /// Whether similar rows are joined.
    #[serde(default = "yes")]
    pub similarity: bool,
}

const fn yes() -> bool {
    true
}

/// The genes that the columns of a space stand for, and which values become edges between molecules and genes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnGenes {
    /// Path of a table.
    pub file: String,
    /// Its column of gene ids.
    pub gene: String,
    /// Its column of column numbers, from 0; without it, row i is column i.
    pub column: Option<String>,
    /// Share of the space's values, the largest by absolute value, that become edges from the row's molecule to the
    /// column's gene. Their weight is the absolute value over the 95th percentile of these, at most 1.
    #[serde(default = "one_percent")]
    pub top_share: f64,
    /// How to treat a gene that is not a node.
    #[serde(default)]
    pub unknown: Unknown,
}

const fn one_percent() -> f64 {
    0.01
}

/// How to treat an id that names no node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Unknown {
    /// An error.
    #[default]
    Error,
    /// The edge is left out and counted.
    Skip,
}

/// A list of edges.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeList {
    /// Path of the file.
    pub file: String,
    /// One end. Edges have no direction.
    pub source: EdgeEnd,
    /// The other end.
    pub target: EdgeEnd,
    /// What the edges mean.
    pub kind: Option<EdgeKind>,
    /// Column that says what each edge means, instead of `kind`.
    pub kind_column: Option<String>,
    /// Column of magnitudes: the weight is the absolute value over its 95th percentile among the edges, at
    /// most 1. Without this column, the weight is 1.
    pub magnitude: Option<String>,
    /// How to treat an id that names no node.
    #[serde(default)]
    pub unknown: Unknown,
}

/// One end of a list's edges. A row without an id there counts as one with an unknown id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeEnd {
    /// `molecule` or `gene`.
    pub node: NodeKind,
    /// Column of ids.
    pub column: String,
}

/// Which computed similarities become edges: those above the threshold, largest first, up to a share
/// `1 - sparsity` of the pairs of molecules or of a space's rows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimilaritySpec {
    /// Similarities must exceed this.
    pub threshold: f64,
    /// Minimum share of the pairs that get no edge.
    pub sparsity: f64,
    /// How molecules that share a Murcko scaffold are compared.
    pub molecules: Measure,
    /// Whether stereochemistry distinguishes scaffolds.
    pub scaffold_stereo: bool,
    /// Number of principal components on which a space's rows are clustered.
    pub components: usize,
    /// Number of clusters of a space's rows; 0 means the square root of the number of rows.
    pub clusters: usize,
}

impl Default for SimilaritySpec {
    fn default() -> Self {
        Self {
            threshold: 0.8,
            sparsity: 0.995,
            molecules: Measure::Tanimoto,
            scaffold_stereo: false,
            components: 16,
            clusters: 0,
        }
    }
}

/// Similarity of two sets of bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// Common bits over the bits set in either.
    Tanimoto,
    /// Common bits over the geometric mean of the two bit counts.
    Cosine,
    /// Molecules are not compared.
    None,
}

/// A file of a context graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextFile {
    /// Path in the data folder, with `/`.
    pub path: String,
    /// What is in it.
    #[serde(default)]
    pub description: String,
    /// Where to download it.
    pub url: Option<String>,
    /// The package that it is a file of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageFile>,
    /// SHA-256 of its bytes: 64 lower-case hex digits.
    pub sha256: Option<String>,
    /// States that no digest is known. Whatever is found is then used and reported as unverified.
    #[serde(default)]
    pub unverified: bool,
    /// Its length in bytes.
    pub bytes: Option<u64>,
}

impl From<FileSpec> for ContextFile {
    fn from(file: FileSpec) -> Self {
        let FileSpec { path, description, url, sha256, bytes, .. } = file;
        Self { path, description, url, package: None, sha256: Some(sha256), unverified: false, bytes }
    }
}

impl ContextFile {
    /// Path of the file in `data_dir`.
    pub fn locate(&self, data_dir: &Path) -> PathBuf {
        locate(data_dir, &self.path)
    }

    pub(in crate::context) fn reference(&self) -> FileRef<'_> {
        FileRef {
            path: &self.path,
            role: Role::Assays,
            url: self.url.as_deref(),
            package: self.package.as_ref(),
            sha256: self.sha256.as_deref(),
            bytes: self.bytes,
        }
    }
}

impl ContextManifest {
    /// Reads a manifest from TOML and checks it. `origin` is named in errors.
    ///
    /// # Errors
    /// [`Error::ManifestSyntax`] for TOML errors, missing and unknown keys; [`Error::ManifestValue`], which names the
    /// key, for values that make no sense.
    pub fn parse(text: &str, origin: impl Into<PathBuf>) -> Result<Self> {
        let origin = origin.into();
        let mut manifest: Self = toml::from_str(text).map_err(|error| Error::ManifestSyntax {
            path: origin.clone(),
            message: error.to_string().trim_end().to_owned(),
        })?;
        manifest.origin = origin;
        manifest.check()?;
        Ok(manifest)
    }

    /// Reads and checks a manifest file.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&fs_err::read_to_string(path)?, path)
    }

    /// The files, as fetching and verifying take them; all are needed.
    pub(crate) fn file_refs(&self) -> Vec<FileRef<'_>> {
        self.files.iter().map(ContextFile::reference).collect()
    }
}
