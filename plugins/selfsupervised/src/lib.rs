//! Self-supervised pretraining of a graph network on the molecules of a corpus, without labels and profiles: nine published
//! objectives on one network, with one training loop.
//!
//! `config.objective` names the objective. Each has a file of its own in `objectives`, with its source; [`ObjectiveConfig`] is
//! the table of all.

mod augment;
mod auxiliary;
mod config;
mod encoder;
mod graphs;
mod losses;
mod model;
mod motifs;
mod network;
mod objectives;
mod pretrain;
#[cfg(test)]
mod tests;

pub use config::{ConvolutionName, EncoderConfig, ReadoutName, Schedule};
pub use encoder::SelfSupervised;
pub use objectives::{
    AttrMask, ContextPred, Dsla, EdgePred, GraphCl, GraphLog, GraphMae, Joao, Mgssl, ObjectiveConfig,
};

molarena_sdk::export_plugin! {
    id: "selfsupervised",
    encoders: [SelfSupervised],
}
