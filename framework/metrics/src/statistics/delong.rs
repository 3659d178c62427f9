//! DeLong's variance of areas under the ROC curve, and the test of two of them on the same molecules.

use super::distributions::{normal_quantile, normal_two_sided};
use super::interval::{Interval, check_confidence};
use crate::classes::ClassCounts;
use crate::ranks::midranks;
use crate::squares::square;

/// An area under the ROC curve and its variance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeLong {
    /// The area.
    pub auc: f64,
    /// Variance of the area over samples of molecules.
    pub variance: f64,
}

/// Two areas under the ROC curve on the same molecules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DeLongDifference {
    /// The first area.
    pub first: DeLong,
    /// The second area.
    pub second: DeLong,
    /// Covariance of the two areas.
    pub covariance: f64,
    /// First area less second area.
    pub difference: f64,
    /// The difference over its standard error. Infinite where the standard error is 0 and the difference is not.
    pub z: f64,
    /// Two-sided p value.
    pub p_value: f64,
}

impl DeLong {
    /// Normal interval of the area, cut to `[0, 1]`. It is too short for areas near 1 and for few molecules of a class.
    ///
    /// # Panics
    ///
    /// If `confidence` is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Interval {
        let whole = Interval::around(self.auc, half_width(self.variance, confidence));
        Interval { low: whole.low.max(0.0), high: whole.high.min(1.0) }
    }
}

impl DeLongDifference {
    /// Normal interval of the difference.
    ///
    /// # Panics
    ///
    /// If `confidence` is not between 0 and 1.
    pub fn interval(&self, confidence: f64) -> Interval {
        Interval::around(self.difference, half_width(self.variance(), confidence))
    }

    /// Variance of the difference.
    pub fn variance(&self) -> f64 {
        // Rounding can leave a tiny negative number for rows that are nearly the same.
        (self.first.variance + self.second.variance - 2.0 * self.covariance).max(0.0)
    }
}

fn half_width(variance: f64, confidence: f64) -> f64 {
    check_confidence(confidence);
    normal_quantile(f64::midpoint(1.0, confidence)) * variance.sqrt()
}

/// The area under the ROC curve with the variance of DeLong, DeLong & Clarke-Pearson 1988, *Biometrics* 44, 837, by
/// midranks (Sun & Xu 2014, *IEEE Signal Processing Letters* 21, 1389): O(n log n).
///
/// `labels` are 0 or 1, without missing ones. `None` unless there are 2 molecules or more of each class, and where a
/// value is not finite or a label not a class.
///
/// # Panics
///
/// If the lengths differ.
pub fn delong(labels: &[f32], predictions: &[f32]) -> Option<DeLong> {
    let placements = Placements::of(labels, predictions)?;
    Some(DeLong { auc: placements.auc, variance: placements.covariance(&placements) })
}

/// Two sets of predictions of the same molecules: DeLong's test of whether their areas differ. See [`delong`].
///
/// # Panics
///
/// If the lengths differ.
pub fn delong_difference(labels: &[f32], first: &[f32], second: &[f32]) -> Option<DeLongDifference> {
    let (one, other) = (Placements::of(labels, first)?, Placements::of(labels, second)?);
    let difference = one.auc - other.auc;
    let mut result = DeLongDifference {
        first: DeLong { auc: one.auc, variance: one.covariance(&one) },
        second: DeLong { auc: other.auc, variance: other.covariance(&other) },
        covariance: one.covariance(&other),
        difference,
        z: 0.0,
        p_value: 1.0,
    };
    if difference != 0.0 {
        result.z = difference / result.variance().sqrt();
        result.p_value = normal_two_sided(result.z);
    }
    Some(result)
}

/// How each molecule is placed among those of the other class.
struct Placements {
    auc: f64,
    /// Of each positive, the share of negatives below it, ties counting one half.
    positives: Vec<f64>,
    /// Of each negative, the share of positives above it, ties counting one half.
    negatives: Vec<f64>,
}

impl Placements {
    fn of(labels: &[f32], predictions: &[f32]) -> Option<Self> {
        assert_eq!(labels.len(), predictions.len(), "labels and predictions differ in length");
        if !predictions.iter().all(|prediction| prediction.is_finite()) {
            return None;
        }
        let counts = ClassCounts::of(labels)?;
        if counts.positives < 2 || counts.negatives < 2 {
            return None;
        }
        let (m, n) = (counts.positives as f64, counts.negatives as f64);
        let (above, below) = class_ranks(labels, predictions);
        let positives: Vec<f64> = above.iter().map(|(all, own)| (all - own) / n).collect();
        let negatives: Vec<f64> = below.iter().map(|(all, own)| 1.0 - (all - own) / m).collect();
        let rank_sum: f64 = above.iter().map(|(all, _)| all).sum();
        let auc = (rank_sum - m * (m + 1.0) / 2.0) / (m * n);
        Some(Self { auc, positives, negatives })
    }

    /// Covariance of the two areas: S10 / m + S01 / n (equation 5 of DeLong et al.).
    fn covariance(&self, other: &Self) -> f64 {
        let part = |one: &[f64], two: &[f64]| -> f64 {
            let n = one.len() as f64;
            let (mean_one, mean_two) = (one.iter().sum::<f64>() / n, two.iter().sum::<f64>() / n);
            let products: f64 = if std::ptr::eq(one, two) {
                one.iter().map(|x| square(x - mean_one)).sum()
            } else {
                one.iter().zip(two).map(|(x, y)| (x - mean_one) * (y - mean_two)).sum()
            };
            products / (n - 1.0) / n
        };
        part(&self.positives, &other.positives) + part(&self.negatives, &other.negatives)
    }
}

/// Midranks among all and among their own class, of the positives and of the negatives.
type ClassRanks = (Vec<(f64, f64)>, Vec<(f64, f64)>);

fn class_ranks(labels: &[f32], predictions: &[f32]) -> ClassRanks {
    let all = midranks(predictions);
    let of = |class: f32| {
        let members = || labels.iter().enumerate().filter(move |(_, label)| **label == class);
        let own: Vec<f32> = members().map(|(row, _)| predictions[row]).collect();
        members().map(|(row, _)| all[row]).zip(midranks(&own)).collect()
    };
    (of(1.0), of(0.0))
}
