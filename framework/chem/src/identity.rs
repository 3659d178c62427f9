//! Identity keys of molecules.

use std::sync::{Mutex, PoisonError};

use crate::Molecule;
use crate::molecule::guarded;

/// The `InChI` library keeps global state, so calls take a lock, as in `RDKit`.
static INCHI: Mutex<()> = Mutex::new(());

/// Number of atoms above which `InChI` is not computed: a larger ring of equal stereocentres would take it minutes.
const MAX_INCHI_ATOMS: usize = 400;

/// Length of an `InChIKey`'s first block, the hash of the connectivity.
const FIRST_BLOCK: usize = 14;

impl Molecule {
    /// A key that is equal for stereoisomers, isotopologues and tautomers that `InChI` unites.
    ///
    /// The key is the first block (14 letters) of [`Molecule::inchikey`]. If there is no `InChI`, it is `smiles:` and
    /// the canonical SMILES without stereo.
    pub fn identity(&self) -> String {
        self.inchikey().map_or_else(
            || format!("smiles:{}", self.canonical_smiles(false)),
            |mut key| {
                key.truncate(FIRST_BLOCK);
                key
            },
        )
    }

    /// The standard `InChIKey` (27 characters), `RDKit`'s `MolToInchiKey`.
    ///
    /// `None` if `InChI` has no answer (a wildcard, a bond `~`, hydrogen only) and above 400 atoms. It takes about 0.2
    /// ms, and a process computes one molecule at a time.
    pub fn inchikey(&self) -> Option<String> {
        let unknown = self.has_any_bond || self.source.atoms().any(|(_, atom)| atom.wildcard);
        if unknown || self.atoms() > MAX_INCHI_ATOMS {
            return None;
        }
        let _one_at_a_time = INCHI.lock().unwrap_or_else(PoisonError::into_inner);
        let inchi = guarded(|| chematic_inchi::standard_inchi(&self.source)).ok()?.ok()?;
        let key = guarded(|| chematic_inchi::standard_inchi_key(&inchi)).ok()?.ok()?;
        (key.len() == 27 && key.is_ascii()).then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_keys() {
        for (smiles, key) in [
            ("c1ccccc1", "UHOVQNZJYSORNB-UHFFFAOYSA-N"),
            ("N[C@@H](C)C(=O)O", "QNAYBMKLOCPYGJ-REOHCLBHSA-N"),
            ("CC(=O)Oc1ccccc1C(=O)O", "BSYNRYMUTXBXSQ-UHFFFAOYSA-N"),
        ] {
            assert_eq!(Molecule::parse(smiles).unwrap().inchikey().as_deref(), Some(key));
        }
    }

    #[test]
    fn stereoisomers_share_an_identity_and_wildcards_have_one() {
        let identity = |smiles: &str| Molecule::parse(smiles).unwrap().identity();
        assert_eq!(identity("N[C@@H](C)C(=O)O"), identity("N[C@H](C)C(=O)O"));
        assert_ne!(identity("CCO"), identity("COC"));
        assert!(identity(&"C".repeat(2_000)).starts_with("smiles:CCC"));
        assert_eq!(identity("*CC*"), "smiles:*CC*");
        assert_eq!(identity("[H][H]"), "smiles:[H][H]");
    }
}
