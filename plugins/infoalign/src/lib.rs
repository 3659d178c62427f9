//! `InfoAlign` (Liu et al. 2024, arXiv 2406.12056): learns, through an information bottleneck, a representation of a
//! molecule from which the features of its neighbours in a cellular context graph can be decoded.
//!
//! The encoder is a graph neural network with a Gaussian on top; decoders reconstruct the features of the nodes that
//! random walks from the molecule visit (Eq. 3).

mod config;
mod decoder;
mod encoder;
mod model;
mod pretrain;
#[cfg(test)]
mod reference;
mod targets;
mod walks;

pub use config::{DecodeFrom, DecoderConfig, EncoderConfig, Modality, Schedule, Score};
pub use decoder::InfoAlignDecoder;
pub use encoder::InfoAlign;
pub use model::{Means, Model, Shape, Space};
pub use targets::{BatchTargets, Targets};
pub use walks::{ContextWalks, Path, Transition};

molarena_sdk::export_plugin! {
    id: "infoalign",
    encoders: [InfoAlign: FineTune],
    decoders: [InfoAlignDecoder],
}
