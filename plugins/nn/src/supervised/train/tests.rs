use burn::tensor::Device;

use super::*;
use crate::{Array, Features, Optimiser, SparseRows, mlp::Architecture, with_threads};

fn architecture(inputs: usize, hidden: &[usize], outputs: usize) -> Architecture {
    Architecture { inputs, hidden: hidden.to_vec(), outputs, batch_norm: true, dropout: 0.0 }
}

fn options(loss: Loss) -> Options {
    Options {
        learning_rate: 1e-2,
        schedule: Schedule::Constant,
        weight_decay: 0.0,
        batch_size: 32,
        max_epochs: 30,
        patience: 30,
        loss,
        selection: Selection::Score,
    }
}

fn dense(columns: usize, rows: usize, seed: u64) -> Features {
    Features::Dense { columns, values: Random::of(seed, 9, 9).uniform(rows * columns, 1.0) }
}

/// Whether an odd number of the first two columns is above 0, for two tasks; the second lacks every third label.
fn odd(features: &Features) -> Targets {
    let Features::Dense { columns, values } = features else { panic!("dense") };
    let label = |(row, values): (usize, &[f32])| {
        let odd = f32::from((values[0] > 0.0) != (values[1] > 0.0));
        [odd, if row.is_multiple_of(3) { f32::NAN } else { 1.0 - odd }]
    };
    Targets::new(2, values.chunks_exact(*columns).enumerate().flat_map(label).collect())
}

fn random(architecture: &Architecture) -> Arrays {
    architecture.slots().random(&mut Random::of(0, 0, 0))
}

fn best(trained: &Trained) -> usize {
    let values = &trained.values;
    (0..values.len()).min_by(|&one, &other| values[one].total_cmp(&values[other])).unwrap()
}

fn fit(architecture: &Architecture, options: &Options, rows: usize, call: &Call<'_>) -> Trained {
    let (features, valid) = (dense(architecture.inputs, rows, 1), dense(architecture.inputs, 64, 2));
    let (targets, valid_targets) = (odd(&features), odd(&valid));
    let data = |molecules, targets| Data { molecules, targets };
    let parts = (data(&features, &targets), Some(data(&valid, &valid_targets)));
    let work = || train(architecture, options, parts, call);
    with_threads(call, work).unwrap().unwrap()
}

fn outputs(architecture: &Architecture, weights: &Arrays, features: &Features) -> Vec<f32> {
    let mut network = architecture.load(weights, &Device::flex()).unwrap();
    architecture.predict(&mut network, features, &Call::new(0, 1)).unwrap().values
}

#[test]
fn every_parameter_has_a_gradient() {
    let architecture = architecture(6, &[5, 4], 2);
    let device = Device::flex().autodiff();
    let mut network = architecture.load(&random(&architecture), &device).unwrap();
    let features = dense(6, 8, 3);
    let targets = odd(&features);
    let mut sparse = SparseRows::new(6);
    (0..8).for_each(|row| sparse.push([(row % 6, 1.0)]));
    for features in [features, Features::Sparse(sparse)] {
        let rows: Vec<usize> = (0..8).collect();
        let mut stream = Random::of(0, 0, 1);
        let mut pass = Pass::train(&mut network, &mut stream);
        let output = architecture.forward(&mut pass, &features, &rows);
        let gradients = Loss::BinaryCrossEntropy.mean(output, &targets, &rows).unwrap().backward();
        // Two hidden layers with weight, gamma and beta, and the head with weight and bias.
        let with = network.trained().filter(|(_, parameter)| parameter.grad(&gradients).is_some());
        assert_eq!((with.count(), network.trained().count()), (8, 8));
    }
}

/// Losses of the first steps of a network with 3 inputs, 4 hidden values and 2 outputs.
fn first_losses(loss: Loss, labels: Vec<f32>) -> Vec<f32> {
    let architecture = architecture(3, &[4], 2);
    let mut weights = random(&architecture);
    let mut set = |name: &str, shape: &[usize], value: &dyn Fn(usize) -> f32| {
        let values = (0..shape.iter().product()).map(value).collect();
        weights.arrays.insert(name.to_owned(), Array::new(shape, values));
    };
    set("0.weight", &[3, 4], &|k| (0.7 * k as f64).sin() as f32 / 2.0);
    set("1.weight", &[4, 2], &|k| (0.7 * (12 + k) as f64).sin() as f32 / 2.0);
    set("1.bias", &[2], &|k| k as f32 * 0.1);
    let device = Device::flex().autodiff();
    let mut network = architecture.load(&weights, &device).unwrap();
    let values = vec![0.5, -1.0, 2.0, 1.5, 0.0, -0.5, -1.0, 1.0, 0.25, 0.0, -0.5, 1.0];
    let (targets, features) = (Targets::new(2, labels), Features::Dense { columns: 3, values });
    let (rows, mut optimiser, mut stream) = ([0, 1, 2, 3], Optimiser::new(0.01), Random::of(0, 0, 0));
    let mut step = || {
        let mut pass = Pass::train(&mut network, &mut stream);
        let output = architecture.forward(&mut pass, &features, &rows);
        let loss = loss.mean(output, &targets, &rows).unwrap();
        let value = loss.clone().into_scalar();
        optimiser.step(&mut network, &mut loss.backward(), |_| Some(0.05)).unwrap();
        value
    };
    (0..5).map(|_| step()).collect()
}

/// Computed by `tests/pytorch_case.py` with `PyTorch` 2.9.
#[test]
fn the_first_losses_are_those_of_pytorch() {
    let near = |found: &[f32], expected: [f32; 5]| {
        let differs = found.iter().zip(expected).find(|(found, expected)| (*found - expected).abs() > 2e-5);
        assert!(differs.is_none(), "{found:?} {expected:?}");
    };
    let n = f32::NAN;
    let classes = vec![1.0, 0.0, /**/ 0.0, n, /**/ 1.0, 1.0, /**/ n, 0.0];
    near(
        &first_losses(Loss::BinaryCrossEntropy, classes),
        [0.726_577, 0.654_047, 0.593_165, 0.543_193, 0.499_94],
    );
    let numbers = vec![0.5, -2.0, /**/ 1.0, n, /**/ -1.5, 1.0, /**/ n, 0.25];
    near(&first_losses(Loss::Absolute, numbers), [1.112_791, 0.963_547, 0.829_719, 0.788_237, 0.725_605]);
}

#[test]
fn sparse_and_dense_rows_train_alike() {
    let architecture = architecture(40, &[16], 2);
    let mut sparse = SparseRows::new(40);
    let mut random = Random::of(4, 0, 0);
    let mut values = vec![0.0; 100 * 40];
    for row in 0..100 {
        let (one, two) = (random.below(20), 20 + random.below(20));
        (values[row * 40 + one], values[row * 40 + two]) = (1.0, 2.0);
        sparse.push([(one as u32, 1.0), (two as u32, 2.0)]);
    }
    let dense = Features::Dense { columns: 40, values };
    let targets = odd(&dense);
    let run = |features: &Features| {
        let data = Data { molecules: features, targets: &targets };
        let options = Options { max_epochs: 5, ..options(Loss::BinaryCrossEntropy) };
        train(&architecture, &options, (data, Some(data)), &Call::new(0, 1)).unwrap()
    };
    let (left, right) = (run(&dense), run(&Features::Sparse(sparse.clone())));
    let (left, right) = (
        outputs(&architecture, &left.weights, &dense),
        outputs(&architecture, &right.weights, &Features::Sparse(sparse)),
    );
    assert!(left.iter().zip(&right).all(|(left, right)| (left - right).abs() < 1e-4));
}

#[test]
fn an_odd_number_of_signs_is_learnt() {
    let architecture = Architecture { dropout: 0.1, ..architecture(3, &[64], 2) };
    let trained = fit(&architecture, &options(Loss::BinaryCrossEntropy), 400, &Call::new(0, 1));
    let best = trained.values[best(&trained)];
    assert!(best < -0.98, "area {}", -best);
}

#[test]
fn the_weights_are_those_of_the_best_epoch() {
    // Twenty molecules with thirty columns: the network soon overfits.
    let architecture = architecture(30, &[64], 2);
    for selection in [Selection::Score, Selection::Loss] {
        let options =
            Options { selection, patience: 6, max_epochs: 100, ..options(Loss::BinaryCrossEntropy) };
        let trained = fit(&architecture, &options, 20, &Call::new(3, 1));
        let best = best(&trained);
        assert_eq!(trained.values.len(), best + 1 + 6, "it stops six epochs after the best, not at the last");
        let valid = dense(30, 64, 2);
        let outputs = outputs(&architecture, &trained.weights, &valid);
        assert_eq!(selection.value(&outputs, &odd(&valid), options.loss), Some(trained.values[best]));
    }
}

#[test]
fn repeats_are_equal_on_any_number_of_threads() {
    // Wide enough for parallel products, sums and steps.
    let architecture = Architecture { dropout: 0.5, ..architecture(300, &[600], 2) };
    let options = Options { batch_size: 256, max_epochs: 2, ..options(Loss::BinaryCrossEntropy) };
    let run = |seed, threads| {
        let trained = fit(&architecture, &options, 300, &Call::new(seed, threads));
        let weights = |name| bits(trained.weights.arrays[name].values());
        (weights("1.weight"), weights("0.weight"), trained.values.clone())
    };
    let once = run(7, 1);
    assert_eq!(run(7, 1), once);
    assert_eq!(run(7, 2), once);
    assert_eq!(run(7, 3), once);
    assert_ne!(run(8, 1).0, once.0);
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_row_is_the_same_whatever_the_others() {
    let architecture = architecture(300, &[500, 100], 3);
    let weights = random(&architecture);
    let features = dense(300, 400, 5);
    let all = outputs(&architecture, &weights, &features);
    let Features::Dense { values, .. } = &features else { panic!("dense") };
    for (from, to) in [(0, 1), (7, 9), (100, 399), (399, 400)] {
        let some = Features::Dense { columns: 300, values: values[from * 300..to * 300].to_vec() };
        assert_eq!(bits(&outputs(&architecture, &weights, &some)), bits(&all[from * 3..to * 3]));
    }
}

#[test]
fn a_network_that_diverges_says_so() {
    let features = Features::Dense { columns: 1, values: vec![1e30, -1e30, 1.0, 2.0] };
    let targets = Targets::new(1, vec![0.0, 1.0, 1.0, 0.0]);
    let architecture = Architecture { batch_norm: false, ..architecture(1, &[4], 1) };
    let data = Data { molecules: &features, targets: &targets };
    let options = Options { learning_rate: 1e30, ..options(Loss::Absolute) };
    for valid in [None, Some(data)] {
        let error = train(&architecture, &options, (data, valid), &Call::new(0, 1)).unwrap_err();
        assert!(error.to_string().starts_with("training diverged in epoch "), "{error}");
    }
}

#[test]
fn damaged_weights_are_refused() {
    let shape = architecture(6, &[5], 2);
    let weights = random(&shape);
    assert!(shape.check(&weights).is_ok());
    for other in [
        architecture(7, &[5], 2),
        architecture(6, &[4], 2),
        architecture(6, &[5], 3),
        architecture(6, &[5, 5], 2),
        Architecture { batch_norm: false, ..shape },
    ] {
        assert!(other.check(&weights).is_err(), "{other:?}");
    }
}

#[test]
fn molecules_without_a_label_take_no_part() {
    let architecture = architecture(3, &[8], 2);
    let features = dense(3, 60, 1);
    let (Features::Dense { values, .. }, targets) = (&features, odd(&features)) else { panic!("dense") };
    let mut more = targets.values().to_vec();
    more.extend([f32::NAN; 10]);
    let (more, longer) = (Targets::new(2, more), [values.as_slice(), &[9.0; 15]].concat());
    let longer = Features::Dense { columns: 3, values: longer };
    let run = |molecules, targets| {
        let options = options(Loss::BinaryCrossEntropy);
        train(&architecture, &options, (Data { molecules, targets }, None), &Call::new(0, 1)).unwrap().weights
    };
    assert_eq!(run(&features, &targets), run(&longer, &more));
}
