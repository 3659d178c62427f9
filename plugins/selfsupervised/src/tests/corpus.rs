//! A corpus of small molecules.

use molarena_chem::Molecule;
use molarena_sdk::{Component, Corpus, Graphs, Inputs};

use crate::{EncoderConfig, ObjectiveConfig, SelfSupervised};

const CORES: [&str; 6] =
    ["c1cc({})ccc1{}", "C1CN({})CCC1{}", "c1cc({})ncc1{}", "C1CC({})CC1{}", "c1c({})sc(C)c1{}", "C({})CCC{}"];

const ARMS: [&str; 16] = [
    "C",
    "CC",
    "O",
    "OC",
    "N",
    "F",
    "Cl",
    "C(=O)O",
    "C(=O)NC",
    "S(=O)(=O)N",
    "C#N",
    "c8ccccc8",
    "C(F)(F)F",
    "CCO",
    "OCC",
    "CN(C)C",
];

/// Molecules with two arms on a core, as graphs.
pub(super) struct World {
    atom_offsets: Vec<i64>,
    bond_offsets: Vec<i64>,
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
    nodes: Vec<u64>,
}

impl World {
    /// `count` different molecules.
    pub(super) fn new(count: usize) -> Self {
        let smiles = |number: usize| {
            let core = CORES[number % CORES.len()];
            let (one, other) =
                (number / CORES.len() % ARMS.len(), number / CORES.len() / ARMS.len() % ARMS.len());
            // The same core does not get arms one after the other.
            let [one, other] = [one, other + 5 * one].map(|arm| ARMS[arm % ARMS.len()]);
            core.replacen("{}", one, 1).replacen("{}", other, 1)
        };
        let mut this = Self {
            atom_offsets: vec![0],
            bond_offsets: vec![0],
            atoms: Vec::new(),
            bonds: Vec::new(),
            bond_features: Vec::new(),
            nodes: (0..count as u64).collect(),
        };
        for number in 0..count {
            let graph = Molecule::parse(&smiles(number)).unwrap().graph();
            this.atoms.extend(&graph.atom_features);
            this.bonds.extend(&graph.bonds);
            this.bond_features.extend(&graph.bond_features);
            this.atom_offsets.push(this.atoms.len() as i64);
            this.bond_offsets.push(this.bonds.len() as i64);
        }
        this
    }

    /// The same bonds with the features of atoms exchanged between all molecules.
    pub(super) fn shuffled(mut self) -> Self {
        let order = molarena_nn::Random::of(3, 0, 0).order(self.atoms.len());
        self.atoms = order.into_iter().map(|atom| self.atoms[atom]).collect();
        self
    }

    pub(super) fn graphs(&self) -> Graphs<'_> {
        let (atoms, bonds) = (&self.atom_offsets, &self.bond_offsets);
        Graphs::new(atoms, bonds, &self.atoms, &self.bonds, &self.bond_features).unwrap()
    }

    pub(super) fn inputs(&self) -> Inputs<'_> {
        Inputs::from_graphs(self.graphs())
    }

    pub(super) fn corpus(&self) -> Corpus<'_> {
        Corpus {
            node_kinds: &[],
            molecules: self.inputs(),
            molecule_nodes: &self.nodes,
            spaces: Vec::new(),
            edge_sources: &[],
            edge_targets: &[],
            edge_weights: &[],
        }
    }

    /// The elements of all atoms.
    pub(super) fn elements(&self) -> impl Iterator<Item = usize> {
        self.atoms.iter().map(|atom| atom[0] as usize)
    }
}

/// A small network with an objective's own defaults; its vocabulary and prototypes are small, too.
pub(super) fn small(name: &str) -> EncoderConfig {
    let objective = match ObjectiveConfig::named(name).unwrap() {
        ObjectiveConfig::Mgssl(_) => ObjectiveConfig::Mgssl(crate::Mgssl { vocabulary: 30 }),
        ObjectiveConfig::GraphLog(config) => {
            ObjectiveConfig::GraphLog(crate::GraphLog { prototypes: 8, levels: 2, ..config })
        }
        ObjectiveConfig::AttrMask(config) => {
            ObjectiveConfig::AttrMask(crate::AttrMask { bonds: true, ..config })
        }
        other => other,
    };
    EncoderConfig {
        objective,
        layers: 2,
        width: 16,
        epochs: 3,
        batch_size: 16,
        learning_rate: 3e-3,
        valid_share: 0.2,
        ..EncoderConfig::default()
    }
}

pub(super) fn encoder(config: &EncoderConfig) -> SelfSupervised {
    SelfSupervised::new(config.clone()).unwrap()
}
