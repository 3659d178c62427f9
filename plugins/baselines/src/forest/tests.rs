//! Properties of whole forests.

use molarena_sdk::{Baseline, Bits, Call, Component, Error, Hooks, Inputs, Matrix, OwnedLabels, TaskKind};
use proptest::prelude::*;

use super::{ForestConfig, MaxFeatures, RandomForest, Rule, random::Random};

const N_BITS: usize = 100;

/// Random packed rows; each bit is set with a probability of one in four.
fn rows(seed: u64, count: usize) -> Vec<u64> {
    let mut random = Random::of(seed, 0, 0);
    let mut words = vec![0u64; count * N_BITS.div_ceil(64)];
    for row in 0..count {
        for bit in 0..N_BITS {
            words[row * 2 + bit / 64] |= u64::from(random.below(4) == 0) << (bit % 64);
        }
    }
    words
}

fn inputs(words: &[u64]) -> Inputs<'_> {
    Inputs::from_bits(Bits::new(words, words.len() / 2, N_BITS).unwrap())
}

fn fitted(
    config: ForestConfig,
    kind: TaskKind,
    words: &[u64],
    labels: Vec<f32>,
    call: &Call<'_>,
) -> RandomForest {
    let rows = words.len() / 2;
    let labels = OwnedLabels::from_nan(kind, rows, labels.len() / rows, labels).unwrap();
    let mut forest = RandomForest::new(config).unwrap();
    forest.fit(&inputs(words), &labels.view(), &inputs(words), &labels.view(), call).unwrap();
    forest
}

fn predict(forest: &mut RandomForest, words: &[u64]) -> Matrix {
    forest.predict(&inputs(words), &Call::new(0, 1)).unwrap()
}

fn with_trees(n_trees: usize) -> ForestConfig {
    ForestConfig { n_trees, ..ForestConfig::default() }
}

fn label(words: &[u64], row: usize, bit: usize) -> f32 {
    (words[row * 2 + bit / 64] >> (bit % 64) & 1) as f32
}

#[test]
fn one_tree_of_all_rows_and_features_learns_every_label() {
    let words = rows(1, 300);
    let mut random = Random::of(2, 0, 0);
    for kind in [TaskKind::Classification, TaskKind::Regression] {
        let bound = if kind == TaskKind::Classification { 2 } else { 1000 };
        let labels: Vec<f32> = (0..300).map(|_| random.below(bound) as f32).collect();
        for max_features in [None, Some(MaxFeatures::Rule(Rule::All)), Some(MaxFeatures::Fraction(0.02))] {
            let config =
                ForestConfig { n_trees: 1, bootstrap: false, max_features, ..ForestConfig::default() };
            let mut forest = fitted(config, kind, &words, labels.clone(), &Call::new(3, 1));
            assert_eq!(predict(&mut forest, &words).values, labels);
        }
    }
}

#[test]
fn a_stump_of_all_features_takes_the_best_bit() {
    // Bit 0 is right in 5 of 6 rows, bit 1 in 4 of 6. The leaves of the split by bit 0 are 1/3 and 1.
    let words: Vec<u64> = [0b00u64, 0b10, 0b10, 0b11, 0b01, 0b01].iter().flat_map(|&row| [row, 0]).collect();
    let labels = vec![0.0, 0.0, 1.0, 1.0, 1.0, 1.0];
    let config = ForestConfig {
        n_trees: 1,
        bootstrap: false,
        max_depth: Some(1),
        max_features: Some(MaxFeatures::Rule(Rule::All)),
        ..ForestConfig::default()
    };
    let mut forest = fitted(config, TaskKind::Classification, &words, labels, &Call::new(0, 1));
    let third = 1.0f32 / 3.0;
    assert_eq!(predict(&mut forest, &words).values, [third, third, third, 1.0, 1.0, 1.0]);
}

#[test]
fn leaves_hold_as_many_draws_as_asked_for() {
    let words = rows(4, 200);
    let labels: Vec<f32> = (0..200).map(|row| row as f32).collect();
    let config =
        ForestConfig { n_trees: 1, bootstrap: false, min_samples_leaf: 20, ..ForestConfig::default() };
    let mut forest = fitted(config, TaskKind::Regression, &words, labels, &Call::new(0, 1));
    let mut leaves = predict(&mut forest, &words).values;
    leaves.sort_unstable_by(f32::total_cmp);
    let sizes: Vec<usize> = leaves.chunk_by(|a, b| a == b).map(<[f32]>::len).collect();
    assert!(sizes.len() > 2 && sizes.iter().all(|&size| size >= 20), "{sizes:?}");
}

#[test]
fn a_bit_that_is_the_label_is_found_by_every_tree() {
    let words = rows(5, 200);
    let labels: Vec<f32> = (0..200).map(|row| label(&words, row, 70)).collect();
    let config = ForestConfig { max_features: Some(MaxFeatures::Rule(Rule::All)), ..with_trees(25) };
    let unseen = rows(6, 50);
    let mut forest = fitted(config, TaskKind::Classification, &words, labels, &Call::new(1, 2));
    let expected: Vec<f32> = (0..50).map(|row| label(&unseen, row, 70)).collect();
    assert_eq!(predict(&mut forest, &unseen).values, expected);
}

#[test]
fn the_number_of_threads_changes_nothing_and_the_seed_does() {
    let (words, unseen) = (rows(7, 250), rows(8, 40));
    let mut random = Random::of(9, 0, 0);
    let labels: Vec<f32> =
        (0..750).map(|_| if random.below(3) == 0 { f32::NAN } else { random.below(2) as f32 }).collect();
    let run = |seed, threads| {
        let call = Call::new(seed, threads);
        let mut forest = fitted(with_trees(15), TaskKind::Classification, &words, labels.clone(), &call);
        predict(&mut forest, &unseen)
    };
    assert_eq!(run(1, 1), run(1, 4));
    assert_ne!(run(1, 1), run(2, 1));
}

#[test]
fn tasks_do_not_touch_each_other() {
    let (words, unseen) = (rows(10, 100), rows(11, 30));
    let first: Vec<f32> = (0..100).map(|row| label(&words, row, 3)).collect();
    let pairs: Vec<f32> = first.iter().enumerate().flat_map(|(row, &label)| [label, row as f32]).collect();
    let call = Call::new(5, 2);
    let mut alone = fitted(with_trees(10), TaskKind::Regression, &words, first, &call);
    let mut both = fitted(with_trees(10), TaskKind::Regression, &words, pairs, &call);
    let column: Vec<f32> = predict(&mut both, &unseen).values.into_iter().step_by(2).collect();
    assert_eq!(predict(&mut alone, &unseen).values, column);
}

#[test]
fn tasks_of_few_labels() {
    let words = rows(12, 4);
    let n = f32::NAN;
    // No label, one label, two labels, and one class only.
    let labels =
        vec![n, 1.0, 0.0, 1.0, /**/ n, n, 1.0, 1.0, /**/ n, n, n, 1.0, /**/ n, n, n, 1.0];
    let call = Call::new(0, 1);
    let mut forest = fitted(with_trees(50), TaskKind::Classification, &words, labels.clone(), &call);
    let predictions = predict(&mut forest, &words);
    for row in predictions.values.chunks(4) {
        assert_eq!((row[0], row[1], row[3]), (0.5, 1.0, 1.0));
        assert!((0.0..=1.0).contains(&row[2]));
    }
    let mut forest = fitted(with_trees(5), TaskKind::Regression, &words, labels, &call);
    assert_eq!(predict(&mut forest, &words).values[0], 0.0);
}

#[test]
fn state_survives_and_damage_is_refused() {
    let words = rows(13, 60);
    let labels: Vec<f32> = (0..60).map(|row| label(&words, row, 1)).collect();
    let mut forest = fitted(with_trees(5), TaskKind::Classification, &words, labels, &Call::new(0, 1));
    let state = forest.save().unwrap();
    let mut other = RandomForest::new(ForestConfig::default()).unwrap();
    assert!(other.save().is_err() && other.predict(&inputs(&words), &Call::new(0, 1)).is_err());
    other.load(&state).unwrap();
    assert_eq!(predict(&mut other, &words), predict(&mut forest, &words));
    for position in 8..state.len() {
        let mut damaged = state.clone();
        damaged[position] ^= 0x55;
        // The bytes are refused, or give a valid model that predicts something or refuses these inputs.
        if other.load(&damaged).is_ok() {
            let _ = other.predict(&inputs(&words), &Call::new(0, 1));
        }
    }
}

#[test]
fn wrong_inputs_are_refused() {
    let words = rows(14, 10);
    let mut forest = fitted(with_trees(2), TaskKind::Regression, &words, vec![1.0; 10], &Call::new(0, 1));
    let narrow = Inputs::from_bits(Bits::new(&words[..10], 10, 64).unwrap());
    let error = forest.predict(&narrow, &Call::new(0, 1)).unwrap_err();
    assert_eq!(error.to_string(), "the forest was grown on 100 features, these inputs have 64");
    let none = Inputs { rows: 3, ..Inputs::default() };
    assert!(forest.predict(&none, &Call::new(0, 1)).is_err());
}

#[test]
fn a_cancelled_fit_ends() {
    struct Cancelled;
    impl Hooks for Cancelled {
        fn progress(&self, _: f64, _: &str) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let words = rows(15, 10);
    let labels = OwnedLabels::from_nan(TaskKind::Regression, 10, 1, vec![0.0; 10]).unwrap();
    let mut forest = RandomForest::new(ForestConfig::default()).unwrap();
    let call = Call::new(0, 1).with_hooks(&Cancelled);
    let view = inputs(&words);
    let error = forest.fit(&view, &labels.view(), &view, &labels.view(), &call).unwrap_err();
    assert_eq!(error, Error::cancelled("cancelled by the arena"));
    assert_eq!(forest.tasks(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Class predictions are probabilities; number predictions lie within the range of the labels.
    #[test]
    fn predictions_are_means_of_labels(seed in any::<u64>(), count in 1usize..120, missing in 0usize..3) {
        let (words, unseen) = (rows(seed, count), rows(seed ^ 1, 20));
        let mut random = Random::of(seed, 1, 1);
        for (kind, bound) in [(TaskKind::Classification, 2), (TaskKind::Regression, 50)] {
            let labels: Vec<f32> = (0..count)
                .map(|_| if random.below(4) < missing { f32::NAN } else { random.below(bound) as f32 })
                .collect();
            let mut forest = fitted(with_trees(8), kind, &words, labels, &Call::new(seed, 2));
            let range = 0.0..=(bound - 1) as f32;
            prop_assert!(predict(&mut forest, &unseen).values.iter().all(|value| range.contains(value)));
        }
    }

    /// Swapping the classes gives the complementary probability on average. The forests differ in ties only, so each
    /// mean over many rows is close.
    #[test]
    fn swapped_classes_give_the_other_probability(seed in any::<u64>()) {
        let (words, unseen) = (rows(seed, 150), rows(seed ^ 1, 200));
        let labels: Vec<f32> = (0..150).map(|row| label(&words, row, 0)).collect();
        let swapped: Vec<f32> = labels.iter().map(|label| 1.0 - label).collect();
        let call = Call::new(seed, 2);
        let mut forest = fitted(with_trees(20), TaskKind::Classification, &words, labels, &call);
        let mut other = fitted(with_trees(20), TaskKind::Classification, &words, swapped, &call);
        let pairs = predict(&mut forest, &unseen).values.into_iter().zip(predict(&mut other, &unseen).values);
        for (one, other) in pairs {
            prop_assert!((one + other - 1.0).abs() < 1e-5, "{one} {other}");
        }
    }
}
