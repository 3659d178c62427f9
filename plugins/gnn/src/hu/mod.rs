//! The networks of Hu et al. 2020 (Strategies for Pre-training Graph Neural Networks, arXiv 1905.12265), whose released weights and
//! file layout many later works share.

mod encoder;
mod network;
#[cfg(test)]
mod tests;

pub use encoder::{Pretrained, PretrainedConfig};
pub use network::{Convolution, Network};
