//! Arguments of `export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use molarena_data::Protocol;

use super::{Places, ScoredData, StorePlace};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(subcommand)]
    pub(crate) command: ExportCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Every score: method, dataset, split, task, seed, metric, value
    #[command(
        after_help = "Examples:\n  molarena export scores > scores.csv\n  molarena export scores --dataset chembl2k --output scores.parquet"
    )]
    Scores {
        /// Only this dataset (again for more)
        #[arg(long = "dataset", value_name = "ID")]
        datasets: Vec<String>,
        /// Only this method (again for more)
        #[arg(long = "method", value_name = "NAME")]
        methods: Vec<String>,
        #[command(flatten)]
        store: StorePlace,
        #[command(flatten)]
        output: ExportOutput,
    },
    /// Predictions of the test molecules with their SMILES, row numbers and labels
    #[command(
        after_help = "Example:\n  molarena export predictions --dataset chembl2k --method morgan-rf --output predictions.parquet"
    )]
    Predictions {
        /// Only this dataset (again for more)
        #[arg(long = "dataset", value_name = "ID")]
        datasets: Vec<String>,
        /// Only this method (again for more)
        #[arg(long = "method", value_name = "NAME")]
        methods: Vec<String>,
        #[command(flatten)]
        store: StorePlace,
        #[command(flatten)]
        data: ScoredData,
        #[command(flatten)]
        output: ExportOutput,
    },
    /// Which molecules of a dataset are in which part of a split
    #[command(after_help = "Example:\n  molarena export split broad6k --output broad6k-split.csv")]
    Split {
        /// Id of the dataset
        #[arg(value_name = "ID")]
        dataset: String,
        /// Split instead of the dataset's own: infoalign, ogb, scaffold or random
        #[arg(long, value_name = "NAME")]
        split: Option<Protocol>,
        /// Seed of the split, for scaffold and random
        #[arg(long, value_name = "N", default_value_t = 0)]
        split_seed: u64,
        #[command(flatten)]
        places: Places,
        #[command(flatten)]
        output: ExportOutput,
    },
}

/// Where a table goes.
#[derive(Clone, Debug, Args)]
pub(crate) struct ExportOutput {
    /// File to write, .csv or .parquet [default: CSV on standard output]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Overwrite what is there
    #[arg(long, requires = "output")]
    pub(crate) force: bool,
}
