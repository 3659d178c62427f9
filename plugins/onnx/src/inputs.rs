//! Fills the inputs of a graph with molecules.

use molarena_sdk::{Error, Inputs, Result};

use crate::{
    config::Given,
    graphium::{self, ATOM_COLUMNS, BOND_COLUMNS, EIGENVECTORS, WALK_STEPS},
    network::{Tensor, Values},
    vocabulary::Tokens,
};

/// Rows `rows` of the molecules as `given`, numbers as they are before they become the element type of an input.
///
/// # Errors
/// The molecules have no features of this kind, a SMILES does not fit the vocabulary, or `tokens` is missing.
pub fn tensor(
    given: Given,
    molecules: &Inputs<'_>,
    rows: std::ops::Range<usize>,
    tokens: Option<&Tokens>,
) -> Result<Tensor> {
    match given {
        Given::Dense => {
            let dense = molecules.dense()?;
            let values = rows.clone().flat_map(|row| dense.row(row).iter().copied()).collect();
            Ok(floats(vec![rows.len(), dense.columns], values))
        }
        Given::Bits => {
            let bits = molecules.bits()?;
            let values = rows
                .clone()
                .flat_map(|row| {
                    let words = &bits.words[row * bits.words_per_row..(row + 1) * bits.words_per_row];
                    (0..bits.n_bits).map(|bit| (words[bit / 64] >> (bit % 64) & 1) as f32)
                })
                .collect();
            Ok(floats(vec![rows.len(), bits.n_bits], values))
        }
        Given::Molecules => Ok(integers(Vec::new(), vec![rows.len() as i64])),
        Given::Slots => Ok(integers(vec![rows.len()], vec![0; rows.len()])),
        Given::AtomFeatures | Given::BondFeatures | Given::BondIndex | Given::AtomMolecule => {
            of_graphs(given, molecules, rows)
        }
        Given::GraphiumAtoms
        | Given::GraphiumBonds
        | Given::LaplacianVectors
        | Given::LaplacianValues
        | Given::WalkReturns => of_graphium(given, molecules, rows),
        Given::Tokens | Given::TokenMask => {
            let tokens = tokens.ok_or_else(|| Error::invalid_config("there is no `vocabulary`"))?;
            let smiles = molecules.smiles()?;
            let mut values = Vec::with_capacity(rows.len() * tokens.length());
            for row in rows.clone() {
                let (numbers, count) = tokens.row(smiles.get(row))?;
                match given {
                    Given::Tokens => values.extend(numbers),
                    _ => values.extend((0..tokens.length()).map(|place| i64::from(place < count))),
                }
            }
            Ok(integers(vec![rows.len(), tokens.length()], values))
        }
    }
}

fn of_graphs(given: Given, molecules: &Inputs<'_>, rows: std::ops::Range<usize>) -> Result<Tensor> {
    let graphs = molecules.graphs()?;
    let atoms = rows.clone().map(|row| graphs.atom_range(row).len());
    let mut values = Vec::new();
    match given {
        Given::AtomFeatures => {
            for row in rows {
                values.extend(
                    graphs.atom_features[graphs.atom_range(row)].iter().flatten().copied().map(i64::from),
                );
            }
            Ok(integers(vec![values.len() / 9, 9], values))
        }
        Given::BondFeatures => {
            for row in rows {
                for bond in &graphs.bond_features[graphs.bond_range(row)] {
                    values.extend([bond, bond].into_iter().flatten().copied().map(i64::from));
                }
            }
            Ok(integers(vec![values.len() / 3, 3], values))
        }
        Given::BondIndex => {
            let (mut sources, mut targets, mut before) = (Vec::new(), Vec::new(), 0);
            for (row, atoms) in rows.zip(atoms) {
                for &[one, other] in &graphs.bonds[graphs.bond_range(row)] {
                    let [one, other] = [one, other].map(|atom| i64::from(atom) + before);
                    sources.extend([one, other]);
                    targets.extend([other, one]);
                }
                before += atoms as i64;
            }
            let shape = vec![2, sources.len()];
            sources.extend(targets);
            Ok(integers(shape, sources))
        }
        _ => {
            for (molecule, atoms) in atoms.enumerate() {
                values.resize(values.len() + atoms, molecule as i64);
            }
            Ok(integers(vec![values.len()], values))
        }
    }
}

fn of_graphium(given: Given, molecules: &Inputs<'_>, rows: std::ops::Range<usize>) -> Result<Tensor> {
    let graphs = molecules.graphs()?;
    let mut values: Vec<f32> = Vec::new();
    let columns = match given {
        Given::GraphiumAtoms => ATOM_COLUMNS,
        Given::GraphiumBonds => BOND_COLUMNS,
        Given::WalkReturns => WALK_STEPS,
        _ => EIGENVECTORS,
    };
    for row in rows {
        let (atoms, bonds) = (graphs.atom_range(row), graphs.bond_range(row));
        let molecule = graphium::Molecule {
            atoms: &graphs.atom_features[atoms],
            bonds: &graphs.bonds[bonds.clone()],
            kinds: &graphs.bond_features[bonds],
        };
        match given {
            Given::GraphiumAtoms => values.extend(graphium::atoms(&molecule).into_iter().flatten()),
            Given::GraphiumBonds => {
                values.extend(graphium::bonds(&molecule).into_iter().flat_map(|bond| [bond, bond]).flatten());
            }
            Given::WalkReturns => values.extend(graphium::walk_returns(&molecule).into_iter().flatten()),
            Given::LaplacianVectors => {
                values.extend(graphium::laplacian(&molecule)?[0].iter().flatten().copied());
            }
            _ => values.extend(graphium::laplacian(&molecule)?[1].iter().flatten().copied()),
        }
    }
    Ok(floats(vec![values.len() / columns, columns], values))
}

fn floats(shape: Vec<usize>, values: Vec<f32>) -> Tensor {
    Tensor { shape, values: Values::Floats(values) }
}

fn integers(shape: Vec<usize>, values: Vec<i64>) -> Tensor {
    Tensor { shape, values: Values::Integers(values) }
}

#[cfg(test)]
mod tests {
    use molarena_sdk::Graphs;

    use super::*;

    #[test]
    fn graphs_are_numbered_over_the_molecules_of_a_call() {
        // Of three molecules the last two: one bond, and two.
        let (atom_offsets, bond_offsets) = ([0, 1, 3, 6], [0, 0, 1, 3]);
        let atoms = [[1i8; 9], [2; 9], [3; 9], [4; 9], [5; 9], [6; 9]];
        let (bonds, kinds) = ([[0, 1], [0, 1], [1, 2]], [[1i8, 0, 0], [2, 0, 0], [3, 0, 0]]);
        let graphs = Graphs::new(&atom_offsets, &bond_offsets, &atoms, &bonds, &kinds).unwrap();
        let molecules = Inputs::from_graphs(graphs);
        let of = |given| tensor(given, &molecules, 1..3, None).unwrap();
        assert_eq!(of(Given::BondIndex), integers(vec![2, 6], vec![0, 1, 2, 3, 3, 4, 1, 0, 3, 2, 4, 3]));
        assert_eq!(of(Given::AtomMolecule), integers(vec![5], vec![0, 0, 1, 1, 1]));
        assert_eq!(of(Given::AtomFeatures).shape, [5, 9]);
        let Values::Integers(values) = of(Given::BondFeatures).values else { panic!("integers") };
        assert_eq!(values.iter().step_by(3).copied().collect::<Vec<_>>(), [1, 1, 2, 2, 3, 3]);
        assert_eq!(of(Given::Molecules), integers(Vec::new(), vec![2]));
    }
}
