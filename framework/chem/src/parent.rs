//! Parents of salts and solvates.

use std::{collections::HashSet, sync::LazyLock};

use crate::Molecule;

/// Counter-ions and solvents that are in tables beside many different molecules, so that they are not what a row is
/// about, however large they are. A charged form has the identity of the neutral one.
const COMPANIONS: [&str; 46] = [
    // Water, ammonia, halides, metals.
    "O",
    "N",
    "F",
    "Cl",
    "Br",
    "I",
    "[Li+]",
    "[Na+]",
    "[K+]",
    "[Mg+2]",
    "[Ca+2]",
    "[Zn+2]",
    // Inorganic acids.
    "OS(=O)(=O)O",
    "OP(=O)(O)O",
    "O[N+](=O)[O-]",
    "OC(=O)O",
    "OCl(=O)(=O)=O",
    "F[B-](F)(F)F",
    "F[P-](F)(F)(F)(F)F",
    // Sulfonic acids.
    "CS(=O)(=O)O",
    "CCS(=O)(=O)O",
    "OCCS(=O)(=O)O",
    "Cc1ccc(cc1)S(=O)(=O)O",
    "c1ccc(cc1)S(=O)(=O)O",
    "OS(=O)(=O)c1cccc2ccccc12",
    "OS(=O)(=O)c1ccc2ccccc2c1",
    // Carboxylic acids.
    "OC=O",
    "CC(=O)O",
    "OC(=O)C(F)(F)F",
    "OC(=O)C(=O)O",
    "OC(=O)CC(=O)O",
    "OC(=O)CCC(=O)O",
    "OC(=O)C=CC(=O)O",
    "CC(O)C(=O)O",
    "OC(CC(=O)O)C(=O)O",
    "OC(C(O)C(=O)O)C(=O)O",
    "OC(=O)CC(O)(CC(=O)O)C(=O)O",
    "OC(=O)c1cc2ccccc2c(Cc2c3ccccc3cc(C(=O)O)c2O)c1O",
    // Bases and solvents.
    "CCN(CC)CC",
    "NCCO",
    "OCCN(CCO)CCO",
    "OCC(N)(CO)CO",
    "CO",
    "CCO",
    "CC(C)=O",
    "CS(C)=O",
];

static IDENTITIES: LazyLock<HashSet<String>> = LazyLock::new(|| {
    COMPANIONS.iter().filter_map(|smiles| Some(Molecule::parse(smiles).ok()?.identity())).collect()
});

impl Molecule {
    /// The fragment that a salt, solvate or mixture is about; `None` for a molecule of one fragment, and for one whose
    /// fragments cannot be told apart (a bond `~`) or are all small inorganic ones (sodium chloride).
    ///
    /// It is the fragment with the most atoms other than hydrogen. One with carbon comes before one without, and
    /// anything before the usual counter-ions and solvents (hydrochloride, sodium, tosylate, fumarate, water and the
    /// like). Of equals it is the first by its canonical SMILES. Its charge stays; [`Molecule::identity`] does not
    /// depend on the protonation.
    pub fn parent(&self) -> Option<Self> {
        if self.has_any_bond || self.fragments() < 2 {
            return None;
        }
        let text = self.canonical_smiles(true);
        // Fragments of a canonical SMILES share no ring bonds, so the points separate molecules.
        let fragments: Vec<Self> = text
            .split('.')
            .map(Self::parse)
            .collect::<Result<_, _>>()
            .ok()
            .filter(|all: &Vec<_>| all.len() > 1)?;
        let ranked = fragments.into_iter().filter_map(|fragment| {
            let (own, carbon) = (!IDENTITIES.contains(&fragment.identity()), fragment.has_carbon());
            (own || carbon).then(|| ((own, carbon, fragment.atoms()), fragment))
        });
        let best = ranked.max_by(|(rank, one), (other_rank, other)| {
            rank.cmp(other_rank).then_with(|| other.smiles().cmp(one.smiles()))
        });
        best.map(|(_, fragment)| fragment)
    }

    fn has_carbon(&self) -> bool {
        // Element 6 has the index 5.
        self.graph.hu_atoms.iter().any(|atom| atom[0] == 5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parent(smiles: &str) -> Option<String> {
        Molecule::parse(smiles).unwrap().parent().map(|parent| parent.canonical_smiles(true))
    }

    #[test]
    fn all_companions_can_be_read() {
        assert_eq!(IDENTITIES.len(), COMPANIONS.len());
    }

    #[test]
    fn the_parent_is_what_the_row_is_about() {
        assert_eq!(parent("CCN"), None);
        assert_eq!(parent("CCCN.Cl").as_deref(), Some("CCCN"));
        assert_eq!(parent("[Na+].CCCC(=O)[O-].O").as_deref(), Some("CCCC(=O)[O-]"));
        // Metformin is smaller than its counter-ion.
        let metformin = parent("CN(C)C(=N)NC(=N)N.Cc1ccc(cc1)S(=O)(=O)O").unwrap();
        assert!(metformin.contains("C(=N)"), "{metformin}");
        // Sodium acetate is about acetate, although both are companions.
        assert_eq!(parent("[Na+].CC(=O)[O-]").as_deref(), Some("CC(=O)[O-]"));
        assert_eq!(parent("[Na+].[Cl-]"), None);
        assert_eq!(parent("N.N.Cl[Pt]Cl").as_deref(), Some("[Cl][Pt][Cl]"));
        // The same fragment twice.
        assert_eq!(parent("CCCN.CCCN.OS(=O)(=O)O").as_deref(), Some("CCCN"));
    }
}
