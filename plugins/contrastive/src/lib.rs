//! Contrastive aligners: a molecule's vector and the vector of a profile of cells that were treated with it are trained to be
//! near each other, and far from those of others.
//!
//! `cloome` is CLOOME (Sanchez-Fernandez et al. 2023, 10.1038/s41467-023-42328-w) with a perceptron over morphology features in
//! place of its image network. `infocore` is `InfoCORE` (Wang et al. 2024, arXiv 2312.00718), which keeps the batches in which
//! profiles were measured out of the vectors. The decoder `cosine` scores profiles for the vectors of both.

mod config;
mod decoder;
mod encoder;
pub mod losses;
mod model;
mod pairs;
#[cfg(test)]
mod reference;
mod scale;
mod train;

pub use config::{CloomeConfig, Form, InfoCoreConfig, MoleculeKind, NoOptions, Objective};
pub use decoder::Cosine;
pub use encoder::{Cloome, InfoCore};

molarena_sdk::export_plugin! {
    id: "contrastive",
    encoders: [Cloome, InfoCore],
    decoders: [Cosine],
}
