//! Compares with scikit-learn, and checks the behaviour on poor data.

use molarena_sdk::{Baseline, Bits, Call, Component, Dense, Error, Inputs, OwnedLabels, Result, TaskKind};

use super::{
    component::GaussianProcess,
    config::{GpConfig, KernelChoice, Likelihood, Setting},
    laplace::{Laplace, averaged},
    model::Task,
    reference as expected,
};

const TRAIN: usize = 14;
const TEST: usize = 5;
const COLUMNS: usize = 6;
const N_BITS: usize = 24;

fn bits(words: &[u64]) -> Inputs<'_> {
    Inputs::from_bits(Bits::new(words, words.len(), N_BITS).unwrap())
}

fn dense(values: &[f32]) -> Inputs<'_> {
    Inputs::from_dense(Dense::new(values, values.len() / COLUMNS, COLUMNS).unwrap())
}

fn fit(config: GpConfig, train: &Inputs<'_>, kind: TaskKind, labels: &[f32]) -> Result<GaussianProcess> {
    let labels = OwnedLabels::from_nan(kind, train.rows, labels.len() / train.rows, labels.to_vec())?;
    let mut process = GaussianProcess::new(config)?;
    process.fit(train, &labels.view(), train, &labels.view(), &Call::new(0, 2))?;
    Ok(process)
}

fn predict(process: &mut GaussianProcess, test: &Inputs<'_>) -> Vec<f32> {
    process.predict(test, &Call::new(0, 2)).unwrap().values
}

#[track_caller]
fn assert_close(values: impl IntoIterator<Item = f64>, expected: &[f64], tolerance: f64) {
    let values: Vec<f64> = values.into_iter().collect();
    let close = |(value, expected): (&f64, &f64)| (value - expected).abs() <= tolerance;
    assert!(
        values.len() == expected.len() && values.iter().zip(expected).all(close),
        "{values:?}\nexpected {expected:?}"
    );
}

fn regression(kernel: KernelChoice) -> GpConfig {
    GpConfig {
        kernel,
        noise: Setting::Fixed(expected::NOISE),
        length_scale: Setting::Fixed(expected::LENGTH_SCALE),
        ..GpConfig::default()
    }
}

fn laplace(amplitude: Setting) -> GpConfig {
    GpConfig { likelihood: Likelihood::Laplace, amplitude, ..GpConfig::default() }
}

#[test]
fn regression_is_scikit_learns() {
    let (train, test) = expected::BITS.split_at(TRAIN);
    for (kernel, train, test, means) in [
        (KernelChoice::Auto, bits(train), bits(test), expected::TANIMOTO_MEANS),
        (
            KernelChoice::Minmax,
            dense(&expected::COUNTS[..TRAIN * COLUMNS]),
            dense(&expected::COUNTS[TRAIN * COLUMNS..]),
            expected::MINMAX_MEANS,
        ),
        (
            KernelChoice::Auto,
            dense(&expected::DENSE[..TRAIN * COLUMNS]),
            dense(&expected::DENSE[TRAIN * COLUMNS..]),
            expected::RBF_MEANS,
        ),
    ] {
        let mut process = fit(regression(kernel), &train, TaskKind::Regression, &expected::NUMBERS).unwrap();
        assert_close(predict(&mut process, &test).into_iter().map(f64::from), &means, 2e-6);
    }
}

#[test]
fn classification_is_scikit_learns() {
    let (train, test) = expected::BITS.split_at(TRAIN);
    let config = laplace(Setting::Fixed(expected::AMPLITUDE));
    let mut process = fit(config, &bits(train), TaskKind::Classification, &expected::CLASSES).unwrap();
    let probabilities: Vec<f64> = predict(&mut process, &bits(test)).into_iter().map(f64::from).collect();
    assert_close(probabilities.clone(), &expected::PROBABILITIES, 1e-6);
    assert_close(probabilities, &expected::SKLEARN_PROBABILITIES, 1e-3);
    let (kernel, tasks) = process.model().parts();
    let Task::Laplace(task) = &tasks[0] else { panic!("not by Laplace's approximation") };
    let molecules = kernel.molecules(&bits(test)).unwrap();
    let mut lower = kernel.compare(&Call::new(0, 1)).unwrap();
    kernel.finish(&mut lower);
    let rows: Vec<Vec<f32>> = (0..TEST)
        .map(|row| {
            let mut kernels = vec![0.0; TRAIN];
            kernel.cross(&molecules, row, &mut Vec::new(), &mut kernels);
            kernels
        })
        .collect();
    let rows: Vec<&[f32]> = rows.iter().map(Vec::as_slice).collect();
    let (means, variances): (Vec<f64>, Vec<f64>) =
        task.latent(&task.factor(&lower).unwrap(), &rows).into_iter().unzip();
    assert_close(means, &expected::LATENT_MEANS, 1e-5);
    assert_close(variances, &expected::LATENT_VARIANCES, 1e-5);
    let signs: Vec<f64> = expected::CLASSES.iter().map(|&class| 2.0 * f64::from(class) - 1.0).collect();
    let evidence = Laplace::evidence(&lower, &task.rows, &signs, expected::AMPLITUDE).unwrap();
    assert_close([evidence], &[expected::LOG_MARGINAL_LIKELIHOOD], 1e-5);
}

#[test]
fn averages_of_the_logistic_function() {
    assert!((averaged(1.0, 0.0) - 1.0 / (1.0 + (-1f64).exp())).abs() < 1e-9);
    for variance in [1e-6, 1.0, 100.0, 1e4] {
        assert!((averaged(0.0, variance) - 0.5).abs() < 1e-12);
        assert!((averaged(3.0, variance) + averaged(-3.0, variance) - 1.0).abs() < 1e-12);
    }
    // Far out it equals the normal distribution's: only the ratio of mean to deviation counts.
    assert!((averaged(1e3, 1e6) - 0.841_345).abs() < 1e-4);
}

/// 40 molecules in two families; class 1 and the large numbers are in the second family.
fn families() -> (Vec<u64>, Vec<f32>) {
    let mut state = 1u64;
    let mut words = Vec::new();
    for row in 0..40u64 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 33) & (state >> 45) & 0xff;
        words.push(noise | if row % 2 == 0 { 0xff00 } else { 0xff_0000 });
    }
    (words, (0..40).map(|row| (row % 2) as f32).collect())
}

#[test]
fn probabilities_are_sensible_at_one_half() {
    let (words, classes) = families();
    let test = [0xff00 | 5, 0xff_0000 | 6];
    for config in [GpConfig::default(), laplace(Setting::CHOSEN)] {
        let mut process = fit(config, &bits(&words), TaskKind::Classification, &classes).unwrap();
        let values = predict(&mut process, &bits(&test));
        assert!(values[0] < 0.2 && values[1] > 0.8, "{values:?}");
    }
}

#[test]
fn noise_follows_the_labels() {
    let (words, classes) = families();
    let spread = |labels: &[f32]| {
        let mut process = fit(GpConfig::default(), &bits(&words), TaskKind::Regression, labels).unwrap();
        let values = predict(&mut process, &bits(&words));
        values.iter().copied().fold(f32::MIN, f32::max) - values.iter().copied().fold(f32::MAX, f32::min)
    };
    assert!(spread(&classes) > 0.95, "{}", spread(&classes));
    // Labels from 0 to 10 that are unrelated to the molecules.
    let unrelated: Vec<f32> = (0..40).map(|row| (row * 7 % 11) as f32).collect();
    assert!(spread(&unrelated) < 4.0, "{}", spread(&unrelated));
}

#[test]
fn singular_kernels_are_solved() {
    // Every molecule occurs twice, with different labels and no noise; then all fingerprints are empty.
    for words in [[vec![3u64, 12, 0], vec![3, 12, 0]].concat(), vec![0; 6]] {
        let labels = [1.0, 0.0, 1.0, 0.0, 1.0, 1.0];
        let config = GpConfig { noise: Setting::Fixed(0.0), ..GpConfig::default() };
        let mut process = fit(config, &bits(&words), TaskKind::Regression, &labels).unwrap();
        let values = predict(&mut process, &bits(&words));
        assert!(values.iter().all(|value| (-0.01..=1.01).contains(value)), "{values:?}");
        for config in [GpConfig::default(), laplace(Setting::CHOSEN)] {
            let mut process = fit(config, &bits(&words), TaskKind::Classification, &labels).unwrap();
            let values = predict(&mut process, &bits(&words));
            assert!(values.iter().all(|value| (0.0..=1.0).contains(value)), "{values:?}");
        }
    }
}

#[test]
fn constant_columns_are_nothing() {
    let values = vec![2.5f32; 8 * COLUMNS];
    let labels = [0.0, 1.0, 2.0, 3.0, 0.0, 1.0, 2.0, 3.0];
    for kernel in [KernelChoice::Rbf, KernelChoice::Minmax, KernelChoice::Arccosine] {
        let config = GpConfig { kernel, ..GpConfig::default() };
        let mut process = fit(config, &dense(&values), TaskKind::Regression, &labels).unwrap();
        for value in predict(&mut process, &dense(&values)) {
            assert!((value - 1.5).abs() < 1e-4, "{value}");
        }
    }
}

#[test]
fn refusals_say_what_to_do() {
    let counts = dense(&expected::COUNTS[..TRAIN * COLUMNS]);
    let words = bits(&expected::BITS[..TRAIN]);
    let refused = |config: GpConfig, inputs: &Inputs<'_>| -> Error {
        fit(config, inputs, TaskKind::Regression, &expected::NUMBERS).unwrap_err()
    };
    let of = |kernel| GpConfig { kernel, ..GpConfig::default() };
    assert_eq!(
        refused(of(KernelChoice::Tanimoto), &counts).to_string(),
        "kernel `tanimoto` takes `bits`, these inputs are dense: choose kernel `rbf` or `minmax`, or other features"
    );
    assert_eq!(
        refused(of(KernelChoice::Minmax), &words).to_string(),
        "kernel `minmax` takes `dense` features, these inputs are bits: choose kernel `tanimoto`, or other features"
    );
    let message = refused(of(KernelChoice::Minmax), &dense(&expected::DENSE[..TRAIN * COLUMNS])).to_string();
    assert!(message.starts_with("input `dense`: row 0, column "), "{message}");
    assert!(message.contains("kernel `minmax` takes values of at least 0"), "{message}");
    let message = refused(GpConfig { max_molecules: 10, ..GpConfig::default() }, &words).to_string();
    assert!(message.starts_with("14 training molecules, `max_molecules` is 10"), "{message}");
    let wrong = |config: GpConfig| config.check().unwrap_err().to_string();
    assert_eq!(
        wrong(GpConfig { noise: Setting::Fixed(-1.0), ..GpConfig::default() }),
        "`noise` is -1, must be at least 0 or \"marginal-likelihood\""
    );
    assert_eq!(
        wrong(GpConfig { length_scale: Setting::Fixed(0.0), ..GpConfig::default() }),
        "`length_scale` is 0, must be above 0 or \"marginal-likelihood\""
    );
}

#[test]
fn configurations_are_read() {
    let read = |json: &str| serde_json::from_str::<GpConfig>(json);
    assert_eq!(read(r#"{"noise": "marginal-likelihood"}"#).unwrap(), GpConfig::default());
    assert_eq!(read(r#"{"noise": 0.5}"#).unwrap().noise, Setting::Fixed(0.5));
    assert_eq!(read(r#"{"kernel": "minmax"}"#).unwrap().kernel, KernelChoice::Minmax);
    assert!(read(r#"{"noise": "evidence"}"#).is_err());
    assert!(read(r#"{"lengthscale": 1}"#).is_err());
}

#[test]
fn dense_states_survive_and_other_widths_are_refused() {
    let (train, test) = expected::DENSE.split_at(TRAIN * COLUMNS);
    let mut process =
        fit(GpConfig::default(), &dense(train), TaskKind::Regression, &expected::NUMBERS).unwrap();
    let mut other = GaussianProcess::new(GpConfig::default()).unwrap();
    assert!(other.save().is_err());
    other.load(&process.save().unwrap()).unwrap();
    assert_eq!(predict(&mut other, &dense(test)), predict(&mut process, &dense(test)));
    let narrow = Inputs::from_dense(Dense::new(&test[..10], 2, 5).unwrap());
    assert!(other.predict(&narrow, &Call::new(0, 1)).is_err());
    assert!(other.predict(&bits(&[1]), &Call::new(0, 1)).is_err());
}
