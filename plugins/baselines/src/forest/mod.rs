//! Random forests (Breiman 2001) with scikit-learn's defaults, one for each task.

mod bit_tree;
mod bits;
mod columns;
mod component;
#[cfg(test)]
mod dense_tests;
mod dense_tree;
mod grow_bits;
mod grow_dense;
mod model;
mod node;
mod params;
mod random;
mod ranks;
#[cfg(test)]
mod reference;
mod sample;
mod split;
mod target;
#[cfg(test)]
mod tests;

pub(crate) use bits::{BitRows, check_bits};
pub(crate) use columns::check_finite;
pub use component::RandomForest;
pub use params::{ForestConfig, MaxFeatures, Params, Rule};
