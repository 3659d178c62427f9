//! Examples that publications work through.

use molarena_metrics::statistics::{
    average_ranks, dunnett_cdf, friedman, holm, honestly_significant_difference, nemenyi_critical_difference,
    studentized_range_quantile, wilcoxon,
};

/// Demšar 2006, *Journal of Machine Learning Research* 7, 1, table 6: areas under the ROC curve of C4.5, C4.5+m,
/// C4.5+cf and C4.5+m+cf on 14 datasets. Of the two areas printed as 0.975, the table ranks the first higher.
const TREES: [[f64; 4]; 14] = [
    [0.763, 0.768, 0.771, 0.798],
    [0.599, 0.591, 0.590, 0.569],
    [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898],
    [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685],
    [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000],
    [0.940, 0.962, 0.965, 0.962],
    [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975],
    [0.957, 0.978, 0.946, 0.970],
];

#[test]
fn friedman_and_nemenyi_of_demsar() {
    let values = TREES.as_flattened();
    let ranks = average_ranks(values, 4, true).unwrap();
    for (rank, published) in ranks.iter().zip([3.143, 2.000, 2.893, 1.964]) {
        assert!((rank - published).abs() < 5e-4, "{ranks:?}");
    }
    // The paper's 9.28 and 3.69 are without the correction for ties, which divides by 1 - 78/840: one dataset has all
    // four tied (4³ - 4), and three have two tied (2³ - 2 each).
    let ours = friedman(values, 4).unwrap();
    let uncorrected = ours.chi_squared * (1.0 - 78.0 / 840.0);
    assert!((uncorrected - 9.28).abs() < 0.005, "{uncorrected}");
    let f = 13.0 * uncorrected / (14.0 * 3.0 - uncorrected);
    assert!((f - 3.69).abs() < 0.005, "{f}");
    assert!(ours.p_value < 0.05 && ours.f_p_value < 0.05 && ours.f > f);
    // Section 3.2.2: critical differences 1.25 at 5 % and 1.12 at 10 %.
    let critical = |confidence| nemenyi_critical_difference(4, 14, confidence);
    assert!(
        (critical(0.95) - 1.25).abs() < 0.005 && (critical(0.9) - 1.12).abs() < 0.01,
        "{}",
        critical(0.9)
    );
}

#[test]
fn nemenyi_critical_values_of_demsar() {
    // Table 5a: q / √2 at 5 % for 2 to 10 classifiers.
    let published = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164];
    for (methods, published) in (2..).zip(published) {
        let q = studentized_range_quantile(0.95, methods, f64::INFINITY) / 2.0_f64.sqrt();
        assert!((q - published).abs() < 1.1e-3, "{methods}: {q}");
    }
}

#[test]
fn holm_of_demsar() {
    // Section 3.2.2: 0.016 < 0.017 and 0.019 < 0.025 are rejected at 5 %, 0.607 > 0.05 is not. 3 x 0.016 = 0.048, and
    // 2 x 0.019 is less.
    let adjusted = holm(&[0.016, 0.607, 0.019]);
    assert!(adjusted.iter().zip([0.048, 0.607, 0.048]).all(|(p, by_hand)| (p - by_hand).abs() < 1e-12));
}

#[test]
fn wilcoxon_of_demsar() {
    // Table 2 is C4.5 against C4.5+m: R+ = 93, R- = 12 with zeros split between the two; here zeros are left out.
    let differences: Vec<f64> = TREES.iter().map(|row| ((row[1] - row[0]) * 1000.0).round()).collect();
    let ours = wilcoxon(&differences).unwrap();
    // The 12 others have 78 ranks. Those of -5 (tied with 5) and -8 are 1.5 and 5; the paper's 12 has them at 3.5 and 7,
    // and half of the two zeros' 3.
    assert_eq!(ours.positive_ranks + ours.negative_ranks, 78.0);
    assert_eq!(ours.negative_ranks, 6.5);
    assert!(ours.p_value < 0.05, "{ours:?}");
}

#[test]
fn critical_values_of_tables() {
    // Studentized range at 5 % (Harter 1960, *Annals of Mathematical Statistics* 31, 1122): 3 and 10 groups.
    for (groups, df, published) in [(3, 10.0, 3.877), (5, 20.0, 4.232), (10, 60.0, 4.646), (3, 2.0, 8.331)] {
        let q = studentized_range_quantile(0.95, groups, df);
        assert!((q - published).abs() < 1e-3, "{groups} {df}: {q}");
    }
    // Two-sided 5 % of Dunnett 1964, *Biometrics* 20, 482: the probability at the tabulated value is 95 %.
    for (groups, df, published) in [(1, 10.0, 2.23), (2, 10.0, 2.57), (3, 20.0, 2.54), (9, 60.0, 2.77)] {
        let p = dunnett_cdf(published, &vec![0.5_f64.sqrt(); groups], df);
        assert!((p - 0.95).abs() < 1.5e-3, "{groups} {df}: {p}");
    }
    let by_hand = studentized_range_quantile(0.95, 3, 10.0) * (2.0_f64 / 6.0).sqrt();
    assert_eq!(honestly_significant_difference(2.0, 3, 6, 0.95), by_hand);
}
