//! What the benchmarks and the timing tools share: datasets as packed bits, labels and splits.

mod trial;

pub use trial::{DATASETS, Part, Trial, data_folder};
