//! Features of bonds.

use molarena_sdk::graph::bonds_in_rings;

use super::Molecule;

/// Columns of a bond: four types and "other", six kinds of stereo and "other", and whether it is in a ring.
pub(crate) const COLUMNS: usize = 5 + 7 + 1;

/// The features of the bonds of a molecule, one after the other.
pub(crate) fn bonds(molecule: &Molecule<'_>) -> Vec<[f32; COLUMNS]> {
    let in_ring = bonds_in_rings(molecule.atoms.len(), molecule.bonds);
    let of = |(&[kind, stereo, _], in_ring): (&[i8; 3], bool)| {
        let mut row = [0.0; COLUMNS];
        row[kind.clamp(0, 4) as usize] = 1.0;
        // Graphium's order is none, any, Z, E; the Open Graph Benchmark's none, Z, E, ..., any.
        let stereo = match stereo {
            0 => 0,
            1 => 2,
            2 => 3,
            _ => 1,
        };
        row[5 + stereo] = 1.0;
        row[COLUMNS - 1] = f32::from(u8::from(in_ring));
        row
    };
    molecule.kinds.iter().zip(in_ring).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_their_columns() {
        let kinds = [[0, 0, 0], [1, 1, 0], [1, 2, 0], [4, 5, 1]];
        let molecule =
            Molecule { atoms: &[[5; 9]; 5], bonds: &[[0, 1], [1, 2], [2, 3], [3, 4]], kinds: &kinds };
        let marked: Vec<Vec<usize>> = bonds(&molecule)
            .iter()
            .map(|row| (0..COLUMNS).filter(|&column| row[column] > 0.0).collect())
            .collect();
        assert_eq!(marked, [[0, 5], [1, 7], [1, 8], [4, 6]]);
    }
}
