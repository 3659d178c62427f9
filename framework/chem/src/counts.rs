//! Counted Morgan fingerprints: the number of occurrences of each environment.

use rayon::prelude::*;

use crate::{Molecule, Morgan};

/// The counted fingerprint: `(column, count)` by increasing column, columns below `n_bits`, counts above 0.
///
/// `RDKit`'s `GetMorganGenerator(radius, fpSize=n_bits, includeChirality=chirality).GetCountFingerprint(molecule)`:
/// environments whose hashes fold into the same column are added up.
///
/// # Panics
/// If `spec` does not pass [`Morgan::check`].
pub fn morgan_counts(molecule: &Molecule, spec: &Morgan) -> Vec<(u32, u32)> {
    assert_eq!(spec.check(), Ok(()), "a Morgan specification must pass check()");
    let mut columns = Vec::new();
    molecule.visit_columns(spec, |column| columns.push(column as u32));
    columns.sort_unstable();
    columns.chunk_by(|one, other| one == other).map(|run| (run[0], run.len() as u32)).collect()
}

/// The counted fingerprints of many molecules, row-major `[n, n_bits]`, on all threads of the current `rayon` pool.
///
/// Counts above `max_count` are cut to `max_count`.
///
/// # Panics
/// If `spec` does not pass [`Morgan::check`].
pub fn morgan_count_matrix(molecules: &[Molecule], spec: &Morgan, max_count: Option<u32>) -> Vec<f32> {
    assert_eq!(spec.check(), Ok(()), "a Morgan specification must pass check()");
    let limit = max_count.unwrap_or(u32::MAX);
    let mut matrix = vec![0.0; molecules.len() * spec.n_bits];
    matrix.par_chunks_mut(spec.n_bits).zip(molecules).for_each(|(row, molecule)| {
        for (column, count) in morgan_counts(molecule, spec) {
            row[column as usize] = count.min(limit) as f32;
        }
    });
    matrix
}
