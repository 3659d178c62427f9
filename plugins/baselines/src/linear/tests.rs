//! Compares with scikit-learn, and checks the behaviour on poor data.

use molarena_sdk::{Baseline, Bits, Call, Component, Dense, Inputs, OwnedLabels, Result, TaskKind};

use super::{
    component::{Linear, LinearConfig},
    reference as expected,
};

const TRAIN: usize = 16;
const COLUMNS: usize = 5;
const N_BITS: usize = 20;

fn bits(words: &[u64]) -> Inputs<'_> {
    Inputs::from_bits(Bits::new(words, words.len(), N_BITS).unwrap())
}

fn dense(values: &[f32]) -> Inputs<'_> {
    Inputs::from_dense(Dense::new(values, values.len() / COLUMNS, COLUMNS).unwrap())
}

fn fit(alpha: f64, train: &Inputs<'_>, kind: TaskKind, labels: &[f32]) -> Result<Linear> {
    let labels = OwnedLabels::from_nan(kind, train.rows, labels.len() / train.rows, labels.to_vec())?;
    let mut linear = Linear::new(LinearConfig { alpha })?;
    linear.fit(train, &labels.view(), train, &labels.view(), &Call::new(0, 2))?;
    Ok(linear)
}

fn predict(linear: &mut Linear, test: &Inputs<'_>) -> Vec<f32> {
    linear.predict(test, &Call::new(0, 2)).unwrap().values
}

#[test]
fn predictions_are_scikit_learns() {
    let (train, test) = expected::BITS.split_at(TRAIN);
    let (dense_train, dense_test) = expected::DENSE.split_at(TRAIN * COLUMNS);
    let (classes, numbers) = (TaskKind::Classification, TaskKind::Regression);
    let (bits_train, bits_test) = (bits(train), bits(test));
    let (dense_train, dense_test) = (dense(dense_train), dense(dense_test));
    // The bits have more columns than rows, the dense features more rows than columns: both systems of ridge regression
    // run.
    for (train, test, kind, labels, wanted) in [
        (bits_train, bits_test, classes, expected::CLASSES, expected::LOGISTIC_BITS),
        (dense_train, dense_test, classes, expected::CLASSES, expected::LOGISTIC_DENSE),
        (bits_train, bits_test, numbers, expected::NUMBERS, expected::RIDGE_BITS),
        (dense_train, dense_test, numbers, expected::NUMBERS, expected::RIDGE_DENSE),
    ] {
        let mut linear = fit(expected::ALPHA, &train, kind, &labels).unwrap();
        let values = predict(&mut linear, &test);
        let close =
            values.iter().zip(&wanted).all(|(&value, wanted)| (f64::from(value) - wanted).abs() < 2e-5);
        assert!(values.len() == wanted.len() && close, "{kind:?}: {values:?}, expected {wanted:?}");
    }
}

#[test]
fn separable_classes_and_equal_molecules_have_finite_answers() {
    let words = [1, 1, 1, 2, 2, 2, 0, 0];
    let labels = [1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0];
    let mut linear = fit(1e-3, &bits(&words), TaskKind::Classification, &labels).unwrap();
    let values = predict(&mut linear, &bits(&[1, 2, 0, 1 << 19]));
    assert!(values[0] > 0.95 && values[1] < 0.05, "{values:?}");
    assert!(
        (values[2] - 0.5).abs() < 1e-3 && values[2] == values[3],
        "a bit that no molecule had counts for nothing"
    );
    let mut linear = fit(1e-9, &bits(&words), TaskKind::Regression, &labels).unwrap();
    let values = predict(&mut linear, &bits(&words));
    assert!(values.iter().zip([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.5, 0.5]).all(|(v, e)| (v - e).abs() < 1e-3));
}

#[test]
fn constant_columns_count_for_nothing() {
    let labels = [1.0, 2.0, 3.0, 6.0];
    let mut linear = fit(1.0, &dense(&[2.5; 4 * COLUMNS]), TaskKind::Regression, &labels).unwrap();
    assert_eq!(predict(&mut linear, &dense(&[7.0; 2 * COLUMNS])), [3.0, 3.0]);
}

#[test]
fn states_and_refusals() {
    let (train, test) = expected::DENSE.split_at(TRAIN * COLUMNS);
    let mut linear = fit(1.0, &dense(train), TaskKind::Regression, &expected::NUMBERS).unwrap();
    let mut other = Linear::new(LinearConfig::default()).unwrap();
    assert!(other.save().is_err());
    other.load(&linear.save().unwrap()).unwrap();
    assert_eq!(predict(&mut other, &dense(test)), predict(&mut linear, &dense(test)));
    let narrow = Inputs::from_dense(Dense::new(&test[..8], 2, 4).unwrap());
    assert!(other.predict(&narrow, &Call::new(0, 1)).is_err());
    for alpha in [0.0, -1.0, f64::NAN] {
        let error = Linear::new(LinearConfig { alpha }).unwrap_err();
        assert_eq!(error.to_string(), format!("`alpha` is {alpha}, must be above 0"));
    }
    let mut values = train.to_vec();
    values[7] = f32::INFINITY;
    let error = fit(1.0, &dense(&values), TaskKind::Regression, &expected::NUMBERS).unwrap_err();
    assert_eq!(error.to_string(), "input `dense`: row 1, column 2 is inf, must be finite");
}
