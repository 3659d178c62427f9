//! The command line.

mod audit;
mod compare;
mod data;
mod export;
mod gate;
mod import;
mod learning;
mod plot;
mod reproduce;

use std::{path::PathBuf, time::Duration};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use clap_complete::Shell;
use molarena_data::own::{DuplicatePolicy, OwnTable, TaskTypes};
use molarena_host::{parse_duration, parse_size, parse_threads};
use molarena_metrics::Metric;
use molarena_report::{Format, SortBy};
use strum::VariantNames;

pub(crate) use audit::AuditArgs;
pub(crate) use compare::{CompareArgs, DocumentFormat};
pub(crate) use data::{DataArgs, DataCommand, SimulateArgs, WorldSize};

pub(crate) use self::{
    export::{ExportArgs, ExportCommand, ExportOutput},
    gate::GateArgs,
    import::ImportArgs,
    learning::{EmbedArgs, LearningArgs, PredictArgs, TrainArgs},
    plot::{PlotArgs, ScaleChoice},
    reproduce::ReproduceArgs,
};
use crate::{exit_code, split_choice::SplitChoice};

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
    /// Look for what makes scores of a dataset too good or too noisy: twins, conflicts, leaks, contamination
    Audit(AuditArgs),
    /// List and describe plugins
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

const RUN_EXAMPLES: &str = "\
Examples:
  molarena run leaderboards/suites/forest.toml --jobs 2
  molarena run --dataset chembl2k --method constant --method morgan-rf --seeds 3
  molarena run --dataset biogen3k --method my-method.toml --plugin target/release --split scaffold
  molarena run --csv my.csv --smiles-column smiles --tasks active,toxic --method morgan-rf
  molarena run --csv my.parquet --split column:fold --method constant --method morgan-rf
  molarena run suite.toml --dry-run

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
    /// Workers at a time; without it, as many as the processors and the thread budget allow
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
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
    #[command(flatten)]
    pub(crate) plugins: PluginPlaces,
}

const SERVE_EXAMPLES: &str = "\
Examples:
  molarena serve --store molarena-store
  molarena serve --port 8080 --dataset chembl2k

Only this machine can read the page. Ctrl-C ends it.";

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Port on the loopback address; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 7878)]
    pub(crate) port: u16,
    #[command(flatten)]
    pub(crate) selection: BoardSelection,
}

const BOARD_EXAMPLES: &str = "\
Examples:
  molarena board --store molarena-store
  molarena board --format csv > boards.csv
  molarena board --format json --dataset chembl2k --no-cost
  molarena board --suite leaderboards/suites/quick.toml --latest --sort time
  molarena board --html boards.html";

#[derive(Debug, Args)]
#[command(after_help = BOARD_EXAMPLES)]
pub(crate) struct BoardArgs {
    /// md, csv, json or text, which is narrow [default: text on a terminal, else md]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<Format>,
    /// Write all boards and what is behind them as one HTML page, which needs no network, and print no board
    #[arg(long, value_name = "FILE", conflicts_with = "format")]
    pub(crate) html: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selection: BoardSelection,
}

/// What is on boards.
#[derive(Clone, Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(crate) struct BoardSelection {
    /// Only this dataset, or context of matching (again for more)
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// Only boards of matching; as CSV, which has one kind of table, these are not written beside others
    #[arg(long)]
    pub(crate) matches: bool,
    /// Only this method (again for more); * stands for any text
    #[arg(long = "method", value_name = "NAME")]
    pub(crate) methods: Vec<String>,
    /// Only cells that this suite file names
    #[arg(long, value_name = "SUITE.toml", conflicts_with = "matches")]
    pub(crate) suite: Option<PathBuf>,
    /// Folder of method files that the suite's names may be of
    #[arg(long, value_name = "DIR", requires = "suite")]
    pub(crate) methods_dir: Option<PathBuf>,
    /// Of each method only what was composed last: rows NAME@HASH of earlier configurations are left out
    #[arg(long)]
    pub(crate) latest: bool,
    /// Order of the rows
    #[arg(long, value_name = "COLUMN", default_value_t = SortBy::Score, value_parser = sort_by())]
    pub(crate) sort: SortBy,
    /// Score stored predictions by another metric, with the labels of the data folder, such as rmse
    #[arg(long, value_name = "NAME", conflicts_with = "matches")]
    pub(crate) metric: Option<Metric>,
    /// Leave out time and memory, so that boards of equal results are equal bytes
    #[arg(long)]
    pub(crate) no_cost: bool,
    /// Leave out intervals, tie groups and scores without twins, which need the labels of the data folder
    #[arg(long)]
    pub(crate) no_intervals: bool,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
}

fn sort_by() -> impl TypedValueParser<Value = SortBy> {
    PossibleValuesParser::new(SortBy::VARIANTS).try_map(|name| name.parse::<SortBy>())
}

#[derive(Debug, Args)]
pub(crate) struct PluginArgs {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// List the plugins that are found, and their components
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plugins: PluginPlaces,
    },
    /// Describe a plugin: components, inputs, devices, determinism, configuration
    #[command(after_help = "Example:\n  molarena plugin info baselines")]
    Info {
        /// Id of the plugin
        #[arg(value_name = "ID")]
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        plugins: PluginPlaces,
    },
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
    /// Split of an own table that has one: column:NAME
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<SplitChoice>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) own: OwnArgs,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(subcommand)]
    pub(crate) command: StoreCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// List the rows of a store: every build of every method, also those that boards leave out
    #[command(after_help = "Examples:\n  molarena store ls\n  molarena store ls --dataset chembl2k --keys")]
    Ls {
        /// A line for each record, with its key
        #[arg(long)]
        keys: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        chosen: ChosenCells,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Show a record: scores or failure with the worker's output, composition, costs
    #[command(after_help = "Example:\n  molarena store show 3f2a9c01")]
    Show {
        /// Key of a record, or its first digits
        #[arg(value_name = "KEY")]
        key: String,
        /// Print the record and its step as JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Remove records, and the steps that no other record scores
    #[command(
        after_help = "Examples:\n  molarena store rm --method my-method --dry-run\n  molarena store rm --failed\n  molarena store rm 3f2a9c01\n\nWhat the steps made stays until `store gc`."
    )]
    Rm {
        /// Keys of records, or their first digits
        #[arg(value_name = "KEY")]
        keys: Vec<String>,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        chosen: ChosenCells,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Remove what no record names
    #[command(visible_alias = "clean", after_help = "Example:\n  molarena store gc --caches --dry-run")]
    Gc {
        /// Also steps that no record scores, such as those of members of ensembles
        #[arg(long)]
        steps: bool,
        /// Also caches: features, molecules, resampled scores, copies of plugins
        #[arg(long)]
        caches: bool,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Add the records of other stores, such as those of other machines
    #[command(
        after_help = "Example:\n  molarena store merge machine-a machine-b --store all\n\nWhere both have a record, this store's stays; the exit code is 5 if the outcomes differ."
    )]
    Merge {
        /// Stores to add
        #[arg(value_name = "DIR", required = true)]
        others: Vec<PathBuf>,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Write what boards, comparisons, gates and replays need into one file, DIR/SHA256.tar.gz
    #[command(
        after_help = "Example:\n  molarena store pack --output archives\n\nTrained encoders, vectors and caches are left out. Equal stores give equal bytes."
    )]
    Pack {
        /// Folder of the archive
        #[arg(long, short, value_name = "DIR")]
        output: PathBuf,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Add the records of archives that `store pack` wrote
    #[command(
        after_help = "Example:\n  molarena store unpack archives/*.tar.gz --store unpacked\n\nThe name of an archive is the sha256 of its bytes, and is checked."
    )]
    Unpack {
        /// Archives
        #[arg(value_name = "FILE", required = true)]
        archives: Vec<PathBuf>,
        #[command(flatten)]
        store: StorePlace,
    },
    /// Read every record, compare its name with its content, and hash every file that a step made
    #[command(
        after_help = "Example:\n  molarena store verify --store molarena-store\n\nThe exit code is 5 if something does not fit."
    )]
    Verify {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StorePlace,
    },
}

/// Which records.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Records")]
pub(crate) struct ChosenCells {
    /// Of this dataset, or context of matching (again for more); * stands for any text
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// Of this method (again for more); * stands for any text
    #[arg(long = "method", value_name = "NAME")]
    pub(crate) methods: Vec<String>,
    /// That failed
    #[arg(long)]
    pub(crate) failed: bool,
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
