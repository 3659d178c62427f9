//! Tautomers.

use crate::Molecule;
use crate::molecule::guarded;

impl Molecule {
    /// The canonical SMILES, without stereo, of `RDKit`'s canonical tautomer
    /// (`rdMolStandardize.TautomerEnumerator().Canonicalize`).
    ///
    /// It is equal for tautomers that [`Molecule::identity`] tells apart, such as a ketone and its enol. It takes from
    /// 0.1 ms to, for molecules with hundreds of tautomers, seconds. `None` if the library has no answer and for a
    /// molecule with a bond `~`.
    pub fn canonical_tautomer(&self) -> Option<String> {
        if self.has_any_bond {
            return None;
        }
        let flat = Self::parse(&self.canonical_smiles(false)).ok()?;
        guarded(|| chematic_smiles::rdkit_canonical_tautomer(&flat.source)).ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tautomers_have_one_canonical_form_and_isomers_do_not() {
        let canonical = |smiles: &str| Molecule::parse(smiles).unwrap().canonical_tautomer().unwrap();
        assert_eq!(canonical("Oc1ccccn1"), canonical("O=c1cccc[nH]1"));
        assert_eq!(canonical("CC(=O)CC(C)=O"), canonical("CC(O)=CC(C)=O"));
        assert_eq!(canonical("N[C@@H](C)C(=O)O"), canonical("N[C@H](C)C(=O)O"));
        assert_ne!(canonical("CCO"), canonical("COC"));
    }
}
