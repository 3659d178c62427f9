//! Arguments of `reproduce`.

use std::path::PathBuf;

use clap::Args;

use super::{ChosenCells, PluginPlaces, ScoredData, StorePlace, learning::WorkerLimits};

const EXAMPLES: &str = "\
Examples:
  molarena reproduce 3f2a9c01
  molarena reproduce --dataset chembl2k --method 'morgan-*'
  molarena reproduce 3f2a9c01 --into again             # keep what the second run makes
  molarena reproduce --method infoalign --reuse-encoders

The method is made of the record's own description, so method files and suites play no part; plugins are those of this
machine, and what differs from the record's is said. A
worker has as many threads as the record's, unless --threads says otherwise. A record that comes out the same is marked in its store, and boards
say which rows are verified. The exit code is 10 if one comes out different.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReproduceArgs {
    /// Keys of records, or their first digits
    #[arg(value_name = "KEY", required_unless_present_any = ["datasets", "methods", "failed"])]
    pub(crate) keys: Vec<String>,
    /// Keep the second run in this store, and go on there [default: a temporary folder]
    #[arg(long, value_name = "DIR")]
    pub(crate) into: Option<PathBuf>,
    /// Take trained encoders from the record's store, instead of training them again
    #[arg(long)]
    pub(crate) reuse_encoders: bool,
    /// Device to run on [default: the record's]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    #[command(flatten)]
    pub(crate) worker: WorkerLimits,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) chosen: ChosenCells,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) data: ScoredData,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}
