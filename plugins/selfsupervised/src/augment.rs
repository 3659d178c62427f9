//! Changes of a graph: masked atoms, moved bonds, dropped atoms, subgraphs.

use molarena_nn::Random;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::graphs::Graph;

/// Features of a masked atom: of each feature with one, the value that the Open Graph Benchmark has for anything unknown. No
/// real atom has this combination, so its vector is one that pretraining learns.
pub(crate) const MASKED_ATOM: [i8; 9] = [118, 4, 11, 11, 9, 5, 5, 0, 0];

/// Features of a masked bond: of unknown type.
pub(crate) const MASKED_BOND: [i8; 3] = [4, 0, 0];

/// `count` different numbers below `bound`, in random order; all of them if there are no more.
pub(crate) fn sample(random: &mut Random, bound: usize, count: usize) -> Vec<usize> {
    let mut order = random.order(bound);
    order.truncate(count);
    order
}

/// A share of `count` things, rounded down.
pub(crate) fn part(count: usize, share: f64) -> usize {
    // A share such as 0.3 is a little less than written.
    (count as f64 * share + 1e-9) as usize
}

/// Masks these atoms.
pub(crate) fn mask(graph: &mut Graph, atoms: &[usize]) {
    for &atom in atoms {
        graph.atoms[atom] = MASKED_ATOM;
    }
}

/// Moves up to `count` of the bonds between `atoms`, keeping their features, to pairs of `atoms` that had no bond; returns how
/// many were moved.
pub(crate) fn move_bonds(graph: &mut Graph, atoms: &[usize], count: usize, random: &mut Random) -> usize {
    let mut inside = vec![false; graph.atoms.len()];
    for &atom in atoms {
        inside[atom] = true;
    }
    let bonds =
        (0..graph.bonds.len()).filter(|&bond| graph.bonds[bond].iter().all(|&end| inside[end as usize]));
    let bonds: Vec<usize> = bonds.collect();
    let free = graph.unbonded(atoms);
    let count = count.min(bonds.len()).min(free.len());
    let (from, to) = (sample(random, bonds.len(), count), sample(random, free.len(), count));
    for (from, to) in from.into_iter().zip(to) {
        graph.bonds[bonds[from]] = free[to];
    }
    count
}

/// A connected part of `count` atoms that grows from a random one by random neighbours; less if its component is smaller.
pub(crate) fn connected_part(graph: &Graph, count: usize, random: &mut Random) -> Vec<usize> {
    if graph.atoms.is_empty() {
        return Vec::new();
    }
    let neighbours = graph.neighbours();
    let start = random.below(graph.atoms.len());
    let (mut chosen, mut known) = (vec![start], vec![false; graph.atoms.len()]);
    known[start] = true;
    let mut border = Vec::new();
    let mut extend = |atom: usize, border: &mut Vec<usize>| {
        for &(next, _) in &neighbours[atom] {
            if !std::mem::replace(&mut known[next], true) {
                border.push(next);
            }
        }
    };
    extend(start, &mut border);
    while chosen.len() < count && !border.is_empty() {
        let next = border.swap_remove(random.below(border.len()));
        chosen.push(next);
        extend(next, &mut border);
    }
    chosen.sort_unstable();
    chosen
}

/// The augmentations of `GraphCL` (You et al. 2020, Table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Augmentation {
    /// Atoms are dropped, with their bonds.
    NodeDropping,
    /// Bonds are moved to other pairs of atoms.
    EdgePerturbation,
    /// Atoms are masked.
    AttributeMasking,
    /// A connected part is kept.
    Subgraph,
    /// Nothing changes.
    Identity,
}

impl Augmentation {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::NodeDropping, Self::EdgePerturbation, Self::AttributeMasking, Self::Subgraph, Self::Identity];

    /// The augmentation of a graph that touches this share of it. An atom is always left.
    pub(crate) fn apply(self, graph: &Graph, share: f64, random: &mut Random) -> Graph {
        let atoms = graph.atoms.len();
        match self {
            Self::NodeDropping => {
                let mut kept = sample(random, atoms, atoms - part(atoms, share));
                kept.sort_unstable();
                graph.induced(&kept)
            }
            Self::EdgePerturbation => {
                let (mut moved, all) = (graph.clone(), (0..atoms).collect::<Vec<_>>());
                move_bonds(&mut moved, &all, part(graph.bonds.len(), share), random);
                moved
            }
            Self::AttributeMasking => {
                let mut masked = graph.clone();
                mask(&mut masked, &sample(random, atoms, part(atoms, share)));
                masked
            }
            Self::Subgraph => graph.induced(&connected_part(graph, atoms - part(atoms, share), random)),
            Self::Identity => graph.clone(),
        }
    }
}
