//! A grown tree over bits.

use serde::{Deserialize, Serialize};

/// Feature number that marks a leaf.
const LEAF: u32 = u32::MAX;

/// Nodes of a tree, the root first. A node is (feature, position of the child without the bit; the child with the bit
/// comes next), or (`LEAF`, bits of the f32 mean label).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct BitTree {
    nodes: Vec<(u32, u32)>,
}

impl BitTree {
    /// A tree with an undecided root.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![(LEAF, 0)] }
    }

    /// Makes `node` a leaf.
    pub(crate) fn set_leaf(&mut self, node: u32, value: f32) {
        self.nodes[node as usize] = (LEAF, value.to_bits());
    }

    /// Splits `node`; returns the number of the child without the bit, which the child with the bit follows.
    pub(crate) fn set_split(&mut self, node: u32, feature: usize) -> u32 {
        let child = self.nodes.len() as u32;
        self.nodes[node as usize] = (feature as u32, child);
        self.nodes.extend([(LEAF, 0); 2]);
        child
    }

    /// Number of nodes.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Mean label of the leaf that a row of packed bits reaches.
    pub(crate) fn predict(&self, row: &[u64]) -> f32 {
        let (mut feature, mut value) = self.nodes[0];
        while feature != LEAF {
            let bit = row[feature as usize / 64] >> (feature % 64) & 1;
            (feature, value) = self.nodes[value as usize + bit as usize];
        }
        f32::from_bits(value)
    }

    /// Whether children follow their parents and features are below `n_bits`; then `predict` ends and cannot fail.
    pub(crate) fn is_sound(&self, n_bits: usize) -> bool {
        let sound = |(position, &(feature, value)): (usize, &(u32, u32))| {
            let child = value as usize;
            feature == LEAF
                || ((feature as usize) < n_bits && child > position && child + 1 < self.nodes.len())
        };
        !self.nodes.is_empty() && self.nodes.iter().enumerate().all(sound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fall_into_leaves() {
        let mut tree = BitTree::new();
        let child = tree.set_split(0, 70);
        tree.set_leaf(child, 0.25);
        let grandchild = tree.set_split(child + 1, 3);
        tree.set_leaf(grandchild, 0.5);
        tree.set_leaf(grandchild + 1, 1.0);
        assert_eq!(tree.len(), 5);
        assert_eq!(tree.predict(&[8, 0]), 0.25);
        assert_eq!(tree.predict(&[0, 64]), 0.5);
        assert_eq!(tree.predict(&[8, 64]), 1.0);
        assert!(tree.is_sound(71) && !tree.is_sound(70));
        assert!(!BitTree { nodes: vec![(0, 0)] }.is_sound(1));
        assert!(!BitTree::default().is_sound(1));
    }
}
