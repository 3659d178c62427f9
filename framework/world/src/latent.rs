//! Pathway activities from pharmacophores.

use crate::fragments::Pharmacophore;
use crate::molecules::Drug;
use crate::random::{Purpose, Stream};

/// Number of pathways that the structure determines.
pub(crate) const VISIBLE: usize = 6;
/// Number of all pathways: two more do not depend on the structure.
pub(crate) const PATHWAYS: usize = VISIBLE + 2;
/// The hidden pathway that expression shows.
pub(crate) const HIDDEN_EXPRESSION: usize = VISIBLE;
/// The hidden pathway that morphology shows.
pub(crate) const HIDDEN_MORPHOLOGY: usize = VISIBLE + 1;

/// The pathways' activities in one molecule.
pub(crate) type Activities = [f64; PATHWAYS];

/// Activities of all molecules, each pathway with mean 0 and variance 1 over them.
pub(crate) fn standardised(seed: u64, drugs: &[Drug]) -> Vec<Activities> {
    let mut all: Vec<Activities> =
        drugs.iter().enumerate().map(|(index, drug)| activities(seed, drug, index)).collect();
    let count = all.len() as f64;
    for pathway in 0..PATHWAYS {
        let mean = all.iter().map(|row| row[pathway]).sum::<f64>() / count;
        let square = |row: &Activities| (row[pathway] - mean) * (row[pathway] - mean);
        let deviation = (all.iter().map(square).sum::<f64>() / count).sqrt();
        for row in &mut all {
            row[pathway] = (row[pathway] - mean) / deviation;
        }
    }
    all
}

/// Activities from 0 to 1.
fn activities(seed: u64, drug: &Drug, index: usize) -> Activities {
    let x = exposures(seed, drug);
    let of = |pharmacophore: Pharmacophore| x[pharmacophore as usize];
    let either = |one: f64, other: f64| one + other - one * other;
    let mut hidden = Stream::new(seed, Purpose::Hidden, index as u64);
    [
        of(Pharmacophore::Acid),
        of(Pharmacophore::Base) * of(Pharmacophore::Amide),
        either(of(Pharmacophore::Electrophile), of(Pharmacophore::Chelator)),
        of(Pharmacophore::Hinge) * of(Pharmacophore::Planar),
        of(Pharmacophore::Lipophile) * (1.0 - of(Pharmacophore::Acid)),
        of(Pharmacophore::Acceptor),
        hidden.uniform(),
        hidden.uniform(),
    ]
}

/// Exposure to each pharmacophore: 1 - exp(-dose), where the dose is the sum of its parts' potencies.
fn exposures(seed: u64, drug: &Drug) -> [f64; Pharmacophore::COUNT] {
    let mut doses = [0.0; Pharmacophore::COUNT];
    for (pharmacophore, part) in &drug.parts {
        doses[*pharmacophore as usize] += potency(seed, *part);
    }
    doses.map(|dose| 1.0 - libm::exp(-dose))
}

/// Potency of a core, linker or group with a pharmacophore, the same in every molecule.
fn potency(seed: u64, part: usize) -> f64 {
    Stream::new(seed, Purpose::Potency, part as u64).between(0.1, 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drug(parts: &[(Pharmacophore, usize)]) -> Drug {
        Drug { smiles: String::new(), identity: String::new(), parts: parts.to_vec() }
    }

    #[test]
    fn pathways_combine_pharmacophores() {
        let visible = |parts: &[(Pharmacophore, usize)]| activities(0, &drug(parts), 0)[..VISIBLE].to_vec();
        assert_eq!(visible(&[]), [0.0; VISIBLE]);
        let (base, amide) = ((Pharmacophore::Base, 50), (Pharmacophore::Amide, 40));
        assert_eq!(visible(&[base])[1], 0.0);
        assert_eq!(visible(&[amide])[1], 0.0);
        assert!(visible(&[base, amide])[1] > 0.0);
        let (acid, grease) = ((Pharmacophore::Acid, 60), (Pharmacophore::Lipophile, 70));
        assert!(visible(&[grease])[4] > visible(&[grease, acid])[4]);
        let once = visible(&[acid])[0];
        let twice = visible(&[acid, acid])[0];
        // Saturation: 1 - exp(-2 v) is less than twice 1 - exp(-v).
        assert!(once < twice && twice < 2.0 * once && twice < 1.0);
    }

    #[test]
    fn hidden_pathways_do_not_depend_on_the_structure() {
        let none = activities(0, &drug(&[]), 5);
        let acid = activities(0, &drug(&[(Pharmacophore::Acid, 60)]), 5);
        assert_eq!(none[VISIBLE..], acid[VISIBLE..]);
        assert_ne!(none[VISIBLE..], activities(0, &drug(&[]), 6)[VISIBLE..]);
    }
}
