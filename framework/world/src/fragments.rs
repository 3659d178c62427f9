//! The building blocks of the demo's molecules: cores, linkers and end groups, as SMILES written for this
//! module.
//!
//! A core has places `{a}`, `{b}` and `{c}`, each on carbon; a substituent is a linker followed by a group.
//! Ring bonds are numbered 1 to 4 in cores and 6 in groups, so that the texts can be joined. Every
//! pharmacophore of a group can occur on every core, in several groups with dissimilar fingerprints, so that
//! the effect of one group says nothing about the next.

/// A kind of feature that the simulated cells react to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pharmacophore {
    /// Acids and their bioisosteres.
    Acid,
    /// Amines, amidines, guanidines.
    Base,
    /// Groups that react with thiols.
    Electrophile,
    /// Groups that bind a metal ion.
    Chelator,
    /// Greasy groups.
    Lipophile,
    /// Heteroaromatics with a donor and an acceptor.
    Hinge,
    /// Hydrogen-bond acceptors.
    Acceptor,
    /// Linkers with an amide, a sulfonamide or a urea.
    Amide,
    /// Cores of fused aromatic rings.
    Planar,
}

impl Pharmacophore {
    /// Number of pharmacophores.
    pub(crate) const COUNT: usize = 9;
}

/// A linker: its SMILES, its pharmacophore, and how often it is drawn relative to the others.
pub(crate) type Linker = (&'static str, Option<Pharmacophore>, u64);

/// Linkers end in a carbon that bears no heteroatom, so that any group may follow.
pub(crate) const LINKERS: [Linker; 13] = [
    ("", None, 6),
    ("C", None, 2),
    ("CC", None, 1),
    ("OCC", None, 2),
    ("OCCC", None, 1),
    ("NCC", None, 1),
    ("SCC", None, 1),
    ("C(=O)NCC", Some(Pharmacophore::Amide), 2),
    ("NC(=O)C", Some(Pharmacophore::Amide), 2),
    ("NC(=O)CC", Some(Pharmacophore::Amide), 1),
    ("S(=O)(=O)NCC", Some(Pharmacophore::Amide), 1),
    ("NS(=O)(=O)CC", Some(Pharmacophore::Amide), 1),
    ("NC(=O)NCC", Some(Pharmacophore::Amide), 1),
];

/// Groups that share a pharmacophore, or have none.
pub(crate) struct GroupSet {
    /// The pharmacophore that they share, if any.
    pub(crate) pharmacophore: Option<Pharmacophore>,
    /// How often one of them is drawn relative to the other sets.
    pub(crate) weight: u64,
    /// Their SMILES, bound by the first atom.
    pub(crate) groups: &'static [&'static str],
}

pub(crate) const GROUPS: [GroupSet; 8] = [
    GroupSet {
        pharmacophore: None,
        weight: 4,
        groups: &["C", "CC", "OC", "F", "C(C)C", "C6CC6", "OCC", "SC", "C#C", "OC(C)C", "CO", "CCOC"],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Acid),
        weight: 3,
        groups: &[
            "C(=O)O",
            "c6nnn[nH]6",
            "OP(=O)(O)O",
            "P(=O)(O)O",
            "S(=O)(=O)O",
            "C(=O)NS(C)(=O)=O",
            "c6cc(O)no6",
            "C(=O)NC#N",
        ],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Base),
        weight: 3,
        groups: &["N(C)C", "N6CCCC6", "CN(CC)CC", "C(=N)N", "NC(=N)N", "CN", "C(C)(C)N", "CNC"],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Electrophile),
        weight: 3,
        groups: &[
            "C(=O)C=C",
            "NC(=O)C=C",
            "S(=O)(=O)C=C",
            "C(=O)CCl",
            "NC(=O)CCl",
            "NC(=O)C#CC",
            "OC(=O)C=C",
            "C=CC#N",
        ],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Chelator),
        weight: 3,
        groups: &[
            "C(=O)NO",
            "N(O)C(C)=O",
            "CS",
            "NC(=O)CS",
            "C(=O)CC(C)=O",
            "SC(=S)N(C)C",
            "C(N)=S",
            "C(C)=NO",
        ],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Lipophile),
        weight: 3,
        groups: &[
            "C(F)(F)F",
            "OC(F)(F)F",
            "SC(F)(F)F",
            "C(C)(C)C",
            "CCCC",
            "CC(C)(C)C",
            "c6ccc(Cl)cc6",
            "c6cc(F)cc(F)c6",
        ],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Hinge),
        weight: 3,
        groups: &[
            "c6cn[nH]c6",
            "c6ccnc(N)n6",
            "c6ccncc6",
            "c6cncnc6",
            "c6cnc[nH]6",
            "Nc6ncccn6",
            "c6cc(C)n[nH]6",
            "c6cnc(N)s6",
        ],
    },
    GroupSet {
        pharmacophore: Some(Pharmacophore::Acceptor),
        weight: 3,
        groups: &[
            "C(=O)OC",
            "C(N)=O",
            "C(=O)NC",
            "C(=O)N(C)C",
            "S(C)(=O)=O",
            "S(N)(=O)=O",
            "NC(C)=O",
            "NS(C)(=O)=O",
        ],
    },
];

/// Cores of fused aromatic rings: [`Pharmacophore::Planar`].
pub(crate) const PLANAR_CORES: [&str; 30] = [
    "c1({a})ccc2nc({b})cc({c})c2c1",
    "c1({a})ccc2c({b})ncc({c})c2c1",
    "c1({a})ccc2nc({b})nc({c})c2c1",
    "c1({a})ccc2nc({b})c({c})nc2c1",
    "c1({a})ccc2[nH]c({b})c({c})c2c1",
    "c1({a})ccc2n(C)c({b})c({c})c2c1",
    "c1({a})ccc2oc({b})c({c})c2c1",
    "c1({a})ccc2sc({b})c({c})c2c1",
    "c1({a})cc({c})c2n(C)c({b})nc2c1",
    "c1({a})cc({c})c2oc({b})nc2c1",
    "c1({a})cc({c})c2sc({b})nc2c1",
    "c1({a})cc({c})c2n(C)nc({b})c2c1",
    "c1({a})ccc2cc({b})cc({c})c2c1",
    "c1({a})cnc2c({c})c({b})cnc2c1",
    "c1({a})c({c})c2c(s1)ncnc2{b}",
    "c1({a})cc2cc({b})oc2nc1{c}",
    "c1({a})cc({c})c2nc({b})cn2c1",
    "c1({a})c({b})nc2c({c})cnn2c1",
    "c1({a})nc({b})c2nc({c})n(C)c2n1",
    "O=c1cc({a})c2cc({b})c({c})cc2o1",
    "O=c1cc({a})c2cc({b})c({c})cc2n1C",
    "O=c1cc({a})oc2cc({b})c({c})cc12",
    "c1({a})ccc2c(c1)c3cc({b})c({c})cc3n2C",
    "c1({a})ccc2c(c1)c3cc({b})c({c})cc3o2",
    "c1({a})ccc2nc3cc({b})ccc3c({c})c2c1",
    "O=c1n(C)nc({a})c2cc({b})c({c})cc12",
    "c1({a})cnc2[nH]c({b})c({c})c2c1",
    "c1({a})cnc2c({b})c({c})sc2c1",
    "c1({a})c({c})c2nc({b})cn2nc1",
    "c1({a})cc({c})c2onc({b})c2c1",
];

/// Cores of single or linked rings.
pub(crate) const OPEN_CORES: [&str; 39] = [
    "c1({a})cc({b})cc({c})c1",
    "c1({a})ccc({b})c({c})c1",
    "c1({a})cc({b})nc({c})c1",
    "c1({a})cnc({b})c({c})c1",
    "c1({a})nc({b})cc({c})n1",
    "c1({a})ncc({b})nc1{c}",
    "c1({a})cc({b})c({c})nn1",
    "c1({a})cc({b})sc1{c}",
    "c1({a})cc({b})oc1{c}",
    "c1({a})cc({b})n(C)c1{c}",
    "c1({a})c({b})nn(C)c1{c}",
    "c1({a})sc({b})nc1{c}",
    "c1({a})oc({b})nc1{c}",
    "c1({a})ccc(cc1)c2cc({b})cc({c})c2",
    "c1({a})ccc(cc1)Oc2cc({b})cc({c})c2",
    "c1({a})ccc(cc1)Cc2cc({b})cc({c})c2",
    "c1({a})ccc(cc1)N(C)c2cc({b})cc({c})c2",
    "c1({a})ccc(cc1)C(=O)c2cc({b})cc({c})c2",
    "c1({a})ccc(cc1)c2cc({b})nc({c})c2",
    "c1({a})ccc(cc1)c2nc({b})cc({c})n2",
    "c1({a})ccc(cc1)c2nc({b})c({c})s2",
    "c1({a})cc({b})cc(c1)c2nnc({c})o2",
    "c1({a})cc({b})ccc1N2CCN(CC2)CC{c}",
    "c1({a})cc({b})ccc1N2CCC({c})CC2",
    "c1({a})cc({b})ccc1CN2CCC({c})CC2",
    "C1({a})CCC({b})C({c})C1",
    "c1({a})cc({b})ccc1C2CCC({c})CC2",
    "c1({a})cc2c(cc1{b})CCC({c})C2",
    "c1({a})cc2c(cc1{b})CC({c})C2",
    "c1({a})cc2c(cc1{b})OCC({c})C2",
    "c1({a})cc2c(cc1{b})CN(CC{c})C2",
    "c1({a})cc2c(cc1{b})CCN(CC{c})C2",
    "O=C1CC({c})CN1c2cc({a})cc({b})c2",
    "c1({a})cc({b})ccc1C2CN(CC{c})CCO2",
    "c1({a})ccc(cc1)C=Cc2cc({b})cc({c})c2",
    "c1({a})ccc(cc1)CCc2cc({b})nc({c})c2",
    "c1({a})ccc(cc1)Sc2cc({b})cc({c})c2",
    "c1({a})ccc(nc1)c2cc({b})cc({c})n2",
    "c1({a})ccc(cc1)c2cc({b})c({c})o2",
];

/// The SMILES of a core with its substituents; an empty one leaves hydrogen.
pub(crate) fn join(core: &str, substituents: &[String; 3]) -> String {
    let mut smiles = core.to_owned();
    for (place, substituent) in ["{a}", "{b}", "{c}"].into_iter().zip(substituents) {
        if substituent.is_empty() {
            smiles = smiles.replace(&format!("({place})"), "");
        }
        smiles = smiles.replace(place, substituent);
    }
    smiles
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use molarena_chem::Molecule;

    use super::*;

    fn cores() -> impl Iterator<Item = &'static str> {
        PLANAR_CORES.into_iter().chain(OPEN_CORES)
    }

    fn parse(smiles: &str) -> Molecule {
        Molecule::parse(smiles).unwrap_or_else(|error| panic!("{smiles}: {error}"))
    }

    #[test]
    fn cores_are_rings_with_three_places_and_differ() {
        let mut seen = HashSet::new();
        for core in cores() {
            for place in ["{a}", "{b}", "{c}"] {
                assert_eq!(core.matches(place).count(), 1, "{core}");
            }
            let bare = join(core, &[String::new(), String::new(), String::new()]);
            let scaffold = parse(&bare).scaffold(false);
            assert!(!scaffold.is_empty(), "{core}");
            let marked = join(core, &["F".into(), "Cl".into(), "Br".into()]);
            assert!(seen.insert(parse(&marked).identity()), "{core} is there twice");
        }
    }

    #[test]
    fn every_substituent_is_sound_at_every_place_of_every_core() {
        let substituents: Vec<String> = LINKERS
            .iter()
            .flat_map(|(linker, ..)| {
                GROUPS
                    .iter()
                    .flat_map(move |set| set.groups.iter().map(move |group| format!("{linker}{group}")))
            })
            .collect();
        for (number, core) in cores().enumerate() {
            // Every linker and group meets every core; not every pair does.
            for (index, substituent) in substituents.iter().enumerate().skip(number % 3).step_by(3) {
                let mut places = [String::new(), String::new(), String::new()];
                places[index % 2].clone_from(substituent);
                places[2].clone_from(&substituents[(index * 7 + number) % substituents.len()]);
                parse(&join(core, &places));
            }
        }
    }

    #[test]
    fn groups_are_of_one_set_only() {
        let mut seen = HashSet::new();
        for set in &GROUPS {
            for group in set.groups {
                assert!(seen.insert(parse(&format!("c1ccccc1{group}")).identity()), "{group} is there twice");
            }
        }
        assert_eq!(seen.len(), 68);
    }
}
