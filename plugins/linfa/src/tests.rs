//! What each baseline learns, refuses and keeps.

use molarena_sdk::{Baseline, Bits, Call, Component, Dense, Error, Inputs, OwnedLabels, Result, TaskKind};

use crate::reference as expected;
use crate::{
    LinfaForest, LinfaForestConfig, LinfaLogistic, LinfaLogisticConfig, LinfaTree, LinfaTreeConfig,
    SmartcoreConfig, SmartcoreForest,
};

fn bits(words: &[u64], n_bits: usize) -> Inputs<'_> {
    Inputs::from_bits(Bits::new(words, words.len(), n_bits).unwrap())
}

fn dense(values: &[f32], columns: usize) -> Inputs<'_> {
    Inputs::from_dense(Dense::new(values, values.len() / columns, columns).unwrap())
}

fn fit(baseline: &mut dyn Baseline, x: &Inputs<'_>, kind: TaskKind, labels: &[f32], seed: u64) -> Result<()> {
    let labels = OwnedLabels::from_nan(kind, x.rows, labels.len() / x.rows, labels.to_vec())?;
    baseline.fit(x, &labels.view(), x, &labels.view(), &Call::new(seed, 2))
}

fn fit_classes(baseline: &mut dyn Baseline, x: &Inputs<'_>, labels: &[f32]) {
    fit(baseline, x, TaskKind::Classification, labels, 1).unwrap();
}

fn predict(baseline: &mut dyn Baseline, x: &Inputs<'_>) -> Vec<f32> {
    baseline.predict(x, &Call::new(0, 2)).unwrap().values
}

fn tree() -> LinfaTree {
    LinfaTree::new(LinfaTreeConfig::default()).unwrap()
}

fn forest(n_trees: usize, column_share: f64) -> LinfaForest {
    let column_share = Some(column_share);
    LinfaForest::new(LinfaForestConfig { n_trees, column_share, ..LinfaForestConfig::default() }).unwrap()
}

fn logistic(alpha: f64) -> LinfaLogistic {
    LinfaLogistic::new(LinfaLogisticConfig { alpha, ..LinfaLogisticConfig::default() }).unwrap()
}

fn smartcore() -> SmartcoreForest {
    SmartcoreForest::new(SmartcoreConfig { n_trees: 20 }).unwrap()
}

#[test]
fn a_bit_that_is_the_label_is_found_in_bits_and_dense_features() {
    // Bit 0 is the first task's label; the second has no label, the third a single class.
    let words: Vec<u64> = (0..40).map(|row| (row % 2) | (row / 2 % 2) << 1).collect();
    let values: Vec<f32> = words.iter().flat_map(|word| [(word & 1) as f32, (word >> 1) as f32]).collect();
    let labels: Vec<f32> = (0..40).flat_map(|row| [(row % 2) as f32, f32::NAN, 1.0]).collect();
    let baselines: [Box<dyn Baseline>; 4] =
        [Box::new(tree()), Box::new(forest(20, 1.0)), Box::new(logistic(1.0)), Box::new(smartcore())];
    for mut baseline in baselines {
        for x in [bits(&words, 2), dense(&values, 2)] {
            fit_classes(baseline.as_mut(), &x, &labels);
            assert_eq!(baseline.tasks(), 3);
            for (row, values) in predict(baseline.as_mut(), &x).chunks(3).enumerate() {
                assert!((values[0] - (row % 2) as f32).abs() < 0.5, "{values:?}");
                assert_eq!(values[1..], [0.5, 1.0]);
            }
            let narrow = bits(&words, 1);
            let error = baseline.predict(&narrow, &Call::new(0, 1)).unwrap_err();
            assert_eq!(error.to_string(), "the model was fitted to 2 columns, these inputs have 1");
        }
    }
}

#[test]
fn logistic_probabilities_are_scikit_learns() {
    let (train, test) = expected::BITS.split_at(expected::TRAIN);
    let (dense_train, dense_test) = expected::DENSE.split_at(expected::TRAIN * expected::COLUMNS);
    for (train, test, wanted) in [
        (bits(train, expected::N_BITS), bits(test, expected::N_BITS), expected::OF_BITS),
        (dense(dense_train, expected::COLUMNS), dense(dense_test, expected::COLUMNS), expected::OF_DENSE),
    ] {
        let mut logistic = logistic(expected::ALPHA);
        fit_classes(&mut logistic, &train, &expected::CLASSES);
        let values = predict(&mut logistic, &test);
        let close =
            values.iter().zip(&wanted).all(|(&value, wanted)| (f64::from(value) - wanted).abs() < 2e-5);
        assert!(values.len() == wanted.len() && close, "{values:?}, expected {wanted:?}");
    }
}

#[test]
fn class_1_is_class_1_whichever_is_more_frequent() {
    let words = [1, 1, 1, 0, 0, 0, 0, 1];
    let labels = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
    let flipped = labels.map(|label| 1.0 - label);
    let (mut one, mut other) = (logistic(1.0), logistic(1.0));
    fit_classes(&mut one, &bits(&words, 1), &labels);
    fit_classes(&mut other, &bits(&words, 1), &flipped);
    let sums = predict(&mut one, &bits(&[0, 1], 1)).into_iter().zip(predict(&mut other, &bits(&[0, 1], 1)));
    for (one, other) in sums {
        assert!((one + other - 1.0).abs() < 1e-4, "{one} {other}");
    }
    let values = predict(&mut one, &bits(&[0, 1], 1));
    assert!(values[0] < 0.3 && values[1] > 0.4, "{values:?}");
}

#[test]
fn a_constant_column_counts_for_nothing() {
    let mut logistic = logistic(1.0);
    fit_classes(&mut logistic, &dense(&[7.1; 8], 2), &[1.0, 0.0, 1.0, 1.0]);
    let values = predict(&mut logistic, &dense(&[7.1, -90.0], 2));
    assert!((values[0] - 0.75).abs() < 1e-4, "{values:?}");
}

#[test]
fn a_tree_on_distinct_numbers_learns_them_all() {
    let values = &expected::DENSE[..expected::TRAIN * expected::COLUMNS];
    let mut tree = tree();
    fit_classes(&mut tree, &dense(values, expected::COLUMNS), &expected::CLASSES);
    assert_eq!(predict(&mut tree, &dense(values, expected::COLUMNS)), expected::CLASSES);
    // One split: 0 and 1 alone, and not all of them right.
    let config = LinfaTreeConfig { max_depth: Some(1), min_samples_leaf: 3 };
    let mut stump = LinfaTree::new(config).unwrap();
    fit_classes(&mut stump, &dense(values, expected::COLUMNS), &expected::CLASSES);
    let predicted = predict(&mut stump, &dense(values, expected::COLUMNS));
    assert!(predicted != expected::CLASSES && predicted.iter().all(|&value| value == 0.0 || value == 1.0));
}

/// The flaw of linfa-trees 0.8.1 that the documentation of `LinfaTree` tells of. When this fails, the library was mended.
#[test]
fn below_the_root_a_bit_is_tried_only_where_its_last_zero_is() {
    // Class 1 has both bits; a molecule with bit 1 alone is class 0. After a split at bit 0 the rows with it have to be split
    // at bit 1, but its last row without it is on the other side in the first order and on this side in the second.
    let molecules = [(0b11, 1.0), (0b11, 1.0), (0b01, 0.0), (0b10, 0.0), (0b10, 0.0), (0b00, 0.0)];
    let learned = |order: [usize; 6]| {
        let words = order.map(|place| molecules[place].0);
        let labels = order.map(|place| molecules[place].1);
        let mut tree = tree();
        fit_classes(&mut tree, &bits(&words, 2), &labels);
        predict(&mut tree, &bits(&words, 2)) == labels
    };
    assert!(!learned([0, 1, 2, 3, 4, 5]));
    assert!(learned([5, 4, 3, 2, 1, 0]));
}

#[test]
fn equal_molecules_of_both_classes_are_class_0_every_time() {
    let labels = [1.0, 0.0, 0.0, 1.0];
    for _ in 0..20 {
        let mut tree = tree();
        fit_classes(&mut tree, &bits(&[5; 4], 3), &labels);
        assert_eq!(predict(&mut tree, &bits(&[5], 3)), [0.0]);
    }
}

#[test]
fn a_forest_gives_shares_of_votes_that_its_seed_repeats() {
    let words: Vec<u64> = (0..60_u64).map(|row| row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52).collect();
    let labels: Vec<f32> = words.iter().map(|word| (word.count_ones() % 2) as f32).collect();
    let run = |seed| {
        let mut forest = forest(8, 0.5);
        fit(&mut forest, &bits(&words, 12), TaskKind::Classification, &labels, seed).unwrap();
        predict(&mut forest, &bits(&words, 12))
    };
    let once = run(3);
    assert!(once.iter().all(|share| (share * 8.0).fract() == 0.0 && (0.0..=1.0).contains(share)), "{once:?}");
    for _ in 0..5 {
        assert_eq!(run(3), once);
    }
    assert_ne!(run(4), once);
}

#[test]
fn models_are_saved_and_damage_is_found() {
    let x = bits(&expected::BITS[..expected::TRAIN], expected::N_BITS);
    let test = bits(&expected::BITS, expected::N_BITS);
    let make: [fn() -> Box<dyn Baseline>; 3] =
        [|| Box::new(tree()), || Box::new(forest(5, 0.5)), || Box::new(logistic(1.0))];
    for make in make {
        let (mut baseline, mut other) = (make(), make());
        assert_eq!(baseline.save().unwrap_err().to_string(), "`save` needs `fit` or `load` first");
        fit_classes(baseline.as_mut(), &x, &expected::CLASSES);
        let state = baseline.save().unwrap();
        other.load(&state).unwrap();
        assert_eq!(predict(other.as_mut(), &test), predict(baseline.as_mut(), &test));
        // The number of columns follows the header.
        let mut damaged = state.clone();
        assert_eq!(usize::from(damaged[8]), expected::N_BITS);
        damaged[8] = 1;
        let message = other.load(&damaged).unwrap_err().to_string();
        assert!(message.contains("is damaged"), "{message}");
        assert_eq!(
            predict(other.as_mut(), &test),
            predict(baseline.as_mut(), &test),
            "the model is still there"
        );
    }
    let mut smartcore = smartcore();
    fit_classes(&mut smartcore, &x, &expected::CLASSES);
    assert!(smartcore.save().is_err());
}

#[test]
fn numbers_are_for_smartcore_alone() {
    let x = bits(&[1, 2, 3, 0], 2);
    let labels = [1.5, 2.5, 4.0, 0.0];
    let mut smartcore = smartcore();
    fit(&mut smartcore, &x, TaskKind::Regression, &labels, 0).unwrap();
    assert!(predict(&mut smartcore, &x).iter().all(|value| (0.0..=4.0).contains(value)));
    let linfa: [(&str, Box<dyn Baseline>); 3] = [
        ("tree-linfa", Box::new(tree())),
        ("rf-linfa", Box::new(forest(5, 0.5))),
        ("logistic-linfa", Box::new(logistic(1.0))),
    ];
    for (name, mut baseline) in linfa {
        let error = fit(baseline.as_mut(), &x, TaskKind::Regression, &labels, 0).unwrap_err();
        let message = format!("`{name}` is for classification only: linfa has no such model for numbers");
        assert_eq!(error, Error::unsupported(message));
    }
}

#[test]
fn configurations_are_checked() {
    fn message<C: Component>(config: &str) -> String {
        match C::new(serde_json::from_str(config).unwrap()) {
            Ok(_) => "taken".to_owned(),
            Err(error) => error.to_string(),
        }
    }
    assert_eq!(message::<LinfaTree>("{}"), "taken");
    assert_eq!(message::<LinfaTree>(r#"{"max_depth": 0}"#), "`max_depth` is 0, must be at least 1");
    assert_eq!(message::<LinfaForest>(r#"{"n_trees": 0}"#), "`n_trees` is 0, must be at least 1");
    assert_eq!(
        message::<LinfaForest>(r#"{"min_samples_leaf": 0}"#),
        "`min_samples_leaf` is 0, must be at least 1"
    );
    assert_eq!(message::<LinfaForest>(r#"{"row_share": 1.5}"#), "`row_share` is 1.5, must be in (0, 1]");
    assert_eq!(message::<LinfaForest>(r#"{"column_share": 0.0}"#), "`column_share` is 0, must be in (0, 1]");
    assert_eq!(message::<LinfaLogistic>(r#"{"alpha": -1.0}"#), "`alpha` is -1, must be above 0");
    assert_eq!(
        message::<LinfaLogistic>(r#"{"max_iterations": 0}"#),
        "`max_iterations` is 0, must be at least 1"
    );
    assert_eq!(message::<SmartcoreForest>(r#"{"n_trees": 0}"#), "`n_trees` is 0, must be at least 1");
    assert!(serde_json::from_str::<LinfaForestConfig>(r#"{"trees": 3}"#).is_err());
}
