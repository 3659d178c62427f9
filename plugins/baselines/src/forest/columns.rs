//! Dense features by column, built once for all tasks and trees.

use std::ops::Range;

use molarena_sdk::{Dense, Error, Result};

use super::bits::for_each_set;

/// Values no further apart than this count as equal for a split, as in scikit-learn.
pub(crate) const SAME: f32 = 1e-7;

/// A listed column has at most one row in this many above its lowest value.
const LISTED_SHARE: usize = 2;

/// A listed column has at most this many levels above its lowest value.
const MOST_LEVELS: usize = 64;

/// Number of columns transposed at a time: a cache line of values.
const BLOCK: usize = 16;

/// Position that marks a column without ranks.
const NOT_RANKED: u32 = u32::MAX;

/// The training values, all finite.
///
/// There are two kinds of column. A *listed* column has few levels and most rows at the lowest one, as counts do. Each
/// level above the lowest has a slot, and each row lists the slots of its levels, so one pass over the lists of some
/// rows sums all listed columns. Any other column is *ranked*: it stores the rank of each row's value. A column with a
/// single value is listed and has no slot.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    /// First slot of each feature, and at the end the number of slots; a ranked feature has no slot.
    first: Vec<u32>,
    /// Lowest value of each feature.
    lowest: Vec<f32>,
    /// Value of each slot.
    slot_values: Vec<f32>,
    /// Start of each row's list, and the end of the last list.
    offsets: Vec<usize>,
    /// Slots of the rows' levels, in increasing order within each row.
    slots: Vec<u32>,
    /// For each row one bit per feature: whether the feature is listed and the row is above its lowest value.
    above: Vec<u64>,
    /// One bit per feature: whether it is ranked.
    ranked_mask: Vec<u64>,
    /// Position of each feature in `ranked`, or `NOT_RANKED`.
    ranked_position: Vec<u32>,
    ranked: Vec<Ranked>,
}

/// The values of a column as ranks.
#[derive(Clone, Debug)]
pub(crate) struct Ranked {
    /// Distinct values, in increasing order.
    pub values: Vec<f32>,
    /// Rank of each row's value.
    pub ranks: Vec<u32>,
}

/// A split between two neighbouring levels of a feature that occur in a node. Level 0 is the column's lowest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    pub feature: u32,
    /// Highest level among the rows to the left.
    pub below: u32,
    /// Lowest level among the rows to the right.
    pub above: u32,
}

impl Columns {
    /// Sorts and transposes a matrix. The error for a value that is not finite names it.
    pub(crate) fn new(dense: &Dense<'_>) -> Result<Self> {
        Self::with_levels(dense, MOST_LEVELS)
    }

    /// The same with a different bound on the levels of a listed column; with 0 all columns that vary are ranked.
    pub(crate) fn with_levels(dense: &Dense<'_>, most_levels: usize) -> Result<Self> {
        check_finite(dense)?;
        let mut columns = Self {
            first: vec![0],
            lowest: Vec::with_capacity(dense.columns),
            slot_values: Vec::new(),
            offsets: Vec::new(),
            slots: Vec::new(),
            above: Vec::new(),
            ranked_mask: vec![0; dense.columns.div_ceil(64)],
            ranked_position: vec![NOT_RANKED; dense.columns],
            ranked: Vec::new(),
        };
        let mut entries = Vec::new();
        let mut block = vec![0.0; BLOCK * dense.rows];
        for start in (0..dense.columns).step_by(BLOCK) {
            let width = BLOCK.min(dense.columns - start);
            for (row, values) in dense.values.chunks_exact(dense.columns).enumerate() {
                for (column, &value) in values[start..start + width].iter().enumerate() {
                    block[column * dense.rows + row] = value;
                }
            }
            for column in 0..width {
                let values = &block[column * dense.rows..(column + 1) * dense.rows];
                columns.push(values, most_levels, &mut entries);
            }
        }
        columns.list(dense.rows, &entries);
        Ok(columns)
    }

    /// Adds a column, and appends the rows and slots of its levels to `entries`.
    fn push(&mut self, column: &[f32], most_levels: usize, entries: &mut Vec<(u32, u32)>) {
        let lowest = column.iter().copied().fold(f32::INFINITY, f32::min);
        let first = self.slot_values.len();
        let feature = self.lowest.len();
        self.lowest.push(lowest);
        if let Some(levels) = levels(column, lowest, most_levels) {
            for (row, &value) in column.iter().enumerate().filter(|&(_, &value)| value > lowest) {
                let level = levels.partition_point(|&other| other < value);
                entries.push((row as u32, (first + level) as u32));
            }
            self.slot_values.extend(levels);
        } else {
            self.ranked_mask[feature / 64] |= 1 << (feature % 64);
            self.ranked_position[feature] = self.ranked.len() as u32;
            self.ranked.push(Ranked::new(column));
        }
        self.first.push(self.slot_values.len() as u32);
    }

    /// Sorts the entries, which come by column, into lists by row.
    fn list(&mut self, rows: usize, entries: &[(u32, u32)]) {
        let mut ends = vec![0; rows + 1];
        for &(row, _) in entries {
            ends[row as usize + 1] += 1;
        }
        for row in 0..rows {
            ends[row + 1] += ends[row];
        }
        self.offsets.clone_from(&ends);
        self.slots = vec![0; entries.len()];
        self.above = vec![0; rows * self.words()];
        let mut feature = 0;
        for &(row, slot) in entries {
            while self.first[feature + 1] <= slot {
                feature += 1;
            }
            let (row, words) = (row as usize, self.words());
            self.slots[ends[row]] = slot;
            ends[row] += 1;
            self.above[row * words + feature / 64] |= 1 << (feature % 64);
        }
    }

    fn words(&self) -> usize {
        self.ranked_mask.len()
    }

    /// Number of features.
    pub(crate) fn features(&self) -> usize {
        self.lowest.len()
    }

    /// Number of slots over all features.
    pub(crate) fn slots(&self) -> usize {
        self.slot_values.len()
    }

    /// Largest number of distinct values in a ranked column.
    pub(crate) fn most_ranks(&self) -> usize {
        self.ranked.iter().map(|ranked| ranked.values.len()).max().unwrap_or(0)
    }

    /// Slots of a feature.
    pub(crate) fn slots_of(&self, feature: u32) -> Range<usize> {
        self.first[feature as usize] as usize..self.first[feature as usize + 1] as usize
    }

    /// Ranks of a feature, or `None` if it is listed.
    pub(crate) fn ranked(&self, feature: u32) -> Option<&Ranked> {
        self.ranked.get(self.ranked_position[feature as usize] as usize)
    }

    /// Slots of the row's levels, in increasing order.
    pub(crate) fn list_of(&self, row: u32) -> &[u32] {
        &self.slots[self.offsets[row as usize]..self.offsets[row as usize + 1]]
    }

    /// Level of a row in a listed feature.
    pub(crate) fn level(&self, row: u32, feature: u32) -> u32 {
        let word = self.above[row as usize * self.words() + feature as usize / 64];
        if word >> (feature % 64) & 1 == 0 {
            return 0;
        }
        let (list, first) = (self.list_of(row), self.first[feature as usize]);
        list[list.partition_point(|&slot| slot < first)] - first + 1
    }

    /// Calls `visit` with each feature that may vary in some rows: it is ranked, or listed with a row above its lowest
    /// value. Features come in increasing order.
    pub(crate) fn for_each_candidate(
        &self,
        rows: impl Iterator<Item = u32>,
        masks: &mut Vec<u64>,
        mut visit: impl FnMut(u32),
    ) {
        masks.clone_from(&self.ranked_mask);
        let words = self.words();
        for row in rows {
            let above = &self.above[row as usize * words..(row as usize + 1) * words];
            masks.iter_mut().zip(above).for_each(|(mask, word)| *mask |= word);
        }
        for_each_set(masks, |feature| visit(feature as u32));
    }

    /// Largest value that goes to the left: the mean of the two levels' values, unless rounding makes it the upper one.
    pub(crate) fn threshold(&self, split: Split) -> f32 {
        let (below, above) = (self.value(split.feature, split.below), self.value(split.feature, split.above));
        let middle = below / 2.0 + above / 2.0;
        if middle < above { middle.max(below) } else { below }
    }

    fn value(&self, feature: u32, level: u32) -> f32 {
        match (self.ranked(feature), level) {
            (Some(ranked), _) => ranked.values[level as usize],
            (None, 0) => self.lowest[feature as usize],
            (None, _) => self.slot_values[(self.first[feature as usize] + level - 1) as usize],
        }
    }
}

/// The values above the lowest, in increasing order, if they are few, few rows have them, and a split can separate all
/// levels.
fn levels(column: &[f32], lowest: f32, most: usize) -> Option<Vec<f32>> {
    let mut levels: Vec<f32> = Vec::new();
    let mut rows = 0;
    for &value in column.iter().filter(|&&value| value > lowest) {
        rows += 1;
        let place = levels.partition_point(|&other| other < value);
        if levels.get(place) != Some(&value) {
            levels.insert(place, value);
        }
        if levels.len() > most || rows * LISTED_SHARE > column.len() {
            return None;
        }
    }
    let first = levels.first().is_none_or(|&first| first > lowest + SAME);
    (first && levels.windows(2).all(|pair| pair[1] > pair[0] + SAME)).then_some(levels)
}

impl Ranked {
    fn new(column: &[f32]) -> Self {
        // 0 and -0 are the same value.
        let mut order: Vec<(f32, u32)> =
            column.iter().zip(0..).map(|(&value, row)| (value + 0.0, row)).collect();
        order.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let mut values: Vec<f32> = Vec::new();
        let mut ranks = vec![0; column.len()];
        for (value, row) in order {
            if values.last() != Some(&value) {
                values.push(value);
            }
            ranks[row as usize] = values.len() as u32 - 1;
        }
        values.shrink_to_fit();
        Self { values, ranks }
    }
}

/// Rejects values that are not finite.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(values: &[f32], rows: usize) -> Columns {
        Columns::new(&Dense::new(values, rows, values.len() / rows).unwrap()).unwrap()
    }

    #[test]
    fn counts_are_listed_and_the_rest_is_ranked() {
        // A count, a constant, a real column, and a count with more than half of its rows above the lowest value.
        let rows = [
            [0.0, 3.0, 0.5, 1.0],
            [2.0, 3.0, -0.5, 1.0],
            [0.0, 3.0, 0.0, 1.0],
            [-0.0, 3.0, -0.0, 1.0],
            [0.0, 3.0, 7.0, 0.0],
            [5.0, 3.0, 1.5, 1.0],
            [0.0, 3.0, 2.5, 0.0],
            [0.0, 3.0, 3.5, 0.0],
        ];
        let columns = columns(rows.as_flattened(), 8);
        assert_eq!((columns.features(), columns.slots(), columns.most_ranks()), (4, 2, 7));
        assert_eq!([0, 1, 2, 3].map(|feature| columns.slots_of(feature).len()), [2, 0, 0, 0]);
        assert_eq!([0, 1, 2, 3].map(|feature| columns.ranked(feature).is_some()), [false, false, true, true]);
        assert_eq!([0, 1, 3, 5].map(|row| columns.level(row, 0)), [0, 1, 0, 2]);
        assert_eq!((columns.list_of(1), columns.list_of(0).len()), ([0].as_slice(), 0));
        assert_eq!(columns.ranked(2).unwrap().ranks, [2, 0, 1, 1, 6, 3, 4, 5]);
        let mut candidates = Vec::new();
        columns.for_each_candidate([0, 2].into_iter(), &mut Vec::new(), |feature| candidates.push(feature));
        assert_eq!(candidates, [2, 3]);
        candidates.clear();
        columns.for_each_candidate([0, 5].into_iter(), &mut Vec::new(), |feature| candidates.push(feature));
        assert_eq!(candidates, [0, 2, 3]);
    }

    #[test]
    fn thresholds_are_halfway_and_below_the_upper_value() {
        let next = 1.0f32.next_up();
        let columns =
            columns(&[0.0, 1.0, 0.0, next, 3.0, 4.0, 0.0, 5.0, 0.0, 6.0, 0.0, 7.0, 0.0, 8.0, 0.0, 9.0], 8);
        assert_eq!(columns.threshold(Split { feature: 0, below: 0, above: 1 }), 1.5);
        assert_eq!(columns.threshold(Split { feature: 1, below: 0, above: 1 }), 1.0);
        assert_eq!(columns.threshold(Split { feature: 1, below: 2, above: 4 }), 5.0);
    }

    #[test]
    fn levels_that_are_the_same_to_a_split_are_not_listed() {
        let mut values = vec![0.0; 40];
        values[3] = 1.0;
        assert!(columns(&values, 40).ranked(0).is_none());
        values[4] = 1e-8;
        assert!(columns(&values, 40).ranked(0).is_some());
    }

    #[test]
    fn values_must_be_finite() {
        let values = [0.0, 1.0, 2.0, f32::NAN];
        let error = Columns::new(&Dense::new(&values, 2, 2).unwrap()).err().unwrap();
        assert_eq!(error.to_string(), "input `dense`: row 1, column 1 is NaN, must be finite");
    }
}
