//! Labels as integers, so that sums are exact and do not depend on their order.

use molarena_sdk::{Error, Result, TaskKind};

use crate::targets::Targets;

/// The labels of one task. A label is `low + code * step` with an integer code. For classes the code is the label
/// itself. For numbers it is a position in the range of the labels with a resolution of 2^-32 of that range (coarser
/// above 65,535 rows).
#[derive(Clone, Debug)]
pub(crate) struct Target<'a> {
    /// Labelled rows.
    pub rows: &'a [u32],
    /// Code of each labelled row.
    pub codes: Vec<u32>,
    low: f64,
    step: f64,
    shift: u32,
}

/// A number of draws and the sum of their codes in one word, so that one addition adds both: the sum takes the lower
/// `shift` bits.
pub(crate) type Stat = u64;

impl<'a> Target<'a> {
    /// Codes of a task's labels. There are fewer than 2^28 rows, so that a sum fits.
    pub(crate) fn new(targets: &'a Targets, kind: TaskKind) -> Result<Self> {
        let count_bits = usize::BITS - targets.len().leading_zeros();
        if count_bits > 28 {
            return Err(Error::unsupported(format!(
                "{} labelled rows: a forest takes 2^28 - 1",
                targets.len()
            )));
        }
        let shift = 64 - count_bits;
        let (low, step) = match kind {
            TaskKind::Classification => (0.0, 1.0),
            TaskKind::Regression => range(&targets.values, (shift - count_bits).min(32)),
        };
        let code = |&value: &f32| ((f64::from(value) - low) / step).round() as u32;
        Ok(Self { rows: &targets.rows, codes: targets.values.iter().map(code).collect(), low, step, shift })
    }

    /// Statistic of `weight` draws of a label; all draws together must not exceed the number of rows.
    pub(crate) fn stat(&self, weight: u32, code: u32) -> Stat {
        (u64::from(weight) << self.shift) + u64::from(weight) * u64::from(code)
    }

    /// Number of draws.
    pub(crate) fn weight(&self, stat: Stat) -> u64 {
        stat >> self.shift
    }

    /// Sum of codes.
    pub(crate) fn sum(&self, stat: Stat) -> u64 {
        stat & ((1 << self.shift) - 1)
    }

    /// Mean label.
    pub(crate) fn mean(&self, stat: Stat) -> f32 {
        (self.low + self.step * (self.sum(stat) as f64 / self.weight(stat) as f64)) as f32
    }
}

/// The lowest value, and the step that divides the range into 2^bits - 1 parts.
fn range(values: &[f32], bits: u32) -> (f64, f64) {
    let low = values.iter().copied().fold(f32::INFINITY, f32::min);
    let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let width = f64::from(high) - f64::from(low);
    if width > 0.0 {
        (f64::from(low), width / ((1u64 << bits) - 1) as f64)
    } else {
        (f64::from(low.min(high)), 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact() {
        let targets = Targets { rows: vec![0, 1, 2, 3], values: vec![-1.5, 2.0, 0.25, 2.0] };
        let target = Target::new(&targets, TaskKind::Regression).unwrap();
        let stat: Stat = target.codes.iter().map(|&code| target.stat(1, code)).sum();
        assert_eq!(target.weight(stat), 4);
        assert!((target.mean(stat) - 0.6875).abs() < 1e-6);
        assert_eq!(target.codes[1], target.codes[3]);
        assert_eq!(target.mean(target.stat(3, target.codes[0])), -1.5);
        assert_eq!(target.mean(target.stat(4, target.codes[1])), 2.0);
    }

    #[test]
    fn the_largest_sum_fits() {
        let targets = Targets { rows: (0..1000).collect(), values: (0..1000).map(|v| v as f32).collect() };
        let target = Target::new(&targets, TaskKind::Regression).unwrap();
        let top = *target.codes.iter().max().unwrap();
        let stat = target.stat(1000, top);
        assert_eq!((target.weight(stat), target.mean(stat)), (1000, 999.0));
    }

    #[test]
    fn classes_are_their_own_codes() {
        let targets = Targets { rows: vec![4, 9, 11, 12], values: vec![1.0, 0.0, 0.0, 1.0] };
        let target = Target::new(&targets, TaskKind::Classification).unwrap();
        assert_eq!(target.codes, [1, 0, 0, 1]);
        assert_eq!(target.mean(target.stat(1, 0) + target.stat(3, 1)), 0.75);
    }

    #[test]
    fn equal_labels_have_one_code() {
        let targets = Targets { rows: vec![0, 1], values: vec![3.25, 3.25] };
        let target = Target::new(&targets, TaskKind::Regression).unwrap();
        assert_eq!(target.mean(target.stat(2, target.codes[0])), 3.25);
    }
}
