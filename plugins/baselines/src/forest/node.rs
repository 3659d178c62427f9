//! Nodes that wait to be split, and their statistics.

use super::{sample::Sample, target::Stat};

/// Training rows that list their slots; a slot is a bit or a level of a column.
pub(crate) trait Listed {
    /// Number of slots.
    fn slots(&self) -> usize;

    /// Calls `visit` with each slot that `row` has.
    fn for_each_slot(&self, row: u32, visit: impl FnMut(usize));
}

/// A node that waits to be split.
pub(crate) struct Node {
    pub number: u32,
    pub depth: u32,
    /// Range of the node's rows among the tree's samples.
    pub start: usize,
    pub end: usize,
    pub total: Stat,
    /// Statistic of the draws that have each slot; only for nodes of many rows.
    pub stats: Option<Vec<Stat>>,
}

impl Node {
    /// Number of distinct rows.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    /// The rows.
    pub(crate) fn of<'s>(&self, samples: &'s [Sample]) -> &'s [Sample] {
        &samples[self.start..self.end]
    }
}

/// Statistics of nodes, either counted or obtained by subtracting a sibling's from the parent's.
#[derive(Default)]
pub(crate) struct Statistics {
    /// Vectors of zeros for reuse.
    spare: Vec<Vec<Stat>>,
}

impl Statistics {
    /// The statistic of each slot over the samples.
    pub(crate) fn collect(&mut self, rows: &impl Listed, samples: &[Sample]) -> Vec<Stat> {
        let mut stats = self.spare.pop().unwrap_or_default();
        stats.resize(rows.slots(), 0);
        for sample in samples {
            rows.for_each_slot(sample.row, |slot| stats[slot] += sample.stat);
        }
        stats
    }

    /// Takes back the vector of a finished node.
    pub(crate) fn give_back(&mut self, stats: Option<Vec<Stat>>) {
        self.spare.extend(stats.map(|mut stats| {
            stats.fill(0);
            stats
        }));
    }

    /// Turns the parent's statistics into those of the larger child, and counts those of the smaller child, each if
    /// wanted. `samples` are the smaller child's rows.
    pub(crate) fn share(
        &mut self,
        rows: &impl Listed,
        mut parent: Vec<Stat>,
        samples: &[Sample],
        small_wanted: bool,
        large_wanted: bool,
    ) -> [Option<Vec<Stat>>; 2] {
        if !large_wanted {
            self.give_back(Some(parent));
            return [small_wanted.then(|| self.collect(rows, samples)), None];
        }
        if small_wanted {
            let small = self.collect(rows, samples);
            parent.iter_mut().zip(&small).for_each(|(stat, small)| *stat -= small);
            return [Some(small), Some(parent)];
        }
        for sample in samples {
            rows.for_each_slot(sample.row, |slot| parent[slot] -= sample.stat);
        }
        [None, Some(parent)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lists([&'static [usize]; 3]);

    impl Listed for Lists {
        fn slots(&self) -> usize {
            4
        }

        fn for_each_slot(&self, row: u32, visit: impl FnMut(usize)) {
            self.0[row as usize].iter().copied().for_each(visit);
        }
    }

    #[test]
    fn children_share_what_the_parent_has() {
        let rows = Lists([&[0, 2], &[2], &[0, 1]]);
        let samples = [(0, 10), (1, 20), (2, 40)].map(|(row, stat)| Sample { row, code: 0, stat });
        let mut statistics = Statistics::default();
        let (small, large) = (vec![50, 40, 10, 0], vec![0, 0, 20, 0]);
        for (small_wanted, large_wanted) in [(true, true), (false, true), (true, false), (false, false)] {
            let parent = statistics.collect(&rows, &samples);
            assert_eq!(parent, [50, 40, 30, 0]);
            let two = [samples[0], samples[2]];
            let shared = statistics.share(&rows, parent, &two, small_wanted, large_wanted);
            let expected = [small_wanted.then(|| small.clone()), large_wanted.then(|| large.clone())];
            assert_eq!(shared, expected);
            for stats in shared {
                statistics.give_back(stats);
            }
        }
        assert!(statistics.spare.iter().flatten().all(|&stat| stat == 0));
    }
}
