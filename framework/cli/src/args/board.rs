//! Arguments of `board` and `serve`.

use std::path::PathBuf;

use clap::{
    Args,
    builder::{PossibleValuesParser, TypedValueParser},
};
use molarena_evaluate::ProfileSpace;
use molarena_metrics::Metric;
use molarena_report::{Format, SortBy};
use strum::VariantNames;

use super::{ScoredData, StorePlace};

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
  molarena board --dataset broad6k --group cell
  molarena board --dataset chembl2k --profiled context-open/expression
  molarena board --csv my.csv --tasks active           # rows on a table of your own
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
    /// Only the tasks of this group, for datasets that name it, such as cell of broad6k
    #[arg(long, value_name = "NAME", conflicts_with = "matches")]
    pub(crate) group: Option<String>,
    /// Score the test molecules only that have a profile in this space of a context graph, such as context-open/expression
    #[arg(long, value_name = "CONTEXT/SPACE", conflicts_with = "matches")]
    pub(crate) profiled: Option<ProfileSpace>,
    /// Leave out time and memory, so that boards of equal results are equal bytes
    #[arg(long)]
    pub(crate) no_cost: bool,
    /// Leave out intervals, tie groups and scores without twins, which need the labels of the data folder
    #[arg(long)]
    pub(crate) no_intervals: bool,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) data: ScoredData,
}

fn sort_by() -> impl TypedValueParser<Value = SortBy> {
    PossibleValuesParser::new(SortBy::VARIANTS).try_map(|name| name.parse::<SortBy>())
}
