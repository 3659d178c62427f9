//! Which cells run, and under which limits.

use std::path::PathBuf;

use crate::request::{
    limits::Limits,
    suite::{CellGroup, MatchGroup},
};

/// Which cells to run.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Groups of cells.
    pub groups: Vec<CellGroup>,
    /// Groups of cells that match molecules and profiles.
    pub matches: Vec<MatchGroup>,
    /// Folder that the paths of method files are relative to.
    pub base: PathBuf,
    /// Whether to shuffle the training and validation labels of every method.
    pub shuffle_labels: bool,
    /// Dataset whose molecules are left out of pretraining, if it is not that of the cells.
    pub leave_out_of: Option<String>,
    /// Limits of the workers.
    pub limits: PlanLimits,
    /// The device of every method; overrides the methods and the suite.
    pub device: Option<String>,
    /// The device of methods that name none.
    pub suite_device: Option<String>,
    /// Whether fits keep the state of their baseline, for later predictions.
    pub keep: bool,
}

/// Limits of the workers of a plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlanLimits {
    /// Of the workers that encode, fit, predict and rank.
    pub cells: Limits,
    /// Of the workers that pretrain.
    pub pretraining: Limits,
}
