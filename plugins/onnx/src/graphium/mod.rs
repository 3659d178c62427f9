//! Features of Graphium (Beaini et al. 2023, arXiv 2310.04292), which `MiniMol` (arXiv 2404.14986) and others read: elements,
//! valences and bonds as zeros and ones, and the positions of atoms in the graph.
//!
//! Values are rounded to 16 bits, as Graphium does. All of it equals Graphium's, but for the eigenvectors of the Laplacian: an
//! eigenvector has no sign, and several of one eigenvalue are no particular vectors of their space; Graphium takes what LAPACK's
//! solver for general matrices happens to return, which changes with the processor. See [`positions`] for what is taken here.

mod atoms;
mod bonds;
mod order;
mod positions;

use half::f16;
use molarena_sdk::graph::neighbours;

pub(crate) use atoms::{COLUMNS as ATOM_COLUMNS, atoms};
pub(crate) use bonds::{COLUMNS as BOND_COLUMNS, bonds};
pub(crate) use positions::{EIGENVECTORS, WALK_STEPS, laplacian, walk_returns};

/// One molecule's graph, with the features of the Open Graph Benchmark.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Molecule<'a> {
    pub(crate) atoms: &'a [[i8; 9]],
    pub(crate) bonds: &'a [[u32; 2]],
    pub(crate) kinds: &'a [[i8; 3]],
}

impl Molecule<'_> {
    /// The neighbours of each atom: number of the other atom, number of the bond.
    fn neighbours(&self) -> Vec<Vec<(usize, usize)>> {
        neighbours(self.atoms.len(), self.bonds)
    }
}

/// A value as a 16 bit number holds it.
fn rounded(value: f64) -> f32 {
    f16::from_f64(value).to_f32()
}
