//! Properties of forests over dense features.

use molarena_sdk::{Baseline, Bits, Call, Component, Dense, Inputs, OwnedLabels, TaskKind};

use super::{ForestConfig, MaxFeatures, RandomForest, Rule, random::Random};

const COLUMNS: usize = 5;

fn values(seed: u64, rows: usize) -> Vec<f32> {
    let mut random = Random::of(seed, 0, 0);
    (0..rows * COLUMNS).map(|_| random.below(1 << 20) as f32 / 1000.0 - 500.0).collect()
}

fn inputs(values: &[f32]) -> Inputs<'_> {
    Inputs::from_dense(Dense::new(values, values.len() / COLUMNS, COLUMNS).unwrap())
}

fn fitted(
    config: ForestConfig,
    kind: TaskKind,
    values: &[f32],
    labels: Vec<f32>,
    threads: usize,
) -> RandomForest {
    let rows = values.len() / COLUMNS;
    let labels = OwnedLabels::from_nan(kind, rows, labels.len() / rows, labels).unwrap();
    let mut forest = RandomForest::new(config).unwrap();
    let call = Call::new(1, threads);
    forest.fit(&inputs(values), &labels.view(), &inputs(values), &labels.view(), &call).unwrap();
    forest
}

fn predict(forest: &mut RandomForest, values: &[f32]) -> Vec<f32> {
    forest.predict(&inputs(values), &Call::new(0, 1)).unwrap().values
}

#[test]
fn one_tree_of_all_rows_learns_every_label() {
    let x = values(1, 200);
    let labels: Vec<f32> = (0..200).map(|row| (row * 7 % 13) as f32).collect();
    let config = ForestConfig { n_trees: 1, bootstrap: false, ..ForestConfig::default() };
    let mut forest = fitted(config, TaskKind::Regression, &x, labels.clone(), 1);
    assert_eq!(predict(&mut forest, &x), labels);
}

#[test]
fn the_threshold_is_halfway() {
    let x: Vec<f32> = [0.0, 1.0, 3.0, 4.0].iter().flat_map(|&value| [0.0, 0.0, value, 0.0, 0.0]).collect();
    let config = ForestConfig { n_trees: 1, bootstrap: false, max_depth: Some(1), ..ForestConfig::default() };
    let mut forest = fitted(config, TaskKind::Classification, &x, vec![0.0, 0.0, 1.0, 1.0], 1);
    let probes: Vec<f32> =
        [-9.0, 1.9, 2.0, 2.1, 99.0].iter().flat_map(|&value| [0.0, 0.0, value, 0.0, 0.0]).collect();
    assert_eq!(predict(&mut forest, &probes), [0.0, 0.0, 0.0, 1.0, 1.0]);
}

#[test]
fn threads_and_storing_change_nothing() {
    let (x, unseen) = (values(2, 150), values(3, 40));
    let labels: Vec<f32> = x.chunks(COLUMNS).map(|row| f32::from(row[1] + row[3] > 0.0)).collect();
    let config = ForestConfig { n_trees: 30, ..ForestConfig::default() };
    let mut one = fitted(config.clone(), TaskKind::Classification, &x, labels.clone(), 1);
    let mut four = fitted(config, TaskKind::Classification, &x, labels, 4);
    let predictions = predict(&mut one, &unseen);
    assert_eq!(predictions, predict(&mut four, &unseen));
    let right = unseen
        .chunks(COLUMNS)
        .zip(&predictions)
        .filter(|(row, prediction)| (row[1] + row[3] > 0.0) == (**prediction > 0.5))
        .count();
    assert!(right >= 32, "{right} of 40");
    let mut other = RandomForest::new(ForestConfig::default()).unwrap();
    other.load(&one.save().unwrap()).unwrap();
    assert_eq!(predict(&mut other, &unseen), predictions);
}

#[test]
fn equal_rows_with_unequal_labels_make_a_leaf() {
    let x = vec![1.0; 4 * COLUMNS];
    let all = Some(MaxFeatures::Rule(Rule::All));
    let config = ForestConfig { n_trees: 1, bootstrap: false, max_features: all, ..ForestConfig::default() };
    let mut forest = fitted(config, TaskKind::Classification, &x, vec![0.0, 1.0, 1.0, 1.0], 1);
    assert_eq!(predict(&mut forest, &x), [0.75; 4]);
}

#[test]
fn bits_do_not_serve_a_dense_forest() {
    let x = values(4, 10);
    let mut forest = fitted(ForestConfig::default(), TaskKind::Regression, &x, vec![1.0; 10], 1);
    let none = Inputs { rows: 1, ..Inputs::default() };
    assert!(forest.predict(&none, &Call::new(0, 1)).is_err());
    let bad = vec![f32::INFINITY; COLUMNS];
    assert!(forest.predict(&inputs(&bad), &Call::new(0, 1)).is_err());
}

/// The two ways to grow a tree differ hardly more than two seeds of one way.
#[test]
fn bits_and_the_same_bits_as_numbers_give_the_same_forest_on_average() {
    let mut random = Random::of(5, 0, 0);
    let n_bits = 64;
    let words: Vec<u64> =
        (0..250).map(|_| (0..n_bits).map(|bit| u64::from(random.below(4) == 0) << bit).sum()).collect();
    let values: Vec<f32> =
        words.iter().flat_map(|word| (0..n_bits).map(move |bit| (word >> bit & 1) as f32)).collect();
    let labels: Vec<f32> = words.iter().map(|word| f32::from((word & 0xfff).count_ones() > 3)).collect();
    let bits = Inputs::from_bits(Bits::new(&words, 250, n_bits).unwrap());
    let dense = Inputs::from_dense(Dense::new(&values, 250, n_bits).unwrap());
    for kind in [TaskKind::Classification, TaskKind::Regression] {
        let labels = OwnedLabels::from_nan(kind, 150, 1, labels[..150].to_vec()).unwrap();
        let predictions = |whole: &Inputs<'_>, seed| {
            let train = match (whole.bits, whole.dense) {
                (Some(_), _) => Inputs::from_bits(Bits::new(&words[..150], 150, n_bits).unwrap()),
                _ => Inputs::from_dense(Dense::new(&values[..150 * n_bits], 150, n_bits).unwrap()),
            };
            let mut forest = RandomForest::new(ForestConfig::default()).unwrap();
            let call = Call::new(seed, 2);
            forest.fit(&train, &labels.view(), &train, &labels.view(), &call).unwrap();
            forest.predict(whole, &call).unwrap().values.split_off(150)
        };
        let distance =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / 100.0;
        let (first, second, other) = (predictions(&bits, 1), predictions(&bits, 2), predictions(&dense, 3));
        let (within, between) = (distance(&first, &second), distance(&first, &other));
        assert!(within > 0.005 && between < 1.3 * within, "{kind:?}: {within} within, {between} between");
    }
}
