//! What comparisons say of a claim.

use molarena_host::Expect;
use molarena_metrics::statistics::holm;

use super::parts::{ClaimComparison, ClaimVerdict};
use crate::compare::Verdict;

/// What one comparison says, by itself, of what a claim expects. `said` is of the claim's row as the first; `ends` are those
/// of the interval of the difference.
pub(super) fn of_comparison(expect: Expect, said: Verdict, (low, high): (f64, f64)) -> ClaimVerdict {
    match (expect, said) {
        (Expect::Equal(within), _) if low >= -within && high <= within => ClaimVerdict::Holds,
        (Expect::Equal(within), _) if low > within || high < -within => ClaimVerdict::DoesNotHold,
        (Expect::Equal(_), _) | (_, Verdict::NotSeparable) => ClaimVerdict::Open,
        (Expect::Better, Verdict::FirstIsBetter) | (Expect::Worse, Verdict::SecondIsBetter) => {
            ClaimVerdict::Holds
        }
        // Rows with the same predictions are neither better nor worse, whatever the sample.
        (_, Verdict::Same | Verdict::FirstIsBetter | Verdict::SecondIsBetter) => ClaimVerdict::DoesNotHold,
    }
}

/// Corrects the p values of a claim's comparisons on a dataset, and leaves those open that go the other way by chance.
///
/// A claim against several rows holds only if every comparison holds, which needs no correction: the error of the whole is at
/// most that of each (Berger 1982, *Technometrics* 24, 295). It does not hold if one comparison goes the other way, and the
/// chance that one of many does so grows with their number, so this verdict needs a corrected p value of at most `level`.
pub(super) fn correct(comparisons: &mut [ClaimComparison], expect: Expect, level: f64) {
    let tested: Vec<usize> =
        (0..comparisons.len()).filter(|&at| p_value(&comparisons[at]).is_some()).collect();
    let p_values: Vec<f64> = tested.iter().filter_map(|&at| p_value(&comparisons[at])).collect();
    for (at, adjusted) in tested.into_iter().zip(holm(&p_values)) {
        let comparison = &mut comparisons[at];
        if let Some(result) = &mut comparison.result {
            result.p_holm = Some(adjusted);
        }
        // The tests are of no difference at all, so they say nothing of equality within a margin.
        let by_test = !matches!(expect, Expect::Equal(_)) && !are_same(comparison);
        if by_test && comparison.verdict == ClaimVerdict::DoesNotHold && adjusted > level {
            comparison.verdict = ClaimVerdict::Open;
        }
    }
}

fn p_value(comparison: &ClaimComparison) -> Option<f64> {
    comparison.result.as_ref()?.p_value
}

/// Whether the predictions of both rows are the same: then no resample has a difference.
fn are_same(comparison: &ClaimComparison) -> bool {
    comparison.result.as_ref().is_some_and(|result| result.low == 0.0 && result.high == 0.0)
}

/// What all comparisons of a claim on a dataset say together.
pub(super) fn together(comparisons: &[ClaimComparison]) -> ClaimVerdict {
    let all = |verdict| comparisons.iter().all(|comparison| comparison.verdict == verdict);
    if comparisons.iter().any(|comparison| comparison.verdict == ClaimVerdict::DoesNotHold) {
        ClaimVerdict::DoesNotHold
    } else if all(ClaimVerdict::NotMeasured) {
        ClaimVerdict::NotMeasured
    } else if all(ClaimVerdict::Holds) {
        ClaimVerdict::Holds
    } else {
        ClaimVerdict::Open
    }
}

#[cfg(test)]
mod tests {
    use molarena_metrics::Metric;

    use super::*;
    use crate::claims::{ClaimResult, ClaimSide};

    fn comparison(verdict: ClaimVerdict, p_value: Option<f64>) -> ClaimComparison {
        let side = ClaimSide { mean: 0.5, std: None, store: None };
        let result = (verdict != ClaimVerdict::NotMeasured).then(|| ClaimResult {
            split: "random".into(),
            metric: Metric::RocAuc,
            seeds: vec![0],
            first: side.clone(),
            second: side,
            difference: -0.1,
            low: -0.2,
            high: -0.01,
            p_value,
            p_holm: None,
            wilcoxon_p_value: None,
            tasks: None,
        });
        ClaimComparison { against: "b".into(), verdict, reason: None, result }
    }

    #[test]
    fn a_comparison_holds_in_the_expected_direction_only() {
        use ClaimVerdict::{DoesNotHold, Holds, Open};
        for (said, better, worse) in [
            (Verdict::FirstIsBetter, Holds, DoesNotHold),
            (Verdict::SecondIsBetter, DoesNotHold, Holds),
            (Verdict::NotSeparable, Open, Open),
            (Verdict::Same, DoesNotHold, DoesNotHold),
        ] {
            let ends = (-0.1, 0.1);
            assert_eq!(of_comparison(Expect::Better, said, ends), better, "{said:?}");
            assert_eq!(of_comparison(Expect::Worse, said, ends), worse, "{said:?}");
        }
    }

    #[test]
    fn equal_is_decided_by_the_interval_and_the_margin() {
        use ClaimVerdict::{DoesNotHold, Holds, Open};
        for (ends, expected) in [
            ((-0.01, 0.01), Holds),
            ((-0.005, 0.002), Holds),
            ((0.002, 0.005), Holds),
            ((-0.02, 0.005), Open),
            ((-0.5, 0.5), Open),
            ((0.011, 0.02), DoesNotHold),
            ((-0.02, -0.011), DoesNotHold),
        ] {
            assert_eq!(
                of_comparison(Expect::Equal(0.01), Verdict::FirstIsBetter, ends),
                expected,
                "{ends:?}"
            );
        }
        assert_eq!(of_comparison(Expect::Equal(0.01), Verdict::Same, (0.0, 0.0)), Holds);
    }

    #[test]
    fn one_of_many_that_goes_the_other_way_may_be_chance() {
        use ClaimVerdict::{DoesNotHold, Holds, NotMeasured, Open};
        let mut of = vec![comparison(DoesNotHold, Some(0.03)), comparison(NotMeasured, None)];
        correct(&mut of, Expect::Better, 0.05);
        // It is the only one that is tested.
        assert_eq!((of[0].verdict, of[0].result.as_ref().unwrap().p_holm), (DoesNotHold, Some(0.03)));
        let mut of = vec![comparison(DoesNotHold, Some(0.03)), comparison(Holds, Some(0.04))];
        correct(&mut of, Expect::Better, 0.05);
        assert_eq!((of[0].verdict, of[0].result.as_ref().unwrap().p_holm), (Open, Some(0.06)));
        assert_eq!((of[1].verdict, of[1].result.as_ref().unwrap().p_holm), (Holds, Some(0.06)));
        let mut of = vec![comparison(DoesNotHold, Some(0.03)), comparison(Holds, Some(0.04))];
        correct(&mut of, Expect::Equal(0.01), 0.05);
        assert_eq!(of[0].verdict, DoesNotHold);
    }

    #[test]
    fn a_claim_on_a_dataset_is_all_its_comparisons() {
        use ClaimVerdict::{DoesNotHold, Holds, NotMeasured, Open};
        for (verdicts, expected) in [
            (vec![Holds, Holds], Holds),
            (vec![Holds, Open], Open),
            (vec![Holds, NotMeasured], Open),
            (vec![NotMeasured, NotMeasured], NotMeasured),
            (vec![Open, NotMeasured, DoesNotHold], DoesNotHold),
        ] {
            let of: Vec<_> = verdicts.iter().map(|&verdict| comparison(verdict, None)).collect();
            assert_eq!(together(&of), expected, "{verdicts:?}");
        }
    }
}
