//! Datasets: their manifests, reading, splitting, fetching, verifying and auditing.
//!
//! Data pass through this crate as follows:
//!
//! [`Catalog`] -> [`Manifest`] -> ([`fetch`](fetch::fetch), [`verify()`]) -> [`Dataset`] -> [`PreparedDataset`] -> [`Split`].
//!
//! [`own`] turns the user's own table into datasets, without a manifest file.
//!
//! Nothing is dropped or corrected silently: a wrong cell is an [`Error`] that names file, row and column,
//! and a SMILES that cannot be read is listed in [`PreparedDataset::failures`].

pub mod audit;
mod catalog;
pub mod context;
mod dataset;
mod error;
pub mod fetch;
pub mod hash;
mod info;
mod learnable;
mod manifest;
pub mod npz;
pub mod own;
mod parquet_notes;
mod parquet_text;
mod predictions;
mod prepared;
mod split;
mod stream;
mod table;
#[cfg(test)]
mod testing;
mod verify;
mod weights;

pub use catalog::Catalog;
pub use dataset::{Dataset, read_verified};
pub use error::{Cell, Error, Result};
pub use hash::{Hasher, sha256_file, sha256_hex};
pub use info::{LabelStatistics, SplitSummary, Summary, TaskSummary};
pub use manifest::{
    FileSpec, Manifest, PackageFile, ProtocolSpec, Rest, Role, SCHEMA, Source, TableSpec, TaskColumns,
    TaskSpec, TaskType,
};
pub use predictions::{PredictionTable, Predictions};
pub use prepared::{PreparedDataset, RowFailure};
pub use split::{Part, Protocol, Split};
pub use stream::SmilesInput;
pub use verify::{FileState, FileStatus, verify, verify_context, verify_weights};
pub use weights::{WEIGHTS_SCHEMA, WeightsFile, WeightsManifest};
