//! The bond `~`, whose type is unknown. `RDKit` reads it into molecules; the library reads it only into queries.
//!
//! The bond adds nothing to a valence, so the molecule is sanitised without it, and the bond then returns to the graph.

use chematic_core::{AtomIdx, BondIdx, BondOrder, Element, Molecule};
use chematic_smiles::RdkitSmilesError;

use crate::graph::MoleculeGraph;

/// The Open Graph Benchmark's features of such a bond: type other, no stereo, not conjugated.
const FEATURES: [i8; 3] = [4, 0, 0];

/// A molecule without its bonds `~`.
pub(crate) struct Detached {
    /// The remaining molecule, with all atoms.
    pub(crate) rest: Molecule,
    /// The removed bonds: their positions and atoms.
    bonds: Vec<(usize, [u32; 2])>,
}

/// Removes the bonds `~`. Refuses one in a ring: without it the rings would change, and nothing here accounts for that.
pub(crate) fn detach(source: Molecule) -> Result<Detached, RdkitSmilesError> {
    let is_any = |order| order == BondOrder::QueryAny;
    let any = source.bonds().filter(|(_, bond)| is_any(bond.order));
    let bonds: Vec<(usize, [u32; 2])> =
        any.map(|(index, bond)| (index.0 as usize, [bond.atom1.0, bond.atom2.0])).collect();
    if bonds.is_empty() {
        return Ok(Detached { rest: source, bonds });
    }
    let is_hydrogen = |atom: u32| {
        let atom = source.atom(AtomIdx(atom));
        !atom.wildcard && atom.element == Element::H
    };
    if bonds.iter().flat_map(|(_, atoms)| atoms).any(|atom| is_hydrogen(*atom)) {
        return Err(beside_hydrogens());
    }
    let mut rest = source.clone();
    // Removed from last to first, so that the positions of the others stay valid.
    for (place, _) in bonds.iter().rev() {
        rest = rest.with_bond_removed(BondIdx(*place as u32));
    }
    if rest.fragments().len() != source.fragments().len() + bonds.len() {
        return Err(RdkitSmilesError::Unsupported("the bond `~` in a ring".to_owned()));
    }
    Ok(Detached { rest, bonds })
}

fn beside_hydrogens() -> RdkitSmilesError {
    RdkitSmilesError::Unsupported("the bond `~` beside explicit hydrogens".to_owned())
}

impl Detached {
    /// Puts the bonds back into the graph of the remaining molecule.
    pub(crate) fn attach(&self, graph: &mut MoleculeGraph) -> Result<(), RdkitSmilesError> {
        if self.bonds.is_empty() {
            return Ok(());
        }
        if graph.atom_features.len() != self.rest.atom_count() {
            return Err(beside_hydrogens());
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
