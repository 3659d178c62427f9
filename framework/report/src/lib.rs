//! Leaderboards ("boards"): from stored records to Markdown, CSV and JSON.
//!
//! [`build()`] groups records into [`Boards`]; [`render`] writes them out. Both are pure: no files, no clock, and the
//! order of the records does not matter.
//!
//! - **A board holds what may be compared.** Records with different data, splits, tasks or metrics are on
//!   different boards, whose headings say what differs.
//! - **A row holds what may be averaged.** Records of one method that differ in composition (component,
//!   configuration, features, scoring, shuffled labels) get a row each, and a note says so.
//! - **Nothing is dropped silently.** A method whose every seed failed is a row with its reason; undefined
//!   tasks, failures, workers that were not confined and shuffled labels are named.

mod board;
mod build;
mod builds;
mod claims_md;
mod columns;
mod comparison_md;
mod csv;
mod datasets;
mod format;
mod gate_md;
mod html;
mod json;
mod match_board;
mod match_md;
mod md;
mod notes;
pub mod plot;
mod pretraining;
mod published;
mod rank;
mod row;
mod sorting;
pub mod table;
#[cfg(test)]
mod testing;
mod text;
mod units;

pub use board::{
    BOARD_SCHEMA, Board, Boards, FailureSummary, Row, RowUncertainty, SelectedOn, TaskScore, Uncertainty,
    board_json_schema,
};
pub use build::{
    BoardOptions, RowRecords, board_rows, build, build_with_statistics, keep_latest, mark_verified,
};
pub use claims_md::claims_as_markdown;
pub use comparison_md::{comparisons_as_markdown, references_as_markdown};
pub use datasets::keep_datasets;
pub use format::{Format, UnknownFormat, render};
pub use gate_md::{gate_as_junit, gate_as_markdown};
pub use html::{document, live_page, page};
pub use match_board::{MatchBoard, MatchRow, MeanSd, build_matches, keep_latest_matches};
pub use pretraining::RowPretraining;
pub use published::{PublishedRow, of_some_molecules, printed_figure, printed_names};
pub use sorting::{SortBy, sort_rows};
pub use units::{moment, short, short_number, with_decimals};
