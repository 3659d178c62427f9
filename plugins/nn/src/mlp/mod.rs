//! The multi-layer perceptron: layers of linear map, batch norm, GELU and dropout, and a linear head for all tasks.

mod network;

pub use network::Architecture;
