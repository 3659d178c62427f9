//! Molecular graphs.

use crate::Molecule;

/// A molecule's graph in `RDKit`'s atom and bond order, with the features that published graph networks use.
///
/// Atom features are the indices of the Open Graph Benchmark (`ogb.utils.features`): atomic number - 1 (118: a
/// wildcard), chirality (0 none, 1 clockwise, 2 counter-clockwise, 4 other), degree with hydrogens, formal charge + 5,
/// hydrogens, radical electrons, hybridisation (sp, sp2, sp3, sp3d, sp3d2, other), aromatic, in a ring. Bond features
/// are type (single, double, triple, aromatic, other), stereo (0 none, 1 Z, 2 E, 5 any) and conjugated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MoleculeGraph {
    /// Atom features of the Open Graph Benchmark, `[atoms, 9]`.
    pub atom_features: Vec<[i8; 9]>,
    /// `[atoms, 2]`: atomic number - 1 and chirality tag, the features of Hu et al. 2020 (arXiv 1905.12265).
    pub hu_atoms: Vec<[i8; 2]>,
    /// `[bonds, 2]`: the atoms of a bond; each bond once.
    pub bonds: Vec<[u32; 2]>,
    /// Bond features of the Open Graph Benchmark, `[bonds, 3]`.
    pub bond_features: Vec<[i8; 3]>,
}

impl Molecule {
    /// The graph with the features of the Open Graph Benchmark's `smiles2graph`, each bond once.
    pub fn graph(&self) -> MoleculeGraph {
        self.graph.clone()
    }

    /// Borrows the graph of [`Molecule::graph`].
    pub fn graph_ref(&self) -> &MoleculeGraph {
        &self.graph
    }

    /// Number of connected fragments, `len(GetMolFrags(molecule))`: above 1 for a salt, a solvate or a mixture.
    pub fn fragments(&self) -> usize {
        let mut parents: Vec<usize> = (0..self.atoms()).collect();
        let mut fragments = parents.len();
        for [begin, end] in &self.graph.bonds {
            let [one, other] = [begin, end].map(|atom| root(&mut parents, *atom as usize));
            if one != other {
                parents[one] = other;
                fragments -= 1;
            }
        }
        fragments
    }
}

/// The atom that represents an atom's fragment; each look-up halves the path to it.
fn root(parents: &mut [usize], mut atom: usize) -> usize {
    while parents[atom] != atom {
        parents[atom] = parents[parents[atom]];
        atom = parents[atom];
    }
    atom
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acetate_by_hand() {
        let graph = Molecule::parse("CC(=O)[O-]").unwrap().graph();
        assert_eq!(
            graph.atom_features,
            [
                [5, 0, 4, 5, 3, 0, 2, 0, 0],
                [5, 0, 3, 5, 0, 0, 1, 0, 0],
                [7, 0, 1, 5, 0, 0, 1, 0, 0],
                [7, 0, 1, 4, 0, 0, 1, 0, 0]
            ]
        );
        assert_eq!(graph.hu_atoms, [[5, 0], [5, 0], [7, 0], [7, 0]]);
        assert_eq!(graph.bonds, [[0, 1], [1, 2], [1, 3]]);
        assert_eq!(graph.bond_features, [[0, 0, 0], [1, 0, 1], [0, 0, 1]]);
    }

    #[test]
    fn salts_and_mixtures_are_several_fragments() {
        let cases =
            [("CCO", 1), ("[Na+].[Cl-]", 2), ("C1CC1.C1CC1.O", 3), ("c1ccccc1C.[2H]O[2H]", 2), ("C1.O1", 1)];
        for (smiles, fragments) in cases {
            assert_eq!(Molecule::parse(smiles).unwrap().fragments(), fragments, "{smiles}");
        }
        // A bond of unknown type joins fragments, as in RDKit.
        assert_eq!(Molecule::parse("CO~C").unwrap().fragments(), 1);
    }

    #[test]
    fn explicit_hydrogens_leave_the_graph() {
        assert_eq!(Molecule::parse("[H]C([H])([H])[H]").unwrap().atoms(), 1);
        assert_eq!(Molecule::parse("[2H]C([2H])([2H])O").unwrap().atoms(), 5);
    }
}
