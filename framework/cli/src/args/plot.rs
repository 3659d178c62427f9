//! The command line of `molarena plot`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::StorePlace;

const EXAMPLES: &str = "\
Examples:
  molarena plot -x baseline.config.n_trees --dataset chembl2k -o figures
  molarena plot -x encoder.config.beta --suite my-suite.toml -o figures
  molarena plot --ranks --dataset context-open -o figures
  molarena plot --training training.csv -o training.svg

With -x: FOLDER/<dataset>-<parameter>.svg for each dataset, the metric against the parameter, mean
and sample standard deviation over seeds; records that differ in nothing else are a line. The
numbers are in FOLDER/points-<parameter>.csv. With --ranks: FOLDER/<context>-<space>-ranks.svg for
each board of matching, the distribution of the queries' best ranks. With --training: the curves of
a log over its epochs.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct PlotArgs {
    /// Parameter on the horizontal axis: its path in a record's composition, such as encoder.config.beta
    #[arg(short = 'x', long = "parameter", value_name = "PATH", required_unless_present_any = ["training", "ranks"])]
    pub(crate) parameter: Option<String>,
    /// Ranks of matching records instead
    #[arg(long, conflicts_with_all = ["parameter", "suite", "scale"])]
    pub(crate) ranks: bool,
    /// Curves of this log of a training (CSV with the column epoch) instead of records
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["parameter", "ranks", "suite", "datasets", "methods", "scale"])]
    pub(crate) training: Option<PathBuf>,
    /// Folder to write to; with --training, the file (.svg)
    #[arg(long, short, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Only records of this suite's datasets, methods, seeds and splits
    #[arg(long, value_name = "SUITE.toml")]
    pub(crate) suite: Option<PathBuf>,
    /// Only this dataset, or context of matching (again for more)
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// Only this method (again for more)
    #[arg(long = "method", value_name = "NAME")]
    pub(crate) methods: Vec<String>,
    /// Horizontal axis [default: logarithmic where the values differ by a factor of 20 or more]
    #[arg(long, value_enum, value_name = "SCALE")]
    pub(crate) scale: Option<ScaleChoice>,
    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
    /// Folder with further method files, for the suite's names
    #[arg(long, value_name = "DIR", requires = "suite")]
    pub(crate) methods_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StorePlace,
}

/// Scale of the horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ScaleChoice {
    Linear,
    Log,
}
