//! Equality with scipy, statsmodels and scikit-posthocs, and with definitions by brute force.
//!
//! `golden.json` names the versions of the libraries and the call behind each list.

use std::collections::BTreeMap;
use std::path::Path;

use molarena_metrics::statistics::{
    bca_interval, cohens_d, delong, delong_difference, dunnett_cdf, dunnett_groups, friedman, holm, nemenyi,
    paired_t, percentile_interval, studentized_range_cdf, studentized_range_quantile, studentized_range_sf,
    tukey_blocks, tukey_groups, wilcoxon,
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    libraries: BTreeMap<String, String>,
    calls: BTreeMap<String, String>,
    /// q, groups, degrees of freedom (null: infinite), probability.
    studentized_range: Vec<(f64, usize, Option<f64>, f64)>,
    /// Probability, groups, degrees of freedom, q.
    studentized_range_quantile: Vec<(f64, usize, Option<f64>, f64)>,
    wilcoxon: Vec<SignedRank>,
    holm: Vec<Adjusted>,
    friedman: Vec<Ranked>,
    tukey_groups: Vec<OneWay>,
    tukey_blocks: Vec<BlockTable>,
    dunnett_groups: Vec<AgainstControl>,
    paired_t: Vec<Paired>,
    intervals: Vec<Resampled>,
    delong: Vec<Areas>,
}

#[derive(Deserialize)]
struct SignedRank {
    differences: Vec<f64>,
    statistic: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Adjusted {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Ranked {
    methods: usize,
    values: Vec<f64>,
    chi_squared: f64,
    p: f64,
    nemenyi: Vec<f64>,
}

#[derive(Deserialize)]
struct OneWay {
    groups: Vec<Vec<f64>>,
    difference: Vec<f64>,
    p: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

#[derive(Deserialize)]
struct BlockTable {
    methods: usize,
    values: Vec<f64>,
    mse: f64,
    df: f64,
    difference: Vec<f64>,
    p: Vec<f64>,
    half_width: f64,
}

#[derive(Deserialize)]
struct AgainstControl {
    control: Vec<f64>,
    groups: Vec<Vec<f64>>,
    t: Vec<f64>,
    p: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
}

#[derive(Deserialize)]
struct Paired {
    differences: Vec<f64>,
    t: f64,
    p: f64,
    low: f64,
    high: f64,
    d: f64,
}

#[derive(Deserialize)]
struct Resampled {
    estimate: f64,
    replicates: Vec<f64>,
    jackknife: Vec<f64>,
    percentile: (f64, f64),
    #[serde(rename = "BCa")]
    bca: (f64, f64),
}

#[derive(Deserialize)]
struct Areas {
    labels: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    auc: [f64; 2],
    /// Row-major 2 x 2.
    covariance: [f64; 4],
    z: f64,
    p: f64,
}

fn read() -> Golden {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/statistics/golden.json");
    serde_json::from_str(&fs_err::read_to_string(path).unwrap()).unwrap()
}

/// The greatest difference from the library, which is printed for the record.
struct Deviation {
    call: String,
    tolerance: f64,
    greatest: f64,
}

impl Deviation {
    fn of(golden: &Golden, name: &str, tolerance: f64) -> Self {
        Self { call: golden.calls[name].clone(), tolerance, greatest: 0.0 }
    }

    fn see(&mut self, ours: f64, theirs: f64) {
        let difference = (ours - theirs).abs() / theirs.abs().max(1.0);
        assert!(difference <= self.tolerance, "{ours}, but {theirs} by {}", self.call);
        self.greatest = self.greatest.max(difference);
    }

    fn see_all(&mut self, ours: impl IntoIterator<Item = f64>, theirs: &[f64]) {
        let ours: Vec<f64> = ours.into_iter().collect();
        assert_eq!(ours.len(), theirs.len());
        ours.into_iter().zip(theirs).for_each(|(one, other)| self.see(one, *other));
    }
}

impl Drop for Deviation {
    fn drop(&mut self) {
        println!("{:.1e} from {}", self.greatest, self.call);
    }
}

#[test]
fn the_file_says_where_it_comes_from() {
    let golden = read();
    assert_eq!(golden.libraries["scipy"], "1.17.1");
    assert!(golden.calls.values().all(|call| !call.is_empty()));
}

#[test]
fn studentized_range_equals_that_of_scipy() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "studentized_range", 1e-9);
    for &(q, groups, df, probability) in &golden.studentized_range {
        let df = df.unwrap_or(f64::INFINITY);
        deviation.see(studentized_range_cdf(q, groups, df), probability);
        deviation.see(studentized_range_sf(q, groups, df), 1.0 - probability);
    }
    let mut deviation = Deviation::of(&golden, "studentized_range_quantile", 1e-9);
    for &(probability, groups, df, q) in &golden.studentized_range_quantile {
        deviation.see(studentized_range_quantile(probability, groups, df.unwrap_or(f64::INFINITY)), q);
    }
}

#[test]
fn wilcoxon_equals_that_of_scipy() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "wilcoxon", 1e-9);
    for case in &golden.wilcoxon {
        let ours = wilcoxon(&case.differences).unwrap();
        deviation.see(ours.positive_ranks.min(ours.negative_ranks), case.statistic);
        deviation.see(ours.p_value, case.p);
    }
}

#[test]
fn holm_equals_that_of_statsmodels() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "holm", 1e-12);
    for case in &golden.holm {
        deviation.see_all(holm(&case.p), &case.adjusted);
    }
}

#[test]
fn friedman_and_nemenyi_equal_those_of_scipy_and_scikit_posthocs() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "friedman", 1e-9);
    for case in &golden.friedman {
        let ours = friedman(&case.values, case.methods).unwrap();
        deviation.see(ours.chi_squared, case.chi_squared);
        deviation.see(ours.p_value, case.p);
    }
    let mut deviation = Deviation::of(&golden, "nemenyi", 1e-9);
    for case in &golden.friedman {
        deviation.see_all(nemenyi(&case.values, case.methods).unwrap(), &case.nemenyi);
    }
}

#[test]
fn tukey_equals_that_of_scipy_and_the_analysis_of_variance_of_statsmodels() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "tukey_groups", 1e-9);
    for case in &golden.tukey_groups {
        let groups: Vec<&[f64]> = case.groups.iter().map(Vec::as_slice).collect();
        let ours = tukey_groups(&groups, 0.95).unwrap().comparisons;
        deviation.see_all(ours.iter().map(|pair| pair.difference), &case.difference);
        deviation.see_all(ours.iter().map(|pair| pair.p_value), &case.p);
        deviation.see_all(ours.iter().map(|pair| pair.interval.low), &case.low);
        deviation.see_all(ours.iter().map(|pair| pair.interval.high), &case.high);
    }
    let mut deviation = Deviation::of(&golden, "tukey_blocks", 1e-9);
    for case in &golden.tukey_blocks {
        let ours = tukey_blocks(&case.values, case.methods, 0.95).unwrap();
        deviation.see(ours.mean_square_error, case.mse);
        deviation.see(ours.degrees_of_freedom, case.df);
        deviation.see_all(ours.comparisons.iter().map(|pair| pair.difference), &case.difference);
        deviation.see_all(ours.comparisons.iter().map(|pair| pair.p_value), &case.p);
        for pair in &ours.comparisons {
            deviation.see(pair.interval.high - pair.difference, case.half_width);
        }
    }
}

#[test]
fn dunnett_is_within_a_thousandth_of_scipy() {
    let golden = read();
    // scipy integrates by random points; its p values here are means over seeds.
    let mut deviation = Deviation::of(&golden, "dunnett_groups", 1e-3);
    for case in &golden.dunnett_groups {
        let groups: Vec<&[f64]> = case.groups.iter().map(Vec::as_slice).collect();
        let ours = dunnett_groups(&case.control, &groups, 0.95).unwrap();
        deviation.see_all(ours.iter().map(|one| one.t), &case.t);
        deviation.see_all(ours.iter().map(|one| one.p_value), &case.p);
        let all = groups.iter().map(|group| group.len()).sum::<usize>() + case.control.len();
        if groups.iter().all(|group| group.len() == case.control.len()) {
            let df = (all - groups.len() - 1) as f64;
            let loadings = vec![0.5_f64.sqrt(); groups.len()];
            let p = |t: f64| 1.0 - dunnett_cdf(t.abs(), &loadings, df);
            deviation.see_all(case.t.iter().map(|&t| p(t)), &case.p);
        }
    }
    // scipy searches its critical value on a noisy function, and accepts an error of 1 % of 1 - confidence.
    let mut deviation = Deviation::of(&golden, "dunnett_groups", 1e-2);
    for case in &golden.dunnett_groups {
        let groups: Vec<&[f64]> = case.groups.iter().map(Vec::as_slice).collect();
        let ours = dunnett_groups(&case.control, &groups, 0.95).unwrap();
        deviation.see_all(ours.iter().map(|one| one.interval.low), &case.low);
        deviation.see_all(ours.iter().map(|one| one.interval.high), &case.high);
    }
}

#[test]
fn paired_t_equals_that_of_scipy() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "paired_t", 1e-9);
    for case in &golden.paired_t {
        let ours = paired_t(&case.differences, 0.95).unwrap();
        deviation.see(ours.t, case.t);
        deviation.see(ours.p_value, case.p);
        deviation.see(ours.interval.low, case.low);
        deviation.see(ours.interval.high, case.high);
        deviation.see(cohens_d(&case.differences).unwrap(), case.d);
    }
}

#[test]
fn intervals_of_replicates_equal_those_of_scipy() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "intervals", 1e-9);
    for case in &golden.intervals {
        let percentile = percentile_interval(&case.replicates, 0.9).unwrap();
        deviation.see_all([percentile.low, percentile.high], &[case.percentile.0, case.percentile.1]);
        let bca = bca_interval(case.estimate, &case.replicates, &case.jackknife, 0.9).unwrap();
        deviation.see_all([bca.low, bca.high], &[case.bca.0, case.bca.1]);
    }
}

#[test]
fn delong_equals_its_definition() {
    let golden = read();
    let mut deviation = Deviation::of(&golden, "delong", 1e-12);
    for case in &golden.delong {
        let ours = delong_difference(&case.labels, &case.first, &case.second).unwrap();
        assert_eq!(ours.first, delong(&case.labels, &case.first).unwrap());
        deviation.see_all([ours.first.auc, ours.second.auc], &case.auc);
        let covariance = [ours.first.variance, ours.covariance, ours.covariance, ours.second.variance];
        deviation.see_all(covariance, &case.covariance);
        deviation.see(ours.z, case.z);
        deviation.see(ours.p_value, case.p);
    }
}
