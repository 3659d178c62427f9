//! Features of bonds.

use super::Molecule;

/// Columns of a bond: four types and "other", six kinds of stereo and "other", and whether it is in a ring.
pub(crate) const COLUMNS: usize = 5 + 7 + 1;

/// The features of the bonds of a molecule, one after the other.
pub(crate) fn bonds(molecule: &Molecule<'_>) -> Vec<[f32; COLUMNS]> {
    let in_ring = in_ring(molecule);
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

/// Whether each bond is in a ring: whether its ends stay connected without it (Tarjan 1974, 10.1016/0020-0190(74)90003-9).
fn in_ring(molecule: &Molecule<'_>) -> Vec<bool> {
    let neighbours = molecule.neighbours();
    let mut in_ring = vec![true; molecule.bonds.len()];
    // When an atom was found, from 1; the earliest atom that it reaches by bonds not yet walked.
    let (mut found, mut reached) = (vec![0; molecule.atoms.len()], vec![0; molecule.atoms.len()]);
    let mut time = 0;
    for root in 0..molecule.atoms.len() {
        if found[root] > 0 {
            continue;
        }
        // Atom, the bond that led to it, the next of its neighbours.
        let mut path = vec![(root, usize::MAX, 0)];
        time += 1;
        (found[root], reached[root]) = (time, time);
        while let Some((atom, by, next)) = path.last_mut() {
            let (atom, by) = (*atom, *by);
            if let Some(&(other, bond)) = neighbours[atom].get(*next) {
                *next += 1;
                if bond == by {
                    continue;
                }
                if found[other] > 0 {
                    reached[atom] = reached[atom].min(found[other]);
                } else {
                    time += 1;
                    (found[other], reached[other]) = (time, time);
                    path.push((other, bond, 0));
                }
            } else {
                path.pop();
                if let Some(&(before, ..)) = path.last() {
                    reached[before] = reached[before].min(reached[atom]);
                    in_ring[by] = reached[atom] <= found[before];
                }
            }
        }
    }
    in_ring
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bonds_of_rings_are_found() {
        // Two triangles joined by a bond, and a tail: 0-1-2, 2-3, 3-4-5, 5-6.
        let bonds = [[0, 1], [1, 2], [2, 0], [2, 3], [3, 4], [4, 5], [5, 3], [5, 6]];
        let molecule = Molecule { atoms: &[[5; 9]; 7], bonds: &bonds, kinds: &[[0; 3]; 8] };
        assert_eq!(in_ring(&molecule), [true, true, true, false, true, true, true, false]);
    }

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
