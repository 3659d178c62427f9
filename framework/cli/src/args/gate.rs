//! Arguments of `gate`.

use std::path::PathBuf;

use clap::Args;
use molarena_evaluate::Resampling;

use super::{
    ScoredData, StorePlace,
    compare::{DocumentFormat, parse_confidence, parse_margin},
};

const GATE_EXAMPLES: &str = "\
Examples:
  molarena run leaderboards/suites/quick.toml --store new
  molarena gate --baseline committed-store --store new
  molarena gate --baseline committed-store --store new --junit gate.xml > gate.md
  molarena gate --baseline old --store new --time-reference morgan-knn --second again

A row of the baseline has regressed if the interval of its gain is below 0 and reaches below the margin. It is ok if the
interval is above the margin. Otherwise the gate is inconclusive and says how much more would tell.

Exit codes: 0 ok, 20 regressed, 21 inconclusive, 22 not comparable; of several, 20 before 22 before 21.";

#[derive(Debug, Args)]
#[command(after_help = GATE_EXAMPLES)]
pub(crate) struct GateArgs {
    /// Store with the rows to hold against, such as one that is committed
    #[arg(long, value_name = "DIR")]
    pub(crate) baseline: PathBuf,
    /// Only the datasets and methods of this suite
    #[arg(long, value_name = "SUITE.toml")]
    pub(crate) suite: Option<PathBuf>,
    /// Only this dataset (again for more)
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// How much worse a row may be, as a fraction of 1 or in the labels' unit [default: 0.01; of an error, 1 % of the
    /// baseline's]
    #[arg(long, value_name = "NUMBER", value_parser = parse_margin)]
    pub(crate) margin: Option<f64>,
    /// Confidence of the intervals, between 0 and 1
    #[arg(long, value_name = "NUMBER", default_value_t = Resampling::default().confidence, value_parser = parse_confidence)]
    pub(crate) confidence: f64,
    /// Check times, too, as a ratio to the time of this row of the same run
    #[arg(long, value_name = "ROW")]
    pub(crate) time_reference: Option<String>,
    /// The ratio may grow by this factor
    #[arg(long, value_name = "NUMBER", default_value_t = 1.5, value_parser = parse_factor, requires = "time_reference")]
    pub(crate) time_factor: f64,
    /// A row that is slower in both runs is a regression, not a warning
    #[arg(long, requires = "time_reference")]
    pub(crate) time_error: bool,
    /// Store of a second run, which confirms times
    #[arg(long, value_name = "DIR", requires = "time_reference")]
    pub(crate) second: Option<PathBuf>,
    /// Write JUnit XML to this file, too
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// md, html or json
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    pub(crate) format: DocumentFormat,
    /// Folder with further method files, for the suite's names
    #[arg(long, value_name = "DIR", requires = "suite")]
    pub(crate) methods_dir: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) data: ScoredData,
}

/// A factor: finite, 1 or more.
fn parse_factor(text: &str) -> Result<f64, String> {
    let factor: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if factor.is_finite() && factor >= 1.0 { Ok(factor) } else { Err("must be 1 or more".into()) }
}
