//! The inputs of the fingerprint from a sanitised molecule, in `RDKit`'s atom and bond order.

use chematic_core::{Atom, AtomIdx, BondOrder, Molecule};
use chematic_fp::{RdkitMorganConfig, RdkitMorganFpSize, RdkitMorganRadius, rdkit_morgan_fingerprint};
use chematic_smiles::{RdkitSmilesError, ogb_graph_features, rdkit_parsed_molecule};

use crate::graph::MoleculeGraph;
use crate::morgan::hash_all;

/// Indices of the Open Graph Benchmark's "other" class, which hides the exact value.
const OTHER_ELEMENT: i8 = 118;
const HYDROGEN: i8 = 0;
const OTHER_DEGREE: i8 = 11;
const OTHER_CHARGE: i8 = 11;
const OTHER_HYDROGENS: i8 = 9;
const OTHER_BOND: i8 = 4;
/// `RDKit`'s number of an aromatic bond; single, double and triple are 1, 2 and 3.
const AROMATIC: u8 = 12;
/// `RDKit`'s number of a bond of unknown type, `~`.
const UNSPECIFIED: u8 = 0;

/// The starting identifiers of atoms and bonds.
#[derive(Clone, Debug)]
pub(crate) struct Hashing {
    /// `[atoms]`: `RDKit`'s connectivity invariants.
    pub(crate) atoms: Vec<u32>,
    /// `[bonds]`: `RDKit`'s bond types.
    pub(crate) bonds: Vec<u8>,
}

/// Sanitises the molecule and computes the features of `smiles2graph`.
pub(crate) fn graph(source: &Molecule) -> Result<MoleculeGraph, RdkitSmilesError> {
    let features = ogb_graph_features(source)?;
    let atom_features: Vec<[i8; 9]> =
        features.node_feat.iter().map(|row| row.map(|value| value as i8)).collect();
    let hu_atoms = atom_features.iter().map(|row| [row[0], row[1].min(3)]).collect();
    // The library lists every bond twice, once in each direction.
    let bonds = features.edge_index.iter().step_by(2).map(|pair| pair.map(|atom| atom as u32)).collect();
    let bond_features =
        features.edge_feat.iter().step_by(2).map(|row| row.map(|value| value as i8)).collect();
    Ok(MoleculeGraph { atom_features, hu_atoms, bonds, bond_features })
}

impl Hashing {
    /// Uses the graph's features where they are exact, and otherwise also the library's sanitised molecule.
    pub(crate) fn new(source: &Molecule, graph: &MoleculeGraph) -> Result<Self, RdkitSmilesError> {
        let inexact = graph.bond_features.iter().any(|row| row[0] == OTHER_BOND)
            || graph.atom_features.iter().any(hides_values)
            || source.atoms().any(|(_, atom)| atom.isotope.is_some());
        let exact = inexact.then(|| sanitised(source, graph)).transpose()?;
        let mut hydrogens = vec![0; graph.atom_features.len()];
        let mut degrees = hydrogens.clone();
        for [begin, end] in graph.bonds.iter().map(|pair| pair.map(|atom| atom as usize)) {
            hydrogens[begin] += i32::from(graph.atom_features[end][0] == HYDROGEN);
            hydrogens[end] += i32::from(graph.atom_features[begin][0] == HYDROGEN);
            degrees[begin] += 1;
            degrees[end] += 1;
        }
        let atoms = graph.atom_features.iter().enumerate().map(|(index, row)| {
            let [mut degree, mut charge, mut own] = [row[2], row[3], row[4]].map(i32::from);
            charge -= 5;
            let mut mass = 0;
            if let Some(exact) = &exact {
                let atom = exact.atom(AtomIdx(index as u32));
                if hides_values(row) {
                    (charge, own) = (i32::from(atom.charge), atom.hydrogen_count.map_or(own, i32::from));
                    degree = degrees[index] + own;
                }
                mass = mass_difference(atom).ok_or_else(refused)?;
            }
            Ok(invariant(row, [degree, own + hydrogens[index], charge, mass]))
        });
        let bonds = graph.bonds.iter().zip(&graph.bond_features).map(|([begin, end], row)| {
            let order = exact.as_ref().and_then(|exact| exact.bond_between(AtomIdx(*begin), AtomIdx(*end)));
            match order.map(|(_, bond)| bond.order) {
                _ if row[0] != OTHER_BOND => Ok(plain_bond(row[0])),
                // Only a bond `~` is in the graph but not in the source.
                None => Ok(UNSPECIFIED),
                Some(BondOrder::Quadruple) => Ok(4),
                // The library's molecule may show the direction of a bond that it has made dative.
                Some(BondOrder::Dative | BondOrder::Up | BondOrder::Down) => Ok(17),
                _ => Err(refused()),
            }
        });
        Ok(Self { atoms: atoms.collect::<Result<_, _>>()?, bonds: bonds.collect::<Result<_, _>>()? })
    }
}

/// The library's own molecule with the graph's atoms: sanitised, or as read if it writes none (a lone hydrogen).
fn sanitised(source: &Molecule, graph: &MoleculeGraph) -> Result<Molecule, RdkitSmilesError> {
    let fits = |molecule: &Molecule| molecule.atom_count() == graph.atom_features.len();
    let molecule = rdkit_parsed_molecule(source).filter(fits);
    molecule.or_else(|| Some(source.clone()).filter(fits)).ok_or_else(refused)
}

fn refused() -> RdkitSmilesError {
    RdkitSmilesError::Unsupported("this mixture of isotopes, metals or charges".to_owned())
}

fn hides_values(row: &[i8; 9]) -> bool {
    row[2] == OTHER_DEGREE || row[3] == OTHER_CHARGE || row[4] == OTHER_HYDROGENS
}

fn plain_bond(class: i8) -> u8 {
    if class == 3 { AROMATIC } else { class as u8 + 1 }
}

/// `RDKit`'s connectivity invariant: the hash of the atomic number, total degree, total hydrogens, charge and mass
/// above the element's average, followed by 1 if the atom is in a ring.
fn invariant(row: &[i8; 9], [degree, hydrogens, charge, mass]: [i32; 4]) -> u32 {
    let element = if row[0] == OTHER_ELEMENT { 0 } else { u32::from(row[0].unsigned_abs()) + 1 };
    let parts = [element, degree as u32, hydrogens as u32, charge as u32, mass as u32, 1];
    hash_all(&parts[..if row[8] == 1 { 6 } else { 5 }])
}

/// The isotope's mass minus the element's average weight, rounded towards zero.
///
/// The library knows the weights but publishes only the hash that they enter. For a lone atom everything else in the
/// hash is known, and different differences give different hashes.
fn mass_difference(atom: &Atom) -> Option<i32> {
    let Some(isotope) = atom.isotope.filter(|isotope| *isotope != 0 && !atom.wildcard) else {
        return Some(0);
    };
    let lone = chematic_smiles::parse(&format!("[{isotope}{}]", atom.element.symbol())).ok()?;
    let spec = RdkitMorganConfig {
        radius: RdkitMorganRadius::R0,
        fp_size: RdkitMorganFpSize::B128,
        include_chirality: false,
    };
    let hashes = rdkit_morgan_fingerprint(&lone, &spec).ok()?.sparse_counts;
    let element = u32::from(atom.element.atomic_number());
    let isotope = i32::from(isotope);
    (-300..=isotope).find(|mass| hashes.contains_key(&hash_all(&[element, 0, 0, 0, *mass as u32])))
}
