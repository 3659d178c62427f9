//! From stored artifacts and labels to scores. No plugin is opened here, and no worker is started.
//!
//! [`run()`] executes what a plan misses and scores its cells as their steps finish; [`replay()`] computes every score of
//! a store again; [`under_metric`] scores stored predictions by another metric.

mod labels;
mod replay;
mod run;
mod score;

pub use labels::Labels;
pub use replay::{Replayed, Skipped, replay, under_metric};
pub use run::{Options, Summary, run};
pub use score::{outcome_of_predictions, outcome_of_ranks};
