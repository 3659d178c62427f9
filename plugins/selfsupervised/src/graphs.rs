//! Graphs that objectives cut and change, and lists of them.

use std::{collections::VecDeque, sync::Arc};

use molarena_nn::{
    gnn::{GraphBatch, MoleculeGraphs},
    kernels::Segments,
};
use molarena_sdk::{Graphs, Result};

/// The graph of a molecule, or what an objective made of it. Features are the Open Graph Benchmark's.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Graph {
    pub(crate) atoms: Vec<[i8; 9]>,
    /// The two atoms of each bond; each bond once.
    pub(crate) bonds: Vec<[u32; 2]>,
    pub(crate) bond_features: Vec<[i8; 3]>,
}

impl Graph {
    /// Molecule `row` of `graphs`.
    fn of(graphs: &Graphs<'_>, row: usize) -> Self {
        let bonds = graphs.bond_range(row);
        Self {
            atoms: graphs.atom_features[graphs.atom_range(row)].to_vec(),
            bonds: graphs.bonds[bonds.clone()].to_vec(),
            bond_features: graphs.bond_features[bonds].to_vec(),
        }
    }

    /// The neighbours of each atom, with the number of the bond to it.
    pub(crate) fn neighbours(&self) -> Vec<Vec<(usize, usize)>> {
        let mut neighbours = vec![Vec::new(); self.atoms.len()];
        for (bond, ends) in self.bonds.iter().enumerate() {
            let [one, other] = ends.map(|end| end as usize);
            neighbours[one].push((other, bond));
            neighbours[other].push((one, bond));
        }
        neighbours
    }

    /// Number of bonds between `from` and each atom; `None` for an atom of another component.
    pub(crate) fn distances(&self, from: usize) -> Vec<Option<usize>> {
        let neighbours = self.neighbours();
        let mut distances = vec![None; self.atoms.len()];
        distances[from] = Some(0);
        let mut queue = VecDeque::from([(from, 0)]);
        while let Some((atom, distance)) = queue.pop_front() {
            for &(next, _) in &neighbours[atom] {
                if distances[next].is_none() {
                    distances[next] = Some(distance + 1);
                    queue.push_back((next, distance + 1));
                }
            }
        }
        distances
    }

    /// The subgraph of `atoms`, in that order, with all bonds between them.
    pub(crate) fn induced(&self, atoms: &[usize]) -> Self {
        let mut place = vec![None; self.atoms.len()];
        for (new, &old) in atoms.iter().enumerate() {
            place[old] = Some(new as u32);
        }
        let mut subgraph =
            Self { atoms: atoms.iter().map(|&atom| self.atoms[atom]).collect(), ..Self::default() };
        for (ends, features) in self.bonds.iter().zip(&self.bond_features) {
            if let [Some(one), Some(other)] = ends.map(|end| place[end as usize]) {
                subgraph.bonds.push([one, other]);
                subgraph.bond_features.push(*features);
            }
        }
        subgraph
    }

    /// The pairs of `atoms` without a bond, the smaller number first.
    pub(crate) fn unbonded(&self, atoms: &[usize]) -> Vec<[u32; 2]> {
        let mut bonded: Vec<[u32; 2]> =
            self.bonds.iter().map(|&[one, other]| [one.min(other), one.max(other)]).collect();
        bonded.sort_unstable();
        let pair = |&one: &usize, &other: &usize| [one.min(other) as u32, one.max(other) as u32];
        let pairs =
            (0..atoms.len()).flat_map(|place| atoms[place + 1..].iter().map(move |other| (place, other)));
        pairs
            .map(|(place, other)| pair(&atoms[place], other))
            .filter(|pair| bonded.binary_search(pair).is_err())
            .collect()
    }
}

/// Some molecules of a corpus.
#[derive(Clone, Debug)]
pub(crate) struct Molecules<'a> {
    graphs: Graphs<'a>,
    rows: Vec<usize>,
}

impl<'a> Molecules<'a> {
    /// The molecules `rows` of `graphs`.
    pub(crate) fn new(graphs: Graphs<'a>, rows: Vec<usize>) -> Self {
        Self { graphs, rows }
    }

    /// Number of molecules.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A molecule by its place among these.
    pub(crate) fn graph(&self, place: usize) -> Graph {
        Graph::of(&self.graphs, self.rows[place])
    }

    /// Molecules by their places.
    pub(crate) fn graphs(&self, places: &[usize]) -> Vec<Graph> {
        places.iter().map(|&place| self.graph(place)).collect()
    }
}

/// Graphs one after the other.
#[derive(Debug)]
pub(crate) struct GraphList {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    /// Atom numbers inside a graph.
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
}

impl GraphList {
    /// The graphs in their order.
    pub(crate) fn new<'a>(graphs: impl IntoIterator<Item = &'a Graph>) -> Self {
        let mut list = Self {
            atom_offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            bond_features: Vec::new(),
        };
        for graph in graphs {
            list.atoms.extend(&graph.atoms);
            list.bonds.extend(&graph.bonds);
            list.bond_features.extend(&graph.bond_features);
            list.atom_offsets.push(list.atoms.len() as i64);
            list.bond_offsets.push(list.bonds.len() as i64);
        }
        list
    }

    /// Number of graphs.
    pub(crate) fn len(&self) -> usize {
        self.atom_offsets.len() - 1
    }

    /// Number of the first atom of a graph among all atoms.
    pub(crate) fn first_atom(&self, graph: usize) -> usize {
        self.atom_offsets[graph] as usize
    }

    /// The features of all atoms.
    pub(crate) fn atoms(&self) -> &[[i8; 9]] {
        &self.atoms
    }

    /// The atoms of each graph.
    pub(crate) fn segments(&self) -> Arc<Segments> {
        let lengths = self.atom_offsets.windows(2).map(|pair| (pair[1] - pair[0]) as usize);
        Arc::new(Segments::new(lengths))
    }

    /// The two atoms of every bond, numbered among all atoms.
    pub(crate) fn bonds(&self) -> Vec<[u32; 2]> {
        let of_graph = |graph: usize| {
            let (first, bonds) = (self.atom_offsets[graph] as u32, self.bond_range(graph));
            self.bonds[bonds].iter().map(move |ends| ends.map(|end| first + end))
        };
        (0..self.len()).flat_map(of_graph).collect()
    }

    fn bond_range(&self, graph: usize) -> std::ops::Range<usize> {
        self.bond_offsets[graph] as usize..self.bond_offsets[graph + 1] as usize
    }

    /// A batch whose molecules are the graphs.
    pub(crate) fn batch(&self) -> Result<GraphBatch> {
        batch(&self.view())
    }

    /// The arrays for the network.
    fn view(&self) -> Graphs<'_> {
        Graphs {
            atom_offsets: &self.atom_offsets,
            bond_offsets: &self.bond_offsets,
            atom_features: &self.atoms,
            bonds: &self.bonds,
            bond_features: &self.bond_features,
        }
    }

    /// A batch of the same atoms and bonds in which each atom is a molecule of its own, so that a readout over the atoms of a
    /// "molecule" gives the vector of an atom. All bonds are listed with the first one; their ends count among all atoms, which
    /// [`Graphs::new`] would refuse and a batch does not mind.
    pub(crate) fn batch_of_atoms(&self) -> Result<GraphBatch> {
        let count = self.atoms.len();
        let atom_offsets: Vec<i64> = (0..=count as i64).collect();
        let mut bond_offsets = vec![self.bonds.len() as i64; count + 1];
        bond_offsets[0] = 0;
        let bonds = self.bonds();
        batch(&Graphs {
            atom_offsets: &atom_offsets,
            bond_offsets: &bond_offsets,
            bonds: &bonds,
            ..self.view()
        })
    }
}

fn batch(graphs: &Graphs<'_>) -> Result<GraphBatch> {
    let rows: Vec<usize> = (0..graphs.rows()).collect();
    Ok(MoleculeGraphs::new(*graphs)?.batch(&rows, 0, 0))
}
