//! The quality of a split.

use super::{
    random::Random,
    target::{Stat, Target},
};

/// The best split offered so far; equally good splits have equal chances.
///
/// For draws with labels y that are split into a left and a right part, both the decrease of the sum of squares and,
/// for classes 0 and 1, half the decrease of the Gini impurity (times the number of draws; Breiman et al. 1984) are
/// `n_left n_right / n (mean_left - mean_right)^2`. With W draws of sum S in the node and w draws of sum s to the
/// right, this is `(s W - S w)^2 / (w (W - w))`, up to the factor 1 / W^2, which is the same for all splits of a node.
pub(crate) struct Best<S> {
    weight: u64,
    total_weight: f64,
    total_sum: f64,
    least: u64,
    gain: f64,
    equals: usize,
    found: Option<(S, Stat)>,
}

impl<S: Copy> Best<S> {
    /// No split yet of a node with statistic `total`; each part must have at least `least` draws.
    pub(crate) fn new(target: &Target<'_>, total: Stat, least: u64) -> Self {
        let (weight, sum) = (target.weight(total), target.sum(total));
        let (total_weight, total_sum) = (weight as f64, sum as f64);
        Self { weight, total_weight, total_sum, least, gain: -1.0, equals: 0, found: None }
    }

    /// Whether a feature with statistic `right` varies within the node.
    pub(crate) fn separates(&self, target: &Target<'_>, right: Stat) -> bool {
        let weight = target.weight(right);
        weight != 0 && weight != self.weight
    }

    /// Offers a split that [separates](Self::separates) and puts `right` to the right.
    pub(crate) fn offer(&mut self, target: &Target<'_>, random: &mut Random, split: S, right: Stat) {
        let weight = target.weight(right);
        if weight < self.least || self.weight - weight < self.least {
            return;
        }
        let (right_weight, sum) = (weight as f64, target.sum(right) as f64);
        let difference = sum * self.total_weight - self.total_sum * right_weight;
        let gain = difference * difference / (right_weight * (self.total_weight - right_weight));
        if gain > self.gain {
            self.gain = gain;
            self.equals = 1;
            self.found = Some((split, right));
        } else if gain == self.gain {
            self.equals += 1;
            if random.below(self.equals) == 0 {
                self.found = Some((split, right));
            }
        }
    }

    /// The chosen split and the statistic that it puts to the right; `None` if no split was allowed.
    pub(crate) fn found(&self) -> Option<(S, Stat)> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use molarena_sdk::TaskKind;

    use super::*;
    use crate::targets::Targets;

    #[test]
    fn gains_are_the_decrease_of_impurity() {
        let targets = Targets { rows: (0..10).collect(), values: vec![0.0; 10] };
        let target = Target::new(&targets, TaskKind::Classification).unwrap();
        let stat = |negatives: u32, positives: u32| target.stat(negatives, 0) + target.stat(positives, 1);
        let gini = |negatives: f64, positives: f64| 2.0 * negatives * positives / (negatives + positives);
        let mut best = Best::new(&target, stat(6, 4), 1);
        best.offer(&target, &mut Random::of(0, 0, 0), 3, stat(1, 3));
        let decrease = gini(6.0, 4.0) - gini(1.0, 3.0) - gini(5.0, 1.0);
        assert!((best.gain / best.total_weight - decrease / 2.0).abs() < 1e-12);
        assert_eq!(best.found(), Some((3, stat(1, 3))));
    }

    #[test]
    fn constant_features_and_small_parts() {
        let targets = Targets { rows: (0..4).collect(), values: vec![0.0; 4] };
        let target = Target::new(&targets, TaskKind::Classification).unwrap();
        let total = target.stat(2, 0) + target.stat(2, 1);
        let mut best = Best::new(&target, total, 2);
        assert!(!best.separates(&target, 0) && !best.separates(&target, total));
        assert!(best.separates(&target, target.stat(1, 1)));
        best.offer(&target, &mut Random::of(0, 0, 0), 0, target.stat(1, 1));
        assert_eq!(best.found(), None);
        best.offer(&target, &mut Random::of(0, 0, 0), 1, target.stat(1, 1) + target.stat(1, 0));
        assert!(best.found().is_some(), "a split without gain is allowed, as in scikit-learn");
    }

    #[test]
    fn equal_splits_have_equal_chances() {
        let targets = Targets { rows: vec![0, 1], values: vec![0.0, 1.0] };
        let target = Target::new(&targets, TaskKind::Classification).unwrap();
        let mut random = Random::of(1, 2, 3);
        let mut counts = [0u32; 3];
        for _ in 0..3000 {
            let mut best = Best::new(&target, target.stat(1, 0) + target.stat(1, 1), 1);
            for split in 0..3 {
                best.offer(&target, &mut random, split, target.stat(1, 1));
            }
            counts[best.found().unwrap().0] += 1;
        }
        assert!(counts.iter().all(|count| count.abs_diff(1000) < 120), "{counts:?}");
    }
}
