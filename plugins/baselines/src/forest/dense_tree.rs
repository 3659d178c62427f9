//! A grown tree over dense features.

use serde::{Deserialize, Serialize};

/// Feature number that marks a leaf.
const LEAF: u32 = u32::MAX;

/// Number of rows that walk down a tree at the same time.
const SIDE_BY_SIDE: usize = 16;

/// A node of a [`DenseTree`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    /// Feature number, or `LEAF`.
    feature: u32,
    /// Largest value that goes to the left, or the mean label of a leaf.
    value: f32,
    /// Position of the left child, which the right child follows.
    child: u32,
}

/// Nodes of a tree, the root first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DenseTree {
    nodes: Vec<Node>,
}

impl DenseTree {
    /// A tree with an undecided root.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node { feature: LEAF, value: 0.0, child: 0 }] }
    }

    /// Makes `node` a leaf.
    pub(crate) fn set_leaf(&mut self, node: u32, value: f32) {
        self.nodes[node as usize] = Node { feature: LEAF, value, child: 0 };
    }

    /// Splits `node` at `threshold`; returns the number of the child with the lower values, which the other child
    /// follows.
    pub(crate) fn set_split(&mut self, node: u32, feature: u32, threshold: f32) -> u32 {
        let child = self.nodes.len() as u32;
        self.nodes[node as usize] = Node { feature, value: threshold, child };
        self.nodes.extend([Node { feature: LEAF, value: 0.0, child: 0 }; 2]);
        child
    }

    /// Frees the memory reserved for nodes that were not needed.
    pub(crate) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
    }

    /// Adds to each sum the mean label of the leaf that its row of features reaches. Several rows walk down side by
    /// side, so that their waits for memory overlap.
    pub(crate) fn add_to(&self, rows: &[f32], columns: usize, sums: &mut [f64]) {
        let mut rows = rows;
        for sums in sums.chunks_mut(SIDE_BY_SIDE) {
            let (some, others) = rows.split_at(sums.len() * columns);
            rows = others;
            let mut nodes = [0; SIDE_BY_SIDE];
            let nodes = &mut nodes[..sums.len()];
            let mut ended = false;
            while !ended {
                ended = true;
                for (lane, node) in nodes.iter_mut().enumerate() {
                    if let Some(next) = self.next(*node, &some[lane * columns..(lane + 1) * columns]) {
                        *node = next;
                        ended = false;
                    }
                }
            }
            for (sum, &mut node) in sums.iter_mut().zip(nodes) {
                *sum += f64::from(self.nodes[node].value);
            }
        }
    }

    /// The child that a row goes to, or `None` at a leaf.
    fn next(&self, node: usize, row: &[f32]) -> Option<usize> {
        let Node { feature, value, child } = self.nodes[node];
        (feature != LEAF).then(|| child as usize + usize::from(row[feature as usize] > value))
    }

    /// Whether children follow their parents and features are below `columns`.
    pub(crate) fn is_sound(&self, columns: usize) -> bool {
        let sound = |(position, node): (usize, &Node)| {
            let child = node.child as usize;
            node.feature == LEAF
                || ((node.feature as usize) < columns && child > position && child + 1 < self.nodes.len())
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_go_to_the_left() {
        let mut tree = DenseTree::new();
        let child = tree.set_split(0, 1, 0.5);
        tree.set_leaf(child, -1.0);
        tree.set_leaf(child + 1, 2.0);
        let rows: Vec<f32> = (0..19).flat_map(|row| [9.0, if row % 3 == 0 { 0.6 } else { 0.5 }]).collect();
        let mut sums = vec![1.0; 19];
        tree.add_to(&rows, 2, &mut sums);
        assert!((0..19).all(|row| sums[row] == if row % 3 == 0 { 3.0 } else { 0.0 }), "{sums:?}");
        assert!(tree.is_sound(2) && !tree.is_sound(1) && !DenseTree::default().is_sound(2));
    }
}
