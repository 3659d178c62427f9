//! Graph neural networks: trained end to end here, and with weights that others trained.

mod dmpnn;
mod hu;

pub use dmpnn::{DirectedMessages, DirectedMessagesConfig, Molecules, Network, Select};
pub use hu::{Convolution, Pretrained, PretrainedConfig};

molarena_sdk::export_plugin! {
    id: "gnn",
    encoders: [Pretrained],
    baselines: [DirectedMessages],
}
