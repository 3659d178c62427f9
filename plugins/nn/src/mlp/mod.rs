//! The multi-layer perceptron: layers of linear map, batch norm, GELU and dropout, and a linear head for all tasks.

mod network;
mod train;
mod weights;

pub use network::{Mlp, predict};
pub use train::{Data, Selection, Trained, Training, train};
pub use weights::{Architecture, LinearWeights, NormWeights, Weights};
