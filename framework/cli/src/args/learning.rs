//! Arguments of `predict`, `train` and `embed`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use molarena_features::FeatureSpec;
use molarena_host::{Error, Limits, OutputFormat, parse_duration, parse_features, parse_size, parse_threads};

use super::{OwnArgs, Places, PluginPlaces, StorePlace};

const PREDICT_EXAMPLES: &str = "\
Examples:
  molarena predict --dataset biogen3k --method morgan-rf --input new.csv --output predictions.csv
  molarena predict --csv my.csv --tasks active --method morgan-rf --input new.smi --output p.parquet
  molarena predict --model my-model --input new.csv --output predictions.csv   # of `molarena train`

The output has the columns row, smiles and one for each task: the probability of a positive, or a
number in the unit of the labels. Rows that cannot be read have no values and are listed in
OUTPUT.failures.csv.";

#[derive(Debug, Args)]
#[command(after_help = PREDICT_EXAMPLES)]
pub(crate) struct PredictArgs {
    /// Folder of a model that `molarena train` made, instead of a dataset and a method
    #[arg(long, value_name = "DIR", conflicts_with_all = ["dataset", "csv", "method"])]
    pub(crate) model: Option<PathBuf>,
    /// Method, by name or as a .toml file
    #[arg(long, value_name = "NAME")]
    pub(crate) method: Option<String>,
    /// Molecules to predict: CSV (also .gz), Parquet or lines of SMILES, known by content; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) input: PathBuf,
    /// Column of SMILES in the input [default: smiles, smi or the like]
    #[arg(long, value_name = "NAME")]
    pub(crate) input_column: Option<String>,
    /// File to write, .csv or .parquet
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Overwrite the output
    #[arg(long)]
    pub(crate) force: bool,
    /// Print one JSON object with the counts at the end
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) learning: LearningArgs,
}

const TRAIN_EXAMPLES: &str = "\
Examples:
  molarena train --dataset biogen3k --method morgan-gp --output my-model
  molarena train --csv my.csv --tasks active --method classical-ensemble --output my-model
  molarena predict --model my-model --input new.csv --output predictions.csv

The method learns from all molecules but a tenth, by which it chooses its settings. A table with
tasks of both types makes two folders, OUTPUT-classification and OUTPUT-regression.";

#[derive(Debug, Args)]
#[command(after_help = TRAIN_EXAMPLES)]
pub(crate) struct TrainArgs {
    /// Method, by name or as a .toml file
    #[arg(long, value_name = "NAME")]
    pub(crate) method: String,
    /// Folder to make
    #[arg(long, short, value_name = "DIR")]
    pub(crate) output: PathBuf,
    /// Print one JSON object at the end
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) learning: LearningArgs,
}

/// What `train` and `predict` learn from, and with what.
#[derive(Debug, Args)]
pub(crate) struct LearningArgs {
    /// Dataset to learn from
    #[arg(long, value_name = "ID", conflicts_with = "csv")]
    pub(crate) dataset: Option<String>,
    /// Seed of the method
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Device that methods run on: cpu, libtorch, cuda:N or libtorch-cuda:N [default: the method's, or cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    #[command(flatten)]
    pub(crate) worker: WorkerLimits,
    /// Folder with further method files
    #[arg(long, value_name = "DIR")]
    pub(crate) methods_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}

/// Limits of the workers of a command that runs without a suite.
#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct WorkerLimits {
    /// Threads of the worker
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Wall-clock limit of the worker [default: 2h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) wall_limit: Option<Duration>,
    /// Memory limit of the worker [default: 8GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory_limit: Option<u64>,
}

impl WorkerLimits {
    /// The limits, with `threads` where none are named.
    ///
    /// # Errors
    /// A limit is 0.
    pub(crate) fn limits(&self, threads: usize) -> Result<Limits, Error> {
        let limits = Limits::default();
        let limits = Limits {
            wall: self.wall_limit.unwrap_or(limits.wall),
            memory: self.memory_limit.unwrap_or(limits.memory),
            threads: self.threads.map_or(threads, Into::into),
            ..limits
        };
        if limits.wall.is_zero() || limits.memory == 0 {
            return Err(Error::Request("--wall-limit and --memory-limit must be above 0".into()));
        }
        Ok(limits)
    }
}

const EMBED_EXAMPLES: &str = "\
Examples:
  molarena embed molecules.csv --output fingerprints.npy
  molarena embed molecules.smi.gz --features morgan:radius=3,bits=1024 --output bits.parquet
  molarena embed my.parquet --features morgan-counts:columns=2048+descriptors --output x.npy
  zcat molecules.smi.gz | molarena embed - --features descriptors --output descriptors.csv

Bits are packed eight to a byte, the first in the lowest place, as numpy.packbits(bitorder=\"little\")
does. Rows that cannot be read keep their place (empty, null, NaN; zeros in a .npy of bits) and are
listed in OUTPUT.failures.csv.";

#[derive(Debug, Args)]
#[command(after_help = EMBED_EXAMPLES)]
pub(crate) struct EmbedArgs {
    /// Molecules: CSV (also .gz), Parquet or lines of SMILES, known by content; - is standard input
    #[arg(value_name = "INPUT")]
    pub(crate) input: PathBuf,
    /// Column of SMILES [default: smiles, smi or the like]
    #[arg(long, value_name = "NAME")]
    pub(crate) smiles_column: Option<String>,
    /// What to compute: morgan, morgan-counts, maccs, descriptors, with settings after a colon, several joined by +
    #[arg(long, value_name = "FEATURES", default_value = "morgan:radius=2,bits=2048", value_parser = parse_features)]
    pub(crate) features: FeatureSpec,
    /// Compute the features of this method, and its encoder's vectors if it has one
    #[arg(long, value_name = "NAME", conflicts_with = "features")]
    pub(crate) method: Option<String>,
    /// File to write
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// csv, npy or parquet [default: by the output's name]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<OutputFormat>,
    /// One number for each bit instead of eight bits to a byte
    #[arg(long)]
    pub(crate) unpacked: bool,
    /// Overwrite the output
    #[arg(long)]
    pub(crate) force: bool,
    /// Device that methods run on: cpu, libtorch, cuda:N or libtorch-cuda:N [default: the method's, or cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Threads [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Print one JSON object with the counts at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder with further method files
    #[arg(long, value_name = "DIR")]
    pub(crate) methods_dir: Option<PathBuf>,
    /// Wall-clock limit of a pretraining, where the method's encoder needs one that the store has not [default: 2h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) wall_limit: Option<Duration>,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}
