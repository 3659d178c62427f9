//! The rows that one tree learns from.

use super::{
    random::Random,
    target::{Stat, Target},
};

/// A distinct row of a tree's sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Row of the training matrix.
    pub row: u32,
    /// Code of the row's label.
    pub code: u32,
    /// Number of draws of the row and the sum of their codes.
    pub stat: Stat,
}

/// Limits on the trees of a forest, for a known number of features.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Number of features drawn at each split, at least 1.
    pub max_features: usize,
    /// Maximum depth of a leaf.
    pub max_depth: u32,
    /// Minimum number of draws in a leaf.
    pub min_samples_leaf: u64,
    /// Whether rows are drawn with replacement.
    pub bootstrap: bool,
}

/// Draws as many rows as there are, with replacement, or takes each row once.
pub(crate) fn bootstrap(target: &Target<'_>, draw: bool, random: &mut Random, samples: &mut Vec<Sample>) {
    let rows = target.rows.len();
    let mut weights = vec![u32::from(!draw); rows];
    if draw {
        (0..rows).for_each(|_| weights[random.below(rows)] += 1);
    }
    samples.clear();
    for ((&row, &code), weight) in target.rows.iter().zip(&target.codes).zip(weights) {
        if weight > 0 {
            samples.push(Sample { row, code, stat: target.stat(weight, code) });
        }
    }
}

/// Whether a node is pure or must not be split.
pub(crate) fn is_leaf(
    limits: &Limits,
    target: &Target<'_>,
    samples: &[Sample],
    total: Stat,
    depth: u32,
) -> bool {
    depth >= limits.max_depth
        || target.weight(total) < limits.min_samples_leaf.saturating_mul(2)
        || samples.iter().all(|sample| sample.code == samples[0].code)
}

#[cfg(test)]
mod tests {
    use molarena_sdk::TaskKind;

    use super::*;
    use crate::targets::Targets;

    #[test]
    fn as_many_draws_as_rows() {
        let targets = Targets { rows: (10..510).collect(), values: vec![1.0; 500] };
        let target = Target::new(&targets, TaskKind::Classification).unwrap();
        let mut samples = Vec::new();
        bootstrap(&target, true, &mut Random::of(0, 0, 0), &mut samples);
        let total: Stat = samples.iter().map(|sample| sample.stat).sum();
        assert_eq!((target.weight(total), target.sum(total)), (500, 500));
        // 1 - 1/e of the rows are drawn: 316 with a standard deviation of 7.
        assert!(samples.len().abs_diff(316) < 35, "{}", samples.len());
        assert!(samples.windows(2).all(|pair| pair[0].row < pair[1].row));
        bootstrap(&target, false, &mut Random::of(0, 0, 0), &mut samples);
        assert_eq!((samples.len(), samples[0].row, samples[499].row), (500, 10, 509));
    }
}
