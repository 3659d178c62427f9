//! Odd spellings of molecules in tables: atom maps, texts that are no SMILES, dots in branches, escapes.

use std::fmt::Write as _;

use molarena_tests::TestArena;

/// Substituents of benzene and cyclohexane; each row of a table has one of them.
const GROUPS: [&str; 10] = ["", "C", "CC", "CO", "N", "Cl", "C1CC1", "C1CCC1", "C1CCCC1", "C1CCNCC1"];

/// Forty rows: every molecule twice, with atom maps that differ from row to row or without any.
fn table(mapped: bool) -> String {
    let mut text = "smiles,y\n".to_owned();
    for row in 0..40 {
        let group = GROUPS[row / 2 % 10];
        let map = |number: usize| {
            if mapped { format!(":{}", (number * 7 + row * 3) % 11 + 1) } else { String::new() }
        };
        let ring = if row < 20 {
            let atoms = ["cH", "cH", "cH", "cH", "c"].map(|atom| format!("[{atom}{}]", map(atom.len())));
            format!("[cH{}]1{}", map(1), atoms.join(""))
        } else {
            let atoms = ["CH2", "CH2", "CH2", "CH2", "CH"].map(|atom| format!("[{atom}{}]", map(atom.len())));
            format!("[CH2{}]1{}", map(1), atoms.join(""))
        };
        let ring = if group.is_empty() {
            ring.replace("[c]", "[cH]")
                .replace("[CH]", "[CH2]")
                .replace("[c:", "[cH:")
                .replace("[CH:", "[CH2:")
        } else {
            ring
        };
        writeln!(text, "{ring}1{group},{}", row % 7).unwrap();
    }
    text
}

fn info(arena: &TestArena, file: &str) -> String {
    let output = arena.molarena(&["data", "info", "--csv", file]);
    assert_eq!(output.code, Some(0), "{}{}", output.stdout, output.stderr);
    output.stdout
}

#[track_caller]
fn line<'a>(text: &'a str, part: &str) -> &'a str {
    text.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part:?} in {text}"))
}

#[test]
fn atom_maps_make_no_scaffolds_and_no_molecules() {
    let arena = TestArena::new();
    arena.write("mapped.csv", table(true));
    arena.write("plain.csv", table(false));
    let (mapped, plain) = (info(&arena, "mapped.csv"), info(&arena, "plain.csv"));
    let counts = line(&plain, "distinct by identity key");
    assert_eq!(line(&mapped, "distinct by identity key"), counts);
    assert!(
        counts.contains("40 molecules read, 0 not; 20 distinct by identity key; 10 scaffolds"),
        "{counts}"
    );
    // The same parts, none of which shares a scaffold with another.
    assert_eq!(line(&mapped, "scaffold  "), line(&plain, "scaffold  "));
}

/// `embed` of a table; the failures as `row,smiles,reason`.
fn embed(arena: &TestArena, rows: &[&str]) -> (String, String) {
    let quoted = |row: &&str| format!("\"{}\"\n", row.replace('"', "\"\""));
    arena.write("x.csv", format!("smiles\n{}", rows.iter().map(quoted).collect::<String>()));
    let output = arena.molarena(&["embed", "x.csv", "--features", "morgan:bits=64", "-o", "x.csv.out.csv"]);
    assert!(matches!(output.code, Some(0 | 10)), "{}{}", output.stdout, output.stderr);
    let read = |file: &str| fs_err::read_to_string(arena.path(file)).unwrap_or_default();
    (read("x.csv.out.csv"), read("x.csv.out.csv.failures.csv"))
}

#[test]
fn texts_that_are_no_smiles_are_listed_with_what_is_wrong() {
    let arena = TestArena::new();
    let wrong = [
        (".", "an empty component"),
        (".C", "an empty component"),
        ("C.", "an empty component"),
        ("C..C", "an empty component"),
        ("C()C", "an empty branch"),
        ("C(=)C", "leads to no atom"),
        ("C11", "bonds an atom to itself"),
        ("C1C1", "bonded already"),
        ("C\\/C=C/C", "look like escapes"),
        ("C/C=C\\\\\\\\C", "look like escapes"),
    ];
    let rows: Vec<&str> = wrong.iter().map(|(smiles, _)| *smiles).chain(["CCO"]).collect();
    let (_, failures) = embed(&arena, &rows);
    let listed: Vec<&str> = failures.lines().skip(1).collect();
    assert_eq!(listed.len(), wrong.len(), "{failures}");
    for (number, (found, (smiles, reason))) in listed.iter().zip(wrong).enumerate() {
        assert!(
            found.starts_with(&format!("{},", number + 1)) && found.contains(reason),
            "{smiles}: {found}"
        );
    }
}

#[test]
fn dots_in_branches_and_doubled_backslashes_are_read() {
    let arena = TestArena::new();
    let pairs = ["c1cc(O.NCCO)ccc1", "c1cc(O)ccc1.NCCO", "F/C=C\\\\F", "F/C=C\\F", "[CH3:1][OH:2]", "CO"];
    let (vectors, failures) = embed(&arena, &pairs);
    assert_eq!(failures, "");
    // The last column holds the bits.
    let bits: Vec<&str> = vectors.lines().skip(1).filter_map(|row| row.rsplit(',').next()).collect();
    assert_eq!(bits.len(), 6, "{vectors}");
    assert!(bits.iter().all(|bits| bits.len() == 16), "{vectors}");
    for row in [0, 2, 4] {
        assert_eq!(bits[row], bits[row + 1], "{}", pairs[row]);
    }
}
