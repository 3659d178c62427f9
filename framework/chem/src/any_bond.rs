//! The bond `~`, of which nothing is known. `RDKit` reads it into molecules, the library only into queries.
//!
//! It adds nothing to a valence, so the molecule is sanitised without it, and it comes back into the graph.

use chematic_core::{BondIdx, BondOrder, Molecule};
use chematic_smiles::RdkitSmilesError;

use crate::graph::MoleculeGraph;

/// The Open Graph Benchmark's class of such a bond: another type, no stereo, not conjugated.
const FEATURES: [i8; 3] = [4, 0, 0];

/// A molecule without its bonds `~`.
pub(crate) struct Detached {
    /// What is left, with all atoms.
    pub(crate) rest: Molecule,
    /// The bonds that were taken away: their places and atoms.
    bonds: Vec<(usize, [u32; 2])>,
}

/// Takes the bonds `~` away. In a ring such a bond would change the rings, which nothing here follows.
pub(crate) fn detach(source: Molecule) -> Result<Detached, RdkitSmilesError> {
    let is_any = |order| order == BondOrder::QueryAny;
    let any = source.bonds().filter(|(_, bond)| is_any(bond.order));
    let bonds: Vec<(usize, [u32; 2])> =
        any.map(|(index, bond)| (index.0 as usize, [bond.atom1.0, bond.atom2.0])).collect();
    if bonds.is_empty() {
        return Ok(Detached { rest: source, bonds });
    }
    let mut rest = source.clone();
    // From the last to the first, so that the places of the others stay.
    for (place, _) in bonds.iter().rev() {
        rest = rest.with_bond_removed(BondIdx(*place as u32));
    }
    if rest.fragments().len() != source.fragments().len() + bonds.len() {
        return Err(RdkitSmilesError::Unsupported("the bond `~` in a ring".to_owned()));
    }
    Ok(Detached { rest, bonds })
}

impl Detached {
    /// Puts the bonds back into the graph of what was left.
    pub(crate) fn attach(&self, graph: &mut MoleculeGraph) -> Result<(), RdkitSmilesError> {
        if self.bonds.is_empty() {
            return Ok(());
        }
        if graph.atom_features.len() != self.rest.atom_count() {
            return Err(RdkitSmilesError::Unsupported("the bond `~` beside explicit hydrogens".to_owned()));
        }
        for (place, atoms) in &self.bonds {
            graph.bonds.insert(*place, *atoms);
            graph.bond_features.insert(*place, FEATURES);
            for atom in atoms {
                graph.atom_features[*atom as usize][2] += 1;
            }
        }
        Ok(())
    }

    /// Whether the molecule has a bond `~`.
    pub(crate) fn any(&self) -> bool {
        !self.bonds.is_empty()
    }
}
