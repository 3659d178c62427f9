//! Safe views of the data that cross the ABI in a call. The plugin (reading) and the host (lending) use the same types.

use crate::{Error, InputKind, Result};

/// n molecules, each as SMILES, bits, dense features or graph. A kind that the component did not ask for is absent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// Number of molecules n.
    pub rows: usize,
    /// SMILES, if given.
    pub smiles: Option<Smiles<'a>>,
    /// Packed fingerprints, if given.
    pub bits: Option<Bits<'a>>,
    /// Dense features, if given.
    pub dense: Option<Dense<'a>>,
    /// Molecular graphs, if given.
    pub graphs: Option<Graphs<'a>>,
}

impl<'a> Inputs<'a> {
    /// Molecules as packed fingerprints.
    pub fn from_bits(bits: Bits<'a>) -> Self {
        Self { rows: bits.rows, bits: Some(bits), ..Self::default() }
    }

    /// Molecules as dense features.
    pub fn from_dense(dense: Dense<'a>) -> Self {
        Self { rows: dense.rows, dense: Some(dense), ..Self::default() }
    }

    /// Molecules as SMILES.
    pub fn from_smiles(smiles: Smiles<'a>) -> Self {
        Self { rows: smiles.len(), smiles: Some(smiles), ..Self::default() }
    }

    /// Molecules as graphs.
    pub fn from_graphs(graphs: Graphs<'a>) -> Self {
        Self { rows: graphs.rows(), graphs: Some(graphs), ..Self::default() }
    }

    /// The fingerprints; an error if they are absent.
    pub fn bits(&self) -> Result<Bits<'a>> {
        self.bits.ok_or_else(|| self.absent(InputKind::Bits))
    }

    /// The dense features; an error if they are absent.
    pub fn dense(&self) -> Result<Dense<'a>> {
        self.dense.ok_or_else(|| self.absent(InputKind::Dense))
    }

    /// The SMILES; an error if they are absent.
    pub fn smiles(&self) -> Result<Smiles<'a>> {
        self.smiles.ok_or_else(|| self.absent(InputKind::Smiles))
    }

    /// The graphs; an error if they are absent.
    pub fn graphs(&self) -> Result<Graphs<'a>> {
        self.graphs.ok_or_else(|| self.absent(InputKind::Graphs))
    }

    fn absent(&self, wanted: InputKind) -> Error {
        let given: Vec<String> = [
            (self.smiles.is_some(), InputKind::Smiles),
            (self.bits.is_some(), InputKind::Bits),
            (self.dense.is_some(), InputKind::Dense),
            (self.graphs.is_some(), InputKind::Graphs),
        ]
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, kind)| kind.to_string())
        .collect();
        Error::unsupported(format!("input `{wanted}` is needed, given: [{}]", given.join(", ")))
    }
}

/// SMILES of n molecules.
#[derive(Clone, Copy, Debug)]
pub struct Smiles<'a> {
    text: &'a str,
    offsets: &'a [i64],
}

impl<'a> Smiles<'a> {
    /// Molecule i is `text[offsets[i]..offsets[i + 1]]`; `offsets` has n + 1 entries.
    pub fn new(text: &'a str, offsets: &'a [i64]) -> Result<Self> {
        check_offsets("smiles", offsets, text.len())?;
        if offsets.iter().any(|&offset| !text.is_char_boundary(offset as usize)) {
            return Err(Error::invalid_argument("smiles offsets cut a character"));
        }
        Ok(Self { text, offsets })
    }

    /// Number of molecules.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there is no molecule.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// SMILES of molecule `row`.
    pub fn get(&self, row: usize) -> &'a str {
        &self.text[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// All SMILES in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let this = *self;
        (0..this.len()).map(move |row| this.get(row))
    }

    pub(crate) fn parts(&self) -> (&'a str, &'a [i64]) {
        (self.text, self.offsets)
    }
}

/// Packed fingerprints of n molecules: bit b of a row is `words[b / 64] >> (b % 64) & 1`.
#[derive(Clone, Copy, Debug)]
pub struct Bits<'a> {
    /// n x `words_per_row` words, row-major.
    pub words: &'a [u64],
    /// Number of molecules n.
    pub rows: usize,
    /// Bits in a row.
    pub n_bits: usize,
    /// Words in a row.
    pub words_per_row: usize,
}

impl<'a> Bits<'a> {
    /// Rows of `n_bits` bits, each in `n_bits.div_ceil(64)` words.
    pub fn new(words: &'a [u64], rows: usize, n_bits: usize) -> Result<Self> {
        let words_per_row = n_bits.div_ceil(64);
        check_product("bits", words.len(), rows, words_per_row)?;
        Ok(Self { words, rows, n_bits, words_per_row })
    }

    /// Words of molecule `row`.
    pub fn row(&self, row: usize) -> &'a [u64] {
        &self.words[row * self.words_per_row..(row + 1) * self.words_per_row]
    }
}

/// Dense features of n molecules, `f32[n, columns]`, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Dense<'a> {
    /// n x `columns` values.
    pub values: &'a [f32],
    /// Number of molecules n.
    pub rows: usize,
    /// Number of features of a molecule.
    pub columns: usize,
}

impl<'a> Dense<'a> {
    /// A row-major matrix.
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Result<Self> {
        check_product("dense", values.len(), rows, columns)?;
        Ok(Self { values, rows, columns })
    }

    /// Features of molecule `row`.
    pub fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.columns..(row + 1) * self.columns]
    }
}

/// Molecular graphs with the Open Graph Benchmark's feature indices, in compressed rows.
#[derive(Clone, Copy, Debug)]
pub struct Graphs<'a> {
    /// n + 1 offsets into the atoms.
    pub atom_offsets: &'a [i64],
    /// n + 1 offsets into the bonds.
    pub bond_offsets: &'a [i64],
    /// [atoms, 9].
    pub atom_features: &'a [[i8; 9]],
    /// [bonds, 2]: atom numbers inside the molecule; each bond once.
    pub bonds: &'a [[u32; 2]],
    /// [bonds, 3].
    pub bond_features: &'a [[i8; 3]],
}

impl<'a> Graphs<'a> {
    /// Checks offsets and lengths. Bonds must name atoms of their own molecule.
    pub fn new(
        atom_offsets: &'a [i64],
        bond_offsets: &'a [i64],
        atom_features: &'a [[i8; 9]],
        bonds: &'a [[u32; 2]],
        bond_features: &'a [[i8; 3]],
    ) -> Result<Self> {
        check_offsets("atom", atom_offsets, atom_features.len())?;
        check_offsets("bond", bond_offsets, bonds.len())?;
        if atom_offsets.len() != bond_offsets.len() || bonds.len() != bond_features.len() {
            return Err(Error::invalid_argument("graphs: atoms and bonds are of different lengths"));
        }
        let graphs = Self { atom_offsets, bond_offsets, atom_features, bonds, bond_features };
        for row in 0..graphs.rows() {
            let atoms = graphs.atom_range(row).len();
            if bonds[graphs.bond_range(row)].iter().flatten().any(|&atom| atom as usize >= atoms) {
                return Err(Error::invalid_argument(format!(
                    "graphs: a bond of molecule {row} names no atom"
                )));
            }
        }
        Ok(graphs)
    }

    /// Number of molecules.
    pub fn rows(&self) -> usize {
        self.atom_offsets.len() - 1
    }

    /// Rows of molecule `row` in the atom features.
    pub fn atom_range(&self, row: usize) -> std::ops::Range<usize> {
        self.atom_offsets[row] as usize..self.atom_offsets[row + 1] as usize
    }

    /// Rows of molecule `row` in the bonds.
    pub fn bond_range(&self, row: usize) -> std::ops::Range<usize> {
        self.bond_offsets[row] as usize..self.bond_offsets[row + 1] as usize
    }
}

/// Whether labels are classes or numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskKind {
    /// 0 or 1.
    Classification,
    /// Real numbers.
    Regression,
}

/// Labels of n molecules for t tasks; many may be missing.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    /// Whether the labels are classes or numbers.
    pub kind: TaskKind,
    /// Number of molecules n.
    pub rows: usize,
    /// Number of tasks t.
    pub tasks: usize,
    /// `f32[n, t]`, row-major; 0 where a label is missing.
    pub values: &'a [f32],
    /// Validity bitmap: bit i says whether `values[i]` is present.
    pub valid: &'a [u8],
}

impl<'a> Labels<'a> {
    /// Checks the lengths of values and bitmap.
    pub fn new(
        kind: TaskKind,
        rows: usize,
        tasks: usize,
        values: &'a [f32],
        valid: &'a [u8],
    ) -> Result<Self> {
        check_product("labels", values.len(), rows, tasks)?;
        if valid.len() < values.len().div_ceil(8) {
            return Err(Error::invalid_argument("labels: the validity bitmap is too short"));
        }
        Ok(Self { kind, rows, tasks, values, valid })
    }

    /// The label of molecule `row` for `task`, if it is not missing.
    pub fn get(&self, row: usize, task: usize) -> Option<f32> {
        let index = row * self.tasks + task;
        (self.valid[index / 8] >> (index % 8) & 1 == 1).then(|| self.values[index])
    }

    /// Rows that have a label for `task`, with the label.
    pub fn labelled(&self, task: usize) -> impl Iterator<Item = (usize, f32)> + use<'a> {
        let this = *self;
        (0..this.rows).filter_map(move |row| this.get(row, task).map(|label| (row, label)))
    }
}

/// Labels that own their memory; a missing label is NaN in the source.
#[derive(Clone, Debug)]
pub struct OwnedLabels {
    kind: TaskKind,
    rows: usize,
    tasks: usize,
    values: Vec<f32>,
    valid: Vec<u8>,
}

impl OwnedLabels {
    /// Takes `f32[n, t]`, row-major, with NaN for missing labels.
    pub fn from_nan(kind: TaskKind, rows: usize, tasks: usize, mut values: Vec<f32>) -> Result<Self> {
        check_product("labels", values.len(), rows, tasks)?;
        let mut valid = vec![0u8; values.len().div_ceil(8)];
        for (index, value) in values.iter_mut().enumerate() {
            if value.is_nan() {
                *value = 0.0;
            } else {
                valid[index / 8] |= 1 << (index % 8);
            }
        }
        Ok(Self { kind, rows, tasks, values, valid })
    }

    /// The borrowed view.
    pub fn view(&self) -> Labels<'_> {
        Labels {
            kind: self.kind,
            rows: self.rows,
            tasks: self.tasks,
            values: &self.values,
            valid: &self.valid,
        }
    }
}

/// An owned `f32[rows, columns]`, row-major.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Matrix {
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// rows x columns values.
    pub values: Vec<f32>,
}

impl Matrix {
    /// Checks that `values` has rows x columns values.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self> {
        check_product("matrix", values.len(), rows, columns)?;
        Ok(Self { rows, columns, values })
    }

    /// A matrix of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows * columns] }
    }

    /// The borrowed view.
    pub fn view(&self) -> Dense<'_> {
        Dense { values: &self.values, rows: self.rows, columns: self.columns }
    }
}

/// Kind of a context graph's node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NodeKind {
    /// A molecule.
    Molecule = molarena_abi::MOLARENA_NODE_MOLECULE,
    /// A gene.
    Gene = molarena_abi::MOLARENA_NODE_GENE,
    /// A cell-morphology profile.
    Morphology = molarena_abi::MOLARENA_NODE_MORPHOLOGY,
    /// A gene-expression profile.
    Expression = molarena_abi::MOLARENA_NODE_EXPRESSION,
}

impl NodeKind {
    /// The kind with an ABI number (`MOLARENA_NODE_*`).
    pub fn from_abi(number: u32) -> Result<Self> {
        [Self::Molecule, Self::Gene, Self::Morphology, Self::Expression]
            .into_iter()
            .find(|&kind| kind as u32 == number)
            .ok_or_else(|| Error::invalid_argument(format!("corpus: unknown node kind {number}")))
    }
}

/// One feature space of a context graph and the nodes that have a vector in it.
#[derive(Clone, Copy, Debug)]
pub struct Profiles<'a> {
    /// Name of the space.
    pub space: &'a str,
    /// Node kind of its rows.
    pub kind: NodeKind,
    /// The node of each row.
    pub nodes: &'a [u64],
    /// `f32[rows, columns]`; NaN where a value is missing.
    pub values: Dense<'a>,
    /// `[rows]`: number of the batch in which each row was measured; `None` if batches are not known.
    pub batches: Option<&'a [u32]>,
    /// `[rows]`: number of cells behind each row, NaN where it is not known; `None` if none is.
    pub cell_counts: Option<&'a [f32]>,
}

/// A context graph, on which an encoder is pretrained. Edges are undirected and listed once.
#[derive(Clone, Debug)]
pub struct Corpus<'a> {
    /// Kind of each node (`NodeKind as u8`).
    pub node_kinds: &'a [u8],
    /// The molecules, in the order of `molecule_nodes`.
    pub molecules: Inputs<'a>,
    /// Node of each molecule.
    pub molecule_nodes: &'a [u64],
    /// Feature spaces.
    pub spaces: Vec<Profiles<'a>>,
    /// First node of each edge.
    pub edge_sources: &'a [u64],
    /// Second node of each edge.
    pub edge_targets: &'a [u64],
    /// Weight of each edge, in [0, 1].
    pub edge_weights: &'a [f32],
}

fn check_product(what: &str, len: usize, rows: usize, columns: usize) -> Result<()> {
    if rows.checked_mul(columns) == Some(len) {
        Ok(())
    } else {
        Err(Error::invalid_argument(format!("{what}: {len} values do not make {rows} x {columns}")))
    }
}

fn check_offsets(what: &str, offsets: &[i64], len: usize) -> Result<()> {
    let ordered = offsets.windows(2).all(|pair| pair[0] <= pair[1]);
    if offsets.first() == Some(&0) && ordered && offsets.last() == Some(&(len as i64)) {
        Ok(())
    } else {
        Err(Error::invalid_argument(format!("{what} offsets must rise from 0 to {len}")))
    }
}
