//! Many molecules at once.

use rayon::prelude::*;

use crate::{Molecule, MoleculeGraph, Morgan, ParseError};

/// Packed fingerprints of n molecules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitMatrix {
    /// Number of rows n.
    pub rows: usize,
    /// Number of bits in a row: a multiple of 64.
    pub n_bits: usize,
    /// `[n, n_bits / 64]`: bit b of row i is bit `b & 63` of word `i * n_bits / 64 + (b >> 6)`.
    pub words: Vec<u64>,
}

impl BitMatrix {
    /// Number of 64-bit words in a row.
    pub fn words_per_row(&self) -> usize {
        self.n_bits / 64
    }

    /// The words of one row.
    ///
    /// # Panics
    /// If the row does not exist.
    pub fn row(&self, index: usize) -> &[u64] {
        &self.words[index * self.words_per_row()..][..self.words_per_row()]
    }
}

/// The graphs of many molecules in compressed rows, as the plugin interface takes them.
///
/// Atoms of molecule i are `atom_ptr[i]..atom_ptr[i + 1]`, its bonds `bond_ptr[i]..bond_ptr[i + 1]`; see
/// [`MoleculeGraph`] for the features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graphs {
    /// Offsets into the atoms, `[n + 1]`.
    pub atom_ptr: Vec<i64>,
    /// Offsets into the bonds, `[n + 1]`.
    pub bond_ptr: Vec<i64>,
    /// Open Graph Benchmark atom features, `[atoms, 9]`.
    pub atom_features: Vec<[i8; 9]>,
    /// Atomic number - 1 and chirality tag, `[atoms, 2]`.
    pub hu_atoms: Vec<[i8; 2]>,
    /// `[bonds, 2]`: atom numbers inside the molecule; each bond once.
    pub bonds: Vec<[u32; 2]>,
    /// Open Graph Benchmark bond features, `[bonds, 3]`.
    pub bond_features: Vec<[i8; 3]>,
}

impl Graphs {
    /// Joins the molecules' graphs in order.
    pub fn new(molecules: &[Molecule]) -> Self {
        Self::join(molecules.iter().map(Molecule::graph_ref))
    }

    /// Joins graphs in order.
    pub fn join<'a>(graphs: impl IntoIterator<Item = &'a MoleculeGraph>) -> Self {
        let mut all = Self {
            atom_ptr: vec![0],
            bond_ptr: vec![0],
            atom_features: Vec::new(),
            hu_atoms: Vec::new(),
            bonds: Vec::new(),
            bond_features: Vec::new(),
        };
        for graph in graphs {
            all.atom_features.extend_from_slice(&graph.atom_features);
            all.hu_atoms.extend_from_slice(&graph.hu_atoms);
            all.bonds.extend_from_slice(&graph.bonds);
            all.bond_features.extend_from_slice(&graph.bond_features);
            all.atom_ptr.push(all.atom_features.len() as i64);
            all.bond_ptr.push(all.bonds.len() as i64);
        }
        all
    }

    /// Number of molecules n.
    pub fn len(&self) -> usize {
        self.atom_ptr.len() - 1
    }

    /// Whether there are no molecules.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Reads many SMILES on all threads of the current `rayon` pool. Result i is [`Molecule::parse`] of SMILES i.
pub fn parse_all<S: AsRef<str> + Sync>(smiles: &[S]) -> Vec<Result<Molecule, ParseError>> {
    smiles.par_iter().map(|smiles| Molecule::parse(smiles.as_ref())).collect()
}

/// Many SMILES, read: the molecules, and why the others are none.
#[derive(Clone, Debug, Default)]
pub struct Parsed {
    /// `[n]`: indices of the SMILES that are molecules, ascending.
    pub kept: Vec<usize>,
    /// `[n]`: their molecules.
    pub molecules: Vec<Molecule>,
    /// Indices of the other SMILES, ascending, with the reason.
    pub failures: Vec<(usize, ParseError)>,
}

impl Parsed {
    /// Reads many SMILES as [`parse_all`] does.
    pub fn new<S: AsRef<str> + Sync>(smiles: &[S]) -> Self {
        let mut parsed = Self::default();
        for (index, result) in parse_all(smiles).into_iter().enumerate() {
            match result {
                Ok(molecule) => {
                    parsed.kept.push(index);
                    parsed.molecules.push(molecule);
                }
                Err(error) => parsed.failures.push((index, error)),
            }
        }
        parsed
    }
}

/// Reads many SMILES in order, `rows` at a time, so that at most `rows` molecules are in memory; a drug-like molecule
/// takes about 6 KiB.
///
/// Item i is [`parse_all`] of SMILES `i * rows..(i + 1) * rows`, computed on request; the last item may be shorter.
///
/// # Panics
/// If `rows` is 0.
pub fn parse_chunks<S: AsRef<str> + Sync>(
    smiles: &[S],
    rows: usize,
) -> impl Iterator<Item = Vec<Result<Molecule, ParseError>>> {
    smiles.chunks(rows).map(parse_all)
}

/// The fingerprints of many molecules, `[n, n_bits]`, on all threads of the current `rayon` pool.
///
/// # Panics
/// If `spec` does not pass [`Morgan::check`].
pub fn morgan_matrix(molecules: &[Molecule], spec: &Morgan) -> BitMatrix {
    let words = molecules.par_iter().flat_map_iter(|molecule| molecule.morgan(spec)).collect();
    BitMatrix { rows: molecules.len(), n_bits: spec.n_bits, words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept_and_failures_stay_in_place() {
        let results = parse_all(&["CCO", "C(", "c1ccccc1"]);
        assert_eq!(results.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        let molecules: Vec<Molecule> = results.into_iter().flatten().collect();
        let spec = Morgan::new(2, 1024, false).unwrap();
        let matrix = morgan_matrix(&molecules, &spec);
        assert_eq!((matrix.rows, matrix.words_per_row(), matrix.words.len()), (2, 16, 32));
        for (index, molecule) in molecules.iter().enumerate() {
            assert_eq!(matrix.row(index), molecule.morgan(&spec));
        }
    }

    #[test]
    fn molecules_and_failures_are_told_apart() {
        let parsed = Parsed::new(&["CCO", "C(", "", "O"]);
        let smiles: Vec<&str> = parsed.molecules.iter().map(Molecule::smiles).collect();
        assert_eq!((parsed.kept, smiles), (vec![0, 3], vec!["CCO", "O"]));
        let codes: Vec<_> = parsed.failures.iter().map(|(index, error)| (*index, error.code())).collect();
        assert_eq!(codes, [(1, "smiles_syntax"), (2, "smiles_empty")]);
    }

    #[test]
    fn chunks_joined_are_the_whole() {
        let smiles = ["CCO", "C(", "c1ccccc1", "O", "N"];
        let chunks: Vec<Vec<_>> = parse_chunks(&smiles, 2).collect();
        assert_eq!(chunks.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        let text = |results: Vec<Result<Molecule, ParseError>>| format!("{results:?}");
        assert_eq!(text(chunks.into_iter().flatten().collect()), text(parse_all(&smiles)));
    }

    #[test]
    fn graphs_are_joined_in_order() {
        let molecules: Vec<Molecule> = parse_all(&["CCO", "O", "CC"]).into_iter().flatten().collect();
        let graphs = Graphs::new(&molecules);
        assert_eq!(graphs.atom_ptr, [0, 3, 4, 6]);
        assert_eq!(graphs.bond_ptr, [0, 2, 2, 3]);
        assert_eq!(graphs.bonds, [[0, 1], [1, 2], [0, 1]]);
        assert_eq!((graphs.len(), graphs.hu_atoms.len(), graphs.bond_features.len()), (3, 6, 3));
        assert!(Graphs::new(&[]).is_empty());
    }
}
