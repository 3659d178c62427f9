//! Molecules assembled from [`fragments`](crate::fragments).

use std::collections::HashSet;

use molarena_chem::Molecule;
use rayon::prelude::*;

use crate::fragments::{GROUPS, LINKERS, OPEN_CORES, PLANAR_CORES, Pharmacophore, join};
use crate::progress::{Progress, Step};
use crate::random::{Purpose, Stream};

/// Numbers of heavy atoms of drug-like molecules.
const ATOMS: std::ops::RangeInclusive<usize> = 16..=42;
/// Probability that the third place of a core is taken.
const THIRD_PLACE: f64 = 0.6;
const CHUNK: usize = 4_096;

/// A molecule and the features that cells react to.
#[derive(Clone, Debug)]
pub(crate) struct Drug {
    /// As joined; not canonical, so that it depends only on the templates.
    pub(crate) smiles: String,
    /// [`Molecule::identity`].
    pub(crate) identity: String,
    /// Its pharmacophores, once for each part that has one, with the number of the part.
    pub(crate) parts: Vec<(Pharmacophore, usize)>,
}

/// `count` molecules that are unique by identity, in the order in which they are drawn.
pub(crate) fn enumerate(seed: u64, count: usize, progress: &mut dyn FnMut(Progress)) -> Vec<Drug> {
    let mut drugs = Vec::with_capacity(count);
    let mut known = HashSet::with_capacity(count);
    let mut first = 0;
    while drugs.len() < count {
        progress(Progress { step: Step::Molecules, done: drugs.len(), total: count });
        let size = CHUNK.min(2 * (count - drugs.len()) + 16);
        let candidates: Vec<Option<Drug>> =
            (first..first + size).into_par_iter().map(|number| candidate(seed, number)).collect();
        first += size;
        for drug in candidates.into_iter().flatten() {
            if drugs.len() < count && known.insert(drug.identity.clone()) {
                drugs.push(drug);
            }
        }
    }
    drugs
}

/// Candidate number `number`; `None` if its size is not drug-like.
fn candidate(seed: u64, number: usize) -> Option<Drug> {
    let mut stream = Stream::new(seed, Purpose::Candidate, number as u64);
    let core = stream.below(PLANAR_CORES.len() + OPEN_CORES.len());
    let mut parts = Vec::new();
    let template = if core < PLANAR_CORES.len() {
        parts.push((Pharmacophore::Planar, core));
        PLANAR_CORES[core]
    } else {
        OPEN_CORES[core - PLANAR_CORES.len()]
    };
    let mut substituents = [String::new(), String::new(), String::new()];
    let places = if stream.uniform() < THIRD_PLACE { 3 } else { 2 };
    for place in &mut substituents[..places] {
        *place = substituent(&mut stream, &mut parts);
    }
    let smiles = join(template, &substituents);
    let molecule = Molecule::parse(&smiles).expect("tested: every linker and group is sound on every core");
    ATOMS.contains(&molecule.atoms()).then(|| Drug { identity: molecule.identity(), smiles, parts })
}

/// Draws a linker and a group, and adds their pharmacophores to `parts`.
fn substituent(stream: &mut Stream, parts: &mut Vec<(Pharmacophore, usize)>) -> String {
    let linker = stream.weighted(LINKERS.iter().map(|(.., weight)| *weight));
    let set = stream.weighted(GROUPS.iter().map(|set| set.weight));
    let group = stream.below(GROUPS[set].groups.len());
    let (text, pharmacophore, _) = LINKERS[linker];
    let linker_number = PLANAR_CORES.len() + linker;
    let group_number = PLANAR_CORES.len()
        + LINKERS.len()
        + GROUPS[..set].iter().map(|set| set.groups.len()).sum::<usize>()
        + group;
    parts.extend(pharmacophore.map(|pharmacophore| (pharmacophore, linker_number)));
    parts.extend(GROUPS[set].pharmacophore.map(|pharmacophore| (pharmacophore, group_number)));
    format!("{text}{}", GROUPS[set].groups[group])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn molecules_are_unique_and_have_many_scaffolds() {
        let drugs = enumerate(0, 600, &mut |_| ());
        assert_eq!(drugs.len(), 600);
        let identities: HashSet<&String> = drugs.iter().map(|drug| &drug.identity).collect();
        assert_eq!(identities.len(), 600);
        let mut scaffolds: Vec<String> =
            drugs.iter().map(|drug| Molecule::parse(&drug.smiles).unwrap().scaffold(true)).collect();
        assert!(scaffolds.iter().all(|scaffold| !scaffold.is_empty()));
        scaffolds.sort_unstable();
        let largest = scaffolds.chunk_by(|one, other| one == other).map(<[String]>::len).max().unwrap();
        scaffolds.dedup();
        assert!(scaffolds.len() > 200 && largest < 30, "{} scaffolds, largest {largest}", scaffolds.len());
    }

    #[test]
    fn more_molecules_begin_with_fewer() {
        let few = enumerate(3, 50, &mut |_| ());
        let more = enumerate(3, 300, &mut |_| ());
        assert!(few.iter().zip(&more).all(|(one, other)| one.smiles == other.smiles));
        assert_ne!(few[0].smiles, enumerate(4, 50, &mut |_| ())[0].smiles);
    }

    #[test]
    fn every_pharmacophore_is_on_many_cores() {
        let drugs = enumerate(0, 600, &mut |_| ());
        let mut scaffolds = vec![HashSet::new(); Pharmacophore::COUNT];
        for drug in &drugs {
            let scaffold = Molecule::parse(&drug.smiles).unwrap().scaffold(false);
            for (pharmacophore, _) in &drug.parts {
                scaffolds[*pharmacophore as usize].insert(scaffold.clone());
            }
        }
        assert!(scaffolds.iter().all(|scaffolds| scaffolds.len() >= 50));
    }
}
