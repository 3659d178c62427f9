//! The multi-layer perceptron: layers of linear map, batch norm, GELU and dropout, and a linear head for all tasks.

mod network;
mod train;

pub use network::Architecture;
pub use train::{Data, Options, Selection, Trained, train};
