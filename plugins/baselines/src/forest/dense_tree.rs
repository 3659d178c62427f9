//! A grown tree over dense features.

use serde::{Deserialize, Serialize};

/// Feature number of a leaf.
const LEAF: u32 = u32::MAX;

/// A node of a [`DenseTree`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Node {
    /// Feature, or `LEAF`.
    feature: u32,
    /// Largest value that goes to the left, or the mean label of a leaf.
    value: f32,
    /// Position of the left child; the right one comes next.
    child: u32,
}

/// Nodes of a tree, the root first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct DenseTree {
    nodes: Vec<Node>,
}

impl DenseTree {
    /// A tree whose root is not yet known.
    pub(crate) fn new() -> Self {
        Self { nodes: vec![Node { feature: LEAF, value: 0.0, child: 0 }] }
    }

    /// Makes `node` a leaf.
    pub(crate) fn set_leaf(&mut self, node: u32, value: f32) {
        self.nodes[node as usize] = Node { feature: LEAF, value, child: 0 };
    }

    /// Splits `node` at `threshold`; the child of the lower values has the returned number, the other one the next.
    pub(crate) fn set_split(&mut self, node: u32, feature: u32, threshold: f32) -> u32 {
        let child = self.nodes.len() as u32;
        self.nodes[node as usize] = Node { feature, value: threshold, child };
        self.nodes.extend([Node { feature: LEAF, value: 0.0, child: 0 }; 2]);
        child
    }

    /// Gives back the room for nodes that did not come.
    pub(crate) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
    }

    /// Mean label of the leaf that a row of features falls into.
    pub(crate) fn predict(&self, row: &[f32]) -> f32 {
        let mut node = &self.nodes[0];
        while node.feature != LEAF {
            let right = row[node.feature as usize] > node.value;
            node = &self.nodes[node.child as usize + usize::from(right)];
        }
        node.value
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
        assert_eq!([tree.predict(&[9.0, 0.5]), tree.predict(&[0.0, 0.6])], [-1.0, 2.0]);
        assert!(tree.is_sound(2) && !tree.is_sound(1) && !DenseTree::default().is_sound(2));
    }
}
