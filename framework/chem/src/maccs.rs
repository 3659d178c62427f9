//! MACCS structural keys.

use rayon::prelude::*;

use crate::Molecule;

/// Number of keys. `RDKit`'s vector has one column more, the first, which is never set.
pub const MACCS_KEYS: usize = 166;

/// The keys that the molecule has, by increasing number, from 1.
///
/// `RDKit`'s `GetMACCSKeysFingerprint(molecule).GetOnBits()`: the public 166 keys (Durant et al. 2002, 10.1021/ci010132r), of
/// which `RDKit` never sets number 1.
pub fn maccs_keys(molecule: &Molecule) -> Vec<usize> {
    let bits = chematic_fp::maccs(&molecule.source);
    (0..MACCS_KEYS).filter(|&bit| bits.get(bit)).map(|bit| bit + 1).collect()
}

/// The keys of many molecules as 0 and 1, row-major `[n, MACCS_KEYS]`, on all threads of the current `rayon` pool.
pub fn maccs_matrix(molecules: &[Molecule]) -> Vec<f32> {
    let mut matrix = vec![0.0; molecules.len() * MACCS_KEYS];
    matrix.par_chunks_mut(MACCS_KEYS).zip(molecules).for_each(|(row, molecule)| {
        for key in maccs_keys(molecule) {
            row[key - 1] = 1.0;
        }
    });
    matrix
}
