//! The command line of `molarena audit`.

use std::path::PathBuf;

use clap::Args;

use super::{DocumentFormat, OwnArgs, Places, PluginPlaces};
use crate::split_choice::SplitChoice;

const EXAMPLES: &str = "\
Examples:
  molarena audit                                   # all datasets of the data folder
  molarena audit broad6k --split scaffold
  molarena audit chembl2k broad6k --corpus context-open
  molarena audit --csv my.csv --tasks active --split column:fold --strict
  molarena audit --store molarena-store --json > audit.json

A finding is not an error: the exit code is 0. With --strict it is 5 if rows of one molecule (of
whatever kind) are in several parts, or if labels of one molecule contradict each other.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AuditArgs {
    /// Ids of datasets; without one, all whose table is in the data folder
    #[arg(value_name = "ID", conflicts_with = "csv")]
    pub(crate) ids: Vec<String>,
    /// Split instead of the dataset's own: infoalign, ogb, scaffold or random; of an own table also column:NAME, a column
    /// of train, valid and test
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<SplitChoice>,
    /// Seed of the split, for scaffold and random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) split_seed: u64,
    /// Context graph or dataset whose molecules are looked for (again for more), besides those that plugins declare
    #[arg(long, value_name = "ID")]
    pub(crate) corpus: Vec<String>,
    /// Store whose records of shuffled labels are compared with chance
    #[arg(long, value_name = "DIR")]
    pub(crate) store: Option<PathBuf>,
    /// md, html or json
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    pub(crate) format: DocumentFormat,
    /// Print JSON, as --format json does
    #[arg(long, conflicts_with = "format")]
    pub(crate) json: bool,
    /// Exit with code 5 if there are twins across parts or conflicting labels
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}
