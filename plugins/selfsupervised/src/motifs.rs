//! Molecules as trees of motifs, by cuts of acyclic single bonds.
//!
//! MGSSL (Zhang et al. 2021, section 3.1) cuts the bonds of BRICS (Degen et al. 2008), then those between rings and other atoms,
//! then those of branching atoms outside of rings. BRICS needs substructure patterns; here a bond is cut if it is single, in no
//! ring, and one of these is true:
//!
//! - one of its atoms, or both, are in a ring, which is MGSSL's second rule and the rules of BRICS between rings;
//! - neither is, and one of them has more than two neighbours, which is MGSSL's third rule for single bonds: a carbonyl group
//!   stays whole;
//! - neither is, both have at least two neighbours, and one of them is nitrogen, oxygen or sulfur: what BRICS cuts in amides,
//!   esters, ethers, amines, sulfides and sulfonamides.
//!
//! All cuts are of acyclic bonds, so what is left is a tree, or one for each component, and needs no junctions.

use std::collections::BTreeMap;

use crate::graphs::Graph;

/// A connected part of a molecule.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Motif {
    /// Its atoms in increasing order.
    pub(crate) atoms: Vec<usize>,
    /// The same for equal motifs: a hash of their atoms (element, charge, aromatic) and bonds (type) by the refinement of
    /// Weisfeiler and Lehman (1968). Different motifs that it does not tell apart count as equal.
    pub(crate) key: u64,
}

/// The motifs of a molecule and the bonds between them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct MotifTree {
    /// In the order of their first atoms.
    pub(crate) motifs: Vec<Motif>,
    /// The motifs that each motif has a bond to, in the order of the bonds.
    pub(crate) neighbours: Vec<Vec<usize>>,
}

/// A step of a walk over a tree from motif to motif.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Whether it leads to a motif for the first time, not back.
    pub(crate) down: bool,
}

impl MotifTree {
    /// Cuts a molecule.
    pub(crate) fn new(graph: &Graph) -> Self {
        let neighbours = graph.neighbours();
        let cut = cuts(graph, &neighbours);
        let mut owner = vec![usize::MAX; graph.atoms.len()];
        let mut motifs = Vec::new();
        for first in 0..graph.atoms.len() {
            if owner[first] != usize::MAX {
                continue;
            }
            let mut atoms = vec![first];
            owner[first] = motifs.len();
            let mut place = 0;
            while place < atoms.len() {
                for &(next, bond) in &neighbours[atoms[place]] {
                    if !cut[bond] && owner[next] == usize::MAX {
                        owner[next] = motifs.len();
                        atoms.push(next);
                    }
                }
                place += 1;
            }
            atoms.sort_unstable();
            let key = key(graph, &neighbours, &cut, &atoms);
            motifs.push(Motif { atoms, key });
        }
        let mut joined = vec![Vec::new(); motifs.len()];
        for (ends, _) in graph.bonds.iter().zip(&cut).filter(|(_, cut)| **cut) {
            let [one, other] = ends.map(|end| owner[end as usize]);
            joined[one].push(other);
            joined[other].push(one);
        }
        Self { motifs, neighbours: joined }
    }

    /// The walk through the tree of the first atom's motif in depth-first order, with the ways back.
    pub(crate) fn walk(&self) -> Vec<Step> {
        let mut walk = Vec::new();
        let mut path = vec![(0, usize::MAX, 0)];
        while let Some((motif, parent, next)) = path.last_mut() {
            let (from, parent) = (*motif, *parent);
            let Some(&to) = self.neighbours.get(from).and_then(|all| all.get(*next)) else {
                path.pop();
                if parent != usize::MAX {
                    walk.push(Step { from, to: parent, down: false });
                }
                continue;
            };
            *next += 1;
            if to != parent {
                walk.push(Step { from, to, down: true });
                path.push((to, from, 0));
            }
        }
        walk
    }
}

/// Whether each bond is cut.
fn cuts(graph: &Graph, neighbours: &[Vec<(usize, usize)>]) -> Vec<bool> {
    let acyclic = bridges(graph, neighbours);
    let in_ring = |atom: usize| neighbours[atom].iter().any(|&(_, bond)| !acyclic[bond]);
    let is_cut = |bond: usize| {
        let ends = graph.bonds[bond].map(|end| end as usize);
        let degrees = ends.map(|end| neighbours[end].len());
        // Atomic numbers less 1.
        let hetero = ends.iter().any(|&end| matches!(graph.atoms[end][0], 6 | 7 | 15));
        let single = graph.bond_features[bond][0] == 0;
        acyclic[bond]
            && single
            && (ends.iter().any(|&end| in_ring(end))
                || degrees.iter().any(|&degree| degree > 2)
                || hetero && degrees.iter().all(|&degree| degree > 1))
    };
    (0..graph.bonds.len()).map(is_cut).collect()
}

/// Whether each bond is in no ring: without it, its component would fall apart (Tarjan 1974).
fn bridges(graph: &Graph, neighbours: &[Vec<(usize, usize)>]) -> Vec<bool> {
    let mut bridges = vec![false; graph.bonds.len()];
    let (mut number, mut low) = (vec![usize::MAX; graph.atoms.len()], vec![usize::MAX; graph.atoms.len()]);
    let mut count = 0;
    for start in 0..graph.atoms.len() {
        if number[start] != usize::MAX {
            continue;
        }
        let mut path = vec![(start, usize::MAX, 0)];
        (number[start], low[start], count) = (count, count, count + 1);
        while let Some((atom, entered, next)) = path.last_mut() {
            let (atom, entered) = (*atom, *entered);
            let Some(&(other, bond)) = neighbours[atom].get(*next) else {
                path.pop();
                if let Some(&(parent, ..)) = path.last() {
                    low[parent] = low[parent].min(low[atom]);
                    bridges[entered] = low[atom] > number[parent];
                }
                continue;
            };
            *next += 1;
            if number[other] == usize::MAX {
                (number[other], low[other], count) = (count, count, count + 1);
                path.push((other, bond, 0));
            } else if bond != entered {
                low[atom] = low[atom].min(number[other]);
            }
        }
    }
    bridges
}

/// Number of refinements of a motif's atoms at most.
const ROUNDS: usize = 16;

fn key(graph: &Graph, neighbours: &[Vec<(usize, usize)>], cut: &[bool], atoms: &[usize]) -> u64 {
    let start = |&atom: &usize| {
        let [element, .., charge, _, _, _, aromatic, _] = graph.atoms[atom].map(|value| value as u64);
        hash([element, charge, aromatic])
    };
    let mut colours: BTreeMap<usize, u64> = atoms.iter().map(|atom| (*atom, start(atom))).collect();
    for _ in 0..atoms.len().min(ROUNDS) {
        let next = |&atom: &usize| {
            let kept = neighbours[atom].iter().filter(|(_, bond)| !cut[*bond]);
            let seen = kept.map(|(other, bond)| hash([graph.bond_features[*bond][0] as u64, colours[other]]));
            let mut seen: Vec<u64> = seen.collect();
            seen.sort_unstable();
            (atom, hash([colours[&atom]].into_iter().chain(seen)))
        };
        colours = atoms.iter().map(next).collect();
    }
    let mut colours: Vec<u64> = colours.into_values().collect();
    colours.sort_unstable();
    hash(colours)
}

/// FNV-1a over the bytes of the numbers, which is the same on every machine.
fn hash(numbers: impl IntoIterator<Item = u64>) -> u64 {
    let bytes = numbers.into_iter().flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
