//! Graph neural networks: trained end to end here, and with weights that others trained.

mod hu;
mod mpnn;

pub use hu::{Convolution, Network, Pretrained, PretrainedConfig};
pub use mpnn::{Directed, MessagePassing, MessagePassingConfig, Messages, Molecules, Readout};

molarena_sdk::export_plugin! {
    id: "gnn",
    encoders: [Pretrained: FineTune],
    baselines: [MessagePassing],
}
