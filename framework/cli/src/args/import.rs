//! Arguments of `import`.

use std::path::PathBuf;

use clap::Args;
use molarena_data::Protocol;

use super::{Places, StorePlace};

const EXAMPLES: &str = "\
Examples:
  molarena export split chembl2k > split.csv           # which molecules to train on, and which to predict
  molarena import predictions.csv --dataset chembl2k --method my-network --seed 0
  molarena import predictions.parquet --dataset biogen3k --method my-network --row-column row

The table has a column of SMILES, spelled as in the dataset, and one column of predictions for each task, by its name; or
it is long, with the columns task and prediction, as `export predictions` writes it, and then only rows of this dataset
and seed count. Rows that are not in the test part are ignored. Classes are predicted as probabilities. Boards say that
the row was imported: nothing here saw how its predictions came about.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ImportArgs {
    /// Table of predictions: CSV (also .gz) or Parquet, known by its content
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Dataset that was predicted
    #[arg(long, value_name = "ID")]
    pub(crate) dataset: String,
    /// Name of the row on boards
    #[arg(long, value_name = "NAME")]
    pub(crate) method: String,
    /// Seed of the method
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,
    /// Split instead of the dataset's own: infoalign, ogb, scaffold or random
    #[arg(long, value_name = "NAME")]
    pub(crate) split: Option<Protocol>,
    /// Seed of the split, for scaffold and random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) split_seed: u64,
    /// Column of SMILES [default: smiles, smi or the like]
    #[arg(long, value_name = "NAME")]
    pub(crate) smiles_column: Option<String>,
    /// Column of row numbers in the dataset's table, from 1, as `export split` writes them; needed where a SMILES is in the
    /// dataset twice [default: row, in a long table that has it]
    #[arg(long, value_name = "NAME")]
    pub(crate) row_column: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) places: Places,
}
