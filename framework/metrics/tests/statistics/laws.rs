//! Laws: a swap of rows turns a comparison round, and a row equals itself.

use molarena_metrics::statistics::{
    Design, VarianceComponents, average_ranks, cohens_d, delong_difference, dunnett_blocks, friedman, holm,
    nemenyi, paired_t, ranking_reliability, smallest_detectable_difference, spearman_brown,
    spearman_brown_factor, studentized_range_cdf, studentized_range_quantile, tukey_blocks, tukey_groups,
    wilcoxon,
};
use proptest::prelude::*;

/// Blocks of 4 methods with values from a small set, so often tied.
fn blocks() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-8_i8..8).prop_map(f64::from), 8..80).prop_map(|mut values| {
        values.truncate(values.len() / 4 * 4);
        values
    })
}

#[test]
fn a_row_equals_itself() {
    let zeros = [0.0; 20];
    assert_eq!(wilcoxon(&zeros).unwrap().p_value, 1.0);
    let t = paired_t(&zeros, 0.95).unwrap();
    assert_eq!((t.p_value, t.difference, t.interval.low, t.interval.high), (1.0, 0.0, 0.0, 0.0));
    assert_eq!(cohens_d(&zeros), Some(0.0));
    let labels = [0.0, 1.0, 0.0, 1.0, 1.0];
    let scores = [0.1, 0.4, 0.35, 0.8, 0.2];
    let pair = delong_difference(&labels, &scores, &scores).unwrap();
    assert_eq!((pair.difference, pair.p_value), (0.0, 1.0));
    // Methods 0 and 1 are equal in every block.
    let values = [1.0, 1.0, 4.0, 2.0, 2.0, 2.5, 3.0, 3.0, 8.0];
    let tukey = tukey_blocks(&values, 3, 0.95).unwrap().comparisons;
    assert_eq!((tukey[0].difference, tukey[0].p_value), (0.0, 1.0));
    let dunnett = dunnett_blocks(&values, 3, 0, 0.95).unwrap();
    assert_eq!((dunnett[0].method, dunnett[0].difference, dunnett[0].p_value), (1, 0.0, 1.0));
    assert_eq!(nemenyi(&values, 3).unwrap()[1], 1.0);
    assert_eq!(friedman(&[1.0; 12], 3), None);
}

#[test]
fn nothing_is_made_of_too_little() {
    assert_eq!(wilcoxon(&[]), None);
    assert_eq!(wilcoxon(&[1.0, f64::NAN]), None);
    assert_eq!(paired_t(&[1.0], 0.95), None);
    assert_eq!(cohens_d(&[2.0, 2.0]), None);
    assert_eq!(paired_t(&[2.0, 2.0], 0.95).unwrap().p_value, 0.0);
    assert_eq!(delong_difference(&[0.0, 0.0, 1.0], &[0.1; 3], &[0.2; 3]), None);
    assert_eq!(tukey_blocks(&[1.0, 2.0], 2, 0.95), None);
    assert_eq!(tukey_blocks(&[1.0, 2.0, 3.0], 1, 0.95), None);
    assert_eq!(tukey_groups(&[&[1.0], &[2.0]], 0.95), None);
    assert_eq!(dunnett_blocks(&[1.0, f64::NAN, 3.0, 4.0], 2, 0, 0.95), None);
    assert_eq!(average_ranks(&[], 3, true), None);
    assert_eq!(ranking_reliability(&[1.0, 1.0, 2.0, 2.0], 2), None);
    assert!(holm(&[]).is_empty());
}

#[test]
fn power_by_hand() {
    // z(0.975) + z(0.8) = 1.959964 + 0.841621.
    assert!((smallest_detectable_difference(1.0, 0.05, 0.8) - 2.801_585).abs() < 1e-6);
    // 0.8 / 10 + 9 / 100 + 0.06 / 3 = 0.08 + 0.09 + 0.02.
    let components = VarianceComponents { task: 0.8, molecule: 9.0, seed: 0.06 };
    let design = Design { tasks: 10, molecules: 100, seeds: 3 };
    assert!((components.standard_error(design) - 0.19_f64.sqrt()).abs() < 1e-15);
    // A difference of 2.801585 x 0.4 needs a squared standard error of 0.16: tasks 0.8 / (0.16 - 0.11) = 16, molecules
    // 9 / (0.16 - 0.1) = 150, and no number of seeds, because the others alone make 0.17. A hair more needs no more.
    let needed = components.needed(2.801_586 * 0.4, design, 0.05, 0.8);
    assert_eq!((needed.tasks, needed.molecules, needed.seeds), (Some(16), Some(150), None));
    let none = components.needed(0.0, design, 0.05, 0.8);
    assert_eq!((none.tasks, none.molecules, none.seeds), (None, None, None));
    // Two tasks and two seeds: task means 2 and 4, seed means 2.5 and 3.5, each task's variance over seeds 0.5 and 0.5.
    // Spread of task means 2; own error (0.1 - 0.06) + (0.5 - 0.5) / 2 = 0.04, doubled by t/(t - 1).
    let design = Design { tasks: 2, molecules: 50, seeds: 2 };
    let ours = VarianceComponents::estimate(&[1.5, 2.5, 3.5, 4.5], &[0.1, 0.1], 0.06, design).unwrap();
    assert!(
        (ours.task - 1.92).abs() < 1e-12
            && (ours.molecule - 3.0).abs() < 1e-12
            && (ours.seed - 0.5).abs() < 1e-12
    );
}

#[test]
fn reliability_is_cronbachs_alpha() {
    // Three rows on two tasks, 1 2 3 and 2 2 5: covariance 1.5, variances 1 and 3; alpha = 4 x 1.5 / (1 + 3 + 2 x 1.5).
    let alpha = ranking_reliability(&[1.0, 2.0, 3.0, 2.0, 2.0, 5.0], 3).unwrap();
    assert!((alpha - 6.0 / 7.0).abs() < 1e-12);
    // Two tasks are twice one: alpha is the formula of Spearman and Brown of 1.5 / 2, the mean covariance and variance.
    assert!((spearman_brown(0.75, 2.0) - 6.0 / 7.0).abs() < 1e-12);
    assert!((spearman_brown_factor(0.75, 6.0 / 7.0).unwrap() - 2.0).abs() < 1e-12);
    assert_eq!(spearman_brown_factor(-0.1, 0.9), None);
}

proptest! {
    #[test]
    fn a_swap_of_rows_turns_comparisons_round(values in blocks()) {
        let swapped: Vec<f64> =
            values.chunks_exact(4).flat_map(|row| [row[1], row[0], row[2], row[3]]).collect();
        if let (Some(one), Some(other)) = (tukey_blocks(&values, 4, 0.9), tukey_blocks(&swapped, 4, 0.9)) {
            let (one, other) = (one.comparisons[0], other.comparisons[0]);
            prop_assert!((one.difference + other.difference).abs() < 1e-12);
            prop_assert!((one.p_value - other.p_value).abs() < 1e-9);
            prop_assert!((one.interval.low + other.interval.high).abs() < 1e-9);
        }
        if let (Some(one), Some(other)) = (friedman(&values, 4), friedman(&swapped, 4)) {
            prop_assert!((one.chi_squared - other.chi_squared).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&one.p_value) && (0.0..=1.0).contains(&one.f_p_value));
        }
        let p_values = nemenyi(&values, 4).unwrap();
        let of_swapped = nemenyi(&swapped, 4).unwrap();
        prop_assert_eq!(p_values[1], of_swapped[1]);
        prop_assert!((p_values[2] - of_swapped[6]).abs() < 1e-12);
        let ranks = average_ranks(&values, 4, true).unwrap();
        let turned = average_ranks(&values, 4, false).unwrap();
        prop_assert!(ranks.iter().zip(&turned).all(|(up, down)| (up + down - 5.0).abs() < 1e-12));
    }

    #[test]
    fn signs_turned_round_leave_p_values(differences in prop::collection::vec(-20_i8..20, 2..60)) {
        let differences: Vec<f64> = differences.into_iter().map(f64::from).collect();
        let turned: Vec<f64> = differences.iter().map(|difference| -difference).collect();
        let (one, other) = (wilcoxon(&differences).unwrap(), wilcoxon(&turned).unwrap());
        prop_assert_eq!(one.positive_ranks, other.negative_ranks);
        prop_assert!((one.p_value - other.p_value).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&one.p_value));
        let (one, other) = (paired_t(&differences, 0.9).unwrap(), paired_t(&turned, 0.9).unwrap());
        prop_assert_eq!((one.t, one.p_value), (-other.t, other.p_value));
    }

    #[test]
    fn holm_keeps_the_order_and_never_lowers(p_values in prop::collection::vec(0.0..=1.0_f64, 0..20)) {
        let adjusted = holm(&p_values);
        for (p, raised) in p_values.iter().zip(&adjusted) {
            prop_assert!(p <= raised && *raised <= (p * p_values.len() as f64).min(1.0).max(
                adjusted.iter().zip(&p_values).filter(|(_, other)| *other < p).map(|(a, _)| *a).fold(0.0, f64::max)
            ));
        }
    }
}

proptest! {
    // Each case takes milliseconds.
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn quantiles_invert_the_distribution(p in 0.01..0.999_f64, groups in 2_usize..40, df in 1.0..200.0_f64) {
        let q = studentized_range_quantile(p, groups, df);
        prop_assert!((studentized_range_cdf(q, groups, df) - p).abs() < 1e-9);
    }

    #[test]
    fn one_method_against_a_reference_is_a_t_test(differences in prop::collection::vec(-9_i8..9, 3..20)) {
        let differences: Vec<f64> = differences.into_iter().map(f64::from).collect();
        let values: Vec<f64> = differences.iter().flat_map(|difference| [1.0, 1.0 + difference]).collect();
        let t = paired_t(&differences, 0.95).unwrap();
        let dunnett = dunnett_blocks(&values, 2, 0, 0.95).unwrap()[0];
        let tukey = tukey_blocks(&values, 2, 0.95).unwrap().comparisons[0];
        prop_assert!((dunnett.p_value - t.p_value).abs() < 1e-8);
        prop_assert!((tukey.p_value - t.p_value).abs() < 1e-8);
        prop_assert!((dunnett.interval.low - t.interval.low).abs() < 1e-6 * t.interval.low.abs().max(1.0));
        prop_assert!((tukey.interval.high + t.interval.low).abs() < 1e-6 * t.interval.low.abs().max(1.0));
    }
}
