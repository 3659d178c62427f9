//! Spellings and faults.

use super::*;

fn spelled(smiles: &str) -> String {
    respell(smiles).unwrap_or_else(|fault| panic!("{smiles}: {fault:?}")).text.into_owned()
}

#[track_caller]
fn refused(smiles: &str, part: &str) {
    match respell(smiles) {
        Err(Fault::Syntax(reason)) => assert!(reason.contains(part), "{smiles}: {reason}"),
        other => panic!("{smiles}: {other:?}"),
    }
}

#[test]
fn ordinary_smiles_stay_as_they_are() {
    for smiles in [
        "CC(=O)Oc1ccccc1C(=O)O",
        "F/C=C\\F",
        "C[C@@H](N)C(=O)[O-].[Na+]",
        "C1CC%10CC1CC%10",
        "C=1CC=1",
        "[13CH3][2H]",
        "[Pt@SP1](F)(Cl)(Br)I",
        "[nH]1cccc1",
        "N->[Fe]",
        "*C~C",
        "C%(100)CC%(100)",
    ] {
        let spelling = respell(smiles).unwrap();
        let same = matches!(spelling.text, Cow::Borrowed(text) if text == smiles);
        assert_eq!(same, smiles != "C%(100)CC%(100)", "{spelling:?}");
        assert_eq!((spelling.text.as_ref(), spelling.order, spelling.repairs), (smiles, None, Vec::new()));
    }
}

#[test]
fn what_the_library_spells_otherwise_is_spelled_again() {
    for (smiles, expected) in [
        ("[CH3:1][C:0][*:7]", "[CH3][C][*]"),
        ("[13C@@H2+:12]", "[13C@@H2+]"),
        ("C/C=C\\\\C", "C/C=C\\C"),
        ("C%(5)CC%(012)CC5C%12", "C5CC%12CC5C%12"),
        ("[#6H4].[#0].[13#7]", "[CH4].[*].[13N]"),
        ("[Uuo]['Og']", "[Og][Og]"),
        ("[0CH0-0]", "[C]"),
        ("[65537C]", "[1C]"),
        ("C=1CC-1", "C=1CC1"),
        ("C/1CC=1", "C1CC=1"),
        ("F/C=C-1.C/1", "F/C=C1.C/1"),
        ("C~1CC=1", "C1CC1"),
    ] {
        assert_eq!(spelled(smiles), expected, "{smiles}");
    }
}

#[test]
fn components_that_begin_in_branches_move_behind() {
    let spelling = respell("C1(O.N1CC1)C(S.P)C1").unwrap();
    assert_eq!(spelling.text, "C%(100)(O)C(S)C%(101).N%(100)CC%(101).P");
    assert_eq!(spelling.order, Some(vec![0, 1, 5, 6, 7, 2, 3, 8, 4]));
    // Components inside components.
    assert_eq!(spelled("C(O.N(S.P)F)Cl"), "C(O)Cl.N(S)F.P");
}

#[test]
fn numbers_of_three_digits_are_set_after_reading() {
    let spelling = respell("C[Fe-100].[UH120:3]").unwrap();
    assert_eq!(spelling.text, "C[Fe].[U]");
    let repair = |atom, charge, hydrogens| Repair { atom, charge, hydrogens };
    assert_eq!(spelling.repairs, [repair(1, -100, 0), repair(2, 0, 120)]);
}

#[test]
fn needless_nesting_is_flattened_and_other_nesting_has_a_limit() {
    let nested =
        |depth: usize, after: &str| format!("{}C{}", "C(".repeat(depth), format!("){after}").repeat(depth));
    assert_eq!(spelled(&nested(501, "")), "C".repeat(502));
    assert_eq!(spelled(&nested(500, "O")), nested(500, "O"));
    let fault = Fault::Unsupported("branches are nested more than 500 deep".to_owned());
    assert_eq!(respell(&nested(501, "O")), Err(fault));
    let thread = std::thread::Builder::new().stack_size(1 << 16);
    let deepest = move || (respell(&nested(100_000, "")).is_ok(), respell(&nested(100_000, "O")).is_ok());
    assert_eq!(thread.spawn(deepest).unwrap().join().unwrap(), (true, false));
}

#[test]
fn every_fault_is_named() {
    for (smiles, part) in [
        (".C", "an empty component before the dot at position 0"),
        ("C..C", "an empty component before the dot at position 2"),
        ("C.", "an empty component after the dot at position 1"),
        ("C()C", "an empty branch before position 2"),
        ("C(=)C", "the bond '=' before position 3 leads to no atom"),
        ("C(.O)C", "a branch cannot begin with the dot at position 2"),
        ("C(1CC1)", "a branch cannot begin with a ring closure (position 2)"),
        ("C(=1CC1)", "a branch cannot begin with a ring closure (position 3)"),
        ("C==1CC1", "two bonds, '=' and '=', in a row before the ring closure at position 3"),
        ("C((C))", "a branch cannot begin with the branch at position 2"),
        ("C=(C)C", "the bond '=' before the branch at position 2 belongs inside the branch"),
        ("(C)C", "the branch at position 0 follows no atom"),
        ("C)", "')' at position 1 closes no branch"),
        ("C(C", "the branch that opens at position 1 is not closed"),
        ("=C", "the bond '=' at position 0 begins at no atom"),
        ("C=", "the bond '=' at position 1 leads to no atom"),
        ("C==C", "two bonds, '=' and '=', in a row at position 2"),
        ("1CC1", "the ring closure at position 0 follows no atom"),
        ("C.1CC1", "an empty component after the dot before position 2"),
        ("C11", "ring closure 1 at position 2 bonds an atom to itself"),
        ("C12CC12", "ring closure 2 at position 6 bonds two atoms that are bonded already"),
        ("C1C1", "ring closure 1 at position 3 bonds two atoms that are bonded already"),
        ("C(C1)1", "ring closure 1 at position 5 bonds two atoms that are bonded already"),
        ("C1CC", "unmatched ring closure 1 at position 4"),
        ("C%1C", "ring closure at position 1 needs one digit, % and two digits or %(...)"),
        ("C%(123456)C", "ring closure at position 1 needs"),
        ("[C", "the bracket that opens at position 0 is not closed"),
        ("C[]", "empty brackets at position 1"),
        ("[Xx]", "atom [Xx]: unknown element at position 1"),
        ("[CH4@]", "atom [CH4@]: '@' is out of place at position 4"),
        ("[C:]", "the atom-map number is missing after ':'"),
        ("[01C]", "the isotope begins with 0"),
        ("[C+9999999999]", "the charge is too large"),
        ("[C-120]", "the charge is too large"),
        ("[#119]", "no element has the atomic number 119"),
        ("[P@TB21]", "the chirality class @TB goes from 1 to 20"),
        ("C@", "unexpected character '@' at position 1; chirality is written inside brackets"),
        ("C>>C", "unexpected character '>' at position 1; arrows are of reactions"),
        ("CXC", "unexpected character 'X' at position 1; it is no atom outside brackets"),
        ("C\u{0}", "unexpected character '\\0' at position 1"),
        ("Cé", "unexpected character 'é' at position 1"),
    ] {
        refused(smiles, part);
    }
}

#[test]
fn escapes_are_named() {
    refused("C/C=C\\\\\\\\C", "the backslashes look like escapes (as in JSON)");
    refused("C\\/C=C/C", "the backslashes look like escapes (as in JSON)");
    refused("C\\u002FC", "the backslashes look like escapes (as in JSON)");
    refused("C&gt;C", "looks like an escape of HTML or XML");
    refused("\"CC\"", "it holds quotation marks");
    refused("C%23N", "may be an escape of a URL");
    refused("C%3dC", "may be an escape of a URL");
}
