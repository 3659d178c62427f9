//! Counts and masses.

use std::collections::{HashMap, HashSet};

use chematic_core::BondOrder;

use super::skeleton::{Skeleton, outer_electrons};

const HYDROGEN_WEIGHT: f64 = 1.008;

/// Numbers of rings by the kinds of their bonds and atoms.
#[derive(Default)]
pub(super) struct RingCounts {
    pub(super) all: f64,
    pub(super) aliphatic: [f64; 3],
    pub(super) aromatic: [f64; 3],
    pub(super) saturated: [f64; 3],
    pub(super) heterocycles: f64,
}

/// Rings by their bonds, all aromatic, not all aromatic (aliphatic) and all single (saturated), each without a
/// heteroatom, with one, and in total.
pub(super) fn rings(skeleton: &Skeleton) -> RingCounts {
    let mut counts = RingCounts { all: skeleton.rings.len() as f64, ..RingCounts::default() };
    for ring in &skeleton.rings {
        let hetero = usize::from(ring.iter().any(|atom| skeleton.elements[*atom] != 6));
        counts.heterocycles += hetero as f64;
        let bonds = skeleton.ring_bonds(ring);
        let all = |wanted: &[BondOrder]| bonds.iter().all(|bond| wanted.contains(&skeleton.orders[*bond]));
        let count = |kind: &mut [f64; 3]| [hetero, 2].iter().for_each(|place| kind[*place] += 1.0);
        if all(&[BondOrder::Aromatic]) {
            count(&mut counts.aromatic);
        } else {
            count(&mut counts.aliphatic);
        }
        if all(&[BondOrder::Single, BondOrder::Up, BondOrder::Down]) {
            count(&mut counts.saturated);
        }
    }
    counts
}

/// Spiro atoms, the only atom that two rings share, and bridgeheads, the ends of a path of two or more bonds that two
/// rings share.
pub(super) fn spiro_and_bridgeheads(skeleton: &Skeleton) -> [f64; 2] {
    let (mut spiro, mut bridgeheads) = (HashSet::new(), HashSet::new());
    let bonds: Vec<Vec<usize>> = skeleton.rings.iter().map(|ring| skeleton.ring_bonds(ring)).collect();
    for (index, ring) in skeleton.rings.iter().enumerate() {
        for (other, other_bonds) in skeleton.rings.iter().zip(&bonds).take(index) {
            let shared: Vec<usize> = ring.iter().filter(|atom| other.contains(atom)).copied().collect();
            if let [atom] = shared[..] {
                spiro.insert(atom);
            }
            let common: Vec<usize> =
                bonds[index].iter().filter(|bond| other_bonds.contains(bond)).copied().collect();
            if common.len() > 1 {
                let mut ends = HashMap::new();
                common
                    .iter()
                    .flat_map(|bond| skeleton.bonds[*bond])
                    .for_each(|atom| *ends.entry(atom).or_insert(0) += 1);
                bridgeheads.extend(ends.into_iter().filter(|(_, times)| *times == 1).map(|(atom, _)| atom));
            }
        }
    }
    [spiro.len() as f64, bridgeheads.len() as f64]
}

/// `HeavyAtomMolWt` from the molecular weight: subtracts all hydrogens, whether or not they are atoms of the graph.
pub(super) fn heavy_weight(skeleton: &Skeleton, weight: f64) -> f64 {
    let implicit: u32 = skeleton.hydrogens.iter().sum();
    let isotope_weight = |isotope: Option<u16>| match isotope {
        None | Some(0) => HYDROGEN_WEIGHT,
        Some(1) => 1.007_825_032,
        Some(2) => 2.014_101_778,
        Some(3) => 3.016_049_278,
        Some(other) => f64::from(other),
    };
    let atoms = skeleton.model.atoms().zip(&skeleton.elements).filter(|(_, element)| **element == 1);
    weight
        - f64::from(implicit) * HYDROGEN_WEIGHT
        - atoms.map(|((_, atom), _)| isotope_weight(atom.isotope)).sum::<f64>()
}

/// Outer electrons of all atoms and their hydrogens, minus the charge.
pub(super) fn valence_electrons(skeleton: &Skeleton) -> f64 {
    let outer: u32 = skeleton.elements.iter().map(|element| outer_electrons(*element)).sum();
    let hydrogens: u32 = skeleton.hydrogens.iter().sum();
    f64::from(outer + hydrogens) - f64::from(skeleton.charges.iter().sum::<i32>())
}

/// `NHOHCount` and `NOCount`: the number of hydrogens on nitrogen and oxygen, and of nitrogen and oxygen atoms.
pub(super) fn nitrogens_and_oxygens(skeleton: &Skeleton) -> [f64; 2] {
    let polar = |atom: &usize| matches!(skeleton.elements[*atom], 7 | 8);
    let hydrogens = |atom: usize| {
        let atoms =
            skeleton.neighbours[atom].iter().filter(|(other, _)| skeleton.elements[*other] == 1).count();
        f64::from(skeleton.hydrogens[atom]) + atoms as f64
    };
    let atoms = (0..skeleton.atoms()).filter(polar);
    [atoms.clone().map(hydrogens).sum(), atoms.count() as f64]
}

/// `FractionCSP3`: the share of carbons with four neighbours, including hydrogens; 0 without carbon.
pub(super) fn tetrahedral_carbons(skeleton: &Skeleton) -> f64 {
    let carbons = (0..skeleton.atoms()).filter(|atom| skeleton.elements[*atom] == 6);
    let all = carbons.clone().count();
    let four =
        carbons.filter(|atom| skeleton.degree(*atom) + skeleton.hydrogens[*atom] as usize == 4).count();
    if all == 0 { 0.0 } else { four as f64 / all as f64 }
}

/// `NumHeteroatoms`: atoms that are neither carbon nor hydrogen.
pub(super) fn heteroatoms(skeleton: &Skeleton) -> f64 {
    skeleton.elements.iter().filter(|element| !matches!(element, 1 | 6)).count() as f64
}
