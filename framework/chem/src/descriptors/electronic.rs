//! Electrotopological states, partial charges, and surface areas binned by an atom's property.

use super::skeleton::{Skeleton, outer_electrons};

/// Upper ends of the bins of `EState_VSA`, by electrotopological state.
const STATE_BINS: [f64; 10] = [-0.39, 0.29, 0.717, 1.165, 1.54, 1.807, 2.05, 4.69, 9.17, 15.0];
/// Upper ends of the bins of `VSA_EState`, by surface area in square angstroms.
const AREA_BINS: [f64; 9] = [4.78, 5.0, 5.41, 5.74, 6.0, 6.07, 6.45, 7.0, 11.0];

/// `[atoms]`: electrotopological states (Hall, Mohney and Kier 1991).
pub(super) fn states(skeleton: &Skeleton) -> Vec<f64> {
    let atoms = skeleton.atoms();
    let intrinsic: Vec<f64> = (0..atoms).map(|atom| intrinsic_state(skeleton, atom)).collect();
    let mut states = intrinsic.clone();
    let mut distances = vec![usize::MAX; atoms];
    let mut reached = Vec::with_capacity(atoms);
    for start in 0..atoms {
        reached.clear();
        reached.push(start);
        distances.fill(usize::MAX);
        distances[start] = 0;
        let mut place = 0;
        while let Some(atom) = reached.get(place).copied() {
            place += 1;
            for (next, _) in &skeleton.neighbours[atom] {
                if distances[*next] == usize::MAX {
                    distances[*next] = distances[atom] + 1;
                    reached.push(*next);
                }
            }
        }
        for other in &reached[1..] {
            states[start] +=
                (intrinsic[start] - intrinsic[*other]) / ((distances[*other] + 1) as f64).powi(2);
        }
    }
    states
}

/// ((2 / n)^2 x valence delta + 1) / degree, with n the principal quantum number; 0 for a lone atom.
fn intrinsic_state(skeleton: &Skeleton, atom: usize) -> f64 {
    let degree = skeleton.degree(atom);
    if degree == 0 {
        return 0.0;
    }
    let element = skeleton.elements[atom];
    let delta = f64::from(outer_electrons(element)) - f64::from(skeleton.hydrogens[atom]);
    let shell = 1 + [2, 10, 18, 36, 54, 86].iter().filter(|last| element > **last).count();
    (4.0 / (shell * shell) as f64 * delta + 1.0) / degree as f64
}

/// `MaxAbsEStateIndex`, `MaxEStateIndex`, `MinAbsEStateIndex`, `MinEStateIndex`.
pub(super) fn extreme_states(states: &[f64]) -> [f64; 4] {
    let highest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::NEG_INFINITY, f64::max);
    let lowest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    [
        highest(&mut states.iter().map(|state| state.abs())),
        highest(&mut states.iter().copied()),
        lowest(&mut states.iter().map(|state| state.abs())),
        lowest(&mut states.iter().copied()),
    ]
}

/// `EState_VSA`: the surface area of the atoms whose state is in each bin.
pub(super) fn areas_by_state(states: &[f64], areas: &[f64]) -> [f64; 11] {
    let mut bins = [0.0; 11];
    states.iter().zip(areas).for_each(|(state, area)| bins[bin(&STATE_BINS, *state)] += area);
    bins
}

/// `VSA_EState`: the states of the atoms whose surface area is in each bin.
pub(super) fn states_by_area(states: &[f64], areas: &[f64]) -> [f64; 10] {
    let mut bins = [0.0; 10];
    states.iter().zip(areas).for_each(|(state, area)| bins[bin(&AREA_BINS, *area)] += state);
    bins
}

/// The first bin whose upper end is above a value.
fn bin(ends: &[f64], value: f64) -> usize {
    ends.partition_point(|end| *end <= value)
}

/// `MaxPartialCharge`, `MinPartialCharge`, `MaxAbsPartialCharge`, `MinAbsPartialCharge` of Gasteiger charges.
///
/// Charges near an element that the method does not know are NaN. `RDKit`'s extremes are then those of the atoms after
/// the last such atom, and so are these.
pub(super) fn extreme_charges(charges: &[f64]) -> [f64; 4] {
    let highest =
        charges.iter().fold(-500.0, |best: f64, charge| if best > *charge { best } else { *charge });
    let lowest = charges.iter().fold(500.0, |best: f64, charge| if best < *charge { best } else { *charge });
    [highest, lowest, highest.abs().max(lowest.abs()), highest.abs().min(lowest.abs())]
}
