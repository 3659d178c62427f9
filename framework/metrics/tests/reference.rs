//! Equality with scikit-learn and scipy, on the cases that `make_reference_cases.py` stored.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use molarena_metrics::Metric;
use serde::Deserialize;

/// Absolute. The libraries sum in another order and, for the area under the curve, by trapezoids.
const TOLERANCE: f64 = 1e-12;

#[derive(Deserialize)]
struct Reference {
    versions: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    labels: Vec<f32>,
    predictions: Vec<f32>,
    /// Null: undefined.
    expected: BTreeMap<Metric, Option<f64>>,
}

#[test]
fn scores_equal_those_of_scikit_learn_and_scipy() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference_cases.json");
    let reference: Reference = serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap();
    let mut seen = BTreeSet::new();
    for case in &reference.cases {
        for (&metric, &expected) in &case.expected {
            seen.insert((metric, expected.is_some()));
            let score = metric.compute(&case.labels, &case.predictions);
            let equal = match (score, expected) {
                (Some(score), Some(expected)) => (score - expected).abs() <= TOLERANCE,
                (score, expected) => score == expected,
            };
            assert!(
                equal,
                "{metric} of case `{}`: {score:?}, but {expected:?} by {:?}",
                case.name, reference.versions
            );
        }
    }
    for &metric in Metric::ALL {
        assert!(seen.contains(&(metric, true)), "no case has a value of {metric}");
    }
    for metric in [
        Metric::RocAuc,
        Metric::AveragePrecision,
        Metric::BalancedAccuracy,
        Metric::R2,
        Metric::Spearman,
        Metric::Kendall,
    ] {
        assert!(seen.contains(&(metric, false)), "no case leaves {metric} undefined");
    }
}
