//! Questions that several plugins ask of a molecule's graph.

/// The neighbours of each atom: number of the other atom, number of the bond.
pub fn neighbours(atoms: usize, bonds: &[[u32; 2]]) -> Vec<Vec<(usize, usize)>> {
    let mut neighbours = vec![Vec::new(); atoms];
    for (bond, &[one, other]) in bonds.iter().enumerate() {
        neighbours[one as usize].push((other as usize, bond));
        neighbours[other as usize].push((one as usize, bond));
    }
    neighbours
}

/// Whether each bond is in a ring: whether its ends stay connected without it (Tarjan 1974, 10.1016/0020-0190(74)90003-9).
pub fn bonds_in_rings(atoms: usize, bonds: &[[u32; 2]]) -> Vec<bool> {
    let neighbours = neighbours(atoms, bonds);
    let mut in_ring = vec![true; bonds.len()];
    // When an atom was found, from 1; the earliest atom that it reaches by bonds not yet walked.
    let (mut found, mut reached) = (vec![0; atoms], vec![0; atoms]);
    let mut time = 0;
    for root in 0..atoms {
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
    fn neighbours_are_of_both_ends() {
        assert_eq!(neighbours(3, &[[0, 1], [2, 1]]), [vec![(1, 0)], vec![(0, 0), (2, 1)], vec![(1, 1)]]);
    }

    #[test]
    fn bonds_of_rings_are_found() {
        // Two triangles joined by a bond, and a tail: 0-1-2, 2-3, 3-4-5, 5-6.
        let bonds = [[0, 1], [1, 2], [2, 0], [2, 3], [3, 4], [4, 5], [5, 3], [5, 6]];
        assert_eq!(bonds_in_rings(7, &bonds), [true, true, true, false, true, true, true, false]);
        assert_eq!(bonds_in_rings(0, &[]), [] as [bool; 0]);
    }
}
