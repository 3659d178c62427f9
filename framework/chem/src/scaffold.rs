//! Murcko scaffolds.

use crate::Molecule;
use crate::molecule::{guarded, write};

impl Molecule {
    /// The Murcko scaffold's canonical SMILES: rings, what links them, and atoms doubly bonded to either (Bemis and
    /// Murcko 1996; `RDKit`'s `MurckoScaffold`). Empty for a molecule without a ring.
    ///
    /// With `stereo` it is `MolToSmiles(GetScaffoldForMol(molecule))`, the string that the protocols group by;
    /// without, `MurckoScaffoldSmiles(molecule, includeChirality=False)`. If the library fails on a molecule that it
    /// has read, which no test has shown, the result is the molecule's own canonical SMILES, so the molecule forms its
    /// own group. Bonds `~` link nothing here.
    pub fn scaffold(&self, stereo: bool) -> String {
        self.murcko(stereo).unwrap_or_else(|| self.canonical_smiles(stereo))
    }

    fn murcko(&self, stereo: bool) -> Option<String> {
        let scaffold = guarded(|| chematic_smiles::rdkit_murcko_scaffold(&self.source)).ok()?.ok()?;
        if stereo || scaffold.is_empty() {
            return Some(scaffold);
        }
        // RDKit, too, writes the scaffold, reads it again and then drops the stereo.
        let again = guarded(|| chematic_smiles::parse(&scaffold)).ok()?.ok()?;
        write(&again, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scaffold(smiles: &str) -> (String, String) {
        let molecule = Molecule::parse(smiles).unwrap();
        (molecule.scaffold(false), molecule.scaffold(true))
    }

    #[test]
    fn rings_linkers_and_double_bonds_stay() {
        let same = |smiles: &str, expected: &str| {
            assert_eq!(scaffold(smiles), (expected.to_owned(), expected.to_owned()));
        };
        same("CCO", "");
        same("CCc1ccccc1", "c1ccccc1");
        same("CC(=O)Nc1ccccc1", "c1ccccc1");
        same("O=C1CCCCC1C", "O=C1CCCCC1");
        same("Cc1ccccc1CCN(C)Cc1ccncc1", "c1ccc(CCNCc2ccncc2)cc1");
        same("Cn1cccc1", "c1cc[nH]c1");
    }

    #[test]
    fn stereo_is_kept_only_when_asked_for() {
        let (flat, stereo) = scaffold("c1ccccc1[C@@H]1CCCN1c1ccccc1");
        assert!(!flat.contains('@'), "{flat}");
        assert!(stereo.contains('@'), "{stereo}");
    }
}
