use burn::tensor::{Device, Tensor, TensorData};
use molarena_sdk::Graphs;

use super::*;
use crate::{Arrays, Gaussian, Parameters, Pass, Random, Slots};

/// A ring of four with a tail of two, a pair, and an isolated atom. The features are within their ranges and mostly
/// different.
struct Example {
    atoms: Vec<[i8; 9]>,
    bonds: Vec<[u32; 2]>,
    bond_features: Vec<[i8; 3]>,
}

impl Example {
    fn new() -> Self {
        let atom = |atom: usize| ATOM_FEATURES.map(|count| (atom * 7 % count) as i8);
        let bond = |bond: usize| BOND_FEATURES.map(|count| (bond * 5 % count) as i8);
        let bonds = vec![[0, 1], [1, 2], [2, 3], [3, 0], [3, 4], [4, 5], [0, 1]];
        Self { atoms: (0..9).map(atom).collect(), bond_features: (0..bonds.len()).map(bond).collect(), bonds }
    }

    fn graphs(&self) -> MoleculeGraphs<'_> {
        let graphs = Graphs::new(&[0, 6, 8, 9], &[0, 6, 7, 7], &self.atoms, &self.bonds, &self.bond_features);
        MoleculeGraphs::new(graphs.unwrap()).unwrap()
    }
}

fn network(convolution: Convolution, readout: Readout) -> GraphNetwork {
    GraphNetwork { convolution, layers: 3, width: 4, virtual_node: true, readout, dropout: 0.2 }
}

fn slots(network: &GraphNetwork) -> Slots {
    let mut slots = Slots::default();
    network.slots(&mut slots);
    Gaussian::slots(&mut slots, network.width);
    slots
}

/// Loss of a training pass with a fixed dropout.
fn loss(network: &GraphNetwork, arrays: &Arrays, device: &Device) -> (Parameters, Tensor<1>) {
    let example = Example::new();
    let batch = example.graphs().batch(&[0, 1, 2, 1], 0, 0);
    let mut parameters = Parameters::take(&slots(network), &mut arrays.clone(), device).unwrap();
    let mut random = Random::of(0, 0, 1);
    let mut pass = Pass::train(&mut parameters, &mut random);
    let vectors = network.forward(&mut pass, &batch);
    let gaussian = Gaussian::of(&pass, vectors);
    let weights = Random::of(0, 0, 2).uniform(4 * network.width, 1.0);
    let weights = Tensor::<2>::from_data(TensorData::new(weights, [4, network.width]), device);
    let drawn = gaussian.sample(&mut pass);
    let loss = (drawn * weights).sum() + gaussian.divergence().sum() * 0.1;
    (parameters, loss)
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let networks = [
        (Convolution::Gin, Readout::Sum),
        (Convolution::Gcn, Readout::Mean),
        (Convolution::Gin, Readout::Max),
    ];
    let devices = crate::device::all().into_iter().map(Device::autodiff);
    for (device, (convolution, readout)) in
        devices.flat_map(|device| networks.map(|network| (device.clone(), network)))
    {
        let network = network(convolution, readout);
        let arrays = slots(&network).random(&mut Random::of(5, 0, 0));
        let (parameters, value) = loss(&network, &arrays, &device);
        let gradients = value.backward();
        let mut random = Random::of(1, 0, 0);
        for (name, parameter) in parameters.trained() {
            let gradient = parameter.grad(&gradients).unwrap_or_else(|| panic!("no gradient of {name}"));
            let gradient: Vec<f32> = gradient.into_data().try_into_vec().unwrap();
            // Checks one direction of the whole parameter with several steps: the loss is f32, and a kink may
            // be near.
            let direction = random.uniform(gradient.len(), 1.0);
            let at = |step: f32| {
                let mut moved = arrays.clone();
                let array = moved.arrays.get_mut(name).unwrap();
                let values = array.values().iter().zip(&direction).map(|(value, part)| value + step * part);
                *array = crate::Array::new(array.shape(), values.collect());
                f64::from(loss(&network, &moved, &device).1.into_scalar::<f32>())
            };
            let analytic: f64 =
                gradient.iter().zip(&direction).map(|(one, other)| f64::from(one * other)).sum();
            let numeric = [1e-2f32, 3e-3, 1e-3, 3e-4, 1e-4]
                .map(|step| (at(step) - at(-step)) / (2.0 * f64::from(step)));
            let close =
                numeric.iter().any(|numeric| (numeric - analytic).abs() < 3e-2 * analytic.abs().max(0.1));
            assert!(close, "{convolution:?} {name}: {analytic}, {numeric:?}");
        }
    }
}

/// Runs the same network on all devices: loss, every gradient and the running statistics.
#[test]
fn devices_agree() {
    let close = |one: &[f32], two: &[f32], name: &str| {
        let largest = one.iter().fold(1e-2f32, |largest, value| largest.max(value.abs()));
        let difference = one.iter().zip(two).map(|(one, two)| (one - two).abs()).fold(0.0, f32::max);
        assert!(difference < 1e-4 * largest, "{name}: {difference} of {largest}");
    };
    for (convolution, readout) in [(Convolution::Gin, Readout::Sum), (Convolution::Gcn, Readout::Mean)] {
        let network = network(convolution, readout);
        let arrays = slots(&network).random(&mut Random::of(5, 0, 0));
        let results = crate::device::all().into_iter().map(|device| {
            let (parameters, value) = loss(&network, &arrays, &device.autodiff());
            let gradients = value.clone().backward();
            let gradient = |(name, parameter): (&str, &Tensor<2>)| {
                let gradient = parameter.grad(&gradients).unwrap();
                (name.to_owned(), gradient.into_data().try_into_vec::<f32>().unwrap())
            };
            let gradients: Vec<_> = parameters.trained().map(gradient).collect();
            (value.into_scalar::<f32>(), gradients, parameters.arrays())
        });
        let results: Vec<_> = results.collect();
        let (value, gradients, moved) = &results[0];
        for (other_value, other_gradients, other_moved) in &results[1..] {
            close(&[*value], &[*other_value], "loss");
            for ((name, one), (_, two)) in gradients.iter().zip(other_gradients) {
                close(one, two, name);
            }
            for (name, array) in &moved.arrays {
                close(array.values(), other_moved.arrays[name].values(), name);
            }
        }
    }
}

#[test]
fn a_molecule_is_the_same_in_any_company() {
    let device = Device::flex();
    let example = Example::new();
    for readout in [Readout::Sum, Readout::Mean, Readout::Max] {
        let network = network(Convolution::Gin, readout);
        let mut arrays = slots(&network).random(&mut Random::of(5, 0, 0));
        let mut parameters = Parameters::take(&slots(&network), &mut arrays, &device).unwrap();
        let mut vectors = |rows: &[usize]| -> Vec<f32> {
            let batch = example.graphs().batch(rows, 32, 8);
            network.forward(&mut Pass::evaluate(&mut parameters), &batch).into_data().try_into_vec().unwrap()
        };
        let (alone, together) = (vectors(&[1]), vectors(&[0, 2, 1]));
        assert_eq!(alone[..4], together[8..12]);
        assert!(alone[..4].iter().any(|value| *value != 0.0));
    }
}

#[test]
fn training_moves_the_running_statistics_as_pytorch_does() {
    crate::device::all().iter().for_each(moves_the_running_statistics);
}

fn moves_the_running_statistics(device: &Device) {
    let network = network(Convolution::Gin, Readout::Sum);
    let arrays = slots(&network).random(&mut Random::of(5, 0, 0));
    let (parameters, _) = loss(&network, &arrays, &device.clone().autodiff());
    let name = "graph_encoder.batch_norms.0.running_mean";
    let (before, after) = (&arrays.arrays[name], &parameters.arrays().arrays[name]);
    assert_ne!(before, after);
    // An evaluation pass changes no statistic.
    let example = Example::new();
    let mut parameters = Parameters::take(&slots(&network), &mut parameters.arrays(), device).unwrap();
    let before = parameters.arrays();
    network.forward(&mut Pass::evaluate(&mut parameters), &example.graphs().batch(&[0], 0, 0));
    assert_eq!(parameters.arrays(), before);
}
