//! The common base of plugins with neural networks, on [Burn](https://burn.dev): devices, random streams, an optimiser,
//! products with sparse rows, losses that skip missing labels, the multi-layer perceptron, and graph neural networks.
//!
//! With the same seed on the same machine, results are equal bit for bit with any number of threads: random numbers
//! come from [`Random`], never from Burn's generator, which all callers of a process share.

mod adam;
mod arrays;
mod device;
mod features;
pub mod gnn;
pub mod kernels;
mod loss;
pub mod mlp;
mod parameters;
mod random;
mod stack;
pub mod supervised;
mod threads;
pub mod training;
mod variational;

pub use adam::Adam;
pub use arrays::{Array, Arrays};
pub use device::{DETERMINISM, DEVICES, device, devices_found};
pub use features::{Batch, Features};
pub use kernels::{SparseRows, sparse_product};
pub use loss::{Loss, Targets};
pub use parameters::{After, Optimiser, Parameters, Pass, Slot, Slots, Start};
pub use random::Random;
pub use stack::{Stack, Style};
pub use threads::with_threads;
pub use variational::{Decoder, Gaussian};
