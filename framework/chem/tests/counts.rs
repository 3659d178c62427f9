//! Compares counted fingerprints with the values of `RDKit` 2026.09.1 (`counts_vs_rdkit.py table`).

use molarena_chem::{Molecule, Morgan, morgan_count_matrix, morgan_counts};

/// A row of the table: SMILES, specification, counts as `column:count`.
fn rows() -> impl Iterator<Item = (Molecule, Morgan, String)> {
    include_str!("expected_counts.tsv").lines().skip(1).map(|line| {
        let [smiles, radius, bits, chirality, counts] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a row of the table has five cells: {line:?}");
        };
        let spec = Morgan::new(radius.parse().unwrap(), bits.parse().unwrap(), chirality == "1").unwrap();
        (Molecule::parse(smiles).unwrap(), spec, counts.to_owned())
    })
}

#[test]
fn every_count_is_rdkits() {
    let mut checked = 0;
    for (molecule, spec, expected) in rows() {
        let counts = morgan_counts(&molecule, &spec);
        let cells: Vec<String> = counts.iter().map(|(column, count)| format!("{column}:{count}")).collect();
        assert_eq!(cells.join(" "), expected, "{molecule:?} {spec:?}");
        checked += 1;
    }
    assert_eq!(checked, 45 * 7);
}

#[test]
fn counts_are_above_zero_exactly_where_bits_are_set() {
    for (molecule, spec, _) in rows() {
        let words = molecule.morgan(&spec);
        let set: Vec<u32> = (0..spec.n_bits)
            .filter(|bit| words[bit >> 6] >> (bit & 63) & 1 == 1)
            .map(|bit| bit as u32)
            .collect();
        let counts = morgan_counts(&molecule, &spec);
        assert!(counts.iter().all(|(_, count)| *count > 0));
        assert_eq!(counts.iter().map(|(column, _)| *column).collect::<Vec<_>>(), set);
    }
}

#[test]
fn the_matrix_has_a_row_for_each_molecule_and_clips() {
    let spec = Morgan::new(2, 2048, false).unwrap();
    let molecules: Vec<Molecule> = rows().map(|(molecule, ..)| molecule).collect();
    let plain = morgan_count_matrix(&molecules, &spec, None);
    let clipped = morgan_count_matrix(&molecules, &spec, Some(3));
    assert_eq!(plain.len(), molecules.len() * 2048);
    assert!(plain.iter().any(|count| *count > 3.0));
    for (row, molecule) in plain.chunks(2048).zip(&molecules) {
        let mut expected = vec![0.0; 2048];
        for (column, count) in morgan_counts(molecule, &spec) {
            expected[column as usize] = count as f32;
        }
        assert_eq!(row, expected);
    }
    assert!(plain.iter().zip(&clipped).all(|(count, clipped)| count.min(3.0) == *clipped));
    assert!(morgan_count_matrix(&[], &spec, None).is_empty());
}
