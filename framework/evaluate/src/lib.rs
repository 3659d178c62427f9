//! Scores cells from stored artifacts and labels. This crate opens no plugin and starts no worker itself.
//!
//! [`run()`] executes the missing steps of a plan and scores its cells as their steps finish; [`replay()`]
//! recomputes every score of a store; [`scored_again`] scores stored predictions by another metric or on some molecules;
//! [`board_statistics`] says how sure the rows of a board are, and [`compare`] sets two of them against each other;
//! [`gate`] holds a store against a baseline; [`claims`] says what holds of what a paper claims.

pub mod claims;
pub mod compare;
mod contamination;
pub mod export;
pub mod gate;
pub mod import;
mod labels;
mod replay;
pub mod reproduce;
mod row;
mod run;
pub mod schemas;
mod score;
mod statistics;
mod task_groups;

pub use contamination::SeenCorpus;
pub use labels::{Labels, ProfileSpace, TestPart};
pub use replay::{Replayed, Skipped, replay, scored_again};
pub use row::{Row, is_ranked, scored_on_classes};
pub use run::{Options, Summary, run};
pub use score::{outcome_of_predictions, outcome_of_ranks};
pub use statistics::{BoardStatistics, Resampling, RowStatistics, Standing, board_statistics};
pub use task_groups::within_group;
