//! The configuration of the encoder.

use std::collections::BTreeMap;

use molarena_sdk::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

/// Configuration of [`Onnx`](crate::Onnx).
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnnxConfig {
    /// The inputs of the graph by name, and what each is filled with.
    pub inputs: BTreeMap<String, Given>,
    /// Name of the output that becomes the vectors; its first one if none is named.
    #[serde(default)]
    pub output: Option<String>,
    /// How rows of atoms or tokens become the vector of their molecule.
    #[serde(default)]
    pub pool: Pool,
    /// Number of columns of the vectors, where the file does not say it.
    #[serde(default)]
    pub width: Option<usize>,
    /// Molecules in a call of the graph.
    #[serde(default = "batch")]
    pub batch: usize,
    /// The tokens of SMILES, for inputs of tokens.
    #[serde(default)]
    pub vocabulary: Option<Vocabulary>,
    /// A seed from which the matrices of the file's weights are drawn anew, each with its standard deviation: the control that
    /// trained ones have to beat.
    #[serde(default)]
    pub random: Option<u64>,
}

const fn batch() -> usize {
    32
}

/// What an input of the graph is filled with, for n molecules. Numbers become the element type that the graph declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// Dense features, `[n, columns]`: counts, descriptors, or what else the method computes.
    Dense,
    /// The bits of a fingerprint as 0 and 1, `[n, bits]`.
    Bits,
    /// The Open Graph Benchmark's features of the atoms of all molecules, `[atoms, 9]`.
    AtomFeatures,
    /// The Open Graph Benchmark's features of the bonds, `[2 * bonds, 3]`: each bond in both directions, one after the other.
    BondFeatures,
    /// The two atoms of each of these, `[2, 2 * bonds]`, numbered over all molecules of the call.
    BondIndex,
    /// The number of the molecule of each atom, `[atoms]`.
    AtomMolecule,
    /// Graphium's features of the atoms of all molecules, `[atoms, 85]`: degree less 2, charge, radical electrons, aromatic, in a ring;
    /// element, group, period and valence as zeros and ones.
    GraphiumAtoms,
    /// Graphium's features of the bonds, `[2 * bonds, 13]`: type, stereo, in a ring; each bond in both directions, as for `bond-index`.
    GraphiumBonds,
    /// The atoms' elements in the eigenvectors of the 8 smallest eigenvalues of the Laplacian of their fragment, `[atoms, 8]`.
    LaplacianVectors,
    /// These eigenvalues, `[atoms, 8]`.
    LaplacianValues,
    /// Probabilities that a random walk is at its atom again after 1 to 16 steps, `[atoms, 16]`.
    WalkReturns,
    /// The number of molecules, a scalar.
    Molecules,
    /// A 0 for each molecule, `[n]`, for graphs that take their number from the length of an input.
    Slots,
    /// Numbers of the tokens of each SMILES, `[n, length]`.
    Tokens,
    /// 1 for each token and 0 for each place after the last, `[n, length]`.
    TokenMask,
}

/// How rows of atoms, `[atoms, d]`, or of tokens, `[n, length, d]`, become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The output has a row for each molecule already, `[n, d]`.
    #[default]
    None,
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
    /// The largest value of each column.
    Max,
    /// The first of them.
    First,
}

/// The tokens of SMILES. A SMILES is cut into the longest tokens that fit, from its start.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Vocabulary {
    /// The tokens; the number of one is its place in this list.
    pub tokens: Vec<String>,
    /// Places of a row.
    pub length: usize,
    /// The token that fills the places after the last.
    pub padding: String,
    /// A token before the first.
    #[serde(default)]
    pub start: Option<String>,
    /// A token after the last.
    #[serde(default)]
    pub end: Option<String>,
    /// The token for a character that no token begins with; without it, such a SMILES is refused.
    #[serde(default)]
    pub unknown: Option<String>,
    /// Whether a SMILES of more tokens than places is cut off; if not, it is refused.
    #[serde(default)]
    pub truncate: bool,
}

impl OnnxConfig {
    /// Checks what a schema cannot.
    pub(crate) fn check(&self) -> Result<()> {
        if self.inputs.is_empty() {
            return Err(Error::invalid_config("`inputs` names no input of the graph"));
        }
        for (name, value) in [("batch", Some(self.batch)), ("width", self.width)] {
            if value == Some(0) {
                return Err(Error::invalid_config(format!("`{name}` is 0, must be at least 1")));
            }
        }
        let is_of_tokens = |given: &Given| matches!(given, Given::Tokens | Given::TokenMask);
        if let Some((name, _)) = self.inputs.iter().find(|(_, given)| is_of_tokens(given))
            && self.vocabulary.is_none()
        {
            return Err(Error::invalid_config(format!(
                "input `{name}` is of tokens, and there is no `vocabulary` that says which"
            )));
        }
        Ok(())
    }
}
