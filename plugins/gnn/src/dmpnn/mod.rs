//! Message passing on directed bonds (D-MPNN; Yang et al. 2019, 10.1021/acs.jcim.9b00237), trained end to end from graphs on all tasks
//! together, with the features, the network and the defaults of chemprop 2 (Heid et al. 2024, 10.1021/acs.jcim.3c01250).

mod component;
mod features;
mod molecules;
mod network;
#[cfg(test)]
mod tests;

pub use component::{DirectedMessages, DirectedMessagesConfig, Select};
pub use molecules::Molecules;
pub use network::Network;
