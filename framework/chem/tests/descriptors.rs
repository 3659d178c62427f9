//! Compares descriptors with the values of `RDKit` 2026.09.1 (`descriptors_vs_rdkit.py table`).

use std::time::Instant;

use molarena_chem::{DESCRIPTOR_NAMES, MAX_SMILES_BYTES, Molecule, descriptor_matrix};

/// A row of the table: SMILES and values, `None` where `RDKit` has no finite value.
fn rows() -> Vec<(&'static str, Vec<Option<f64>>)> {
    let mut lines = include_str!("expected_descriptors.csv").lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').skip(1).collect();
    assert_eq!(names, DESCRIPTOR_NAMES);
    let row = |line: &'static str| {
        let (smiles, cells) = line.split_once(',').unwrap();
        let value = |cell: &str| (!cell.is_empty()).then(|| cell.parse().unwrap());
        (smiles, cells.split(',').map(value).collect())
    };
    lines.map(row).collect()
}

#[test]
fn values_are_rdkits() {
    let rows = rows();
    assert_eq!(rows.len(), 45);
    let mut wrong = Vec::new();
    for (smiles, expected) in rows {
        let values = Molecule::parse(smiles).unwrap().descriptors();
        assert_eq!(values.len(), DESCRIPTOR_NAMES.len());
        for ((name, value), expected) in DESCRIPTOR_NAMES.iter().zip(values).zip(expected) {
            // A value that RDKit cannot compute is 0.
            let expected = expected.unwrap_or(0.0);
            if (value - expected).abs() > 1e-4 * expected.abs().max(1.0) {
                wrong.push(format!("{smiles} {name}: {value}, not {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_table_tells_the_descriptors_apart() {
    let rows = rows();
    for (place, name) in DESCRIPTOR_NAMES.iter().enumerate() {
        let first = rows[0].1[place];
        // No atom type has a contribution in these bins.
        if ["SMR_VSA8", "SlogP_VSA9"].contains(name) {
            continue;
        }
        assert!(rows.iter().any(|(_, values)| values[place] != first), "{name} is {first:?} everywhere");
    }
}

#[test]
fn the_matrix_has_a_row_for_each_molecule() {
    let molecules: Vec<Molecule> =
        rows().iter().map(|(smiles, _)| Molecule::parse(smiles).unwrap()).collect();
    let matrix = descriptor_matrix(&molecules);
    assert_eq!(matrix.len(), molecules.len() * DESCRIPTOR_NAMES.len());
    for (row, molecule) in matrix.chunks(DESCRIPTOR_NAMES.len()).zip(&molecules) {
        let expected: Vec<f32> = molecule.descriptors().iter().map(|value| *value as f32).collect();
        assert_eq!(row, expected);
    }
    assert!(matrix.iter().all(|value| value.is_finite()));
    assert!(descriptor_matrix(&[]).is_empty());
}

#[test]
fn values_do_not_depend_on_the_spelling() {
    let spellings = [
        ["CC(=O)Oc1ccccc1C(=O)O", "OC(=O)C1=CC=CC=C1OC(C)=O", "[H]OC(=O)c1ccccc1OC(=O)C([H])([H])[H]"],
        ["Cn1cnc2c1c(=O)n(C)c(=O)n2C", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "O=c1n(C)c(=O)c2c(ncn2C)n1C"],
        ["C[N+](=O)[O-]", "CN(=O)=O", "O=[N+]([O-])C"],
    ];
    for same in spellings {
        let values = same.map(|smiles| Molecule::parse(smiles).unwrap().descriptors());
        for (smiles, other) in same.iter().zip(&values) {
            for ((name, value), expected) in DESCRIPTOR_NAMES.iter().zip(other).zip(&values[0]) {
                assert!(
                    (value - expected).abs() < 1e-8 * expected.abs().max(1.0),
                    "{smiles} {name}: {value} {expected}"
                );
            }
        }
    }
}

#[test]
fn odd_molecules_have_finite_values() {
    let odd = [
        "[H]",
        "[H][H]",
        "[H+]",
        "[2H]",
        "[He]",
        "*",
        "*~*",
        "[*H2]",
        "C~C",
        "[U]",
        "[Og]",
        "[Na+]",
        "[Fe+3]",
        "[Al+6]",
        "[O-2]",
        "[C]",
        "[CH2]",
        "[235U+6]",
        "[0CH4]",
        "[300C]",
        "[BH4-]",
        "[NH4+]",
        "[AlH6-3]",
        "[SiH4]",
        "C[Hg]C",
        "F[U](F)(F)(F)(F)F",
        "Cl[Pt](Cl)(N)N",
        "[Xe](F)(F)(F)F",
        "C->[Fe]",
        "[Na+].[Cl-].[Na+].[Cl-]",
        "C$C",
        "[O-][Cl+3]([O-])([O-])[O-]",
        "N#N",
        "[C-]#[O+]",
        "C=[N+]=[N-]",
        "[2H]C([2H])([2H])[2H]",
        "[3H][3H]",
        "C12C3C4C1C5C2C3C45",
        "[O-][N+](=O)O[Cd]O[N+]([O-])=O",
        "C[Si](C)(C)C",
        "[As](C)(C)C",
        "c1cc[se]c1",
    ];
    for smiles in odd {
        let molecule = Molecule::parse(smiles).unwrap();
        let values = molecule.descriptors();
        assert_eq!(values.len(), DESCRIPTOR_NAMES.len(), "{smiles}");
        let wrong: Vec<_> =
            DESCRIPTOR_NAMES.iter().zip(&values).filter(|(_, value)| !value.is_finite()).collect();
        assert!(wrong.is_empty(), "{smiles} {wrong:?}");
        let heavy = DESCRIPTOR_NAMES.iter().position(|name| *name == "HeavyAtomCount").unwrap();
        assert!(values[heavy] <= molecule.atoms() as f64, "{smiles}");
    }
}

#[test]
fn the_longest_input_is_read_and_described() {
    let limit = MAX_SMILES_BYTES;
    let long = [
        "C".repeat(limit),
        "CC(C)".repeat(limit / 5),
        format!("{}C{}", "C(".repeat(500), ")".repeat(500)),
        "c1ccc(cc1)".repeat(limit / 10 - 1) + "C",
        "O=C(N)C.".repeat(limit / 8 - 1) + "C",
        "C1CC1".repeat(limit / 5),
        format!("C%10{}C%10", "C".repeat(limit - 8)),
        "C12C3C4C1C5C2C3C45.".repeat(limit / 19 - 1) + "C",
        format!("C1{}C1", "C2CC2".repeat(300)),
    ];
    for smiles in long {
        let start = Instant::now();
        let molecule = Molecule::parse(&smiles).unwrap_or_else(|error| panic!("{error}"));
        let values = molecule.descriptors();
        assert!(values.iter().all(|value| value.is_finite()), "{}", &smiles[..30]);
        println!("{:.2?} {}", start.elapsed(), &smiles[..30]);
    }
}
