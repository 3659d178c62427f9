use std::sync::Mutex;

use molarena_nn::Random;
use molarena_sdk::{Bits, Dense, Hooks, OwnedLabels};

use super::*;

const COLUMNS: usize = 12;

/// Dense features: column 0 is a bit, column 1 a count, column 2 constant, and the rest are numbers of various sizes.
#[derive(Clone)]
struct Sample {
    values: Vec<f32>,
    labels: OwnedLabels,
}

impl Sample {
    /// The tasks: a difference of columns; the same with missing labels; all missing; a single value.
    fn new(kind: TaskKind, rows: usize, seed: u64) -> Self {
        let mut random = Random::of(seed, 0, 0);
        let (mut values, mut labels) = (Vec::new(), Vec::new());
        for row in 0..rows {
            let mut numbers = random.uniform(COLUMNS, 1.0);
            numbers[0] = f32::from(u8::from(numbers[0] > 0.0));
            numbers[1] = random.below(4) as f32;
            numbers[2] = 7.5;
            let signal = numbers[0] + numbers[3] - numbers[4];
            (numbers[3], numbers[4]) = (numbers[3] * 1000.0 + 50.0, numbers[4] * 0.001);
            let label = match kind {
                TaskKind::Classification => f32::from(u8::from(signal > 0.5)),
                TaskKind::Regression => 100.0 + 20.0 * signal,
            };
            labels.extend([label, if row % 2 == 0 { label } else { f32::NAN }, f32::NAN, 1.0]);
            values.extend(numbers);
        }
        Self { values, labels: OwnedLabels::from_nan(kind, rows, 4, labels).unwrap() }
    }

    fn inputs(&self) -> Inputs<'_> {
        Inputs::from_dense(Dense::new(&self.values, self.values.len() / COLUMNS, COLUMNS).unwrap())
    }
}

fn perceptron(json: &str) -> Perceptron {
    Perceptron::new(serde_json::from_str(json).unwrap()).unwrap()
}

const SMALL: &str =
    r#"{"hidden": [32], "dropout": 0.1, "learning_rate": 0.01, "batch_size": 32, "max_epochs": 40}"#;

fn fit(perceptron: &mut Perceptron, train: &Sample, valid: &Sample, call: &Call<'_>) -> Result<()> {
    perceptron.fit(&train.inputs(), &train.labels.view(), &valid.inputs(), &valid.labels.view(), call)
}

fn fitted_on(json: &str, kind: TaskKind) -> (Perceptron, Sample) {
    let mut perceptron = perceptron(json);
    fit(&mut perceptron, &Sample::new(kind, 257, 1), &Sample::new(kind, 60, 2), &Call::new(5, 1)).unwrap();
    (perceptron, Sample::new(kind, 100, 3))
}

fn predict(perceptron: &mut Perceptron, sample: &Sample) -> Vec<f32> {
    perceptron.predict(&sample.inputs(), &Call::new(5, 1)).unwrap().values
}

fn column(values: &[f32], task: usize) -> Vec<f32> {
    values.iter().skip(task).step_by(4).copied().collect()
}

#[test]
fn classes_are_probabilities_and_tasks_without_both_are_constant() {
    // 257 molecules in batches of 32 leave one molecule over.
    let (mut perceptron, test) = fitted_on(SMALL, TaskKind::Classification);
    let predictions = predict(&mut perceptron, &test);
    assert_eq!(perceptron.tasks(), 4);
    assert!(predictions.iter().all(|value| (0.0..=1.0).contains(value)));
    let labels = test.labels.view();
    for task in [0, 1] {
        let found = column(&predictions, task);
        let right =
            labels.labelled(task).filter(|&(row, label)| (found[row] > 0.5) == (label == 1.0)).count();
        assert!(right * 10 >= labels.labelled(task).count() * 9, "task {task}: {right}");
    }
    assert!(column(&predictions, 2).iter().all(|&value| value == 0.5));
    assert!(column(&predictions, 3).iter().all(|&value| value == 1.0));
}

#[test]
fn numbers_come_in_the_units_of_the_labels() {
    let (mut perceptron, test) = fitted_on(SMALL, TaskKind::Regression);
    let predictions = predict(&mut perceptron, &test);
    for task in [0, 1] {
        let found = column(&predictions, task);
        let errors: Vec<f32> =
            test.labels.view().labelled(task).map(|(row, label)| (found[row] - label).abs()).collect();
        let mean = errors.iter().sum::<f32>() / errors.len() as f32;
        // Predicting the mean label would have an error of 15.
        assert!(mean < 4.0, "task {task}: {mean}");
    }
    assert!(column(&predictions, 2).iter().all(|&value| value == 0.0));
    assert!(column(&predictions, 3).iter().all(|&value| value == 1.0));
}

#[test]
fn saved_and_loaded_it_predicts_the_same() {
    let json = r#"{"hidden": [{"times_input": 2}, 8], "members": 2, "max_epochs": 3}"#;
    for kind in [TaskKind::Classification, TaskKind::Regression] {
        let (mut fitted, test) = fitted_on(json, kind);
        let state = fitted.save().unwrap();
        let mut loaded = perceptron("{}");
        loaded.load(&state).unwrap();
        assert_eq!(predict(&mut loaded, &test), predict(&mut fitted, &test));
        let model = fitted.model.clone().unwrap();
        assert_eq!(model.members.networks.as_ref().unwrap().0.hidden, [24, 8]);
        // Weights that do not fit the shape are refused.
        let mut damaged = model;
        damaged.members.networks.as_mut().unwrap().1[1].arrays.remove("2.bias");
        let error = loaded.load(&HEADER.save(&damaged).unwrap()).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
        assert!(loaded.load(&state[..state.len() - 1]).is_err());
    }
    assert!(perceptron("{}").save().is_err());
}

#[test]
fn members_differ_and_are_averaged() {
    let config = |members| format!(r#"{{"hidden": [16], "max_epochs": 4, "members": {members}}}"#);
    let (mut two, test) = fitted_on(&config(2), TaskKind::Regression);
    let (mut one, _) = fitted_on(&config(1), TaskKind::Regression);
    let mut model = two.model.clone().unwrap();
    let members = &mut model.members.networks.as_mut().unwrap().1;
    assert_eq!(members[0], one.model.as_ref().unwrap().members.networks.as_ref().unwrap().1[0]);
    members.remove(0);
    let (first, both) = (predict(&mut one, &test), predict(&mut two, &test));
    one.model = Some(model);
    let second = predict(&mut one, &test);
    assert_ne!(first, second);
    let mean = first.iter().zip(&second).map(|(first, second)| f32::midpoint(*first, *second));
    assert!(both.iter().zip(mean).all(|(both, mean)| (both - mean).abs() < 1e-4));
}

#[test]
fn repeats_are_equal_on_one_thread_and_two() {
    let run = |seed, threads| {
        let mut perceptron = perceptron(r#"{"hidden": [40], "max_epochs": 3, "batch_size": 16}"#);
        let (train, valid) =
            (Sample::new(TaskKind::Classification, 50, 1), Sample::new(TaskKind::Classification, 9, 2));
        fit(&mut perceptron, &train, &valid, &Call::new(seed, threads)).unwrap();
        perceptron.save().unwrap()
    };
    let once = run(1, 1);
    assert!(run(1, 1) == once && run(1, 2) == once && run(2, 1) != once);
}

#[test]
fn without_validation_labels_the_epochs_are_fixed() {
    let config = r#"{"hidden": [8], "max_epochs": 50, "epochs_without_validation": 3}"#;
    let (kind, seen) = (TaskKind::Classification, Seen::default());
    let train = Sample::new(kind, 40, 1);
    let mut unlabelled = Sample::new(kind, 10, 2);
    unlabelled.labels = OwnedLabels::from_nan(kind, 10, 4, vec![f32::NAN; 40]).unwrap();
    for valid in [Sample::new(kind, 0, 2), unlabelled] {
        let mut perceptron = perceptron(config);
        fit(&mut perceptron, &train, &valid, &Call::new(0, 1).with_hooks(&seen)).unwrap();
        let reports = std::mem::take(&mut *seen.0.lock().unwrap());
        assert_eq!(reports[0], "task 2 has no labelled training row: it predicts 0.5");
        let ends: Vec<&String> = reports.iter().filter(|report| report.contains(", loss ")).collect();
        assert_eq!(ends.len(), 3);
        for (epoch, report) in (1..).zip(ends) {
            let start = format!("member 1 of 1, epoch {epoch} of 3, loss ");
            assert!(report.starts_with(&start), "{report}");
        }
    }
}

/// Records the reports; cancels after a report with the given text.
#[derive(Default)]
struct Seen(Mutex<Vec<String>>, Option<&'static str>);

impl Hooks for Seen {
    fn progress(&self, fraction: f64, message: &str) {
        assert!((0.0..=1.0).contains(&fraction));
        self.0.lock().unwrap().push(message.to_owned());
    }

    fn cancelled(&self) -> bool {
        self.1.is_some_and(|end| self.0.lock().unwrap().iter().any(|message| message.contains(end)))
    }
}

#[test]
fn a_fit_is_cancelled_between_steps() {
    let (kind, seen) = (TaskKind::Classification, Seen(Mutex::default(), Some("epoch 2 of 40, loss")));
    let mut perceptron = perceptron(SMALL);
    let call = Call::new(0, 1).with_hooks(&seen);
    let error = fit(&mut perceptron, &Sample::new(kind, 40, 1), &Sample::new(kind, 9, 2), &call).unwrap_err();
    assert_eq!(error, Error::cancelled("cancelled by the arena"));
    assert!(!seen.0.lock().unwrap().iter().any(|message| message.contains("epoch 3")));
}

#[test]
fn tasks_that_need_no_network_train_none() {
    let kind = TaskKind::Regression;
    for rows in [1, 0] {
        let mut perceptron = perceptron("{}");
        let train = Sample::new(kind, rows, 1);
        fit(&mut perceptron, &train, &Sample::new(kind, 5, 2), &Call::new(0, 1)).unwrap();
        assert!(perceptron.model.as_ref().unwrap().members.networks.is_none());
        let test = Sample::new(kind, 3, 3);
        let predictions = predict(&mut perceptron, &test);
        let expected = if rows == 1 {
            [train.labels.view().values[0], train.labels.view().values[0], 0.0, 1.0]
        } else {
            [0.0; 4]
        };
        assert_eq!(predictions, expected.repeat(3));
    }
}

#[test]
fn wrong_inputs_are_named() {
    let kind = TaskKind::Classification;
    let (train, valid) = (Sample::new(kind, 40, 1), Sample::new(kind, 9, 2));
    let call = Call::new(0, 1);
    let spoilt = |sample: &Sample, value| {
        let mut sample = sample.clone();
        sample.values[3 * COLUMNS + 5] = value;
        sample
    };
    let mut perceptron = perceptron(SMALL);
    let error = fit(&mut perceptron, &spoilt(&train, f32::NAN), &valid, &call).unwrap_err();
    assert_eq!(error.to_string(), "input `dense`: row 3, column 5 is NaN, must be finite");
    let error = fit(&mut perceptron, &train, &spoilt(&valid, f32::INFINITY), &call).unwrap_err();
    assert_eq!(error.to_string(), "input `dense`: row 3, column 5 is inf, must be finite");
    fit(&mut perceptron, &train, &valid, &call).unwrap();
    let error = perceptron.predict(&spoilt(&valid, f32::NEG_INFINITY).inputs(), &call).unwrap_err();
    assert_eq!(error.to_string(), "input `dense`: row 3, column 5 is -inf, must be finite");
    let words = [0; 3];
    let error = perceptron.predict(&Inputs::from_bits(Bits::new(&words, 3, 12).unwrap()), &call).unwrap_err();
    assert_eq!(error.to_string(), "the network was trained on 12 dense features, these inputs have 12 bits");
    let call = Call { device: "tpu", ..call };
    let error = fit(&mut perceptron, &train, &valid, &call).unwrap_err();
    assert!(error.to_string().starts_with("device `tpu` is unknown; this build has: [cpu"), "{error}");
}
