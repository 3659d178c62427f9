//! Compares what is read and what is refused with the answers of `RDKit` 2026.09.1 (`smiles_vs_rdkit.py`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use molarena_chem::{Molecule, Morgan, morgan_counts};
use proptest::prelude::*;

/// A row of the table.
struct Row {
    kind: &'static str,
    text: String,
    /// Atoms, fragments and canonical SMILES if `RDKit` reads the text.
    answer: Option<[&'static str; 3]>,
}

fn rows() -> Vec<Row> {
    let row = |line: &'static str| {
        let [kind, text, atoms, fragments, canonical] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("a row of the table has five cells: {line:?}");
        };
        let answer = (atoms != "-").then_some([atoms, fragments, canonical]);
        Row { kind, text: serde_json::from_str(text).unwrap(), answer }
    };
    include_str!("expected_smiles.tsv").lines().skip(1).map(row).collect()
}

#[test]
fn every_odd_text_is_read_or_refused_as_rdkit_does() {
    let mut differences = Vec::new();
    let (mut read, mut refused) = (0, 0);
    for Row { kind, text, answer } in rows().iter().filter(|row| !row.kind.starts_with("limit: ")) {
        let ours = Molecule::parse(text);
        match (&ours, answer) {
            (Err(_), None) => refused += 1,
            (Ok(molecule), Some([atoms, fragments, canonical])) => {
                read += 1;
                let found = [molecule.atoms().to_string(), molecule.fragments().to_string()];
                // The canonical SMILES of a bond `~` is not RDKit's.
                let named = text.contains('~') || molecule.canonical_smiles(true) == *canonical;
                if found != [*atoms, *fragments] || !named {
                    differences
                        .push(format!("{kind}: {text:?} is {found:?} {}", molecule.canonical_smiles(true)));
                }
            }
            (Err(error), Some(_)) => differences.push(format!("{kind}: {text:?} is refused: {error}")),
            (Ok(_), None) => differences.push(format!("{kind}: {text:?} is read")),
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    assert_eq!((read, refused), (READ, REFUSED));
}

/// Texts of the table that `RDKit` reads, and that it refuses.
const READ: usize = 382;
const REFUSED: usize = 465;

#[test]
fn what_rdkit_reads_and_this_crate_does_not_is_refused_by_name() {
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    for Row { kind, text, answer } in rows().iter().filter(|row| row.kind.starts_with("limit: ")) {
        assert!(answer.is_some(), "{kind}: {text:?}");
        *codes.entry(Molecule::parse(text).unwrap_err().code()).or_default() += 1;
    }
    assert_eq!(codes, BTreeMap::from([("smiles_too_long", 2), ("smiles_unsupported", 20)]));
}

/// What the arena computes of a molecule.
fn everything(molecule: &Molecule) -> impl PartialEq + std::fmt::Debug + use<> {
    let counts = [false, true].map(|chirality| {
        let spec = Morgan::new(3, 1024, chirality).unwrap();
        (molecule.morgan(&spec), morgan_counts(molecule, &spec))
    });
    let names = [false, true].map(|stereo| (molecule.canonical_smiles(stereo), molecule.scaffold(stereo)));
    (
        counts,
        names,
        molecule.descriptors().into_iter().map(f64::to_bits).collect::<Vec<_>>(),
        molecule.graph(),
        molecule.identity(),
        molecule.inchikey(),
    )
}

#[test]
fn atom_maps_play_no_part() {
    for (mapped, plain) in [
        ("[cH:1]1[cH:5][cH:3][cH:2][cH:4][cH:6]1", "c1ccccc1"),
        ("[CH3:1][C@@H:2]([NH2:3])[C:4](=[O:5])[OH:6]", "C[C@@H](N)C(=O)O"),
        ("[O:9]=[CH:1][c:2]1[cH:3][nH:4][cH:5][cH:6]1", "O=Cc1c[nH]cc1"),
        ("[F:1]/[CH:2]=[CH:3]\\[F:4]", "F/C=C\\F"),
        ("[H:1][C:2]([H:3])([H:4])[H:5]", "[H]C([H])([H])[H]"),
        ("[*:1][CH2:2][CH2:3]*", "*CC*"),
        ("[Na+:1].[Cl-:2]", "[Na+].[Cl-]"),
        ("[2H:7][CH2:1][OH:0]", "[2H]CO"),
        ("[CH3:1][OH:2]~[CH3:3]", "CO~C"),
    ] {
        let read = |smiles: &str| Molecule::parse(smiles).unwrap();
        if plain.contains('~') {
            assert_eq!(read(mapped).canonical_smiles(true), "[CH3][OH]~[CH3]");
            continue;
        }
        assert_eq!(everything(&read(mapped)), everything(&read(plain)), "{mapped} {plain}");
    }
}

#[test]
fn a_dot_in_a_branch_keeps_the_order_of_the_atoms() {
    let graph = Molecule::parse("C(O.N=S)C[C@@H](F)Cl").unwrap().graph();
    let elements: Vec<i8> = graph.atom_features.iter().map(|row| row[0] + 1).collect();
    assert_eq!(elements, [6, 8, 7, 16, 6, 6, 9, 17]);
    let mut bonds = graph.bonds;
    bonds.sort_unstable();
    assert_eq!(bonds, [[0, 1], [0, 4], [2, 3], [4, 5], [5, 6], [5, 7]]);
}

/// Pieces of SMILES and of what is none.
const PIECES: [&str; 48] = [
    "C", "N", "O", "c", "n", "s", "Cl", "Br", "[nH]", "[O-]", "[N+]", "[C@H]", "[C@@]", "[CH3:1]", "[2H]",
    "[H]", "[Fe]", "[Pt@SP1]", "*", "(", ")", "()", "(.", ".", "=", "#", "-", ":", "~", "/", "\\", "\\\\",
    "->", "<-", "1", "2", "%10", "%(7)", "%", "[", "]", "@", "+", "é", "\u{0}", " ", "|", "$",
];

fn seeds() -> Vec<String> {
    rows().into_iter().map(|row| row.text).filter(|text| text.len() < 400).collect()
}

/// A text of the table with pieces put in, cut out or doubled.
fn edited() -> impl Strategy<Value = String> {
    let edit = (
        0..3_u8,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::sample::select(&PIECES[..]),
    );
    (prop::sample::select(seeds()), prop::collection::vec(edit, 1..6)).prop_map(|(text, edits)| {
        let mut text: Vec<char> = text.chars().collect();
        for (what, from, to, piece) in edits {
            let (from, to) = (from.index(text.len() + 1), to.index(text.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            match what {
                0 => drop(text.splice(from..from, piece.chars())),
                1 => drop(text.drain(from..to)),
                _ => {
                    let copy = text[from..to].to_vec();
                    text.splice(to..to, copy);
                }
            }
        }
        text.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Any text is answered within a second on a small stack, without a panic of the library.
    #[test]
    fn edited_texts_are_answered(text in edited()) {
        let started = Instant::now();
        let input = text.clone();
        let answer = move || {
            let molecule = Molecule::parse(&input)?;
            Ok((molecule.canonical_smiles(true), molecule.scaffold(true), molecule.identity(), molecule.descriptors().len()))
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(answer).unwrap();
        let answer: Result<_, molarena_chem::ParseError> = thread.join().map_err(|_| TestCaseError::fail(text.clone()))?;
        prop_assert!(started.elapsed() < Duration::from_secs(1), "{text:?} took {:?}", started.elapsed());
        if let Err(error) = answer {
            prop_assert!(error.code() != "smiles_internal", "{text:?}: {error}");
        }
    }
}
