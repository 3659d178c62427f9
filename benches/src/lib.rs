//! The common base of the benchmarks and timing tools: datasets as packed bits, labels and splits.

mod timing;
mod trial;

pub use timing::{Timing, time_baseline};
pub use trial::{DATASETS, Part, Trial, data_folder};
