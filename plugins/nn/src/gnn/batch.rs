//! Batches of molecular graphs for a network.

use std::sync::Arc;

use burn::tensor::Tensor;
use molarena_sdk::{Call, Error, Graphs, Matrix, Result};

use crate::{
    SparseRows,
    kernels::{Neighbours, Segments},
};

/// Number of values of each of the Open Graph Benchmark's atom features: atomic number, chirality, degree, charge,
/// hydrogens, radical electrons, hybridisation, aromatic, in a ring.
pub const ATOM_FEATURES: [usize; 9] = [119, 5, 12, 12, 10, 6, 6, 2, 2];

/// Number of values of each of the Open Graph Benchmark's bond features: type, stereo, conjugated.
pub const BOND_FEATURES: [usize; 3] = [5, 6, 2];

/// Number of combinations of bond features.
const BOND_KINDS: usize = BOND_FEATURES[0] * BOND_FEATURES[1] * BOND_FEATURES[2];

/// Graphs with checked features.
#[derive(Clone, Copy, Debug)]
pub struct MoleculeGraphs<'a>(Graphs<'a>);

impl<'a> MoleculeGraphs<'a> {
    /// Checks that the Open Graph Benchmark defines every feature value; the error names the molecule.
    pub fn new(graphs: Graphs<'a>) -> Result<Self> {
        for row in 0..graphs.rows() {
            let mut atoms = graphs.atom_features[graphs.atom_range(row)].iter();
            let mut bonds = graphs.bond_features[graphs.bond_range(row)].iter();
            let sound =
                atoms.all(|atom| fits(atom, &ATOM_FEATURES)) && bonds.all(|bond| fits(bond, &BOND_FEATURES));
            if !sound {
                return Err(Error::invalid_argument(format!(
                    "graphs: molecule {row} has a feature that is none of the Open Graph Benchmark's"
                )));
            }
        }
        Ok(Self(graphs))
    }

    /// Number of molecules.
    pub fn rows(&self) -> usize {
        self.0.rows()
    }

    /// Number of atoms of a molecule.
    pub fn atoms(&self, row: usize) -> usize {
        self.0.atom_range(row).len()
    }

    /// The molecules `rows`, in that order, padded with single-atom molecules up to `atoms` atoms and with empty
    /// molecules up to `molecules` molecules.
    pub fn batch(&self, rows: &[usize], atoms: usize, molecules: usize) -> GraphBatch {
        let graphs = &self.0;
        let mut features = SparseRows::new(ATOM_FEATURES.iter().sum());
        let mut bonds = Vec::new();
        for &row in rows {
            let first = features.rows() as u32;
            for atom in graphs.atom_range(row) {
                features.push(columns(&graphs.atom_features[atom], &ATOM_FEATURES));
            }
            for bond in graphs.bond_range(row) {
                let values = graphs.bond_features[bond].iter().zip(&BOND_FEATURES);
                let kind = values.fold(0, |kind, (&value, count)| kind * count + value as usize);
                bonds.push((graphs.bonds[bond].map(|end| first + end), kind as u8));
            }
        }
        let own = features.rows();
        let padding = atoms.saturating_sub(own);
        (0..padding).for_each(|_| features.push([]));
        let lengths = rows.iter().map(|&row| self.atoms(row)).chain((padding > 0).then_some(padding));
        let count = rows.len() + usize::from(padding > 0);
        let lengths = lengths.chain(std::iter::repeat_n(0, molecules.saturating_sub(count)));
        GraphBatch {
            neighbours: Arc::new(Neighbours::new(features.rows(), bonds.iter().copied())),
            atoms: Arc::new(features),
            segments: Arc::new(Segments::new(lengths)),
        }
    }
}

/// Number of atoms and of molecules in a batch of [`encode`](MoleculeGraphs::encode). It is fixed, because products of another
/// height may sum in another order, and a molecule's vector must not depend on the other molecules.
const ATOMS: usize = 4096;
const MOLECULES: usize = 256;

impl MoleculeGraphs<'_> {
    /// The vectors that `forward` makes of all molecules, `f32[n, width]`; `forward` gets batches of one size, and only its
    /// first rows count.
    pub fn encode(
        &self,
        width: usize,
        call: &Call<'_>,
        mut forward: impl FnMut(&GraphBatch) -> Tensor<2>,
    ) -> Result<Matrix> {
        let mut values = Vec::with_capacity(self.rows() * width);
        let mut next = 0;
        while next < self.rows() {
            call.check()?;
            let rows = self.chunk(next);
            next = rows.end;
            let rows: Vec<usize> = rows.collect();
            let vectors = forward(&self.batch(&rows, ATOMS, MOLECULES + 1));
            let vectors: Vec<f32> = vectors.into_data().try_into_vec().expect("vectors are f32");
            values.extend(&vectors[..rows.len() * width]);
            call.progress(next as f64 / self.rows() as f64, "encoding");
        }
        Matrix::new(self.rows(), width, values)
    }

    /// The molecules from `first` on that fit into a batch; a single molecule may exceed it.
    fn chunk(&self, first: usize) -> std::ops::Range<usize> {
        let (mut end, mut atoms) = (first, 0);
        while end < self.rows() && end - first < MOLECULES {
            atoms += self.atoms(end);
            if atoms > ATOMS && end > first {
                break;
            }
            end += 1;
        }
        first..end
    }
}

fn fits(values: &[i8], counts: &[usize]) -> bool {
    values.iter().zip(counts).all(|(&value, &count)| usize::try_from(value).is_ok_and(|value| value < count))
}

/// One-hot entries of some features; each feature has its own range of columns.
fn columns<'a>(values: &'a [i8], counts: &'a [usize]) -> impl Iterator<Item = (u32, f32)> + 'a {
    values.iter().zip(counts).scan(0, |first, (&value, &count)| {
        let column = *first + value as u32;
        *first += count as u32;
        Some((column, 1.0))
    })
}

/// One-hot features of each combination of bond features.
pub(super) fn bond_kinds() -> SparseRows {
    let mut kinds = SparseRows::new(BOND_FEATURES.iter().sum());
    for kind in 0..BOND_KINDS {
        let [_, stereos, conjugations] = BOND_FEATURES;
        let values = [kind / conjugations / stereos, kind / conjugations % stereos, kind % conjugations];
        let values = values.map(|value| value as i8);
        kinds.push(columns(&values, &BOND_FEATURES));
    }
    kinds
}

/// A batch of molecules.
#[derive(Clone, Debug)]
pub struct GraphBatch {
    /// One-hot features of the atoms, `[atoms, 174]`.
    pub(super) atoms: Arc<SparseRows>,
    pub(super) neighbours: Arc<Neighbours>,
    /// The atoms of each molecule.
    pub(super) segments: Arc<Segments>,
}

impl GraphBatch {
    /// Number of molecules.
    pub fn molecules(&self) -> usize {
        self.segments.count()
    }

    /// Number of atoms.
    pub fn atoms(&self) -> usize {
        self.atoms.rows()
    }

    /// One-hot features of the atoms, `[atoms, 174]`.
    pub fn atom_features(&self) -> &Arc<SparseRows> {
        &self.atoms
    }

    /// The bonds between the atoms. A bond's kind is its number among all combinations of [`BOND_FEATURES`], the last of them
    /// counting fastest.
    pub fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    /// The atoms of each molecule.
    pub fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }

    /// The batch's neighbours with messages weighted as in a graph convolutional network.
    pub(super) fn normalised(&self) -> Arc<Neighbours> {
        Arc::new((*self.neighbours).clone().normalised())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ethanol's heavy atoms and a lone sodium.
    fn graphs(atom_features: &[[i8; 9]]) -> Graphs<'_> {
        Graphs::new(&[0, 3, 4], &[0, 2, 2], atom_features, &[[0, 1], [1, 2]], &[[0, 0, 0], [0, 0, 1]])
            .unwrap()
    }

    const ATOMS: [[i8; 9]; 4] = [
        [5, 0, 4, 5, 3, 0, 2, 0, 0],
        [5, 0, 4, 5, 2, 0, 2, 0, 0],
        [7, 0, 2, 5, 1, 0, 2, 0, 0],
        [10, 0, 0, 6, 0, 0, 5, 0, 0],
    ];

    #[test]
    fn molecules_follow_one_another_and_are_filled_up() {
        let graphs = MoleculeGraphs::new(graphs(&ATOMS)).unwrap();
        let batch = graphs.batch(&[1, 0, 1], 8, 6);
        assert_eq!((batch.molecules(), batch.atoms()), (6, 8));
        assert_eq!(batch.segments.lengths().collect::<Vec<_>>(), [1, 3, 1, 3, 0, 0]);
        assert_eq!(batch.neighbours.degrees().collect::<Vec<_>>(), [0, 1, 2, 1, 0, 0, 0, 0]);
        assert_eq!(batch.atoms.row(3).0, [7, 119, 126, 141, 149, 158, 166, 170, 172]);
        assert_eq!(batch.atoms.row(5).0.len(), 0);
        assert_eq!(graphs.batch(&[0], 0, 0).segments.lengths().collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn kinds_of_bonds_have_their_features() {
        let kinds = bond_kinds();
        assert_eq!(kinds.rows(), 60);
        assert_eq!(kinds.row(0).0, [0, 5, 11]);
        assert_eq!(kinds.row(59).0, [4, 10, 12]);
        assert_eq!(kinds.row(3 * 12 + 2 * 2 + 1).0, [3, 7, 12]);
    }

    #[test]
    fn a_feature_out_of_range_names_its_molecule() {
        for value in [-1, 119] {
            let mut atoms = ATOMS;
            atoms[3][0] = value;
            let error = MoleculeGraphs::new(graphs(&atoms)).unwrap_err().to_string();
            assert!(error.contains("molecule 1 has a feature"), "{error}");
        }
    }
}
