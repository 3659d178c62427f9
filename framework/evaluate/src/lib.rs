//! Scores cells from stored artifacts and labels. This crate opens no plugin and starts no worker itself.
//!
//! [`run()`] executes the missing steps of a plan and scores its cells as their steps finish; [`replay()`]
//! recomputes every score of a store; [`under_metric`] scores stored predictions by another metric.

mod labels;
mod replay;
mod run;
mod score;

pub use labels::Labels;
pub use replay::{Replayed, Skipped, replay, under_metric};
pub use run::{Options, Summary, run};
pub use score::{outcome_of_predictions, outcome_of_ranks};
