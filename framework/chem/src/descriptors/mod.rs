//! Physico-chemical descriptors with the values of `RDKit` 2026.09.1's `CalcMolDescriptors`.

mod counts;
mod electronic;
mod names;
mod skeleton;
mod topology;

use rayon::prelude::*;

use crate::Molecule;
use crate::molecule::guarded;
use skeleton::Skeleton;

pub use names::DESCRIPTOR_NAMES;

/// Number of atoms above which descriptors of cubic cost are not computed.
const MAX_CUBIC_ATOMS: usize = 500;

impl Molecule {
    /// The descriptors that [`DESCRIPTOR_NAMES`] names, `[DESCRIPTOR_NAMES.len()]`: masses in daltons, areas in square
    /// angstroms, charges in electrons, all else without a unit.
    ///
    /// The values equal `RDKit`'s. A value is 0 where `RDKit` gives none or one that is not finite (a charge beside an
    /// element that Gasteiger's method does not know), and `AvgIpc`, `BalabanJ` and `BertzCT` are 0 above 500 atoms.
    /// Bonds `~` are left out. If the library fails on a group of values, which no test has shown, the group is 0. A
    /// drug-like molecule takes about half a millisecond, the longest SMILES that is read about a second; joined rings
    /// of thousands of atoms take longer, since the search for rings is cubic: 78 s for two rings of 2,500 atoms.
    pub fn descriptors(&self) -> Vec<f64> {
        let values = compute(self);
        debug_assert_eq!(values.len(), DESCRIPTOR_NAMES.len());
        // Adding 0 turns the -0 of an empty sum into 0.
        values.into_iter().map(|value| if value.is_finite() { value + 0.0 } else { 0.0 }).collect()
    }
}

/// The descriptors of many molecules, row-major `[n, DESCRIPTOR_NAMES.len()]`, on all threads of the current `rayon`
/// pool.
///
/// See [`Molecule::descriptors`]. All values are finite.
pub fn descriptor_matrix(molecules: &[Molecule]) -> Vec<f32> {
    let row = |molecule: &Molecule| molecule.descriptors().into_iter().map(|value| value as f32);
    molecules.par_iter().flat_map_iter(row).collect()
}

/// The library's values, or zeros if it fails.
fn library<const N: usize>(work: impl FnOnce() -> [f64; N]) -> [f64; N] {
    guarded(work).unwrap_or([0.0; N])
}

/// A family of bins in the order of `RDKit`'s list, which sorts names as text: 1, 10, 11, ..., 2, 3, ...
fn push_bins(values: &mut Vec<f64>, bins: &[f64]) {
    let single = bins.len().min(9);
    values.push(bins[0]);
    values.extend_from_slice(&bins[single..]);
    values.extend_from_slice(&bins[1..single]);
}

/// The values in the order of [`DESCRIPTOR_NAMES`].
fn compute(molecule: &Molecule) -> Vec<f64> {
    let skeleton = Skeleton::new(molecule);
    let model = &skeleton.model;
    let areas = guarded(|| chematic_chem::topo_descriptors::labute_asa_per_atom(model)).unwrap_or_default();
    let states = electronic::states(&skeleton);
    let mut values = Vec::with_capacity(DESCRIPTOR_NAMES.len());
    values.extend(electronic::extreme_states(&states));
    values.extend(library(|| [chematic_chem::qed(model)]));
    push_masses_and_charges(&mut values, molecule, &skeleton);
    push_topology(&mut values, &skeleton);
    push_bins(&mut values, &library::<14>(|| bins(&chematic_chem::vsa::peoe_vsa(model))));
    push_bins(&mut values, &library::<10>(|| bins(&chematic_chem::vsa::smr_vsa(model))));
    push_bins(&mut values, &library::<12>(|| bins(&chematic_chem::vsa::slogp_vsa(model))));
    values.extend(library(|| [chematic_chem::rdkit_tpsa(model)]));
    push_bins(&mut values, &electronic::areas_by_state(&states, &areas));
    push_bins(&mut values, &electronic::states_by_area(&states, &areas));
    push_counts(&mut values, &skeleton);
    values.extend(library(|| chematic_chem::logp_and_mr(model).into()));
    values
}

/// Converts a list of the library to an array.
fn bins<const N: usize>(list: &[f64]) -> [f64; N] {
    let mut bins = [0.0; N];
    bins.copy_from_slice(list);
    bins
}

/// The descriptors from `MolWt` to `FpDensityMorgan3`.
fn push_masses_and_charges(values: &mut Vec<f64>, molecule: &Molecule, skeleton: &Skeleton) {
    let model = &skeleton.model;
    let [weight, exact] =
        library(|| [chematic_chem::rdkit_molecular_weight(model), chematic_chem::exact_mass(model)]);
    let radicals: i32 = molecule.graph.atom_features.iter().map(|row| i32::from(row[5])).sum();
    values.extend([weight, counts::heavy_weight(skeleton, weight), exact]);
    values.extend([counts::valence_electrons(skeleton), f64::from(radicals)]);
    let charges = guarded(|| chematic_chem::gasteiger_charges(model)).unwrap_or_default();
    values.extend(electronic::extreme_charges(&charges));
    let heavy = skeleton.heavy_atoms();
    let density = |distinct: &usize| if heavy == 0 { 0.0 } else { *distinct as f64 / heavy as f64 };
    values.extend(molecule.distinct_environments(3)[1..].iter().map(density));
}

/// The descriptors from `AvgIpc` to `LabuteASA`.
fn push_topology(values: &mut Vec<f64>, skeleton: &Skeleton) {
    if skeleton.atoms() > MAX_CUBIC_ATOMS {
        values.extend([0.0; 3]);
    } else {
        let distances = topology::bond_order_distances(skeleton);
        values.push(topology::polynomial_information(skeleton));
        values.extend([topology::balaban(skeleton, &distances), topology::bertz(skeleton, &distances)]);
    }
    let model = &skeleton.model;
    let (chi, paths) = topology::connectivity(skeleton);
    let [alpha, area] = library(|| {
        [chematic_chem::hall_kier_alpha(model), chematic_chem::topo_descriptors::labute_asa(model)]
    });
    values.extend(chi);
    values.push(alpha);
    values.extend(topology::kappa(skeleton, alpha, paths));
    values.push(area);
}

/// The descriptors from `FractionCSP3` to `RingCount`.
fn push_counts(values: &mut Vec<f64>, skeleton: &Skeleton) {
    let model = &skeleton.model;
    let rings = counts::rings(skeleton);
    let heavy = skeleton.heavy_atoms() as f64;
    let [spiro, bridgeheads] = counts::spiro_and_bridgeheads(skeleton);
    let stereo = || chematic_smiles::rdkit_atom_stereocenter_counts(model).ok();
    let (centres, unspecified) = guarded(stereo).ok().flatten().unwrap_or_default();
    let [amides, acceptors, donors, rotatable] = library(|| {
        [
            chematic_chem::num_amide_bonds(model),
            chematic_chem::hba_count(model),
            chematic_chem::hbd_count(model),
            chematic_chem::rotatable_bond_count(model),
        ]
        .map(|count| count as f64)
    });
    values.extend([counts::tetrahedral_carbons(skeleton), heavy]);
    values.extend(counts::nitrogens_and_oxygens(skeleton));
    values.extend(rings.aliphatic);
    values.push(amides);
    values.extend(rings.aromatic);
    values.extend([centres as f64, bridgeheads, acceptors, donors]);
    values.extend([counts::heteroatoms(skeleton), rings.heterocycles, rotatable]);
    values.extend(rings.saturated);
    values.extend([spiro, unspecified as f64]);
    let phi = phi(values, heavy);
    values.extend([phi, rings.all]);
}

/// Flexibility: `Kappa1` x `Kappa2` / heavy atoms (Kier 1989); the values already hold both.
fn phi(values: &[f64], heavy: f64) -> f64 {
    let value = |name: &str| {
        DESCRIPTOR_NAMES.iter().position(|other| *other == name).map_or(0.0, |place| values[place])
    };
    value("Kappa1") * value("Kappa2") / heavy
}
