//! Losses against `PyTorch` (tests/golden/selfsupervised.py).

use std::collections::BTreeMap;

use burn::tensor::Device;
use molarena_nn::{
    Array, Arrays, Parameters, Pass, Random, Slots,
    gnn::{Convolution, GraphNetwork, Readout},
};
use serde_json::Value;

use crate::{
    AttrMask, ContextPred, Dsla, GraphLog, GraphMae,
    graphs::{Graph, GraphList},
    losses::normalised,
    model::slots_of,
    motifs::MotifTree,
    network,
    objectives::{
        Loss, Objective,
        attrmask::Masked,
        contextpred::Pairs,
        dsla::Candidates,
        edgepred::EdgePred,
        graphcl::{GraphCl, contrast, projected},
        graphlog::{Hierarchy, Level},
        joao,
        mgssl::{Generation, Plan},
    },
};

struct Golden(Value);

impl Golden {
    fn read() -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/golden/selfsupervised.json");
        Self(serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap())
    }

    fn get<T: serde::de::DeserializeOwned>(&self, objective: &str, key: &str) -> T {
        serde_json::from_value(self.0[objective][key].clone()).unwrap()
    }

    fn molecules(&self) -> Vec<Graph> {
        graphs(&self.0["molecules"])
    }

    /// The masked molecules, and what was masked.
    fn masked(&self) -> Masked {
        let hidden: Vec<Vec<usize>> = serde_json::from_value(self.0["hidden"].clone()).unwrap();
        let (mut atoms, mut elements, mut first) = (Vec::new(), Vec::new(), 0);
        for (graph, hidden) in self.molecules().iter().zip(hidden) {
            elements.extend(hidden.iter().map(|&atom| graph.atoms[atom][0] as usize));
            atoms.extend(hidden.into_iter().map(|atom| first + atom));
            first += graph.atoms.len();
        }
        let list = GraphList::new(&graphs(&self.0["masked"]));
        Masked { list, atoms, elements, ends: [Vec::new(), Vec::new()], types: Vec::new() }
    }

    /// Asserts that the loss and its parts are those of `PyTorch`.
    fn assert_same(&self, objective: &str, (loss, parts): Loss) {
        let mut expected: Vec<f64> = self.get(objective, "parts");
        expected.push(self.get(objective, "loss"));
        let found =
            parts.into_iter().flatten().chain([loss]).map(|value| f64::from(value.into_scalar::<f32>()));
        let found: Vec<f64> = found.collect();
        // Losses of a single part are not listed twice.
        let found = if expected.len() == 1 { &found[found.len() - 1..] } else { &found };
        assert_eq!(found.len(), expected.len(), "{objective}");
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 2e-5 * expected.abs().max(1.0),
                "{objective}: {found}, {expected}"
            );
        }
    }
}

fn graphs(value: &Value) -> Vec<Graph> {
    let of = |value: &Value| Graph {
        atoms: serde_json::from_value(value["atoms"].clone()).unwrap(),
        bonds: serde_json::from_value(value["bonds"].clone()).unwrap(),
        bond_features: serde_json::from_value(value["features"].clone()).unwrap(),
    };
    value.as_array().unwrap().iter().map(of).collect()
}

fn network() -> GraphNetwork {
    GraphNetwork {
        convolution: Convolution::Gin,
        layers: 2,
        width: 6,
        virtual_node: false,
        readout: Readout::Mean,
        dropout: 0.0,
    }
}

/// The script's weights: a formula of name and place.
fn weights(slots: &Slots) -> Arrays {
    let mut arrays = Arrays::default();
    for slot in &slots.0 {
        let bytes = slot.name.bytes().enumerate();
        let start = bytes.map(|(place, code)| (place + 1) * usize::from(code)).sum::<usize>() % 1000;
        let is_factor = slot.shape.len() == 1
            && ["mlp.1.weight", "norms.0.weight", "norms.1.weight", "norms.2.weight"]
                .iter()
                .any(|end| slot.name.ends_with(end));
        let value = |place: usize| {
            let value = 0.5 * (0.73 * place as f64 + 0.1 * start as f64).sin();
            (if is_factor { 1.0 + 0.4 * value } else { value }) as f32
        };
        let values = (0..slot.shape.iter().product()).map(value).collect();
        arrays.arrays.insert(slot.name.clone(), Array::new(&slot.shape, values));
    }
    arrays
}

/// The result of a training pass with the script's weights.
fn pass_with<T>(objective: &dyn Objective, work: impl FnOnce(&GraphNetwork, &mut Pass<'_>) -> T) -> T {
    let network = network();
    let mut slots = slots_of(&network);
    objective.slots(&network, &mut slots);
    let mut parameters = Parameters::take(&slots, &mut weights(&slots), &Device::flex()).unwrap();
    let mut random = Random::of(0, 0, 0);
    work(&network, &mut Pass::train(&mut parameters, &mut random))
}

#[test]
fn masked_attributes() {
    let golden = Golden::read();
    let objective = AttrMask { bonds: true, ..AttrMask::default() };
    let masked = Masked {
        list: GraphList::new(&graphs(&golden.0["attrmask"]["graphs"])),
        ends: golden.get("attrmask", "ends"),
        types: golden.get("attrmask", "types"),
        ..golden.masked()
    };
    let loss = pass_with(&objective, |network, pass| objective.loss_of(network, pass, &masked));
    golden.assert_same("attrmask", loss.unwrap());
}

#[test]
fn contexts() {
    let golden = Golden::read();
    let objective = ContextPred { context_size: 2, negatives: 2 };
    let pairs = Pairs {
        neighbourhoods: graphs(&golden.0["contextpred"]["neighbourhoods"]),
        centres: golden.get("contextpred", "centres"),
        contexts: graphs(&golden.0["contextpred"]["contexts"]),
        anchors: golden.get("contextpred", "anchors"),
    };
    let loss = pass_with(&objective, |network, pass| objective.loss_of(network, pass, &pairs));
    golden.assert_same("contextpred", loss.unwrap());
}

#[test]
fn bonds() {
    let golden = Golden::read();
    let pairs: Vec<[u32; 2]> = golden.get("edgepred", "unbonded");
    let list = GraphList::new(&golden.molecules());
    let loss =
        pass_with(&EdgePred::default(), |network, pass| EdgePred::loss_of(network, pass, &list, &pairs));
    golden.assert_same("edgepred", loss.unwrap());
}

#[test]
fn contrasted_views() {
    let golden = Golden::read();
    let views = [0, 1].map(|view| graphs(&golden.0["graphcl"]["views"][view]));
    let loss = pass_with(&GraphCl::default(), |network, pass| {
        let [one, other] = views.map(|views| projected(network, pass, &views).unwrap());
        contrast(one, other, 0.5)
    });
    golden.assert_same("graphcl", (loss, Vec::new()));
}

#[test]
fn the_distribution_of_augmentations() {
    let golden = Golden::read();
    let now: Vec<f32> = golden.get("joao", "now");
    let losses: Vec<f64> = golden.get("joao", "losses");
    let expected: Vec<f32> = golden.get("joao", "next");
    let found = joao::stepped(&now, &losses, 0.1, 0.5);
    let close = found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-6);
    assert!(close, "{found:?} {expected:?}");
}

#[test]
fn prototypes() {
    let golden = Golden::read();
    let settings =
        GraphLog { temperature: 0.2, prototypes: 5, levels: 3, prototype_weight: 0.3, ..GraphLog::default() };
    let used: Vec<Vec<bool>> = golden.get("graphlog", "used");
    let parents: Vec<Vec<usize>> = golden.get("graphlog", "parents");
    let levels = used.into_iter().zip(parents).map(|(used, parents)| Level { used, parents }).collect();
    let objective = Hierarchy { settings, levels };
    let (whole, masked) = (GraphList::new(&golden.molecules()), golden.masked());
    let loss = pass_with(&objective, |network, pass| objective.loss_of(network, pass, &whole, &masked));
    golden.assert_same("graphlog", loss.unwrap());
}

#[test]
fn generated_motifs() {
    let golden = Golden::read();
    let molecules = golden.molecules();
    let trees: Vec<MotifTree> = molecules.iter().map(MotifTree::new).collect();
    let atoms: Vec<Vec<Vec<usize>>> =
        trees.iter().map(|tree| tree.motifs.iter().map(|motif| motif.atoms.clone()).collect()).collect();
    assert_eq!(atoms, golden.get::<Vec<Vec<Vec<usize>>>>("mgssl", "motifs"));
    // The motifs of the first molecule are the vocabulary.
    let known = trees[0].motifs.iter().enumerate().map(|(class, motif)| (motif.key, class));
    let vocabulary: BTreeMap<u64, usize> = known.collect();
    let class = |key: &u64| vocabulary.get(key).copied().unwrap_or(3);
    let classes: Vec<Vec<usize>> =
        trees.iter().map(|tree| tree.motifs.iter().map(|motif| class(&motif.key)).collect()).collect();
    assert_eq!(classes, golden.get::<Vec<Vec<usize>>>("mgssl", "classes"));
    let plan = Plan::new(&molecules, &vocabulary);
    let objective = Generation { vocabulary };
    let list = GraphList::new(&molecules);
    let loss = pass_with(&objective, |network, pass| objective.loss_of(network, pass, &list, &plan));
    golden.assert_same("mgssl", loss.unwrap());
}

#[test]
fn decoded_atoms() {
    let golden = Golden::read();
    let objective = GraphMae { gamma: 2.0, ..GraphMae::default() };
    let masked = golden.masked();
    let loss = pass_with(&objective, |network, pass| objective.loss_of(network, pass, &masked));
    golden.assert_same("graphmae", loss.unwrap());
}

#[test]
fn perturbed_molecules() {
    let golden = Golden::read();
    let objective = Dsla { perturbations: 2, margin: 1.5, ..Dsla::default() };
    let candidates = Candidates {
        graphs: graphs(&golden.0["dsla"]["graphs"]),
        distances: golden.get("dsla", "distances"),
    };
    let loss = pass_with(&objective, |network, pass| objective.loss_of(network, pass, &candidates));
    golden.assert_same("dsla", loss.unwrap());
}

/// The vectors of atoms, read out, are those of molecules, bit for bit.
#[test]
fn atoms_read_out_are_molecules() {
    let list = GraphList::new(&Golden::read().molecules());
    for readout in [Readout::Sum, Readout::Mean, Readout::Max] {
        for convolution in [Convolution::Gin, Convolution::Gcn] {
            let network = GraphNetwork { convolution, readout, dropout: 0.2, ..network() };
            let slots = slots_of(&network);
            let run = |by_atoms: bool| {
                let mut parameters = Parameters::take(&slots, &mut weights(&slots), &Device::flex()).unwrap();
                let mut random = Random::of(0, 0, 0);
                let mut pass = Pass::train(&mut parameters, &mut random);
                let vectors = if by_atoms {
                    let atoms = network::atoms(&network, &mut pass, &list).unwrap();
                    network::read_out(&network, atoms, &list.segments())
                } else {
                    network::molecules(&network, &mut pass, &list).unwrap()
                };
                (vectors.into_data(), parameters.arrays())
            };
            assert_eq!(run(true), run(false));
        }
    }
    let rows = burn::tensor::Tensor::<2>::from_data([[3.0, 4.0], [0.0, 0.0]], &Device::flex());
    assert_eq!(normalised(rows).into_data().try_into_vec::<f32>().unwrap(), [0.6, 0.8, 0.0, 0.0]);
}
