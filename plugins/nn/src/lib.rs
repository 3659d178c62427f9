//! What plugins with neural networks share, on [Burn](https://burn.dev): devices, random streams, an optimiser, products
//! with sparse rows, losses over the labels that are there, and the multi-layer perceptron.
//!
//! Results are the same bits for the same seed on the same machine, whatever the number of threads: random numbers come
//! from [`Random`], never from Burn's generator, which all callers of a process share.

mod adam;
mod device;
mod features;
mod loss;
pub mod mlp;
mod random;
mod sparse;
mod threads;

pub use adam::{Adam, adam};
pub use device::device;
pub use features::{Batch, Features};
pub use loss::{Loss, Targets};
pub use random::Random;
pub use sparse::{SparseRows, sparse_product};
pub use threads::with_threads;
