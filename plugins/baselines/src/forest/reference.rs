//! Grows trees in the plain way on the same draws: at every node it sorts the rows by each drawn feature's value.

use molarena_sdk::{Dense, TaskKind};
use proptest::prelude::*;

use super::{
    columns::{Columns, SAME},
    dense_tree::DenseTree,
    grow_dense::{DenseGrower, DenseScratch, FEW},
    random::{Random, draw_first},
    sample::{Limits, Sample, bootstrap, is_leaf},
    split::Best,
    target::{Stat, Target},
};
use crate::targets::Targets;

/// The state that the plain way needs to grow a tree.
struct Plain<'a> {
    dense: Dense<'a>,
    /// Which features are ranked, and therefore candidates in every node.
    ranked: Vec<bool>,
    target: &'a Target<'a>,
    limits: Limits,
    few: usize,
    random: Random,
    order: Vec<usize>,
    tree: DenseTree,
}

/// Feature, threshold, and the statistic of the draws above it.
type Found = Option<((usize, f32), Stat)>;

impl Plain<'_> {
    fn grow(mut self) -> DenseTree {
        let mut samples = Vec::new();
        bootstrap(self.target, self.limits.bootstrap, &mut self.random, &mut samples);
        self.order = (0..self.dense.columns).collect();
        self.node(0, 0, samples);
        self.tree.shrink();
        self.tree
    }

    fn node(&mut self, number: u32, depth: u32, samples: Vec<Sample>) {
        let total: Stat = samples.iter().map(|sample| sample.stat).sum();
        let leaf = is_leaf(&self.limits, self.target, &samples, total, depth);
        let found = if leaf { None } else { self.search(&samples, total) };
        let Some(((feature, threshold), _)) = found else {
            return self.tree.set_leaf(number, self.target.mean(total));
        };
        let (left, right): (Vec<_>, Vec<_>) =
            samples.into_iter().partition(|sample| self.value(sample.row, feature) <= threshold);
        let child = self.tree.set_split(number, feature as u32, threshold);
        if left.len() < right.len() {
            self.node(child, depth + 1, left);
            self.node(child + 1, depth + 1, right);
        } else {
            self.node(child + 1, depth + 1, right);
            self.node(child, depth + 1, left);
        }
    }

    fn value(&self, row: u32, feature: usize) -> f32 {
        self.dense.values[row as usize * self.dense.columns + feature]
    }

    fn search(&mut self, samples: &[Sample], total: Stat) -> Found {
        let mut best = Best::new(self.target, total, self.limits.min_samples_leaf);
        let (columns, wanted) = (self.dense.columns, self.limits.max_features);
        if wanted >= columns {
            for feature in 0..columns {
                self.offer(feature, samples, total, &mut best);
            }
            return best.found();
        }
        let large = samples.len() > self.few;
        let mut order = if large { std::mem::take(&mut self.order) } else { self.candidates(samples) };
        let drawn = if large { 0 } else { draw_first(&mut self.random, &mut order, columns, wanted) };
        let mut varies = false;
        for position in 0..order.len() {
            if position >= drawn {
                if varies && (!large || position >= wanted) {
                    break;
                }
                let next = position + self.random.below(order.len() - position);
                order.swap(position, next);
            }
            varies |= self.offer(order[position], samples, total, &mut best);
        }
        if large {
            self.order = order;
        }
        best.found()
    }

    /// Features that are ranked, or above their lowest value in some row of the node.
    fn candidates(&self, samples: &[Sample]) -> Vec<usize> {
        let lowest = |feature: usize| {
            (0..self.dense.rows as u32).map(|row| self.value(row, feature)).fold(f32::INFINITY, f32::min)
        };
        (0..self.dense.columns)
            .filter(|&feature| {
                let lowest = lowest(feature);
                self.ranked[feature] || samples.iter().any(|sample| self.value(sample.row, feature) > lowest)
            })
            .collect()
    }

    /// Offers each threshold between two values of a feature; returns whether the feature varies.
    fn offer(
        &mut self,
        feature: usize,
        samples: &[Sample],
        total: Stat,
        best: &mut Best<(usize, f32)>,
    ) -> bool {
        let mut sorted: Vec<(f32, Stat)> =
            samples.iter().map(|sample| (self.value(sample.row, feature), sample.stat)).collect();
        sorted.sort_by(|one, other| one.0.partial_cmp(&other.0).unwrap());
        let mut right = total;
        for pair in sorted.windows(2) {
            let [(below, stat), (above, _)] = [pair[0], pair[1]];
            right -= stat;
            if above > below + SAME {
                let middle = below / 2.0 + above / 2.0;
                let threshold = if middle < above { middle.max(below) } else { below };
                best.offer(self.target, &mut self.random, (feature, threshold), right);
            }
        }
        sorted[sorted.len() - 1].0 > sorted[0].0 + SAME
    }
}

/// Rows of sparse counts, counts that are mostly not 0, real values, real values of which some are almost equal, and
/// constants.
fn mixed(seed: u64, rows: usize, columns: usize) -> Vec<f32> {
    let mut random = Random::of(seed, 0, 0);
    let mut value = |column: usize| match column % 8 {
        0..4 => random.below(12).saturating_sub(8) as f32,
        4 => random.below(6) as f32 * 0.5 - 1.0,
        5 => random.below(1 << 20) as f32 / 1000.0 - 500.0,
        6 => random.below(9) as f32 * 4e-8,
        _ => 7.0,
    };
    (0..rows * columns).map(|place| value(place % columns)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Lists, ranks, subtraction and look-ups grow the same tree as the plain way.
    #[test]
    fn trees_are_those_of_the_plain_way(
        seed in any::<u64>(),
        rows in 2usize..220,
        columns in 1usize..130,
        share in 0usize..4,
        few in prop_oneof![Just(FEW), 0usize..20, Just(usize::MAX)],
        min_samples_leaf in 1u64..4,
        listed in any::<bool>(),
    ) {
        let values = mixed(seed, rows, columns);
        let dense = Dense::new(&values, rows, columns).unwrap();
        let sorted = if listed { Columns::new(&dense) } else { Columns::with_levels(&dense, 0) }.unwrap();
        let ranked: Vec<bool> = (0..columns as u32).map(|feature| sorted.ranked(feature).is_some()).collect();
        let max_features = [1, columns.isqrt(), columns.div_ceil(2), columns][share];
        let mut random = Random::of(seed, 1, 0);
        for (kind, bound) in [(TaskKind::Classification, 2), (TaskKind::Regression, 1000)] {
            let labels = (0..rows).map(|_| random.below(bound) as f32).collect();
            let targets = Targets { rows: (0..rows as u32).collect(), values: labels };
            let target = Target::new(&targets, kind).unwrap();
            let limits = Limits { max_features, max_depth: u32::MAX, min_samples_leaf, bootstrap: true };
            let mut scratch = DenseScratch::default();
            for tree in 0..3 {
                let random = Random::of(seed, 2, tree);
                let grown =
                    DenseGrower::new(&sorted, &target, limits, few, &mut scratch, random.clone()).grow();
                let plain = Plain {
                    dense, ranked: ranked.clone(), target: &target, limits, few, random, order: Vec::new(),
                    tree: DenseTree::new(),
                };
                prop_assert_eq!(grown, plain.grow());
            }
        }
    }
}
