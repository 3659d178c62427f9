//! The host: plans cells, runs each in a confined worker process, scores the predictions and keeps the store.
//!
//! The way of a cell: [`Suite`] or [`Selection`] -> [`plan()`] -> [`run()`] -> a worker in a job folder ([`job`]) ->
//! predictions -> score -> [`record::Record`]. The worker ([`worker`]) opens the plugin ([`loader`]); the host does not.

mod canonical;
pub mod confine;
mod corpus;
pub mod corpus_files;
mod dataset;
pub mod discovery;
mod embed;
pub mod encoder_record;
mod encoder_store;
pub mod ensemble;
mod error;
mod feature_spec;
mod features;
pub mod job;
pub mod loader;
mod match_record;
mod match_run;
mod match_store;
mod method;
mod missing;
mod plan;
mod planned_match;
mod planner;
mod planner_pretrain;
mod predict;
mod pretrain;
pub mod record;
mod run;
mod schema;
mod shuffle;
mod slots;
mod store;
mod suite;
pub mod supervise;
#[cfg(test)]
mod testing;
mod tune;
mod vary;
pub mod worker;
mod worker_match;

pub use canonical::{canonical_json, key_of};
pub use corpus::LeaveOut;
pub use dataset::ArenaDataset;
pub use embed::{
    Embedded, Embedding, Encoder, Layout, OutputFormat, check_writable, embed, failures_path, parse_features,
    rate, write_failures,
};
pub use error::{Error, Fault, Result};
pub use feature_spec::FeatureSpec;
pub use features::{Features, OwnedGraphs, OwnedSmiles};
pub use match_record::{
    MATCH_SCHEMA, MatchComposition, MatchOutcome, MatchRecord, RankDistribution, SpaceScores,
};
pub use method::{
    ComponentSpec, Ensemble, METHOD_SCHEMA, Method, MethodProtocol, Methods, Model, Pretraining, Recipe,
};
pub use plan::{
    Arena, Plan, PlannedCell, PlannedComponent, PlannedFit, PlannedMember, PlannedModel, Selection, Work,
    base_of, plan,
};
pub use planned_match::{MatchSpace, MatchTask, PlannedMatch};
pub use predict::{Predicted, Prediction, predict};
pub use pretrain::{PlannedPretrain, trained_state};
pub use run::{Observer, RunOptions, Summary, run};
pub use store::{Part, Store};
pub use suite::{
    Candidates, CellGroup, Limits, MatchGroup, SUITE_SCHEMA, Seeds, Suite, SuiteLimits, parse_duration,
    parse_size,
};
pub use tune::Tune;
pub use vary::Vary;
