//! What makes two rows the same molecule, in several ways.

use molarena_chem::Molecule;
use rayon::prelude::*;

/// Index of formal charge + 5 and of hydrogens in the atom features of the Open Graph Benchmark.
const CHARGE: usize = 3;
const HYDROGENS: usize = 4;
/// Elements (atomic number - 1) whose bonds every drawing of a molecule has; bonds to metals are drawn or not.
const BONDED: [i8; 11] = [4, 5, 6, 7, 8, 13, 14, 15, 16, 34, 52];

/// The keys of one molecule.
pub(super) struct Keys {
    /// The SMILES as written.
    pub(super) text: String,
    /// Canonical SMILES.
    pub(super) canonical: String,
    /// Canonical SMILES without isotopes.
    pub(super) without_isotopes: String,
    /// Canonical SMILES without isotopes and stereo.
    pub(super) flat: String,
    /// Identity key.
    pub(super) identity: String,
    /// Formal charges other than 0, ascending.
    pub(super) charges: Vec<i8>,
    /// Identity key of the parent; of the molecule itself if it has one fragment.
    pub(super) parent: String,
    /// Murcko scaffold without stereo; empty without a ring.
    pub(super) flat_scaffold: String,
    /// A hash of what tautomers have in common; molecules of different skeletons are no tautomers.
    pub(super) skeleton: u64,
}

/// The keys of all molecules, in parallel.
pub(super) fn all(molecules: &[Molecule]) -> Vec<Keys> {
    molecules.par_iter().map(keys).collect()
}

fn keys(molecule: &Molecule) -> Keys {
    let canonical = molecule.canonical_smiles(true);
    let identity = molecule.identity();
    let features = &molecule.graph_ref().atom_features;
    let mut charges: Vec<i8> =
        features.iter().map(|atom| atom[CHARGE] - 5).filter(|charge| *charge != 0).collect();
    charges.sort_unstable();
    Keys {
        text: molecule.smiles().to_owned(),
        without_isotopes: without_isotopes(&canonical),
        flat: molecule.canonical_smiles(false),
        parent: molecule.parent().map_or_else(|| identity.clone(), |parent| parent.identity()),
        flat_scaffold: molecule.scaffold(false),
        skeleton: skeleton(molecule),
        canonical,
        identity,
        charges,
    }
}

/// A canonical SMILES without its isotopes.
fn without_isotopes(canonical: &str) -> String {
    let mut text = String::with_capacity(canonical.len());
    let mut bracket = false;
    let mut found = false;
    for c in canonical.chars() {
        if bracket && c.is_ascii_digit() {
            found = true;
            continue;
        }
        bracket = c == '[';
        text.push(c);
    }
    if !found {
        return text;
    }
    Molecule::parse(&text).map_or(text, |molecule| molecule.canonical_smiles(true))
}

/// A hash of the atoms and of which are bonded, whatever the bonds' orders and wherever the hydrogens are, with the
/// number of hydrogens and the net charge.
fn skeleton(molecule: &Molecule) -> u64 {
    let graph = molecule.graph_ref();
    let elements: Vec<i8> = graph.hu_atoms.iter().map(|atom| atom[0]).collect();
    let mut neighbours = vec![Vec::new(); elements.len()];
    for &[one, other] in &graph.bonds {
        let ends = [one as usize, other as usize];
        if ends.iter().all(|&atom| BONDED.contains(&elements[atom])) {
            neighbours[ends[0]].push(ends[1]);
            neighbours[ends[1]].push(ends[0]);
        }
    }
    // Weisfeiler and Lehman: each round mixes an atom's hash with its neighbours'.
    let mut hashes: Vec<u64> = elements.iter().map(|&element| mixed(element as u64 + 1)).collect();
    for _ in 0..6 {
        hashes = (0..hashes.len())
            .map(|atom| {
                let around = neighbours[atom].iter().map(|&other| mixed(hashes[other]));
                mixed(hashes[atom].wrapping_mul(3).wrapping_add(around.fold(0, u64::wrapping_add)))
            })
            .collect();
    }
    let total = |feature: usize| graph.atom_features.iter().map(|atom| i64::from(atom[feature])).sum::<i64>();
    let atoms = elements.len() as i64;
    let counted = mixed(total(HYDROGENS) as u64) ^ mixed((total(CHARGE) - 5 * atoms) as u64 ^ (1 << 40));
    hashes.iter().fold(counted, |sum, &hash| sum.wrapping_add(mixed(hash)))
}

/// The finaliser of `SplitMix64` (Steele, Lea and Flood 2014).
const fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_of(smiles: &str) -> Keys {
        keys(&Molecule::parse(smiles).unwrap())
    }

    #[test]
    fn isotopes_leave_and_stereo_stays() {
        assert_eq!(keys_of("[13CH4]").without_isotopes, "C");
        assert_eq!(keys_of("[2H]C").without_isotopes, "C");
        let chiral = keys_of("[13CH3][C@H](N)C(=O)O");
        assert_eq!(chiral.without_isotopes, keys_of("C[C@H](N)C(=O)O").canonical);
        assert_ne!(chiral.without_isotopes, keys_of("C[C@@H](N)C(=O)O").canonical);
    }

    #[test]
    fn tautomers_share_a_skeleton_and_isomers_do_not() {
        let skeleton = |smiles: &str| keys_of(smiles).skeleton;
        assert_eq!(skeleton("CC(=O)CC(C)=O"), skeleton("CC(O)=CC(C)=O"));
        assert_eq!(skeleton("Oc1ccccn1"), skeleton("O=c1cccc[nH]1"));
        for (one, other) in [("CCO", "COC"), ("CCO", "CC=O"), ("CCCCN", "CCC[NH2+]C"), ("CCCl", "CCBr")] {
            assert_ne!(skeleton(one), skeleton(other), "{one} {other}");
        }
    }
}
