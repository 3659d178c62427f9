//! Small cases; released weights are in `tests/golden/pretrained_gnn.rs`.

use burn::tensor::Device;
use molarena_nn::{
    Parameters, Pass, Random,
    gnn::MoleculeGraphs,
    supervised::{FineTuneConfig, GraphEncoder as _},
};
use molarena_sdk::{
    Baseline as _, Call, Component as _, FineTune as _, Graphs, Inputs, OwnedLabels, TaskKind,
};

use super::{
    Pretrained, PretrainedConfig,
    network::{Convolution, Network, check},
};

/// Atomic number less 1 and chirality, and what else does not matter here.
fn atom(element: i8, chirality: i8) -> [i8; 9] {
    [element, chirality, 0, 0, 0, 0, 0, 0, 0]
}

#[test]
fn what_has_no_vector_is_refused_by_molecule() {
    let message = |atom: [i8; 9], bond: i8| {
        let (atoms, bonds) = ([self::atom(5, 0), self::atom(5, 0), atom], [[bond, 0, 0]]);
        let graphs = Graphs::new(&[0, 1, 3], &[0, 0, 1], &atoms, &[[0, 1]], &bonds).unwrap();
        check(&graphs).err().map(|error| error.message)
    };
    assert_eq!(message(atom(5, 2), 3), None);
    for (atom, bond, part) in [
        (atom(118, 0), 0, "an atom of no element"),
        (atom(5, 3), 0, "stereo is not tetrahedral"),
        (atom(5, 0), 4, "a bond that is not single"),
    ] {
        let message = message(atom, bond).unwrap();
        assert!(message.starts_with("molecule 1 has ") && message.contains(part), "{message}");
    }
}

#[test]
fn a_vector_does_not_depend_on_the_order_of_the_atoms_or_on_company() {
    // A triangle with a tail, and the same with its atoms in another order.
    let atoms = [5, 6, 7, 8].map(|element| atom(element, 0));
    let bonds = [[0, 1], [1, 2], [2, 0], [2, 3]];
    let kinds = [[0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]];
    let order = [2usize, 0, 3, 1];
    let mut other_atoms = atoms;
    order.iter().zip(atoms).for_each(|(&place, atom)| other_atoms[place] = atom);
    let other_bonds = bonds.map(|bond| bond.map(|end| order[end as usize] as u32));
    let bonds = bonds.map(|bond| bond.map(|end| end as u32));
    let all_atoms = [atoms, other_atoms].concat();
    let all_bonds = [bonds, other_bonds].concat();
    let all_kinds = [kinds, kinds].concat();
    let graphs = Graphs::new(&[0, 4, 8], &[0, 4, 8], &all_atoms, &all_bonds, &all_kinds).unwrap();
    let graphs = MoleculeGraphs::new(graphs).unwrap();
    for convolution in [Convolution::Gin, Convolution::Gcn, Convolution::GraphSage, Convolution::Gat] {
        let network = Network { convolution, layers: 3, width: 8, dropout: 0.0 };
        let slots = network.slots();
        let mut arrays = slots.random(&mut Random::of(1, 0, 0));
        let mut parameters = Parameters::take(&slots, &mut arrays, &Device::flex()).unwrap();
        let mut encode = |rows: &[usize]| -> Vec<f32> {
            let batch = graphs.batch(rows, 16, 4);
            let vectors = network.forward(&mut Pass::evaluate(&mut parameters), &batch);
            vectors.into_data().try_into_vec().unwrap()
        };
        let both = encode(&[0, 1]);
        let largest = (0..8).map(|column| (both[column] - both[8 + column]).abs()).fold(0.0, f32::max);
        assert!(largest < 1e-5, "{convolution:?}: {largest}");
        assert_eq!(encode(&[0])[..8], both[..8], "{convolution:?}");
        assert!(both[..8].iter().any(|value| value.abs() > 1e-3), "{convolution:?}");
    }
}

/// Where each molecule's atoms and bonds end, the atoms, and the atoms of each bond.
type Molecules = (Vec<i64>, Vec<i64>, Vec<[i8; 9]>, Vec<[u32; 2]>);

/// Chains of carbons of 2 to 9 atoms; every other one ends in oxygen, and that is its label.
fn chains() -> Molecules {
    let (mut atoms, mut bonds, mut ends, mut bond_ends) = (Vec::new(), Vec::new(), vec![0], vec![0]);
    for row in 0..32 {
        let length = 2 + row / 4;
        atoms.extend((1..length).map(|_| atom(5, 0)));
        atoms.push(atom(if row % 2 == 0 { 5 } else { 7 }, 0));
        bonds.extend((1..length).map(|end| [end as u32 - 1, end as u32]));
        ends.push(atoms.len() as i64);
        bond_ends.push(bonds.len() as i64);
    }
    (ends, bond_ends, atoms, bonds)
}

#[test]
fn every_network_is_fine_tuned_from_its_weights() {
    let (ends, bond_ends, atoms, bonds) = chains();
    let kinds = vec![[0, 0, 0]; bonds.len()];
    let graphs = Inputs::from_graphs(Graphs::new(&ends, &bond_ends, &atoms, &bonds, &kinds).unwrap());
    let values: Vec<f32> = (0..32).map(|row| (row % 2) as f32).collect();
    let labels = OwnedLabels::from_nan(TaskKind::Classification, 32, 1, values).unwrap();
    for convolution in [Convolution::Gin, Convolution::Gcn, Convolution::GraphSage, Convolution::Gat] {
        let pretrained = Pretrained::new(PretrainedConfig { convolution, layers: 2, width: 8 }).unwrap();
        let config = FineTuneConfig {
            epochs: 60,
            batch_size: 8,
            learning_rate: 1e-2,
            dropout: 0.0,
            ..FineTuneConfig::default()
        };
        let call = Call::new(1, 1);
        let fitted = |config: &FineTuneConfig| {
            let mut model = pretrained.finetune(config.clone()).unwrap();
            model.fit(&graphs, &labels.view(), &graphs, &labels.view(), &call).unwrap();
            model
        };
        // Every parameter gets a gradient, or the step fails; and the network tells the two kinds of chains apart.
        let predictions = fitted(&config).predict(&graphs, &call).unwrap();
        let of = |label: usize| predictions.values.iter().skip(label).step_by(2).copied();
        let (highest, lowest) = (of(0).fold(0.0, f32::max), of(1).fold(1.0, f32::min));
        assert!(highest < lowest, "{convolution:?}: {:?}", predictions.values);
        let refused = pretrained.finetune(FineTuneConfig { epochs: 0, ..config }).unwrap_err();
        assert_eq!(refused.to_string(), "`epochs` is 0, must be at least 1");
    }
    let strange = [atom(118, 0), atom(5, 0)];
    let strange = Graphs::new(&[0, 2], &[0, 1], &strange, &[[0, 1]], &[[0, 0, 0]]).unwrap();
    let config = PretrainedConfig { convolution: Convolution::Gcn, layers: 1, width: 4 };
    let one = OwnedLabels::from_nan(TaskKind::Classification, 1, 1, vec![1.0]).unwrap();
    let strange = Inputs::from_graphs(strange);
    let mut model = Pretrained::new(config).unwrap().finetune(FineTuneConfig::default()).unwrap();
    let error = model.fit(&strange, &one.view(), &strange, &one.view(), &Call::new(0, 1)).unwrap_err();
    assert!(error.to_string().contains("molecule 0 has an atom of no element"), "{error}");
}
