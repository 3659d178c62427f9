//! The host: plans cells and the steps they need, makes each step in a confined worker process and keeps the store.
//!
//! The path of a step: [`Suite`] or [`Selection`] -> [`plan()`] -> [`execute()`] -> a worker in a job folder
//! ([`job`]) -> files -> [`molarena_record::step::StepRecord`]. The worker ([`worker`]) opens the plugin
//! ([`plugin::loader`]); the host never does. The crate `molarena-evaluate` scores cells.

mod apply;
mod arena;
mod error;
mod execute;
mod files;
mod inputs;
pub mod job;
pub mod launch;
mod plan;
pub mod plugin;
mod request;
pub mod sandbox;
mod store;
#[cfg(test)]
mod testing;
pub mod worker;

pub use apply::{
    conformance::{CaseResult, CaseStatus, CheckOptions, case_names, check_plugin},
    embed::{
        Embedded, Embedding, Encoder, Layout, OutputFormat, check_writable, embed, failures_path,
        parse_features, partial_path, rate, write_failures,
    },
    install::{InstallOptions, Installed, install_plugin, remove_plugin},
    learn::HeldOut,
    model::{ModelPrediction, load_model, predict_with_model},
    predict::{Predicted, Prediction, predict},
    train::{MODEL_SCHEMA, TrainedComponent, TrainedMember, TrainedModel, Training, train},
};
pub use arena::Arena;
pub use error::{Error, Fault, Result};
pub use execute::{
    RunOptions,
    event::{Event, Observer},
    execute,
    slurm::{Queued, Slurm, node::run_submitted},
};
pub use files::{
    folder::Temporary,
    table::{Table, Values, check_table_name},
    text::shell_word,
};
pub use inputs::{
    corpus::{LeaveOut, Sources, identities as corpus_identities},
    dataset::ArenaDataset,
    matching::{MatchSpace, MatchTask},
    profiles::profiled,
};
pub use plan::{
    base_of,
    cell::{Cell, MatchRow, Plan, Row, TaskRow},
    describe::describe,
    device,
    missing::{Missing, forget_failures},
    plan,
    select::{PlanLimits, Selection},
    step::Step,
    steps::matrix as worker_matrix,
};
pub use request::{
    claims::{Against, CLAIMS_SCHEMA, Claim, Claims, Expect, Paper},
    component::ComponentSpec,
    document::read as read_document,
    executor::{ExecutorTable, SlurmOptions},
    library::Methods,
    limits::{Limits, SuiteLimits, parse_duration, parse_size, parse_threads},
    method::{
        Ensemble, METHOD_SCHEMA, Method, MethodProtocol, Model, Pretraining, Recipe, check_method_name,
    },
    suite::{CellGroup, MatchGroup, SUITE_SCHEMA, Seeds, Suite},
    sweep::Vary,
};
pub use store::{Garbage, Merged, Packed, Ranks, Removed, Store, Verified};
#[cfg(feature = "object-store")]
pub use store::{Pulled, Pushed, TransferProgress, Watch};
