//! Which rows of a board differ, at a level that holds for all pairs together.

use super::interval::{Interval, check_confidence};

/// Whether each pair of rows is separated: row-major `[rows, rows]`, symmetric, for [`tie_bands`](super::tie_bands).
///
/// `estimates` has the score of each row, `replicates` its scores on resamples that the rows share. Each difference is
/// divided by its standard error over the resamples. The critical value is the quantile at `confidence` of the largest
/// such ratio over all pairs, with resampled differences less their estimates: the single-step maxT procedure (Westfall
/// & Young 1993, *Resampling-Based Multiple Testing*, section 2.3), so that the probability of separating any pair of
/// equal rows is 1 - `confidence`. Rows whose difference never varies are separated if it is not 0.
///
/// # Panics
///
/// If the numbers of estimates, of rows, or of replicates of the rows do not agree, or `confidence` is not between 0
/// and 1.
pub fn separated_pairs(estimates: &[f64], replicates: &[&[f64]], confidence: f64) -> Vec<bool> {
    check_confidence(confidence);
    let rows = estimates.len();
    assert_eq!(rows, replicates.len(), "rows differ from estimates in number");
    let resamples = replicates.first().map_or(0, |row| row.len());
    assert!(replicates.iter().all(|row| row.len() == resamples), "rows differ in their number of replicates");
    let mut largest = vec![0.0_f64; resamples];
    let mut ratios = vec![0.0; rows * rows];
    for one in 0..rows {
        for other in one + 1..rows {
            let estimate = estimates[one] - estimates[other];
            let error = studentise(estimate, replicates[one], replicates[other], &mut largest);
            let ratio = if error > 0.0 {
                (estimate / error).abs()
            } else if estimate == 0.0 {
                0.0
            } else {
                f64::INFINITY
            };
            ratios[one * rows + other] = ratio;
            ratios[other * rows + one] = ratio;
        }
    }
    largest.sort_by(f64::total_cmp);
    let critical = critical(&largest, confidence);
    ratios.into_iter().map(|ratio| ratio > critical).collect()
}

/// A row against the reference row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AgainstReference {
    /// Estimate of the row less that of the reference.
    pub difference: f64,
    /// Simultaneous interval: with the probability of the confidence, all rows' intervals hold together.
    pub interval: Interval,
    /// Two-sided p value, adjusted for the number of rows; at least 1 / (resamples + 1).
    pub p_value: f64,
}

/// Each row against one reference, with a correction like Dunnett's for resampled scores: the single-step maxT procedure
/// of [`separated_pairs`], over the pairs with the reference only.
///
/// `None` for no resamples. A row that never differs from the reference by another amount than its estimate has an
/// interval of that one number.
///
/// # Panics
///
/// If the rows differ in their number of replicates, or `confidence` is not between 0 and 1.
pub fn against_reference(
    reference: (f64, &[f64]),
    rows: &[(f64, &[f64])],
    confidence: f64,
) -> Option<Vec<AgainstReference>> {
    check_confidence(confidence);
    let (reference, reference_replicates) = reference;
    let resamples = reference_replicates.len();
    assert!(rows.iter().all(|(_, row)| row.len() == resamples), "rows differ in their number of replicates");
    if resamples == 0 {
        return None;
    }
    let mut largest = vec![0.0_f64; resamples];
    let mut pairs = Vec::with_capacity(rows.len());
    for (estimate, replicates) in rows {
        let difference = estimate - reference;
        pairs.push((difference, studentise(difference, replicates, reference_replicates, &mut largest)));
    }
    let mut sorted = largest.clone();
    sorted.sort_by(f64::total_cmp);
    let critical = critical(&sorted, confidence);
    let compared = pairs.into_iter().map(|(difference, error)| {
        let ratio = if error > 0.0 { (difference / error).abs() } else { f64::INFINITY };
        let beyond = largest.iter().filter(|largest| **largest >= ratio).count();
        let p_value = if difference == 0.0 { 1.0 } else { (beyond + 1) as f64 / (resamples + 1) as f64 };
        let half_width = if error > 0.0 { critical * error } else { 0.0 };
        AgainstReference { difference, interval: Interval::around(difference, half_width), p_value }
    });
    Some(compared.collect())
}

/// Standard error of the difference of two rows over their resamples. Where it is not 0, each resample's largest ratio
/// is raised to that of this difference, less its estimate.
fn studentise(estimate: f64, one: &[f64], other: &[f64], largest: &mut [f64]) -> f64 {
    let differences: Vec<f64> = one.iter().zip(other).map(|(one, other)| one - other).collect();
    let error = standard_deviation(&differences);
    if error > 0.0 {
        for (largest, difference) in largest.iter_mut().zip(differences) {
            *largest = largest.max(((difference - estimate) / error).abs());
        }
    }
    error
}

/// The value that all of `sorted` but a share of 1 - `confidence` are at or below. Too few of them separate nothing that
/// varies.
fn critical(sorted: &[f64], confidence: f64) -> f64 {
    let place = (confidence * (sorted.len() + 1) as f64).ceil() as usize;
    place.checked_sub(1).and_then(|place| sorted.get(place)).copied().unwrap_or(f64::MAX)
}

fn standard_deviation(values: &[f64]) -> f64 {
    crate::mean_and_std(values).and_then(|(_, std)| std).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use rand_xoshiro::Xoshiro256PlusPlus;
    use rand_xoshiro::rand_core::{Rng, SeedableRng};

    use super::*;

    /// A sum of 12 uniform numbers, which is nearly normal, with variance 1.
    fn normal(random: &mut Xoshiro256PlusPlus) -> f64 {
        (0..12).map(|_| (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64).sum::<f64>() - 6.0
    }

    #[test]
    fn pairs_by_hand() {
        // The first two are equal everywhere, the third is always 1 less, the fourth varies around the first.
        let first = [0.5, 0.6, 0.4, 0.5, 0.5];
        let third = first.map(|value| value - 1.0);
        let fourth = [0.6, 0.5, 0.5, 0.4, 0.5];
        let replicates: [&[f64]; 4] = [&first, &first, &third, &fourth];
        let separated = separated_pairs(&[0.5, 0.5, -0.5, 0.5], &replicates, 0.8);
        assert!(!separated[1] && !separated[4]);
        // Resampled differences are 0 but for rounding.
        assert!(separated[2] && separated[8] && separated[6]);
        assert!(!separated[3] && !separated[7]);
        assert_eq!(separated_pairs(&[], &[], 0.95), [false; 0]);
        assert_eq!(separated_pairs(&[0.5], &[&first], 0.95), [false]);
    }

    #[test]
    fn one_reference_by_hand() {
        let reference = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        // Standard deviation sqrt(7.5); the ratios to it of the largest are 4 of 9 values.
        let varied = [-4.0, -3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0, 4.0];
        let rows: [(f64, &[f64]); 3] = [(0.0, &varied), (2.0, &[2.0; 9]), (0.0, &reference)];
        let compared = against_reference((0.0, &reference), &rows, 0.8).unwrap();
        // The eighth of nine absolute values, 4.
        assert!((compared[0].interval.high - 4.0).abs() < 1e-12, "{compared:?}");
        assert_eq!((compared[0].difference, compared[0].p_value), (0.0, 1.0));
        assert_eq!((compared[1].difference, compared[1].interval), (2.0, Interval { low: 2.0, high: 2.0 }));
        assert!((compared[1].p_value - 0.1).abs() < 1e-12);
        assert_eq!(compared[2].p_value, 1.0);
        let shifted = varied.map(|value| value + 3.0);
        let compared = against_reference((0.0, &reference), &[(3.0, &shifted)], 0.8).unwrap();
        // 4 of 9 resamples are at least 3 away from their estimate.
        assert!((compared[0].p_value - 0.5).abs() < 1e-12, "{compared:?}");
        assert_eq!(against_reference((0.0, &[]), &[(1.0, &[])], 0.9), None);
    }

    #[test]
    fn few_resamples_separate_only_what_does_not_vary() {
        let separated = separated_pairs(&[0.0, 9.0, 1.0], &[&[0.0, 0.1], &[9.0, 9.0], &[1.0, 1.0]], 0.95);
        assert_eq!(separated, [false, false, false, false, false, true, false, true, false]);
    }

    /// Rows of means of shared molecules: equal rows are separated in 1 of 20 experiments, unequal ones nearly always.
    #[test]
    fn equal_rows_are_rarely_separated() {
        const ROWS: usize = 5;
        const MOLECULES: usize = 60;
        const RESAMPLES: usize = 200;
        let mut random = Xoshiro256PlusPlus::seed_from_u64(7);
        let mut false_alarms = 0;
        let mut found = 0;
        let experiments = 400;
        for _ in 0..experiments {
            let mut values = vec![vec![0.0; MOLECULES]; ROWS];
            for molecule in 0..MOLECULES {
                let shared = normal(&mut random);
                for row in &mut values {
                    row[molecule] = shared + normal(&mut random);
                }
            }
            let draws: Vec<Vec<usize>> = (0..RESAMPLES)
                .map(|_| (0..MOLECULES).map(|_| (random.next_u64() % MOLECULES as u64) as usize).collect())
                .collect();
            let mean_of = |row: &[f64], draw: &[usize]| {
                draw.iter().map(|&molecule| row[molecule]).sum::<f64>() / MOLECULES as f64
            };
            let all: Vec<usize> = (0..MOLECULES).collect();
            let check = |values: &[Vec<f64>]| {
                let estimates: Vec<f64> = values.iter().map(|row| mean_of(row, &all)).collect();
                let replicates: Vec<Vec<f64>> =
                    values.iter().map(|row| draws.iter().map(|draw| mean_of(row, draw)).collect()).collect();
                let slices: Vec<&[f64]> = replicates.iter().map(Vec::as_slice).collect();
                separated_pairs(&estimates, &slices, 0.95)
            };
            false_alarms += usize::from(check(&values).contains(&true));
            values[4].iter_mut().for_each(|value| *value += 1.5);
            let separated = check(&values);
            found += usize::from((0..4).all(|row| separated[row * ROWS + 4]));
        }
        // The bootstrap of 60 molecules is a little liberal.
        let rate = false_alarms as f64 / experiments as f64;
        assert!((0.02..0.09).contains(&rate), "{rate}");
        assert!(found > experiments * 95 / 100, "{found} of {experiments}");
    }
}
