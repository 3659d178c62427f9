//! What the benchmarks and the timing tools share: datasets as packed bits, labels and splits.

mod timing;
mod trial;

pub use timing::{Timing, time_baseline};
pub use trial::{DATASETS, Part, Trial, data_folder};
