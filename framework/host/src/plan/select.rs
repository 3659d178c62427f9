//! Which cells run.

use std::path::PathBuf;

use crate::request::suite::{CellGroup, MatchGroup};

/// Which cells to run.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Groups of cells.
    pub groups: Vec<CellGroup>,
    /// Groups of cells that match molecules and profiles.
    pub matches: Vec<MatchGroup>,
    /// Folder that relative paths of method files start from.
    pub base: PathBuf,
    /// Shuffles the training labels of every method.
    pub shuffle_labels: bool,
    /// The dataset whose molecules leave the corpora of pretraining, where it is not the one of the cells.
    pub leave_out_of: Option<String>,
}
