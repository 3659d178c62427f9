//! Morgan fingerprints.

use std::collections::HashSet;

use chematic_smiles::{RdkitLegacyStereo, rdkit_hydrogen_suppressed, rdkit_legacy_stereo};

use crate::molecule::guarded;
use crate::{Molecule, MorganError};

/// A Morgan fingerprint (Rogers and Hahn 2010), `RDKit`'s
/// `GetMorganGenerator(radius, fpSize=n_bits, includeChirality=chirality)` with its other defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Morgan {
    /// Radius of the largest environment in bonds; 2 is ECFP4.
    pub radius: u32,
    /// Number of bits into which the environments' hashes are folded: a multiple of 64.
    pub n_bits: usize,
    /// Whether tetrahedral centres and double-bond geometry are part of the hashes.
    pub chirality: bool,
}

impl Morgan {
    /// Makes a checked specification.
    ///
    /// # Errors
    /// [`MorganError::Bits`] unless `n_bits` is a positive multiple of 64.
    pub fn new(radius: u32, n_bits: usize, chirality: bool) -> Result<Self, MorganError> {
        let spec = Self { radius, n_bits, chirality };
        spec.check()?;
        Ok(spec)
    }

    /// Checks that the specification can be computed.
    ///
    /// # Errors
    /// [`MorganError::Bits`] unless `n_bits` is a positive multiple of 64.
    pub fn check(&self) -> Result<(), MorganError> {
        if self.n_bits == 0 || !self.n_bits.is_multiple_of(64) {
            return Err(MorganError::Bits(self.n_bits));
        }
        Ok(())
    }

    /// Number of 64-bit words in a fingerprint.
    pub fn words(&self) -> usize {
        self.n_bits / 64
    }
}

impl Molecule {
    /// The fingerprint's `[n_bits / 64]` words: bit b is bit `b & 63` of word `b >> 6`.
    ///
    /// # Panics
    /// If `spec` does not pass [`Morgan::check`].
    pub fn morgan(&self, spec: &Morgan) -> Vec<u64> {
        assert_eq!(spec.check(), Ok(()), "a Morgan specification must pass check()");
        let mut words = vec![0; spec.words()];
        self.visit_columns(spec, |bit| words[bit >> 6] |= 1 << (bit & 63));
        words
    }

    /// Calls back with the column, below `n_bits`, of every environment.
    pub(crate) fn visit_columns(&self, spec: &Morgan, mut emit: impl FnMut(usize)) {
        let environments = Environments::new(self, spec.chirality);
        environments.visit(spec.radius, |_, hash| emit(hash as usize % spec.n_bits));
    }

    /// Number of different hashes, before folding, among the environments of up to r bonds; entry r, up to `radius`.
    pub(crate) fn distinct_environments(&self, radius: u32) -> Vec<usize> {
        let mut new = vec![0; radius as usize + 1];
        let mut seen = HashSet::new();
        Environments::new(self, false)
            .visit(radius, |bonds, hash| new[bonds as usize] += usize::from(seen.insert(hash)));
        new.iter()
            .scan(0, |total, more| {
                *total += more;
                Some(*total)
            })
            .collect()
    }
}

/// Boost's `hash_combine` in 32 bits, from a seed of 0.
pub(crate) fn hash_all(values: &[u32]) -> u32 {
    values.iter().fold(0, |seed, value| combine(seed, *value))
}

fn combine(seed: u32, value: u32) -> u32 {
    seed ^ value.wrapping_add(0x9e37_79b9).wrapping_add(seed << 6).wrapping_add(seed >> 2)
}

/// An atom's neighbour and the bond to it.
type Neighbour = (usize, usize);

/// The growing neighbourhoods of a molecule's atoms.
struct Environments {
    neighbours: Vec<Vec<Neighbour>>,
    /// `[bonds]`: each bond's contribution to a hash.
    bonds: Vec<u32>,
    /// `[atoms]`: each tetrahedral centre's contribution, 0 for other atoms.
    centres: Vec<u32>,
    /// `[atoms]`: the identifiers of the previous round.
    hashes: Vec<u32>,
    /// `[atoms, words]`: the bonds that each atom's environment covers.
    covered: Vec<u64>,
    /// Number of words in a set of bonds.
    words: usize,
}

impl Environments {
    fn new(molecule: &Molecule, chirality: bool) -> Self {
        let graph = &molecule.graph;
        let mut neighbours = vec![Vec::new(); graph.atom_features.len()];
        for (bond, [begin, end]) in graph.bonds.iter().enumerate() {
            neighbours[*begin as usize].push((*end as usize, bond));
            neighbours[*end as usize].push((*begin as usize, bond));
        }
        let mut bonds: Vec<u32> = molecule.hashing.bonds.iter().copied().map(u32::from).collect();
        let mut centres = vec![0; neighbours.len()];
        if chirality {
            for (bond, features) in bonds.iter_mut().zip(&graph.bond_features) {
                *bond = stereo_bond(*bond, features[1]);
            }
            centres = tetrahedral_centres(molecule);
        }
        let words = bonds.len().div_ceil(64);
        let covered = vec![0; words * neighbours.len()];
        Self { neighbours, bonds, centres, hashes: molecule.hashing.atoms.clone(), covered, words }
    }

    /// Calls back with the radius and hash of every environment that no smaller or equal one covers, by increasing
    /// radius.
    fn visit(mut self, radius: u32, mut emit: impl FnMut(u32, u32)) {
        self.hashes.iter().for_each(|hash| emit(0, *hash));
        let atoms = self.neighbours.len();
        let mut alive: Vec<bool> = self.neighbours.iter().map(|neighbours| !neighbours.is_empty()).collect();
        let mut settled = vec![false; atoms];
        let mut seen = HashSet::new();
        for layer in 0..radius {
            let mut hashes = vec![0; atoms];
            let mut covered = self.covered.clone();
            let mut round = Vec::new();
            for atom in (0..atoms).filter(|atom| alive[*atom]) {
                hashes[atom] = self.grow(layer, atom, &mut settled[atom]);
                let set = self.cover(atom);
                covered[atom * self.words..][..self.words].copy_from_slice(&set);
                round.push((set, hashes[atom], atom));
            }
            if round.is_empty() {
                break;
            }
            round.sort_unstable();
            for (set, hash, atom) in round {
                if seen.insert(set) {
                    emit(layer + 1, hash);
                } else {
                    alive[atom] = false;
                }
            }
            (self.hashes, self.covered) = (hashes, covered);
        }
    }

    /// The hash of an atom's next larger environment.
    fn grow(&self, layer: u32, atom: usize, settled: &mut bool) -> u32 {
        let around =
            self.neighbours[atom].iter().map(|(other, bond)| (self.bonds[*bond], self.hashes[*other]));
        let mut around: Vec<(u32, u32)> = around.collect();
        around.sort_unstable();
        let mut hash = combine(layer, self.hashes[atom]);
        for (bond, other) in &around {
            hash = combine(hash, hash_all(&[*bond, *other]));
        }
        let centre = self.centres[atom];
        if centre != 0 {
            // A centre counts once its neighbours prove to differ, and in every later round.
            let differ = around.windows(2).all(|pair| pair[0].1 != pair[1].1);
            *settled |= differ && around.iter().all(|(bond, _)| *bond == 1);
            if *settled {
                hash = combine(hash, centre);
            }
        }
        hash
    }

    /// The bonds that an atom's next larger environment covers.
    fn cover(&self, atom: usize) -> Vec<u64> {
        let mut set = vec![0; self.words];
        for (other, bond) in &self.neighbours[atom] {
            set[bond >> 6] |= 1 << (bond & 63);
            let theirs = &self.covered[other * self.words..][..self.words];
            set.iter_mut().zip(theirs).for_each(|(word, more)| *word |= more);
        }
        set
    }
}

/// A double bond of known geometry has its own number: 100 + 10 x type + `RDKit`'s stereo number.
fn stereo_bond(bond: u32, stereo: i8) -> u32 {
    // The Open Graph Benchmark orders the values none, Z, E, cis, trans, any; RDKit orders them none, any, Z, E.
    match (bond, stereo) {
        (2, 1) => 122,
        (2, 2) => 123,
        (2, 5) => 121,
        _ => bond,
    }
}

/// 3 for R, 2 for S, 1 for a centre without a label, 0 for other atoms.
fn tetrahedral_centres(molecule: &Molecule) -> Vec<u32> {
    let tagged = molecule.graph.hu_atoms.iter().map(|row| row[1] != 0);
    if !tagged.clone().any(|tagged| tagged) {
        return vec![0; tagged.len()];
    }
    let labels = labels(molecule).map_or_else(Vec::new, |stereo| stereo.atom_cip);
    let label = |atom: usize| match labels.get(atom) {
        Some(Some(b'R')) => 3,
        Some(Some(b'S')) => 2,
        _ => 1,
    };
    tagged.enumerate().map(|(atom, tagged)| if tagged { label(atom) } else { 0 }).collect()
}

/// The labels of Cahn, Ingold and Prelog as `RDKit`'s legacy perception assigns them.
fn labels(molecule: &Molecule) -> Option<RdkitLegacyStereo> {
    let of = |source: &chematic_core::Molecule| guarded(|| rdkit_legacy_stereo(source)).ok()?.ok();
    of(&molecule.source).or_else(|| {
        let suppressed = guarded(|| rdkit_hydrogen_suppressed(&molecule.source)).ok()??;
        of(&suppressed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(smiles: &str, spec: Morgan) -> Vec<usize> {
        let words = Molecule::parse(smiles).unwrap().morgan(&spec);
        (0..spec.n_bits).filter(|bit| words[bit >> 6] >> (bit & 63) & 1 == 1).collect()
    }

    const ECFP4: Morgan = Morgan { radius: 2, n_bits: 2048, chirality: false };

    #[test]
    fn bits_that_rdkit_sets() {
        assert_eq!(bits("C", ECFP4), [1264]);
        assert_eq!(bits("[H][H]", ECFP4), [445, 1287]);
        assert_eq!(bits("[H]", ECFP4), [1257]);
        assert_eq!(bits("C->[Fe]", ECFP4), [1717, 1794, 2026]);
    }

    #[test]
    fn larger_radii_only_add_bits_and_folding_is_a_remainder() {
        let smiles = "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O";
        let wide = bits(smiles, ECFP4);
        let further = bits(smiles, Morgan { radius: 7, ..ECFP4 });
        assert!(wide.iter().all(|bit| further.contains(bit)) && further.len() > wide.len());
        let mut folded: Vec<usize> = wide.iter().map(|bit| bit % 64).collect();
        folded.sort_unstable();
        folded.dedup();
        assert_eq!(bits(smiles, Morgan { n_bits: 64, ..ECFP4 }), folded);
    }

    #[test]
    fn only_chirality_tells_stereoisomers_apart() {
        let chiral = Morgan { chirality: true, ..ECFP4 };
        for (one, other) in [("C[C@](F)(Cl)Br", "C[C@@](F)(Cl)Br"), ("F/C=C/F", "F/C=C\\F")] {
            assert_eq!(bits(one, ECFP4), bits(other, ECFP4));
            assert_ne!(bits(one, chiral), bits(other, chiral));
        }
        // An explicit hydrogen does not become an atom, with or without chirality.
        assert_eq!(bits("[H][C@](F)(Cl)Br", chiral), bits("[C@H](F)(Cl)Br", chiral));
    }

    #[test]
    fn odd_sizes_are_refused() {
        assert_eq!(Morgan::new(2, 100, false), Err(MorganError::Bits(100)));
        assert_eq!(Morgan::new(2, 0, false).unwrap_err().code(), "morgan_bits");
        assert!(Morgan::new(0, 64, false).is_ok());
    }

    #[test]
    fn molecules_with_more_than_64_bonds() {
        assert_eq!(bits(&"C".repeat(200), ECFP4), bits(&"C".repeat(20), ECFP4));
    }
}
