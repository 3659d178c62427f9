//! An encoder: from molecular graphs to counts.

use molarena_sdk::{
    Call, Component, Determinism, Encoder, Graphs, Info, InputKind, Inputs, Matrix, Result,
};
use schemars::JsonSchema;
use serde::Deserialize;

molarena_sdk::export_plugin! { id: "@name@", encoders: [ElementCounts] }

/// Atomic numbers that have a column each: C, N, O, F, P, S, Cl, Br, I.
const ELEMENTS: [i8; 9] = [6, 7, 8, 9, 15, 16, 17, 35, 53];
/// Further columns: other elements, aromatic atoms, atoms in rings, bonds of the types single, double, triple, aromatic.
const OTHER: usize = ELEMENTS.len();
const AROMATIC: usize = OTHER + 1;
const IN_RING: usize = OTHER + 2;
const BOND_TYPES: usize = OTHER + 3;
const COLUMNS: usize = BOND_TYPES + 4;

/// Configuration of [`ElementCounts`].
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Whether counts are divided by the number of atoms.
    pub per_atom: bool,
}

/// Counts atoms of each element, atoms in rings, and bonds of each type.
///
/// An encoder with weights that labels can train implements `FineTune`, too, and is exported as `[MyEncoder: FineTune]`.
#[derive(Debug)]
pub struct ElementCounts(Config);

impl Component for ElementCounts {
    type Config = Config;
    const INFO: Info = Info {
        id: "element-counts",
        summary: "Counts of elements, ring atoms and bond types of the graph",
        inputs: &[InputKind::Graphs],
        devices: &["cpu"],
        determinism: Determinism::Bitwise,
        corpora: &[],
    };
    const USES_SEED: bool = false;

    fn new(config: Config) -> Result<Self> {
        Ok(Self(config))
    }
}

impl Encoder for ElementCounts {
    fn width(&self) -> usize {
        COLUMNS
    }

    fn encode(&mut self, molecules: &Inputs<'_>, call: &Call<'_>) -> Result<Matrix> {
        let graphs = molecules.graphs()?;
        let mut vectors = Matrix::zeros(graphs.rows(), COLUMNS);
        for (row, counts) in vectors.values.chunks_exact_mut(COLUMNS).enumerate() {
            call.check()?;
            count(&graphs, row, counts);
            if self.0.per_atom {
                let atoms = graphs.atom_range(row).len().max(1) as f32;
                counts.iter_mut().for_each(|count| *count /= atoms);
            }
        }
        Ok(vectors)
    }
}

/// Adds what molecule `row` has. The features are indices of the Open Graph Benchmark: of an atom, 0 is its atomic number
/// - 1, 7 whether it is aromatic, 8 whether it is in a ring; of a bond, 0 is its type.
fn count(graphs: &Graphs<'_>, row: usize, counts: &mut [f32]) {
    for atom in &graphs.atom_features[graphs.atom_range(row)] {
        let element = ELEMENTS.iter().position(|&number| number - 1 == atom[0]);
        counts[element.unwrap_or(OTHER)] += 1.0;
        counts[AROMATIC] += f32::from(atom[7]);
        counts[IN_RING] += f32::from(atom[8]);
    }
    for bond in &graphs.bond_features[graphs.bond_range(row)] {
        // A type beyond these four has no column.
        if let Some(count) = usize::try_from(bond[0]).ok().and_then(|kind| counts[BOND_TYPES..].get_mut(kind)) {
            *count += 1.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vinyl chloride, C=CCl, and no atom at all.
    fn encoded(per_atom: bool) -> Matrix {
        let atom = |number: i8| [number - 1, 0, 0, 0, 0, 0, 0, 0, 0];
        let atoms = [atom(6), atom(6), atom(17)];
        let (bonds, types) = ([[0, 1], [1, 2]], [[1, 0, 0], [0, 0, 0]]);
        let graphs = Graphs::new(&[0, 3, 3], &[0, 2, 2], &atoms, &bonds, &types).unwrap();
        let mut encoder = ElementCounts::new(Config { per_atom }).unwrap();
        encoder.encode(&Inputs::from_graphs(graphs), &Call::new(0, 1)).unwrap()
    }

    #[test]
    fn elements_and_bonds_are_counted() {
        let counts = encoded(false);
        assert_eq!((counts.rows, counts.columns), (2, COLUMNS));
        let mut expected = [0.0; COLUMNS];
        (expected[0], expected[6]) = (2.0, 1.0);
        (expected[BOND_TYPES], expected[BOND_TYPES + 1]) = (1.0, 1.0);
        assert_eq!(counts.values[..COLUMNS], expected);
        assert!(counts.values[COLUMNS..].iter().all(|&count| count == 0.0));
    }

    #[test]
    fn counts_can_be_shares() {
        assert_eq!(encoded(true).values[6], 1.0 / 3.0);
    }
}
