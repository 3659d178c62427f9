//! Compares MACCS keys with those of `RDKit` 2026.03.6 (`maccs_vs_rdkit.py`).

use molarena_chem::{MACCS_KEYS, Molecule, maccs_keys, maccs_matrix};

#[test]
fn every_key_is_rdkits() {
    let rows: Vec<(Molecule, &str)> = include_str!("expected_maccs.tsv")
        .lines()
        .skip(1)
        .map(|line| {
            let (smiles, keys) = line.split_once('\t').expect("a row of the table has two cells");
            (Molecule::parse(smiles).unwrap(), keys)
        })
        .collect();
    assert_eq!(rows.len(), 45);
    for (molecule, expected) in &rows {
        let keys: Vec<String> = maccs_keys(molecule).iter().map(ToString::to_string).collect();
        assert_eq!(keys.join(" "), *expected, "{molecule:?}");
    }
    let molecules: Vec<Molecule> = rows.into_iter().map(|(molecule, _)| molecule).collect();
    let matrix = maccs_matrix(&molecules);
    for (row, molecule) in matrix.chunks(MACCS_KEYS).zip(&molecules) {
        let set = (1..=MACCS_KEYS).filter(|key| row[key - 1] > 0.0);
        assert_eq!(set.collect::<Vec<_>>(), maccs_keys(molecule));
        assert!(row.iter().all(|value| [0.0, 1.0].contains(value)));
    }
    assert_eq!(matrix.len(), molecules.len() * MACCS_KEYS);
}
