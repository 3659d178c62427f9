//! The arena's simple baselines.

pub mod forest;
mod pool;
mod state;
pub mod targets;
