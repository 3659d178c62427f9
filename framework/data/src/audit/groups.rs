//! Rows in groups.

use std::collections::HashMap;
use std::hash::Hash;

/// A number for each row; rows of equal keys have equal numbers, which count from 0 in the order of the first rows.
pub(super) fn numbered<K: Eq + Hash>(keys: &[K]) -> Vec<usize> {
    let mut numbers: HashMap<&K, usize> = HashMap::with_capacity(keys.len());
    keys.iter()
        .map(|key| {
            let next = numbers.len();
            *numbers.entry(key).or_insert(next)
        })
        .collect()
}

/// The rows of each number that several rows have, by first row.
pub(super) fn repeated(numbers: &[usize]) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); numbers.iter().max().map_or(0, |most| most + 1)];
    for (row, &number) in numbers.iter().enumerate() {
        groups[number].push(row);
    }
    groups.retain(|rows| rows.len() > 1);
    groups.sort_by_key(|rows| rows[0]);
    groups
}

/// Rows that are joined step by step.
#[derive(Clone)]
pub(super) struct Joined(Vec<usize>);

impl Joined {
    /// Each row for itself.
    pub(super) fn new(rows: usize) -> Self {
        Self((0..rows).collect())
    }

    /// The smallest row of a row's group; each look-up halves the path to it.
    fn root(&mut self, mut row: usize) -> usize {
        while self.0[row] != row {
            self.0[row] = self.0[self.0[row]];
            row = self.0[row];
        }
        row
    }

    /// Joins rows whose keys are equal.
    pub(super) fn join<K: Eq + Hash>(&mut self, keys: impl Iterator<Item = K>) {
        let mut first: HashMap<K, usize> = HashMap::new();
        for (row, key) in keys.enumerate() {
            let one = *first.entry(key).or_insert(row);
            let [one, other] = [one, row].map(|row| self.root(row));
            self.0[one.max(other)] = one.min(other);
        }
    }

    /// The smallest row of each row's group.
    pub(super) fn numbers(&mut self) -> Vec<usize> {
        (0..self.0.len()).map(|row| self.root(row)).collect()
    }
}
