//! Growing one tree over dense features, by ordering the values of each drawn feature at each node.

use molarena_sdk::{Dense, Error, Result};

use super::{
    dense_tree::DenseTree,
    random::Random,
    sample::{Limits, Sample, bootstrap, is_leaf},
    split::Best,
    target::{Stat, Target},
};

/// Values no further apart than this are the same value to a split, as in scikit-learn.
const SAME: f32 = 1e-7;

/// Dense features by column, with every value finite.
pub(crate) struct Columns {
    rows: usize,
    values: Vec<f32>,
    levels: Vec<Option<Levels>>,
}

/// A column of at most 256 distinct values, such as counts: a node tallies them, which needs no sorting.
struct Levels {
    /// Distinct values, rising.
    values: Vec<f32>,
    /// Number of each row's value.
    codes: Vec<u8>,
}

impl Levels {
    fn new(column: &[f32]) -> Option<Self> {
        let mut values: Vec<f32> = Vec::new();
        for &value in column {
            let place = values.partition_point(|&other| other < value);
            if values.get(place) != Some(&value) {
                if values.len() > usize::from(u8::MAX) {
                    return None;
                }
                values.insert(place, value);
            }
        }
        let code = |&value: &f32| values.partition_point(|&other| other < value) as u8;
        Some(Self { codes: column.iter().map(code).collect(), values })
    }
}

impl Columns {
    /// Transposes a matrix; an error names a value that is not finite.
    pub(crate) fn new(dense: &Dense<'_>) -> Result<Self> {
        check_finite(dense)?;
        let mut values = Vec::with_capacity(dense.values.len());
        for column in 0..dense.columns {
            values.extend(dense.values.iter().skip(column).step_by(dense.columns));
        }
        let column = |feature: usize| &values[feature * dense.rows..(feature + 1) * dense.rows];
        let levels = (0..dense.columns).map(|feature| Levels::new(column(feature))).collect();
        Ok(Self { rows: dense.rows, values, levels })
    }

    fn column(&self, feature: usize) -> &[f32] {
        &self.values[feature * self.rows..(feature + 1) * self.rows]
    }
}

/// Refuses values that are not finite.
pub(crate) fn check_finite(dense: &Dense<'_>) -> Result<()> {
    match dense.values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(position) => Err(Error::data(format!(
            "input `dense`: row {}, column {} is {}, must be finite",
            position / dense.columns,
            position % dense.columns,
            dense.values[position]
        ))),
    }
}

/// Memory that one thread reuses from tree to tree.
#[derive(Default)]
pub(crate) struct DenseScratch {
    samples: Vec<Sample>,
    order: Vec<u32>,
    sorted: Vec<(u32, Stat)>,
    tallies: Vec<Stat>,
    thresholds: Vec<(usize, f32)>,
}

/// A node that waits to be split.
struct Node {
    number: u32,
    depth: u32,
    start: usize,
    end: usize,
    total: Stat,
}

/// Grows one tree of a task.
pub(crate) struct DenseGrower<'a> {
    columns: &'a Columns,
    target: &'a Target<'a>,
    limits: Limits,
    scratch: &'a mut DenseScratch,
    random: Random,
    tree: DenseTree,
}

impl<'a> DenseGrower<'a> {
    /// A tree over `features` columns for a task with at least one label.
    pub(crate) fn new(
        columns: &'a Columns,
        features: usize,
        target: &'a Target<'a>,
        limits: Limits,
        scratch: &'a mut DenseScratch,
        random: Random,
    ) -> Self {
        scratch.order.clear();
        scratch.order.extend(0..features as u32);
        Self { columns, target, limits, scratch, random, tree: DenseTree::new() }
    }

    /// Draws the rows and splits until every leaf is pure, cannot be split or has reached a limit.
    pub(crate) fn grow(mut self) -> DenseTree {
        bootstrap(self.target, self.limits.bootstrap, &mut self.random, &mut self.scratch.samples);
        let samples = &self.scratch.samples;
        let total = samples.iter().map(|sample| sample.stat).sum();
        let mut stack = vec![Node { number: 0, depth: 0, start: 0, end: samples.len(), total }];
        while let Some(node) = stack.pop() {
            let samples = &self.scratch.samples[node.start..node.end];
            let found = if is_leaf(&self.limits, self.target, samples, node.total, node.depth) {
                None
            } else {
                self.search(&node)
            };
            let Some((feature, threshold, right_total)) = found else {
                self.tree.set_leaf(node.number, self.target.mean(node.total));
                continue;
            };
            let middle = self.partition(&node, feature, threshold);
            let number = self.tree.set_split(node.number, feature, threshold);
            let (depth, left_total) = (node.depth + 1, node.total - right_total);
            stack.push(Node { number, depth, start: node.start, end: middle, total: left_total });
            stack.push(Node { number: number + 1, depth, start: middle, end: node.end, total: right_total });
        }
        self.tree
    }

    /// Best split: feature, threshold and what goes to the right.
    fn search(&mut self, node: &Node) -> Option<(usize, f32, Stat)> {
        let mut best = Best::new(self.target, node.total, self.limits.min_samples_leaf);
        let count = self.scratch.order.len();
        self.scratch.thresholds.clear();
        let mut varies = false;
        for position in 0..count {
            if position >= self.limits.max_features && varies {
                break;
            }
            let drawn = position + self.random.below(count - position);
            self.scratch.order.swap(position, drawn);
            let feature = self.scratch.order[position] as usize;
            if self.order(node, feature) {
                varies = true;
                self.sweep(node, feature, &mut best);
            }
        }
        let (split, right) = best.found()?;
        let (feature, threshold) = self.scratch.thresholds[split];
        Some((feature, threshold, right))
    }

    /// Orders the node's rows by a feature; whether it varies.
    fn order(&mut self, node: &Node, feature: usize) -> bool {
        let columns = self.columns;
        let DenseScratch { samples, sorted, tallies, .. } = &mut *self.scratch;
        let samples = &samples[node.start..node.end];
        sorted.clear();
        if let Some(levels) = &columns.levels[feature] {
            tallies.clear();
            tallies.resize(levels.values.len(), 0);
            for sample in samples {
                tallies[usize::from(levels.codes[sample.row as usize])] += sample.stat;
            }
            // A statistic of at least one draw is not 0.
            let present = levels.values.iter().zip(&*tallies).filter(|&(_, &stat)| stat != 0);
            sorted.extend(present.map(|(&value, &stat)| (ordered(value), stat)));
            let (low, high) = (value_of(sorted[0].0), value_of(sorted[sorted.len() - 1].0));
            return high > low + SAME;
        }
        let column = columns.column(feature);
        let (low, high) = samples.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), sample| {
            let value = column[sample.row as usize];
            (low.min(value), high.max(value))
        });
        if high <= low + SAME {
            return false;
        }
        sorted.extend(samples.iter().map(|sample| (ordered(column[sample.row as usize]), sample.stat)));
        sorted.sort_unstable_by_key(|&(value, _)| value);
        true
    }

    /// Offers each threshold between two neighbouring values of the sorted feature.
    fn sweep(&mut self, node: &Node, feature: usize, best: &mut Best) {
        let DenseScratch { sorted, thresholds, .. } = &mut *self.scratch;
        let mut left: Stat = 0;
        for pair in sorted.windows(2) {
            left += pair[0].1;
            let (below, above) = (value_of(pair[0].0), value_of(pair[1].0));
            if above <= below + SAME {
                continue;
            }
            // Half the sum, unless rounding makes it the upper value.
            let middle = below / 2.0 + above / 2.0;
            let threshold = if middle < above { middle.max(below) } else { below };
            best.offer(self.target, &mut self.random, thresholds.len(), node.total - left);
            thresholds.push((feature, threshold));
        }
    }

    /// Orders the rows of `node` by the split; gives the position of the first row to the right.
    fn partition(&mut self, node: &Node, feature: usize, threshold: f32) -> usize {
        let column = self.columns.column(feature);
        let samples = &mut self.scratch.samples;
        let (mut middle, mut end) = (node.start, node.end);
        while middle < end {
            if column[samples[middle].row as usize] <= threshold {
                middle += 1;
            } else {
                end -= 1;
                samples.swap(middle, end);
            }
        }
        middle
    }
}

/// A finite f32 as an integer of the same order; 0 and -0 are one.
fn ordered(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The f32 of [`ordered`].
fn value_of(ordered: u32) -> f32 {
    f32::from_bits(if ordered >> 31 == 1 { ordered & !(1 << 31) } else { !ordered })
}

#[cfg(test)]
mod tests {
    use molarena_sdk::TaskKind;

    use super::*;
    use crate::targets::Targets;

    #[test]
    fn tallied_and_sorted_columns_grow_the_same_tree() {
        // Counts of 0 to 4 in 7 columns; -0 and 0 are one level.
        let mut random = Random::of(3, 0, 0);
        let values: Vec<f32> = (0..7 * 200).map(|_| random.below(5) as f32 * -0.5 + 0.0).collect();
        let labels = (0..200).map(|row| values[row * 7] * values[row * 7 + 1] + (row % 3) as f32).collect();
        let targets = Targets { rows: (0..200).collect(), values: labels };
        let target = Target::new(&targets, TaskKind::Regression).unwrap();
        let limits = Limits { max_features: 3, max_depth: u32::MAX, min_samples_leaf: 1, bootstrap: true };
        let tallied = Columns::new(&Dense::new(&values, 200, 7).unwrap()).unwrap();
        assert!(
            tallied
                .levels
                .iter()
                .all(|levels| levels.as_ref().is_some_and(|levels| levels.values.len() == 5))
        );
        let mut sorted = Columns::new(&Dense::new(&values, 200, 7).unwrap()).unwrap();
        sorted.levels = (0..7).map(|_| None).collect();
        let grow = |columns: &Columns, tree| {
            let mut scratch = DenseScratch::default();
            DenseGrower::new(columns, 7, &target, limits, &mut scratch, Random::of(0, 0, tree)).grow()
        };
        for tree in 0..20 {
            assert_eq!(grow(&tallied, tree), grow(&sorted, tree));
        }
    }

    #[test]
    fn a_column_of_many_values_has_no_levels() {
        let column: Vec<f32> = (0..300).map(|row| (row % 256) as f32).collect();
        assert_eq!(Levels::new(&column).unwrap().codes[255], 255);
        let column: Vec<f32> = (0..300).map(|row| (row % 257) as f32).collect();
        assert!(Levels::new(&column).is_none());
        assert_eq!(Levels::new(&[0.0, -0.0, 0.0]).unwrap().values.len(), 1);
    }

    #[test]
    fn order_of_floats() {
        let values = [f32::MIN, -1.5, -1e-30, 0.0, 1e-30, 2.0, f32::MAX];
        assert!(values.windows(2).all(|pair| ordered(pair[0]) < ordered(pair[1])));
        assert!(values.iter().all(|&value| value_of(ordered(value)) == value));
        assert_eq!(ordered(-0.0), ordered(0.0));
    }

    #[test]
    fn values_must_be_finite() {
        let values = [0.0, 1.0, 2.0, f32::NAN];
        let error = Columns::new(&Dense::new(&values, 2, 2).unwrap()).err().unwrap();
        assert_eq!(error.to_string(), "input `dense`: row 1, column 1 is NaN, must be finite");
    }
}
