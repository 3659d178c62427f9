//! A molecule in the form that the descriptors use.

use chematic_core::{AtomIdx, BondOrder, implicit_hcount};
use chematic_perception::{rdkit_sssr_ring_order, relevant_cycles};

use crate::Molecule;
use crate::molecule::guarded;

/// Number of rings beyond which they are not enumerated: a cyclodextrin of eight sugars has 264.
const MAX_RINGS: usize = 10_000;

/// The sanitised molecule in `RDKit`'s atom order. Hydrogens that are not atoms of the graph are counted at their
/// neighbours.
pub(super) struct Skeleton {
    /// The same molecule in the library's own form.
    pub(super) model: chematic_core::Molecule,
    /// `[atoms]`: atomic numbers, 0 for a wildcard.
    pub(super) elements: Vec<u8>,
    /// `[atoms]`: number of hydrogens that are not atoms of the graph.
    pub(super) hydrogens: Vec<u32>,
    /// `[atoms]`: formal charges.
    pub(super) charges: Vec<i32>,
    /// `[atoms]`: neighbours and the bonds to them, in increasing order of the neighbour.
    pub(super) neighbours: Vec<Vec<(usize, usize)>>,
    /// `[bonds]`: the two atoms.
    pub(super) bonds: Vec<[usize; 2]>,
    /// `[bonds]`.
    pub(super) orders: Vec<BondOrder>,
    /// Rings, each as its atoms in order.
    pub(super) rings: Vec<Vec<usize>>,
}

impl Skeleton {
    pub(super) fn new(molecule: &Molecule) -> Self {
        let sanitised = guarded(|| chematic_smiles::rdkit_parsed_molecule(&molecule.source));
        // A lone hydrogen stays as it was read; see `perceive`.
        let model = sanitised.ok().flatten().unwrap_or_else(|| molecule.source.clone());
        let atoms = model.atom_count();
        let mut neighbours = vec![Vec::new(); atoms];
        let (mut bonds, mut orders) = (Vec::new(), Vec::new());
        for (_, bond) in model.bonds() {
            let ends = [bond.atom1, bond.atom2].map(|atom| atom.0 as usize);
            neighbours[ends[0]].push((ends[1], bonds.len()));
            neighbours[ends[1]].push((ends[0], bonds.len()));
            bonds.push(ends);
            orders.push(bond.order);
        }
        for around in &mut neighbours {
            around.sort_unstable();
        }
        let element =
            |atom: &chematic_core::Atom| if atom.wildcard { 0 } else { atom.element.atomic_number() };
        let elements = model.atoms().map(|(_, atom)| element(atom)).collect();
        let hydrogens = |(index, atom): (AtomIdx, &chematic_core::Atom)| {
            let stated = atom.hydrogen_count.unwrap_or(0);
            u32::from(if atom.wildcard { stated } else { implicit_hcount(&model, index) })
        };
        let hydrogens = model.atoms().map(hydrogens).collect();
        let charges = model.atoms().map(|(_, atom)| i32::from(atom.charge)).collect();
        let rings = rings(&model);
        Self { model, elements, hydrogens, charges, neighbours, bonds, orders, rings }
    }

    /// Number of atoms.
    pub(super) fn atoms(&self) -> usize {
        self.elements.len()
    }

    /// Number of atoms heavier than hydrogen; a wildcard does not count.
    pub(super) fn heavy_atoms(&self) -> usize {
        self.elements.iter().filter(|element| **element > 1).count()
    }

    /// Number of atoms bonded to an atom.
    pub(super) fn degree(&self, atom: usize) -> usize {
        self.neighbours[atom].len()
    }

    /// The bonds of a ring.
    pub(super) fn ring_bonds(&self, ring: &[usize]) -> Vec<usize> {
        let next = ring.iter().cycle().skip(1);
        let bond = |(atom, next): (&usize, &usize)| {
            self.neighbours[*atom].iter().find(|(other, _)| other == next).map(|(_, bond)| *bond)
        };
        ring.iter().zip(next).filter_map(bond).collect()
    }
}

/// The relevant cycles (Vismara 1997), which `RDKit` uses as rings since 2026.09. If they are too many to list, these
/// are the symmetrised smallest set of smallest rings, which `RDKit` used before.
fn rings(model: &chematic_core::Molecule) -> Vec<Vec<usize>> {
    let relevant = guarded(|| relevant_cycles(model, MAX_RINGS).ok()).ok().flatten();
    let smallest = || guarded(|| rdkit_sssr_ring_order(model)).ok().flatten().unwrap_or_default();
    let rings = relevant.unwrap_or_else(smallest);
    rings.into_iter().map(|ring| ring.into_iter().map(|atom| atom.0 as usize).collect()).collect()
}

/// Number of outer electrons of a neutral atom as `RDKit` counts them; 0 for a wildcard.
///
/// Each of these elements starts a new number of inner electrons, which is subtracted from the atomic number.
pub(super) fn outer_electrons(element: u8) -> u32 {
    const INNER: [(u8, u8); 13] = [
        (1, 0),
        (3, 2),
        (11, 10),
        (19, 18),
        (30, 28),
        (37, 36),
        (48, 46),
        (55, 54),
        (59, 56),
        (72, 68),
        (80, 78),
        (87, 86),
        (91, 88),
    ];
    if element >= 104 {
        return 2;
    }
    let inner = INNER.iter().rev().find(|(first, _)| *first <= element);
    inner.map_or(0, |(_, inner)| u32::from(element - inner))
}

#[cfg(test)]
mod tests {
    use super::outer_electrons;

    #[test]
    fn outer_electrons_as_in_rdkits_periodic_table() {
        let cases = [
            (0, 0),
            (1, 1),
            (2, 2),
            (6, 4),
            (10, 8),
            (18, 8),
            (26, 8),
            (29, 11),
            (30, 2),
            (35, 7),
            (47, 11),
            (50, 4),
            (58, 4),
            (59, 3),
            (71, 15),
            (72, 4),
            (78, 10),
            (80, 2),
            (86, 8),
            (92, 4),
            (103, 15),
            (104, 2),
            (118, 2),
        ];
        for (element, electrons) in cases {
            assert_eq!(outer_electrons(element), electrons, "element {element}");
        }
    }
}
