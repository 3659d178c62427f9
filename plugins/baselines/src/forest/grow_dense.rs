//! Grows one tree over dense features.

use super::{
    columns::{Columns, Ranked, SAME, Split},
    dense_tree::DenseTree,
    node::{Listed, Node, Statistics},
    random::{Random, draw_first},
    ranks::RankTally,
    sample::{Limits, Sample, bootstrap, is_leaf},
    split::Best,
    target::{Stat, Target},
};

/// Nodes with at most this many distinct rows first find the features that may vary. Larger nodes keep the statistic of
/// every slot, and the larger child of a split gets its statistics by subtraction.
pub(crate) const FEW: usize = 64;

/// Number of drawn features above which a node of few rows adds up the rows' lists instead of looking up each feature
/// in each row.
const MANY: usize = 24;

impl Listed for Columns {
    fn slots(&self) -> usize {
        self.slots()
    }

    fn for_each_slot(&self, row: u32, mut visit: impl FnMut(usize)) {
        self.list_of(row).iter().for_each(|&slot| visit(slot as usize));
    }
}

/// Memory that a thread reuses from tree to tree.
#[derive(Default)]
pub(crate) struct DenseScratch {
    samples: Vec<Sample>,
    /// All features, in the order that the last draws left.
    order: Vec<u32>,
    candidates: Vec<u32>,
    masks: Vec<u64>,
    /// Statistic of each slot; zero between nodes.
    sums: Vec<Stat>,
    ranks: RankTally,
    statistics: Statistics,
    stack: Vec<Node>,
}

/// Grows one tree of a task.
pub(crate) struct DenseGrower<'a> {
    columns: &'a Columns,
    target: &'a Target<'a>,
    limits: Limits,
    few: usize,
    scratch: &'a mut DenseScratch,
    random: Random,
    tree: DenseTree,
}

impl<'a> DenseGrower<'a> {
    /// A tree over `columns` for a task with at least one label. `few` is [`FEW`].
    pub(crate) fn new(
        columns: &'a Columns,
        target: &'a Target<'a>,
        limits: Limits,
        few: usize,
        scratch: &'a mut DenseScratch,
        random: Random,
    ) -> Self {
        scratch.order.clear();
        scratch.order.extend(0..columns.features() as u32);
        scratch.sums.resize(columns.slots(), 0);
        scratch.ranks.resize(columns.most_ranks());
        Self { columns, target, limits, few, scratch, random, tree: DenseTree::new() }
    }

    /// Draws the rows and splits until every leaf is pure, cannot be split or reaches a limit.
    pub(crate) fn grow(mut self) -> DenseTree {
        bootstrap(self.target, self.limits.bootstrap, &mut self.random, &mut self.scratch.samples);
        let samples = &self.scratch.samples;
        let total = samples.iter().map(|sample| sample.stat).sum();
        let mut root = Node { number: 0, depth: 0, start: 0, end: samples.len(), total, stats: None };
        if self.opens(&root) {
            if root.len() > self.few {
                root.stats = Some(self.scratch.statistics.collect(self.columns, &self.scratch.samples));
            }
            self.scratch.stack.push(root);
        }
        while let Some(node) = self.scratch.stack.pop() {
            self.split(node);
        }
        self.tree.shrink();
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
            Some(stats) => self.search_large(&node, stats),
            None => self.search_small(&node),
        };
        let Some((split, right_total)) = found else {
            self.tree.set_leaf(node.number, self.target.mean(node.total));
            self.scratch.statistics.give_back(node.stats);
            return;
        };
        let middle = self.partition(&node, split);
        let threshold = self.columns.threshold(split);
        let number = self.tree.set_split(node.number, split.feature, threshold);
        let depth = node.depth + 1;
        let left_total = node.total - right_total;
        let left = Node { number, depth, start: node.start, end: middle, total: left_total, stats: None };
        let right =
            Node { number: number + 1, depth, start: middle, end: node.end, total: right_total, stats: None };
        let (mut small, mut large) = if left.len() < right.len() { (left, right) } else { (right, left) };
        let (small_opens, large_opens) = (self.opens(&small), self.opens(&large));
        if let Some(stats) = node.stats {
            let DenseScratch { samples, statistics, .. } = &mut *self.scratch;
            let (small_wanted, large_wanted) =
                (small_opens && small.len() > self.few, large_opens && large.len() > self.few);
            [small.stats, large.stats] =
                statistics.share(self.columns, stats, small.of(samples), small_wanted, large_wanted);
        }
        // The smaller child goes first, so that at most log2(rows) waiting nodes hold statistics.
        self.scratch.stack.extend(large_opens.then_some(large));
        self.scratch.stack.extend(small_opens.then_some(small));
    }

    /// Sorts the rows of `node` by the split; returns the position of the first row to the right.
    fn partition(&mut self, node: &Node, split: Split) -> usize {
        let columns = self.columns;
        let samples = &mut self.scratch.samples;
        match columns.ranked(split.feature) {
            Some(ranked) => partition(samples, node, |row| ranked.ranks[row as usize] <= split.below),
            None => partition(samples, node, |row| columns.level(row, split.feature) <= split.below),
        }
    }

    /// Best split among features drawn without replacement, if the statistic of every slot is known.
    ///
    /// As in scikit-learn, `max_features` features are drawn, constant features count, and drawing continues until one
    /// is not constant.
    fn search_large(&mut self, node: &Node, stats: &[Stat]) -> Option<(Split, Stat)> {
        let columns = self.columns;
        let DenseScratch { samples, order, ranks, .. } = &mut *self.scratch;
        let mut search = Search {
            columns,
            target: self.target,
            samples: node.of(samples),
            total: node.total,
            best: Best::new(self.target, node.total, self.limits.min_samples_leaf),
            random: &mut self.random,
            ranks,
        };
        if self.limits.max_features >= order.len() {
            for feature in 0..columns.features() as u32 {
                search.offer(feature, &stats[columns.slots_of(feature)]);
            }
            return search.best.found();
        }
        let mut varies = false;
        for position in 0..order.len() {
            if position >= self.limits.max_features && varies {
                break;
            }
            let drawn = position + search.random.below(order.len() - position);
            order.swap(position, drawn);
            let feature = order[position];
            varies |= search.offer(feature, &stats[columns.slots_of(feature)]);
        }
        search.best.found()
    }

    /// The same for a node of few rows: it finds the features that may vary (the others are constant), draws among
    /// them, and only then computes the drawn features' statistics.
    fn search_small(&mut self, node: &Node) -> Option<(Split, Stat)> {
        let (columns, all) = (self.columns, self.columns.features());
        let DenseScratch { samples, candidates, masks, sums, ranks, .. } = &mut *self.scratch;
        let samples = node.of(samples);
        candidates.clear();
        let rows = samples.iter().map(|sample| sample.row);
        columns.for_each_candidate(rows, masks, |feature| candidates.push(feature));
        let drawn = if self.limits.max_features < all {
            draw_first(&mut self.random, candidates, all, self.limits.max_features)
        } else {
            candidates.len()
        };
        let mut search = Search {
            columns,
            target: self.target,
            samples,
            total: node.total,
            best: Best::new(self.target, node.total, self.limits.min_samples_leaf),
            random: &mut self.random,
            ranks,
        };
        let mut varies = false;
        if drawn <= MANY {
            for &feature in &candidates[..drawn] {
                varies |= search.offer_looked_up(feature, sums);
            }
        } else {
            for sample in samples {
                columns.for_each_slot(sample.row, |slot| sums[slot] += sample.stat);
            }
            for &feature in &candidates[..drawn] {
                varies |= search.offer(feature, &sums[columns.slots_of(feature)]);
            }
            for sample in samples {
                columns.for_each_slot(sample.row, |slot| sums[slot] = 0);
            }
        }
        for position in drawn..candidates.len() {
            if varies {
                break;
            }
            let next = position + search.random.below(candidates.len() - position);
            candidates.swap(position, next);
            varies = search.offer_looked_up(candidates[position], sums);
        }
        search.best.found()
    }
}

/// The search for the best split of a node.
struct Search<'s> {
    columns: &'s Columns,
    target: &'s Target<'s>,
    samples: &'s [Sample],
    total: Stat,
    best: Best<Split>,
    random: &'s mut Random,
    ranks: &'s mut RankTally,
}

impl Search<'_> {
    /// Offers the splits of a feature, given its slots' statistics in increasing order; returns whether the feature
    /// varies.
    fn offer(&mut self, feature: u32, slots: &[Stat]) -> bool {
        if !slots.is_empty() {
            return self.offer_listed(feature, slots);
        }
        match self.columns.ranked(feature) {
            Some(column) => self.offer_ranked(feature, column),
            None => false,
        }
    }

    /// The same if the statistics of the slots are not known. `sums` is zero before and after.
    fn offer_looked_up(&mut self, feature: u32, sums: &mut [Stat]) -> bool {
        let slots = &mut sums[self.columns.slots_of(feature)];
        if slots.is_empty() {
            return self.offer(feature, &[]);
        }
        for sample in self.samples {
            let level = self.columns.level(sample.row, feature);
            if level > 0 {
                slots[level as usize - 1] += sample.stat;
            }
        }
        let varies = self.offer_listed(feature, slots);
        slots.fill(0);
        varies
    }

    fn offer_listed(&mut self, feature: u32, slots: &[Stat]) -> bool {
        // A statistic of at least one draw is never 0.
        let mut right: Stat = slots.iter().sum();
        let mut varies = false;
        let mut below = (right != self.total).then_some(0);
        for (&stat, above) in slots.iter().zip(1..) {
            if stat == 0 {
                continue;
            }
            if let Some(below) = below {
                varies = true;
                self.best.offer(self.target, self.random, Split { feature, below, above }, right);
            }
            below = Some(above);
            right -= stat;
        }
        varies
    }

    fn offer_ranked(&mut self, feature: u32, column: &Ranked) -> bool {
        let present = self.ranks.tally(self.samples, column);
        let value = |place: usize| column.values[present[place].0 as usize];
        if value(present.len() - 1) <= value(0) + SAME {
            return false;
        }
        let mut right = self.total;
        for pair in present.windows(2) {
            let [(below, stat), (above, _)] = [pair[0], pair[1]];
            right -= stat;
            if column.values[above as usize] > column.values[below as usize] + SAME {
                self.best.offer(self.target, self.random, Split { feature, below, above }, right);
            }
        }
        true
    }
}

/// Moves the rows of `node` that go to the left to the front; returns the position of the first other row.
fn partition(samples: &mut [Sample], node: &Node, is_left: impl Fn(u32) -> bool) -> usize {
    let (mut middle, mut end) = (node.start, node.end);
    while middle < end {
        if is_left(samples[middle].row) {
            middle += 1;
        } else {
            end -= 1;
            samples.swap(middle, end);
        }
    }
    middle
}
