//! Reading SMILES.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use chematic_smiles::{RdkitSmilesError, RdkitSmilesParams, SmilesError, rdkit_smiles};

use crate::graph::MoleculeGraph;
use crate::perceive::Hashing;
use crate::spelling::Spelling;
use crate::text::shorten_smiles;
use crate::{ParseError, any_bond, cxsmiles, perceive, spelling};

/// The longest SMILES that is read, in bytes.
///
/// Drug-like molecules have fewer than 200 bytes. Ranking atoms and walking paths between rings take quadratic to cubic
/// time: hostile input of 5,000 bytes takes less than a second, and of 50,000 bytes minutes.
pub const MAX_SMILES_BYTES: usize = 5_000;

/// A molecule as `RDKit`'s `MolFromSmiles` returns it: sanitised, with removable hydrogens merged into their
/// neighbours.
#[derive(Clone)]
pub struct Molecule {
    /// The SMILES without the name that may follow it.
    pub(crate) smiles: String,
    /// The same as the library read it, without atom-map numbers.
    spelled: String,
    /// The parser's molecule before sanitising.
    pub(crate) source: chematic_core::Molecule,
    /// Whether bonds `~` were removed from `source`; `graph` has them.
    pub(crate) has_any_bond: bool,
    pub(crate) graph: MoleculeGraph,
    pub(crate) hashing: Hashing,
}

impl fmt::Debug for Molecule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Molecule({})", self.smiles)
    }
}

impl Molecule {
    /// Reads a SMILES and perceives valences, rings, aromaticity and stereo as `RDKit` does.
    ///
    /// A text is read or refused as `RDKit` does it; the error says what is wrong. As in `RDKit`, anything after the
    /// first blank or tab is a name and is ignored, and so are control and other characters that are not ASCII at either
    /// end. Atom-map numbers (`[CH3:1]`) play no part in any result: the molecule is that without them.
    ///
    /// Some things that `RDKit` reads are refused: more than [`MAX_SMILES_BYTES`]; branches nested more than 500 deep;
    /// `CXSMILES` extensions (`CC |...|`) that may change the molecule; the bond `~` in a ring or beside explicit
    /// hydrogens; and cages such as carboranes whose ring atoms all have four ring bonds, where `RDKit` itself only
    /// approximates the rings.
    ///
    /// # Errors
    /// [`ParseError`]. For any input, this neither panics nor takes more than about a second.
    pub fn parse(smiles: &str) -> Result<Self, ParseError> {
        if smiles.len() > MAX_SMILES_BYTES {
            let (bytes, limit) = (smiles.len(), MAX_SMILES_BYTES);
            return Err(ParseError::TooLong { smiles: shorten_smiles(smiles), bytes, limit });
        }
        let (structure, extension) = cxsmiles::split(smiles);
        if structure.is_empty() {
            return Err(ParseError::Empty);
        }
        cxsmiles::check(extension)
            .and_then(|()| spelling::respell(structure))
            .map_err(|fault| fault.into_error(shorten_smiles(smiles)))
            .and_then(|spelling| {
                guarded(|| read(structure, spelling)).unwrap_or_else(|reason| {
                    Err(ParseError::Internal { smiles: shorten_smiles(structure), reason })
                })
            })
    }

    /// The SMILES as written, without a name.
    pub fn smiles(&self) -> &str {
        &self.smiles
    }

    /// Number of atoms, not counting hydrogens that are not atoms of the graph.
    pub fn atoms(&self) -> usize {
        self.graph.atom_features.len()
    }

    /// `RDKit`'s canonical SMILES, `MolToSmiles(molecule, isomericSmiles=stereo)`.
    ///
    /// Without stereo it has no isotopes either, as in `RDKit`. The SMILES as written, without atom-map numbers, is
    /// returned for a molecule with a bond `~`, and if the library fails on a molecule that it has read, which no test
    /// has shown.
    pub fn canonical_smiles(&self, stereo: bool) -> String {
        if self.has_any_bond {
            return self.spelled.clone();
        }
        write(&self.source, stereo).unwrap_or_else(|| self.spelled.clone())
    }
}

/// `MolToSmiles`; `None` if the library gives up.
pub(crate) fn write(molecule: &chematic_core::Molecule, stereo: bool) -> Option<String> {
    let parameters = RdkitSmilesParams { isomeric: stereo, ..RdkitSmilesParams::default() };
    guarded(|| rdkit_smiles(molecule, &parameters)).ok()?.ok()
}

/// Converts a panic of the library into its message.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "a panic".to_owned())
    })
}

fn read(smiles: &str, spelling: Spelling<'_>) -> Result<Molecule, ParseError> {
    let source = match chematic_smiles::parse(&spelling.text) {
        // The library checks some valences here, too, but without RDKit's exceptions; perception checks all of them.
        Err(SmilesError::InvalidValence { .. }) => chematic_smiles::parse_template(&spelling.text),
        other => other,
    };
    let source = source
        .map_err(|error| ParseError::Syntax { smiles: shorten_smiles(smiles), reason: error.to_string() })?;
    let source = spelling.restore(source).map_err(|error| ParseError::Internal {
        smiles: shorten_smiles(smiles),
        reason: error.to_string(),
    })?;
    let spelled = spelling.text.into_owned();
    perceived(smiles, spelled, source).map_err(|error| refusal(smiles, error))
}

fn perceived(
    smiles: &str,
    spelled: String,
    source: chematic_core::Molecule,
) -> Result<Molecule, RdkitSmilesError> {
    let detached = any_bond::detach(source)?;
    let mut graph = perceive::graph(&detached.rest)?;
    detached.attach(&mut graph)?;
    let hashing = Hashing::new(&detached.rest, &graph)?;
    let has_any_bond = detached.any();
    Ok(Molecule { smiles: smiles.to_owned(), spelled, source: detached.rest, has_any_bond, graph, hashing })
}

fn refusal(smiles: &str, error: RdkitSmilesError) -> ParseError {
    let smiles = shorten_smiles(smiles);
    match error {
        RdkitSmilesError::Sanitization(reason) => ParseError::Chemistry { smiles, reason },
        RdkitSmilesError::Unsupported(reason) => ParseError::Unsupported { smiles, reason },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_smiles_do_not_depend_on_the_spelling() {
        for spelling in ["C1=CC=CC=C1O", "Oc1ccccc1", "[H]Oc1ccccc1", "Oc1ccccc1 phenol"] {
            assert_eq!(Molecule::parse(spelling).unwrap().canonical_smiles(true), "Oc1ccccc1");
        }
        let alanine = Molecule::parse("N[C@@H](C)C(=O)O").unwrap();
        assert_eq!(alanine.canonical_smiles(true), "C[C@H](N)C(=O)O");
        assert_eq!(alanine.canonical_smiles(false), "CC(N)C(=O)O");
    }

    #[test]
    fn every_kind_of_refusal_has_its_code() {
        let cases = [
            ("", "smiles_empty"),
            (" \t", "smiles_empty"),
            ("CC(", "smiles_syntax"),
            ("C1CC", "smiles_syntax"),
            ("xyz", "smiles_syntax"),
            ("C(C)(C)(C)(C)C", "smiles_chemistry"),
            ("c1cccc1", "smiles_chemistry"),
            ("C1~CC1", "smiles_unsupported"),
            ("CC |^1:0|", "smiles_unsupported"),
        ];
        for (smiles, code) in cases {
            assert_eq!(Molecule::parse(smiles).unwrap_err().code(), code, "{smiles}");
        }
        let text = Molecule::parse("c1cccc1").unwrap_err().to_string();
        assert!(text.starts_with("SMILES \"c1cccc1\" is not a sound molecule: "), "{text}");
    }

    #[test]
    fn an_unknown_bond_joins_what_is_sanitised_without_it() {
        let molecule = Molecule::parse("CO~c1ccccc1").unwrap();
        assert_eq!(molecule.canonical_smiles(true), "CO~c1ccccc1");
        assert_eq!(molecule.graph.bonds[1], [1, 2]);
        assert_eq!(molecule.graph.bond_features[1], [4, 0, 0]);
        // The hydrogens of the oxygen and of the ring both stay, because the bond takes no valence.
        assert_eq!(molecule.graph.atom_features[1][2], 3);
        assert_eq!(molecule.graph.atom_features[2][4], 1);
        assert_eq!(molecule.scaffold(true), "c1ccccc1");
    }

    #[test]
    fn a_million_characters_are_refused_at_once() {
        for smiles in ["C".repeat(1_000_000), "(".repeat(1_000_000), "C(".repeat(500_000)] {
            let error = Molecule::parse(&smiles).unwrap_err();
            assert_eq!(error.code(), "smiles_too_long");
            assert!(error.to_string().len() < 250);
        }
    }

    #[test]
    fn hostile_input_within_the_limit_neither_panics_nor_overflows() {
        let hostile = [
            "C".repeat(5_000),
            "C(".repeat(2_500),
            "[".repeat(5_000),
            "c1ccccc1".repeat(625),
            format!("C{}", "1CC1".repeat(1_249)),
            "C%99".repeat(1_250),
            "\u{0}\u{7f}é🦀C".to_owned(),
            "[999999999999C+99999]".to_owned(),
            "[CH99999999999]".to_owned(),
        ];
        for smiles in hostile {
            if let Ok(molecule) = Molecule::parse(&smiles) {
                let _ = (molecule.canonical_smiles(true), molecule.scaffold(false), molecule.identity());
            }
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_what_is_read_fits_a_small_stack() {
        let nested =
            |depth, after: &str| format!("{}C{}", "C(".repeat(depth), format!("){after}").repeat(depth));
        let error = Molecule::parse(&nested(501, "O")).unwrap_err();
        assert_eq!(error.code(), "smiles_unsupported");
        assert!(error.to_string().contains("branches are nested more than 500 deep"), "{error}");
        assert_eq!(Molecule::parse(&nested(1_600, "")).unwrap().atoms(), 1_601);
        let deepest = move || {
            let molecule = Molecule::parse(&nested(500, "O")).unwrap();
            (molecule.atoms(), molecule.descriptors().len(), molecule.scaffold(true), molecule.identity())
        };
        let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(deepest).unwrap();
        assert_eq!(thread.join().unwrap().0, 1_001);
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guarded(|| 1), Ok(1));
        assert_eq!(guarded(|| -> i32 { panic!("at {}", 3) }), Err("at 3".to_owned()));
        assert_eq!(guarded(|| -> i32 { panic!("here") }), Err("here".to_owned()));
    }
}
