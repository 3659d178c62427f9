//! Random forests (Breiman 2001) with scikit-learn's defaults, one for each task.

mod bits;
mod component;
mod grow_bits;
mod model;
mod params;
mod random;
mod sample;
mod split;
mod target;
#[cfg(test)]
mod tests;
mod tree;

pub use component::RandomForest;
pub use params::{ForestConfig, MaxFeatures, Params, Rule};
pub(crate) use random::mixed;
