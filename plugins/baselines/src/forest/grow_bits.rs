//! Grows one tree over bits.

use super::{
    bit_tree::BitTree,
    bits::{BitRows, for_each_set},
    node::{Listed, Node, Statistics},
    random::{Random, draw_first},
    sample::{Limits, Sample, bootstrap, is_leaf},
    split::Best,
    target::{Stat, Target},
};

/// Nodes with at most this many distinct rows count the drawn features only. Larger nodes keep the statistic of every
/// feature, and the larger child of a split gets its statistics by subtraction.
const FEW: usize = 64;

/// Number of chosen features above which adding up the rows' set bits is cheaper than testing each row for each
/// feature.
const MANY: usize = 24;

/// Memory that a thread reuses from tree to tree.
#[derive(Default)]
pub(crate) struct BitScratch {
    samples: Vec<Sample>,
    order: Vec<u16>,
    candidates: Vec<u16>,
    masks: Vec<u64>,
    sums: Vec<Stat>,
    statistics: Statistics,
    stack: Vec<Node>,
}

impl Listed for BitRows<'_> {
    fn slots(&self) -> usize {
        self.n_bits()
    }

    fn for_each_slot(&self, row: u32, mut visit: impl FnMut(usize)) {
        self.set(row).iter().for_each(|&bit| visit(usize::from(bit)));
    }
}

/// Grows one tree of a task.
pub(crate) struct BitGrower<'a> {
    rows: &'a BitRows<'a>,
    target: &'a Target<'a>,
    limits: Limits,
    scratch: &'a mut BitScratch,
    random: Random,
    tree: BitTree,
}

impl<'a> BitGrower<'a> {
    /// A tree over `rows` for a task with at least one label.
    pub(crate) fn new(
        rows: &'a BitRows<'a>,
        target: &'a Target<'a>,
        limits: Limits,
        scratch: &'a mut BitScratch,
        random: Random,
    ) -> Self {
        scratch.order.clear();
        scratch.order.extend((0..rows.n_bits()).map(|feature| feature as u16));
        scratch.sums.resize(rows.n_bits(), 0);
        Self { rows, target, limits, scratch, random, tree: BitTree::new() }
    }

    /// Draws the rows and splits until every leaf is pure, cannot be split or reaches a limit.
    pub(crate) fn grow(mut self) -> BitTree {
        bootstrap(self.target, self.limits.bootstrap, &mut self.random, &mut self.scratch.samples);
        let samples = &self.scratch.samples;
        let total = samples.iter().map(|sample| sample.stat).sum();
        let mut root = Node { number: 0, depth: 0, start: 0, end: samples.len(), total, stats: None };
        if self.opens(&root) {
            if root.len() > FEW {
                root.stats = Some(self.scratch.statistics.collect(self.rows, &self.scratch.samples));
            }
            self.scratch.stack.push(root);
        }
        while let Some(node) = self.scratch.stack.pop() {
            self.split(node);
        }
        self.tree
    }

    /// Whether to split `node`; if not, it becomes a leaf.
    fn opens(&mut self, node: &Node) -> bool {
        let samples = node.of(&self.scratch.samples);
        let leaf = is_leaf(&self.limits, self.target, samples, node.total, node.depth);
        if leaf {
            self.tree.set_leaf(node.number, self.target.mean(node.total));
        }
        !leaf
    }

    fn split(&mut self, node: Node) {
        let found = match &node.stats {
            Some(stats) => self.search_large(node.total, stats),
            None => self.search_small(&node),
        };
        let Some((feature, right_total)) = found else {
            self.tree.set_leaf(node.number, self.target.mean(node.total));
            self.scratch.statistics.give_back(node.stats);
            return;
        };
        let middle = self.partition(&node, feature);
        let number = self.tree.set_split(node.number, feature);
        let depth = node.depth + 1;
        let left_total = node.total - right_total;
        let left = Node { number, depth, start: node.start, end: middle, total: left_total, stats: None };
        let right =
            Node { number: number + 1, depth, start: middle, end: node.end, total: right_total, stats: None };
        let (mut small, mut large) = if left.len() < right.len() { (left, right) } else { (right, left) };
        let (small_opens, large_opens) = (self.opens(&small), self.opens(&large));
        if let Some(stats) = node.stats {
            let BitScratch { samples, statistics, .. } = &mut *self.scratch;
            let (small_wanted, large_wanted) =
                (small_opens && small.len() > FEW, large_opens && large.len() > FEW);
            [small.stats, large.stats] =
                statistics.share(self.rows, stats, small.of(samples), small_wanted, large_wanted);
        }
        // The smaller child goes first, so that at most log2(rows) waiting nodes hold statistics.
        self.scratch.stack.extend(large_opens.then_some(large));
        self.scratch.stack.extend(small_opens.then_some(small));
    }

    /// Sorts the rows of `node` by `feature`; returns the position of the first row that has it.
    fn partition(&mut self, node: &Node, feature: usize) -> usize {
        let samples = &mut self.scratch.samples;
        let (mut middle, mut end) = (node.start, node.end);
        while middle < end {
            if self.rows.bit(samples[middle].row, feature) == 0 {
                middle += 1;
            } else {
                end -= 1;
                samples.swap(middle, end);
            }
        }
        middle
    }

    /// Best split among features drawn without replacement, if the statistics of all features are known.
    ///
    /// As in scikit-learn, `max_features` features are drawn, constant features count, and drawing continues until one
    /// is not constant.
    fn search_large(&mut self, total: Stat, stats: &[Stat]) -> Option<(usize, Stat)> {
        let (target, random) = (self.target, &mut self.random);
        let mut best = Best::new(target, total, self.limits.min_samples_leaf);
        if self.limits.max_features >= stats.len() {
            for (feature, &stat) in stats.iter().enumerate() {
                if best.separates(target, stat) {
                    best.offer(target, random, feature, stat);
                }
            }
            return best.found();
        }
        let order = &mut self.scratch.order;
        let mut varies = false;
        for position in 0..order.len() {
            if position >= self.limits.max_features && varies {
                break;
            }
            let drawn = position + random.below(order.len() - position);
            order.swap(position, drawn);
            let feature = usize::from(order[position]);
            if best.separates(target, stats[feature]) {
                varies = true;
                best.offer(target, random, feature, stats[feature]);
            }
        }
        best.found()
    }

    /// The same for a node of few rows: it finds the features that vary, draws among them, and only then computes the
    /// drawn features' statistics.
    fn search_small(&mut self, node: &Node) -> Option<(usize, Stat)> {
        self.list_varying(node);
        if self.scratch.candidates.is_empty() {
            return None;
        }
        if self.limits.max_features < self.rows.n_bits() {
            let BitScratch { candidates, .. } = &mut *self.scratch;
            let (count, wanted) = (candidates.len(), self.limits.max_features);
            let mut kept = draw_first(&mut self.random, candidates, self.rows.n_bits(), wanted);
            if kept == 0 {
                candidates.swap(0, self.random.below(count));
                kept = 1;
            }
            candidates.truncate(kept);
        }
        let (target, random) = (self.target, &mut self.random);
        let mut best = Best::new(target, node.total, self.limits.min_samples_leaf);
        let BitScratch { samples, candidates, sums, .. } = &mut *self.scratch;
        let samples = node.of(samples);
        if candidates.len() <= MANY {
            for &feature in &*candidates {
                let feature = usize::from(feature);
                let stat =
                    samples.iter().map(|sample| self.rows.bit(sample.row, feature) * sample.stat).sum();
                best.offer(target, random, feature, stat);
            }
            return best.found();
        }
        for sample in samples {
            self.rows.set(sample.row).iter().for_each(|&feature| sums[usize::from(feature)] += sample.stat);
        }
        for &feature in &*candidates {
            best.offer(target, random, usize::from(feature), sums[usize::from(feature)]);
        }
        for sample in samples {
            self.rows.set(sample.row).iter().for_each(|&feature| sums[usize::from(feature)] = 0);
        }
        best.found()
    }

    /// Lists the features that some but not all rows of `node` have.
    fn list_varying(&mut self, node: &Node) {
        let BitScratch { samples, candidates, masks, .. } = &mut *self.scratch;
        let first = self.rows.words(samples[node.start].row);
        masks.clear();
        masks.resize(first.len(), 0);
        for sample in &samples[node.start + 1..node.end] {
            let words = self.rows.words(sample.row);
            for ((mask, word), first) in masks.iter_mut().zip(words).zip(first) {
                *mask |= word ^ first;
            }
        }
        candidates.clear();
        for_each_set(masks, |feature| candidates.push(feature as u16));
    }
}
