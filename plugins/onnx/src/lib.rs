//! An encoder for any ONNX file: its inputs are filled with what the arena offers of a molecule, one of its outputs becomes the
//! vectors.
//!
//! The file is the encoder's weights. It is run by ONNX Runtime, whose library is opened from a folder of `LD_LIBRARY_PATH`
//! or from the system's, when the first file is loaded: see [`runtime`].

mod config;
mod encoder;
mod graphium;
mod inputs;
mod message;
pub mod network;
mod pool;
mod random;
pub mod runtime;
mod scatter;
mod vocabulary;

pub use config::{Given, OnnxConfig, Pool, Vocabulary};
pub use encoder::Onnx;
pub use inputs::tensor;
pub use vocabulary::Tokens;

molarena_sdk::export_plugin! {
    id: "onnx",
    encoders: [Onnx],
}
