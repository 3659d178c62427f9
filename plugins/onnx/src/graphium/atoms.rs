//! Features of atoms.

use super::Molecule;

/// Columns of an atom: five numbers, then zeros and ones for element, group, period and valence, each with a place for "other".
pub(crate) const COLUMNS: usize = 5 + (ELEMENTS.len() + 1) + (GROUPS + 1) + (PERIODS + 1) + (VALENCES + 1);

/// Atomic numbers with a column of their own, in Graphium's order.
const ELEMENTS: [u8; 43] = [
    6, 7, 8, 16, 9, 14, 15, 17, 35, 12, 11, 20, 26, 33, 13, 53, 5, 23, 19, 81, 70, 51, 50, 47, 46, 27, 34,
    22, 30, 1, 3, 32, 29, 79, 28, 48, 49, 25, 40, 24, 78, 80, 82,
];
/// Groups 1 to 18, and one for the elements of the f-block.
const GROUPS: usize = 19;
const PERIODS: usize = 7;
/// Valences 0 to 6.
const VALENCES: usize = 7;

/// Aromatic bond in the features of the Open Graph Benchmark.
const AROMATIC: i8 = 3;

/// The features of the atoms of a molecule.
pub(crate) fn atoms(molecule: &Molecule<'_>) -> Vec<[f32; COLUMNS]> {
    let neighbours = molecule.neighbours();
    neighbours.iter().enumerate().map(|(number, neighbours)| atom(molecule, number, neighbours)).collect()
}

fn atom(molecule: &Molecule<'_>, number: usize, neighbours: &[(usize, usize)]) -> [f32; COLUMNS] {
    let mut row = [0.0; COLUMNS];
    let [element, _, degree, charge, hydrogens, radicals, _, aromatic, in_ring] =
        molecule.atoms[number].map(i32::from);
    let (element, charge) = (element + 1, charge - 5);
    let orders = neighbours.iter().map(|&(_, bond)| order(molecule.kinds[bond][0])).sum();
    let valence = valence(element, charge, aromatic != 0, orders, hydrogens);
    // Relative to carbon's usual degree.
    for (place, value) in row.iter_mut().zip([degree - 2, charge, radicals, aromatic, in_ring]) {
        *place = value as f32;
    }
    let mut from = 5;
    let mut mark = |place: Option<usize>, places: usize| {
        row[from + place.filter(|&place| place < places).unwrap_or(places)] = 1.0;
        from += places + 1;
    };
    mark(ELEMENTS.iter().position(|&known| i32::from(known) == element), ELEMENTS.len());
    let (period, group) = period_and_group(element);
    mark(Some(group - 1), GROUPS);
    mark(Some(period - 1), PERIODS);
    mark(usize::try_from(valence).ok(), VALENCES);
    row
}

/// The order of a bond by its type; one of another type counts nothing.
const fn order(kind: i8) -> f64 {
    match kind {
        0 => 1.0,
        1 => 2.0,
        2 => 3.0,
        AROMATIC => 1.5,
        _ => 0.0,
    }
}

/// `RDKit`'s total valence of an atom: the orders of its bonds and its hydrogens. An aromatic atom whose bonds come to more than
/// its element has room for, such as the nitrogen of pyrrole, has the valence of the element.
fn valence(element: i32, charge: i32, aromatic: bool, orders: f64, hydrogens: i32) -> i32 {
    let total = orders + f64::from(hydrogens);
    let allowed: &[i32] = match element {
        5 | 7 => &[3],
        6 | 14 => &[4],
        8 => &[2],
        15 | 33 => &[3, 5, 7],
        16 | 34 | 52 => &[2, 4, 6],
        _ => &[],
    };
    let allowed: Vec<f64> = allowed.iter().map(|valence| f64::from(valence + charge)).collect();
    if aromatic
        && allowed.first().is_some_and(|&least| total > least)
        && let Some(&nearest) = allowed.iter().rev().find(|&&valence| valence <= total)
        && total - nearest <= 1.5
    {
        return nearest as i32;
    }
    (total + 0.1).round() as i32
}

/// Period and group of an element; group 19 for the f-block but lanthanum and actinium, 1 for what is no element.
fn period_and_group(element: i32) -> (usize, usize) {
    const NOBLE: [i32; 8] = [0, 2, 10, 18, 36, 54, 86, 118];
    let Some(period) = (1..NOBLE.len()).find(|&period| (1..=NOBLE[period]).contains(&element)) else {
        return (1, 1);
    };
    let from_start = element - NOBLE[period - 1];
    let from_end = 18 - (NOBLE[period] - element);
    let group = match (period, from_start) {
        (_, 1) => 1,
        // Helium is a noble gas.
        (2.., 2) => 2,
        (6 | 7, 4..=17) => 19,
        (4.., 3) => 3,
        _ => from_end,
    };
    (period, usize::try_from(group).unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_and_groups() {
        let cases = [
            (1, (1, 1)),
            (2, (1, 18)),
            (6, (2, 14)),
            (11, (3, 1)),
            (12, (3, 2)),
            (13, (3, 13)),
            (20, (4, 2)),
            (21, (4, 3)),
            (26, (4, 8)),
            (30, (4, 12)),
            (53, (5, 17)),
            (57, (6, 3)),
            (58, (6, 19)),
            (71, (6, 19)),
            (72, (6, 4)),
            (80, (6, 12)),
            (89, (7, 3)),
            (103, (7, 19)),
            (104, (7, 4)),
            (118, (7, 18)),
            (119, (1, 1)),
        ];
        for (element, expected) in cases {
            assert_eq!(period_and_group(element), expected, "element {element}");
        }
    }

    #[test]
    fn valences_of_aromatic_atoms_are_those_of_their_elements() {
        // Benzene's carbon, pyridine's and pyrrole's nitrogen, furan's oxygen, thiophene's sulphur, pyridinium.
        let cases = [
            (6, 0, 3.0, 1, 4),
            (6, 0, 4.5, 0, 4),
            (7, 0, 3.0, 0, 3),
            (7, 0, 3.0, 1, 3),
            (7, 0, 4.0, 0, 3),
            (8, 0, 3.0, 0, 2),
            (16, 0, 3.0, 0, 2),
            (7, 1, 3.0, 1, 4),
        ];
        for (element, charge, orders, hydrogens, expected) in cases {
            assert_eq!(valence(element, charge, true, orders, hydrogens), expected, "{element} {orders}");
        }
        assert_eq!(valence(16, 0, false, 6.0, 0), 6);
    }
}
