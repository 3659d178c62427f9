//! Message passing neural networks (Gilmer et al. 2017), trained end to end from graphs on all tasks together.
//!
//! Messages go along directed bonds (D-MPNN; Yang et al. 2019, 10.1021/acs.jcim.9b00237), with the features, the network and the
//! defaults of chemprop 2 (Heid et al. 2024, 10.1021/acs.jcim.3c01250), or between atoms (GIN, GCN), with the Open Graph
//! Benchmark's.

mod atoms;
mod component;
mod config;
mod directed;
#[cfg(test)]
mod tests;

pub use component::MessagePassing;
pub use config::{MessagePassingConfig, Messages, Readout};
pub use directed::{Directed, Molecules};
