//! Positions of atoms in the graph.

use faer::{Mat, Side};
use molarena_sdk::{Error, Result};

use super::{Molecule, order::canonical, rounded};

/// Eigenvectors of an atom.
pub(crate) const EIGENVECTORS: usize = 8;
/// Steps of a random walk.
pub(crate) const WALK_STEPS: usize = 16;

/// Eigenvalues of a Laplacian are alike if they differ by less; those of graphs as small as molecules are far from it.
const ALIKE: f64 = 1e-7;
/// A sum of a unit vector's elements counts as 0 below this.
const NOTHING: f64 = 1e-5;

/// For each atom the [`EIGENVECTORS`] smallest eigenvalues of the Laplacian D - A of its fragment, and its elements in their
/// eigenvectors, of length 1; zeros after the last.
///
/// # Which eigenvectors
/// A sign is chosen so that the sum of the cubes is positive, and, if it is 0, the first atom of the canonical order that is not 0.
/// Of several vectors of one eigenvalue, the first is the projection of that axis into their space which is longest, the next that
/// of what remains, and so on; among equals, the axis of the first atom in the canonical order. So they do not depend on the order in
/// which a molecule's atoms were written, nor on the machine.
///
/// # Errors
/// The eigenvalues cannot be found.
pub(crate) fn laplacian(molecule: &Molecule<'_>) -> Result<[Vec<[f32; EIGENVECTORS]>; 2]> {
    let mut values = vec![[0f32; EIGENVECTORS]; molecule.atoms.len()];
    let mut vectors = values.clone();
    let order = canonical(molecule);
    for fragment in fragments(molecule, &order) {
        let count = fragment.len();
        let mut place = vec![usize::MAX; molecule.atoms.len()];
        fragment.iter().enumerate().for_each(|(number, &atom)| place[atom] = number);
        let mut matrix = Mat::<f64>::zeros(count, count);
        for bond in molecule.bonds {
            let [one, other] = bond.map(|atom| place[atom as usize]);
            if one < count {
                matrix[(one, one)] += 1.0;
                matrix[(other, other)] += 1.0;
                matrix[(one, other)] -= 1.0;
                matrix[(other, one)] -= 1.0;
            }
        }
        let solved = matrix.self_adjoint_eigen(Side::Lower).map_err(|error| {
            Error::data(format!("the eigenvalues of a graph of {count} atoms cannot be found: {error:?}"))
        })?;
        let eigenvalues: Vec<f64> = solved.S().column_vector().iter().copied().collect();
        let column = |number: usize| solved.U().col(number).iter().copied().collect::<Vec<f64>>();
        let mut from = 0;
        while from < count.min(EIGENVECTORS) {
            let alike = |&number: &usize| eigenvalues[number] - eigenvalues[from] < ALIKE;
            let space: Vec<Vec<f64>> = (from..count).take_while(alike).map(column).collect();
            let next = from + space.len();
            for (number, vector) in (from..EIGENVECTORS).zip(chosen(space)) {
                for (&atom, element) in fragment.iter().zip(vector) {
                    vectors[atom][number] = rounded(element);
                    values[atom][number] = rounded(eigenvalues[number]);
                }
            }
            from = next;
        }
    }
    Ok([vectors, values])
}

/// The atoms of each fragment in the canonical order.
fn fragments(molecule: &Molecule<'_>, order: &[usize]) -> Vec<Vec<usize>> {
    let neighbours = molecule.neighbours();
    let mut fragment = vec![usize::MAX; molecule.atoms.len()];
    let mut count = 0;
    for &root in order {
        if fragment[root] < count {
            continue;
        }
        let mut open = vec![root];
        while let Some(atom) = open.pop() {
            if fragment[atom] > count {
                fragment[atom] = count;
                open.extend(neighbours[atom].iter().map(|&(other, _)| other));
            }
        }
        count += 1;
    }
    let mut fragments = vec![Vec::new(); count];
    for &atom in order {
        fragments[fragment[atom]].push(atom);
    }
    fragments
}

/// The vectors that stand for a space, given by others of length 1 at right angles.
fn chosen(mut space: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    if let [vector] = &mut space[..] {
        let cubes: f64 = vector.iter().map(|element| element.powi(3)).sum();
        let first = vector.iter().find(|element| element.abs() > NOTHING).copied().unwrap_or(1.0);
        if (if cubes.abs() > NOTHING { cubes } else { first }) < 0.0 {
            for element in vector.iter_mut() {
                *element = -*element;
            }
        }
        return space;
    }
    let atoms = space[0].len();
    // The length that remains of each axis's projection, squared.
    let mut remain: Vec<f64> =
        (0..atoms).map(|atom| space.iter().map(|vector| vector[atom].powi(2)).sum()).collect();
    let mut vectors: Vec<Vec<f64>> = Vec::new();
    for _ in 0..space.len() {
        let longest = remain.iter().copied().fold(0.0, f64::max);
        let axis = remain.iter().position(|&length| length > longest - NOTHING).unwrap_or(0);
        let mut vector: Vec<f64> =
            (0..atoms).map(|atom| space.iter().map(|basis| basis[axis] * basis[atom]).sum::<f64>()).collect();
        for before in &vectors {
            let along: f64 = before.iter().zip(&vector).map(|(one, other)| one * other).sum();
            vector.iter_mut().zip(before).for_each(|(element, before)| *element -= along * before);
        }
        let length = vector.iter().map(|element| element.powi(2)).sum::<f64>().sqrt();
        for element in &mut vector {
            *element /= length;
        }
        remain.iter_mut().zip(&vector).for_each(|(length, element)| *length -= element.powi(2));
        vectors.push(vector);
    }
    vectors
}

/// For each atom the probabilities that a random walk from it is there again after 1, 2, ... [`WALK_STEPS`] steps. As in Graphium, they
/// are 0 for an atom without bonds, and 1 if it is the only one.
pub(crate) fn walk_returns(molecule: &Molecule<'_>) -> Vec<[f32; WALK_STEPS]> {
    let neighbours = molecule.neighbours();
    let atoms = molecule.atoms.len();
    if atoms == 1 {
        return vec![[1.0; WALK_STEPS]];
    }
    let from = |start: usize| {
        let mut returns = [0f32; WALK_STEPS];
        let mut here = vec![0f64; atoms];
        here[start] = 1.0;
        for place in &mut returns {
            let mut next = vec![0f64; atoms];
            for (atom, &probability) in here.iter().enumerate().filter(|(_, probability)| **probability > 0.0)
            {
                let share = probability / neighbours[atom].len() as f64;
                neighbours[atom].iter().for_each(|&(other, _)| next[other] += share);
            }
            here = next;
            *place = rounded(here[start]);
        }
        returns
    };
    (0..atoms).map(from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn molecule<'a>(atoms: &'a [[i8; 9]], bonds: &'a [[u32; 2]], kinds: &'a [[i8; 3]]) -> Molecule<'a> {
        Molecule { atoms, bonds, kinds: &kinds[..bonds.len()] }
    }

    #[test]
    fn eigenvectors_of_a_chain_of_three() {
        let (atoms, kinds) = ([[5i8; 9]; 3], [[0i8; 3]; 2]);
        let [vectors, values] = laplacian(&molecule(&atoms, &[[0, 1], [1, 2]], &kinds)).unwrap();
        assert_eq!(&values[0][..4], [0.0, 1.0, 3.0, 0.0]);
        let close = |found: f32, expected: f64| (f64::from(found) - expected).abs() < 1e-3;
        let expected = [3f64.sqrt().recip(), 2f64.sqrt().recip(), 6f64.sqrt().recip()];
        assert!(vectors.iter().all(|row| close(row[0], expected[0])), "{vectors:?}");
        // The cubes of the second come to 0; those of the third are positive with the middle atom.
        assert!(close(vectors[0][1].abs(), expected[1]) && close(vectors[1][1], 0.0), "{vectors:?}");
        assert!(close(vectors[1][2], 2.0 * expected[2]) && close(vectors[0][2], -expected[2]), "{vectors:?}");
    }

    #[test]
    fn the_order_of_atoms_changes_nothing() {
        // A ring of six with a tail and a fragment of its own, written in two ways.
        let bonds: [[u32; 2]; 8] = [[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 0], [5, 6], [7, 8]];
        let to = [4u32, 8, 1, 0, 6, 2, 7, 3, 5];
        let mut moved: Vec<[u32; 2]> = bonds.iter().map(|bond| bond.map(|atom| to[atom as usize])).collect();
        moved.reverse();
        let (atoms, kinds) = ([[5i8; 9]; 9], [[0i8; 3]; 8]);
        let (one, other) = (molecule(&atoms, &bonds, &kinds), molecule(&atoms, &moved, &kinds));
        let ([vectors, values], [moved_vectors, moved_values]) =
            (laplacian(&one).unwrap(), laplacian(&other).unwrap());
        // The two sides of the ring may be exchanged, and the two atoms of the fragment: compared are atoms at places that no
        // symmetry moves, and all others as sets.
        for atom in [5usize, 6, 2] {
            let (found, expected) = (moved_vectors[to[atom] as usize], vectors[atom]);
            let close = found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 2e-3);
            assert!(close, "atom {atom}: {found:?} instead of {expected:?}");
            assert_eq!(moved_values[to[atom] as usize], values[atom]);
        }
        let sorted = |rows: &[[f32; EIGENVECTORS]]| {
            let mut rows: Vec<Vec<i32>> = rows
                .iter()
                .map(|row| row.iter().map(|value| (value * 100.0).round() as i32).collect())
                .collect();
            rows.sort();
            rows
        };
        assert_eq!(sorted(&vectors), sorted(&moved_vectors));
    }

    #[test]
    fn several_vectors_of_one_eigenvalue_are_of_length_one_at_right_angles() {
        let ring: Vec<[u32; 2]> = (0..6).map(|atom| [atom, (atom + 1) % 6]).collect();
        let (atoms, kinds) = ([[5i8; 9]; 6], [[3i8, 0, 1]; 6]);
        let [vectors, values] = laplacian(&molecule(&atoms, &ring, &kinds)).unwrap();
        assert_eq!(values[0][..6], [0.0, 1.0, 1.0, 3.0, 3.0, 4.0]);
        for one in 0..6 {
            for other in 0..6 {
                let product: f32 = vectors.iter().map(|row| row[one] * row[other]).sum();
                assert!(
                    (product - f32::from(u8::from(one == other))).abs() < 3e-3,
                    "{one} {other}: {product}"
                );
            }
        }
    }

    #[test]
    fn walks_return() {
        let (atoms, kinds) = ([[5i8; 9]; 4], [[0i8; 3]; 2]);
        let returns = walk_returns(&molecule(&atoms, &[[0, 1], [1, 2]], &kinds));
        assert_eq!(returns[0][..4], [0.0, 0.5, 0.0, 0.5]);
        assert_eq!(returns[1][..4], [0.0, 1.0, 0.0, 1.0]);
        assert_eq!(returns[3], [0.0; WALK_STEPS]);
        assert_eq!(walk_returns(&molecule(&atoms[..1], &[], &kinds)), [[1.0; WALK_STEPS]]);
    }
}
