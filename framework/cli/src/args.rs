//! The command line.

mod audit;
mod board;
mod claims;
mod compare;
mod data;
mod executor;
mod export;
mod gate;
mod import;
mod learning;
mod method;
mod plot;
mod plugin;
mod reproduce;
mod store;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use molarena_data::own::{DuplicatePolicy, OwnTable, TaskTypes};
use molarena_host::{parse_duration, parse_size, parse_threads};

pub(crate) use self::{
    claims::ClaimsArgs,
    compare::{CompareArgs, DocumentFormat},
    data::{DataArgs, DataCommand, SimulateArgs, WorldSize},
    executor::ExecutorArgs,
    export::{ExportArgs, ExportCommand, ExportOutput},
    gate::GateArgs,
    import::ImportArgs,
    learning::{EmbedArgs, LearningArgs, PredictArgs, TrainArgs},
    method::{MethodArgs, MethodCommand},
    plot::{PlotArgs, ScaleChoice},
    plugin::{PluginArgs, PluginCommand, PluginKind, PluginLanguage},
    reproduce::ReproduceArgs,
    store::{ChosenCells, StoreArgs, StoreCommand},
};
use crate::{exit_code, split_choice::SplitChoice};
pub(crate) use audit::AuditArgs;
pub(crate) use board::{BoardArgs, BoardSelection, ServeArgs};

/// An arena where molecular representations are measured fairly against each other.
#[derive(Debug, Parser)]
#[command(name = "molarena", version, arg_required_else_help = true, after_help = exit_code::HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the cells of a suite or a selection, and store a record of each
    Run(RunArgs),
    /// Print leaderboards from the records of a store
    Board(BoardArgs),
    /// Show leaderboards as a page on this machine, which follows the store while a run goes on
    Serve(ServeArgs),
    /// Compare two rows of a board, or one with all others, from stored predictions
    Compare(CompareArgs),
    /// Hold a store against a baseline: whether any row got worse
    Gate(GateArgs),
    /// Say what holds of a paper's claims, claim by claim, with the comparison that says so
    Claims(ClaimsArgs),
    /// Write scores, predictions or a split as a table for other programs
    Export(ExportArgs),
    /// Draw a metric against a varied parameter, ranks of matching, or the curves of a training, as SVG
    Plot(PlotArgs),
    /// Compute all scores again from stored predictions and labels, without plugins, and compare
    Replay(ReplayArgs),
    /// Make records again from their own descriptions, and mark those that come out the same
    Reproduce(ReproduceArgs),
    /// Score predictions that were made elsewhere
    Import(ImportArgs),
    /// Look after a store
    Store(StoreArgs),
    /// Print the JSON Schema of a stored format
    Schema(SchemaArgs),
    /// Train a method on a dataset and keep it, for `predict --model`
    Train(TrainArgs),
    /// Predict new molecules with a method that is trained on a dataset, now or before
    Predict(PredictArgs),
    /// Write features or vectors of molecules to CSV, npy or Parquet
    Embed(EmbedArgs),
    /// List, fetch, verify and describe datasets and context graphs
    Data(DataArgs),
    /// List methods, and print the file of one
    Method(MethodArgs),
    /// Look for what makes scores of a dataset too good or too noisy: twins, conflicts, leaks, contamination
    Audit(AuditArgs),
    /// Make, check, list, describe, install and remove plugins
    Plugin(PluginArgs),
    /// Check what this machine offers: confinement, data, plugins, store
    Doctor(DoctorArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  molarena completions bash > ~/.local/share/bash-completion/completions/molarena"
    )]
    Completions(CompletionsArgs),
    /// Run one job; started by `run` for each cell
    #[command(hide = true)]
    Worker(WorkerArgs),
    /// Run the job that a run submitted to Slurm, on its node
    #[command(hide = true)]
    Step(WorkerArgs),
}

/// Where data, plugins, manifests and methods are.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct Places {
    /// Folder of the data files
    #[arg(long, value_name = "DIR", env = "MOLARENA_DATA", default_value = "molarena-data")]
    pub(crate) data_dir: PathBuf,
    /// Folder with further dataset manifests, DIR/ID/dataset.toml
    #[arg(long, value_name = "DIR")]
    pub(crate) datasets_dir: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct PluginPlaces {
    /// Plugin library, or a folder to search before all others (also `MOLARENA_PLUGIN_PATH`)
    #[arg(long = "plugin", value_name = "PATH")]
    pub(crate) plugins: Vec<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Places")]
pub(crate) struct StorePlace {
    /// Folder of records and trained encoders
    #[arg(long, value_name = "DIR", default_value = "molarena-store")]
    pub(crate) store: PathBuf,
}

/// A table of the user's own.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Own table")]
pub(crate) struct OwnArgs {
    /// Table of SMILES and labels: CSV (also .gz) or Parquet, known by its content
    #[arg(long, value_name = "FILE", visible_aliases = ["parquet", "table"])]
    pub(crate) csv: Option<PathBuf>,
    /// Column of SMILES [default: smiles, smi or the like]
    #[arg(long, value_name = "NAME", requires = "csv")]
    pub(crate) smiles_column: Option<String>,
    /// Task column, by its exact name, which may contain commas (again for more) [default: all columns of numbers]
    #[arg(long, value_name = "NAME", requires = "csv")]
    pub(crate) task: Vec<String>,
    /// Task columns, with commas between; a name that contains a comma stands in double quotes
    #[arg(long, value_name = "A,B", requires = "csv")]
    pub(crate) tasks: Vec<String>,
    /// auto, classification, regression, or of single tasks: a=regression,b=classification (again for more)
    #[arg(long, value_name = "TYPE", requires = "csv")]
    pub(crate) task_type: Vec<TaskTypes>,
    /// Rows that repeat a molecule: keep, first (leave out the later ones) or mean (of the labels)
    #[arg(long, value_name = "WAY", default_value_t = DuplicatePolicy::Keep, requires = "csv")]
    pub(crate) duplicates: DuplicatePolicy,
}

impl OwnArgs {
    /// The table to read, if one is named; `parts` is the column that states the split.
    ///
    /// # Errors
    /// The task types contradict each other.
    pub(crate) fn table(&self, parts: Option<&str>) -> Result<Option<OwnTable>, String> {
        let Some(path) = self.csv.clone() else { return Ok(None) };
        let types = TaskTypes::together(&self.task_type).map_err(|why| format!("--task-type: {why}"))?;
        Ok(Some(OwnTable {
            path,
            smiles: self.smiles_column.clone(),
            tasks: self.task.clone(),
            task_lists: self.tasks.clone(),
            types,
            duplicates: self.duplicates,
            parts: parts.map(str::to_owned),
        }))
    }
}

/// The data that records were scored on: those of the data folder, and a table of the user's own.
#[derive(Clone, Debug, Args)]
pub(crate) struct ScoredData {
    /// Split of an own table that has one: column:NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<SplitChoice>,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) places: Places,
}

const RUN_EXAMPLES: &str = "\
Examples:
  molarena run leaderboards/suites/forest.toml --jobs 2
  molarena run --dataset chembl2k --method constant --method morgan-rf --seeds 3
  molarena run --dataset biogen3k --method my-method.toml --plugin target/release --split scaffold
  molarena run --csv my.csv --smiles-column smiles --tasks active,toxic --method morgan-rf
  molarena run --csv my.parquet --split column:fold --method constant --method morgan-rf
  molarena run suite.toml --dry-run
  molarena run suite.toml --executor slurm --partition cpu --sbatch=--account=chem
  molarena run suite.toml --executor slurm --collect

A run that was interrupted or killed goes on where it stopped when the same command is given again.";

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct RunArgs {
    /// Suite file that names the cells
    #[arg(value_name = "SUITE.toml", conflicts_with_all = ["datasets", "methods", "csv"])]
    pub(crate) suite: Option<PathBuf>,
    /// Dataset to run on (again for more)
    #[arg(long = "dataset", value_name = "ID", conflicts_with = "csv")]
    pub(crate) datasets: Vec<String>,
    /// Method to run, by name or as a .toml file (again for more)
    #[arg(long = "method", value_name = "NAME")]
    pub(crate) methods: Vec<String>,
    /// Number of seeds: 0 to N - 1; without it, the suite's, or 1
    #[arg(long, value_name = "N")]
    pub(crate) seeds: Option<u64>,
    /// Split instead of the dataset's own: infoalign, ogb, scaffold or random; of an own table also column:NAME, a column
    /// of train, valid and test
    #[arg(long, value_name = "NAME", conflicts_with = "suite")]
    pub(crate) split: Option<SplitChoice>,
    /// Seed of the split, for scaffold and random
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "suite")]
    pub(crate) split_seed: u64,
    /// Shuffle training labels: every score must be chance, or labels leak
    #[arg(long)]
    pub(crate) shuffle_labels: bool,
    /// Workers at a time, or jobs in the queue of Slurm; without it, as many as the processors and the thread budget allow
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) jobs: Option<std::num::NonZeroUsize>,
    /// Device that methods run on: cpu, libtorch, cuda:N or libtorch-cuda:N [default: the method's, or cpu]
    #[arg(long, value_name = "DEVICE")]
    pub(crate) device: Option<String>,
    /// Threads of a worker
    #[arg(long, value_name = "N", value_parser = parse_threads)]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Wall-clock limit of a cell, such as 10m or 3h [default: the suite's, or 2h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub(crate) wall_limit: Option<Duration>,
    /// Memory limit of a cell, such as 500MiB or 8GiB [default: the suite's, or 8GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) memory_limit: Option<u64>,
    /// Limit of what a cell writes, such as 500MiB or 10GiB [default: the suite's, or 16GiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) disk_limit: Option<u64>,
    /// Run cells again that failed before
    #[arg(long)]
    pub(crate) retry_failed: bool,
    /// Check everything and list the cells, but run none
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Run plugins inside this process, without limits or confinement: for debuggers only
    #[arg(long)]
    pub(crate) in_process: bool,
    /// Write what happens to this file as it happens, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
    /// Print one JSON object with the counts at the end
    #[arg(long)]
    pub(crate) json: bool,
    /// Folder with further method files
    #[arg(long, value_name = "DIR")]
    pub(crate) methods_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) executor: ExecutorArgs,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}

const REPLAY_EXAMPLES: &str = "\
Examples:
  molarena replay --store molarena-store
  molarena replay --data-dir /data/molarena --json
  molarena replay --csv my.csv --tasks active          # records of a table of your own

The exit code is 10 if a score comes out different, or cannot be computed here.";

#[derive(Debug, Args)]
#[command(after_help = REPLAY_EXAMPLES)]
pub(crate) struct ReplayArgs {
    /// Write the scores that come out different
    #[arg(long)]
    pub(crate) update: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) data: ScoredData,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  molarena schema               # the formats\n  molarena schema record > record.schema.json"
)]
pub(crate) struct SchemaArgs {
    /// Name of the format, such as record or molarena.record/1 [default: list all]
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct WorkerArgs {
    /// Folder with the job
    pub(crate) folder: PathBuf,
}
