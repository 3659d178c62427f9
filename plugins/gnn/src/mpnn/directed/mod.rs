//! Messages along directed bonds.

mod features;
mod molecules;
mod network;

pub use molecules::Molecules;
pub use network::Directed;
