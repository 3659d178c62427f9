//! Chemprop's features of atoms and bonds, from those of the Open Graph Benchmark.

/// Columns of an atom: element (first four rows, iodine, other), degree, charge, chirality, hydrogens, hybridisation, aromatic, mass.
pub(super) const ATOM_COLUMNS: usize = 38 + 7 + 6 + 5 + 6 + 8 + 1 + 1;

/// Columns of a bond: none, type, conjugated, in a ring, stereo.
pub(super) const BOND_COLUMNS: usize = 1 + 4 + 1 + 1 + 7;

/// Atomic weights of the elements in unified atomic mass units, from hydrogen on, as in `RDKit`'s table.
const WEIGHTS: [f32; 118] = [
    1.008, 4.003, 6.941, 9.012, 10.812, 12.011, 14.007, 15.999, 18.998, 20.18, 22.99, 24.305, 26.982, 28.086,
    30.974, 32.067, 35.453, 39.948, 39.098, 40.078, 44.956, 47.867, 50.944, 51.996, 54.938, 55.845, 58.933,
    58.693, 63.546, 65.39, 69.723, 72.61, 74.922, 78.96, 79.904, 83.8, 85.468, 87.62, 88.906, 91.224, 92.906,
    95.94, 98.0, 101.07, 102.906, 106.42, 107.868, 112.412, 114.818, 118.711, 121.76, 127.6, 126.904, 131.29,
    132.905, 137.328, 138.906, 140.116, 140.908, 144.24, 145.0, 150.36, 151.964, 157.25, 158.925, 162.5,
    164.93, 167.26, 168.934, 173.04, 174.967, 178.49, 180.948, 183.84, 186.207, 190.23, 192.217, 195.078,
    196.967, 200.59, 204.383, 207.2, 208.98, 209.0, 210.0, 222.0, 223.0, 226.0, 227.0, 232.038, 231.036,
    238.029, 237.0, 244.0, 243.0, 247.0, 247.0, 251.0, 252.0, 257.0, 258.0, 259.0, 262.0, 267.0, 268.0,
    269.0, 270.0, 269.0, 278.0, 281.0, 281.0, 285.0, 284.0, 289.0, 288.0, 293.0, 292.0, 294.0,
];

/// An atom's columns that are not 0, in increasing order, with their values.
pub(super) fn atom(features: &[i8; 9]) -> Vec<(u32, f32)> {
    let [element, chirality, degree, charge, hydrogens, _, hybridisation, aromatic, _] =
        features.map(|value| usize::try_from(value).unwrap_or(usize::MAX));
    let number = element.saturating_add(1);
    let element = match number {
        1..=36 => number - 1,
        53 => 36,
        _ => 37,
    };
    // The Open Graph Benchmark counts from -5.
    let charge = match charge {
        4 => 0,
        3 => 1,
        6 => 2,
        7 => 3,
        5 => 4,
        _ => 5,
    };
    // S, SP, SP2, SP2D, SP3, SP3D, SP3D2, other. The benchmark's other is S where an atom has one bond at most.
    let hybridisation = match hybridisation {
        0 => 1,
        1 => 2,
        2 => 4,
        3 => 5,
        4 => 6,
        _ if degree <= 1 && number <= WEIGHTS.len() => 0,
        _ => 7,
    };
    let mut columns = Vec::with_capacity(8);
    let mut first = 0;
    for (value, count) in [
        (element, 38),
        (degree.min(6), 7),
        (charge, 6),
        (chirality.min(4), 5),
        (hydrogens.min(5), 6),
        (hybridisation, 8),
    ] {
        columns.push(((first + value) as u32, 1.0));
        first += count;
    }
    if aromatic == 1 {
        columns.push((first as u32, 1.0));
    }
    if let Some(weight) = WEIGHTS.get(number - 1) {
        columns.push((first as u32 + 1, weight * 0.01));
    }
    columns
}

/// A bond's columns that are 1, in increasing order.
pub(super) fn bond([kind, stereo, conjugated]: [i8; 3], in_ring: bool) -> Vec<u32> {
    let mut columns = Vec::with_capacity(4);
    if let Ok(kind @ 0..=3) = u32::try_from(kind) {
        columns.push(1 + kind);
    }
    if conjugated == 1 {
        columns.push(5);
    }
    if in_ring {
        columns.push(6);
    }
    // The benchmark's order is none, Z, E, cis, trans, any; RDKit's none, any, Z, E, cis, trans.
    let stereo = match stereo {
        0 => 0,
        1..=4 => u32::from(stereo.unsigned_abs()) + 1,
        5 => 1,
        _ => 6,
    };
    columns.push(7 + stereo);
    columns
}
