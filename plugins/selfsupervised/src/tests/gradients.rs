//! Gradients against finite differences.

use burn::tensor::{Device, Tensor};
use molarena_nn::{Array, Arrays, Parameters, Pass, Random, Slots, gnn::GraphNetwork};
use molarena_sdk::{Call, Graphs};

use super::corpus::{World, small};
use crate::{
    EncoderConfig, ObjectiveConfig,
    graphs::{Graph, Molecules},
    model::slots_of,
    objectives::{EpochEnd, Objective},
};

struct Case<'a> {
    objective: &'a dyn Objective,
    network: &'a GraphNetwork,
    slots: &'a Slots,
    molecules: &'a [Graph],
}

impl Case<'_> {
    fn loss(&self, arrays: &Arrays) -> (Parameters, Tensor<1>) {
        let device = Device::flex().autodiff();
        let mut parameters = Parameters::take(self.slots, &mut arrays.clone(), &device).unwrap();
        let (mut dropout, mut random) = (Random::of(0, 0, 1), Random::of(0, 0, 2));
        let mut pass = Pass::train(&mut parameters, &mut dropout);
        let loss = self.objective.loss(self.network, &mut pass, self.molecules, &mut random);
        (parameters, loss.unwrap().unwrap().0)
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let world = World::new(12);
    for name in ObjectiveConfig::NAMES {
        check(name, &world.graphs());
    }
}

fn check(name: &str, graphs: &Graphs<'_>) {
    let config = EncoderConfig { width: 4, dropout: 0.0, ..small(name) };
    let network = config.clone().check().unwrap().network();
    let rows: Vec<usize> = (0..graphs.rows()).collect();
    let corpus = Molecules::new(*graphs, rows.clone());
    let molecules = corpus.graphs(&rows);
    let mut objective = config.objective.objective(&corpus).unwrap();
    let mut slots = slots_of(&network);
    objective.slots(&network, &mut slots);
    let start = slots.random(&mut Random::of(5, 0, 0));
    let mut parameters = Parameters::take(&slots, &mut start.clone(), &Device::flex()).unwrap();
    // After this the objectives that change from epoch to epoch have what they change.
    let call = Call::new(0, 1);
    objective
        .end_epoch(&mut EpochEnd {
            network: &network,
            parameters: &mut parameters,
            slots: &slots,
            epochs: 1,
            molecules: &corpus,
            batch_size: 12,
            random: Random::of(0, 0, 3),
            call: &call,
        })
        .unwrap();
    let arrays = parameters.arrays();
    let case = Case { objective: &*objective, network: &network, slots: &slots, molecules: &molecules };
    let (parameters, loss) = case.loss(&arrays);
    let gradients = loss.backward();
    let mut random = Random::of(1, 0, 0);
    for (parameter, tensor) in parameters.trained() {
        let gradient =
            tensor.grad(&gradients).unwrap_or_else(|| panic!("{name}: no gradient of {parameter}"));
        let gradient: Vec<f32> = gradient.into_data().try_into_vec().unwrap();
        // One direction of the whole parameter with several steps: the loss is f32, and a kink may be near.
        let direction = random.uniform(gradient.len(), 1.0);
        let at = |step: f32| {
            let mut moved = arrays.clone();
            let array = moved.arrays.get_mut(parameter).unwrap();
            let values = array.values().iter().zip(&direction).map(|(value, part)| value + step * part);
            *array = Array::new(array.shape(), values.collect());
            f64::from(case.loss(&moved).1.into_scalar::<f32>())
        };
        let analytic: f64 = gradient.iter().zip(&direction).map(|(one, other)| f64::from(one * other)).sum();
        let numeric = [1e-2f32, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5]
            .map(|step| (at(step) - at(-step)) / (2.0 * f64::from(step)));
        let close = numeric.iter().any(|numeric| (numeric - analytic).abs() < 3e-2 * analytic.abs().max(0.1));
        assert!(close, "{name}, {parameter}: {analytic}, {numeric:?}");
    }
}
