//! Encoders that read a molecule as text: networks over the symbols of its SMILES, with weights that others trained.
//!
//! They run on [candle](https://github.com/huggingface/candle); what is pretrained here is trained on Burn.

mod chemnet;
mod random;
mod torch_file;
mod transformer;

pub use chemnet::{ChemNet, ChemNetConfig};
use molarena_sdk::{Call, Error, Result};
pub use transformer::{Pooling, Pretraining, Transformer, TransformerConfig, Unknown};

/// Runs `work` inside a pool of `call.threads` threads, which candle's products also use.
fn with_threads<T: Send>(call: &Call<'_>, work: impl FnOnce() -> T + Send) -> Result<T> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(call.threads).build();
    let pool = pool.map_err(|error| {
        Error::internal(format!("{} threads could not be started: {error}", call.threads))
    })?;
    Ok(pool.install(work))
}

molarena_sdk::export_plugin! {
    id: "language",
    encoders: [ChemNet, Transformer],
}
