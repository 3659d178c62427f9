//! The host: plans cells, runs each in a confined worker process, scores the predictions and keeps the store.
//!
//! The way of a cell: [`Suite`] or [`Selection`] -> [`plan()`] -> [`run()`] -> a worker in a job folder ([`job`]) ->
//! predictions -> score -> [`record::Record`]. The worker ([`worker`]) opens the plugin ([`loader`]); the host does not.

mod canonical;
pub mod confine;
mod dataset;
pub mod discovery;
mod error;
mod features;
pub mod job;
pub mod loader;
mod method;
mod plan;
pub mod record;
mod run;
mod schema;
mod shuffle;
mod store;
mod suite;
pub mod supervise;
pub mod worker;

pub use canonical::{canonical_json, key_of};
pub use dataset::ArenaDataset;
pub use error::{Error, Fault, Result};
pub use features::{FeatureSpec, Features, OwnedGraphs, OwnedSmiles};
pub use method::{ComponentSpec, METHOD_SCHEMA, Method, MethodProtocol, Methods};
pub use plan::{Arena, Plan, PlannedCell, PlannedComponent, PlannedFit, Selection, base_of, plan};
pub use run::{Observer, RunOptions, Summary, run};
pub use store::Store;
pub use suite::{CellGroup, Limits, SUITE_SCHEMA, Seeds, Suite, parse_duration, parse_size};
