//! The common base of the benchmarks and timing tools: datasets as packed bits, labels and splits.

mod command;
mod timing;
mod trial;

pub use command::{TimeBaseline, time_one_of};
pub use timing::{Timing, time_baseline};
pub use trial::{DATASETS, Part, Trial, data_folder};
