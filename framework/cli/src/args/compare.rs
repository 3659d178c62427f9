//! Arguments of `compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use molarena_evaluate::{ProfileSpace, Resampling};
use molarena_metrics::Metric;

use super::{ScoredData, StorePlace};

const COMPARE_EXAMPLES: &str = "\
Examples:
  molarena compare morgan-rf morgan-mlp --dataset chembl2k
  molarena compare infoalign infoalign --store new --other-store old
  molarena compare --reference morgan-rf                 # one row against all others
  molarena compare morgan-rf morgan-gp --csv my.csv --tasks active
  molarena compare morgan-rf morgan-gp --format json > comparison.json
  molarena compare morgan-rf morgan-gp --format html > comparison.html

Rows are named as on the boards; every board that has both is compared. A difference is the first row less the second.";

#[derive(Debug, Args)]
#[command(after_help = COMPARE_EXAMPLES)]
pub(crate) struct CompareArgs {
    /// First row, by its name on the board
    #[arg(value_name = "ROW", required_unless_present = "reference", conflicts_with = "reference")]
    pub(crate) first: Option<String>,
    /// Second row
    #[arg(value_name = "OTHER", required_unless_present = "reference")]
    pub(crate) second: Option<String>,
    /// Compare this row with all others, with intervals that hold together
    #[arg(long, value_name = "ROW")]
    pub(crate) reference: Option<String>,
    /// Only this dataset (again for more)
    #[arg(long = "dataset", value_name = "ID")]
    pub(crate) datasets: Vec<String>,
    /// Score stored predictions by another metric, such as rmse
    #[arg(long, value_name = "NAME")]
    pub(crate) metric: Option<Metric>,
    /// Only the tasks of this group, for datasets that name it, such as cell of broad6k
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Option<String>,
    /// Score the test molecules only that have a profile in this space of a context graph, such as context-open/expression
    #[arg(long, value_name = "CONTEXT/SPACE")]
    pub(crate) profiled: Option<ProfileSpace>,
    /// Scores of a task up to this far apart are a tie, as a fraction of 1 or in the labels' unit
    #[arg(long, value_name = "NUMBER", default_value_t = 0.0, value_parser = parse_margin)]
    pub(crate) margin: f64,
    /// Confidence of the intervals, between 0 and 1
    #[arg(long, value_name = "NUMBER", default_value_t = Resampling::default().confidence, value_parser = parse_confidence)]
    pub(crate) confidence: f64,
    /// Number of resamples of molecules and seeds
    #[arg(long, value_name = "N", default_value_t = Resampling::default().resamples as u32, value_parser = clap::value_parser!(u32).range(100..=100_000))]
    pub(crate) resamples: u32,
    /// List every task, not the 20 with the smallest p value
    #[arg(long)]
    pub(crate) all_tasks: bool,
    /// md, html or json
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    pub(crate) format: DocumentFormat,
    /// Store that has the second row, if it is another one
    #[arg(long, value_name = "DIR", conflicts_with = "reference")]
    pub(crate) other_store: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StorePlace,
    #[command(flatten)]
    pub(crate) data: ScoredData,
}

impl CompareArgs {
    pub(crate) fn resampling(&self) -> Resampling {
        Resampling {
            resamples: self.resamples as usize,
            confidence: self.confidence,
            ..Resampling::default()
        }
    }
}

/// How comparisons, gates and audits are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DocumentFormat {
    Md,
    Html,
    Json,
}

/// A margin of scores: finite, 0 or more.
pub(crate) fn parse_margin(text: &str) -> Result<f64, String> {
    let margin: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if margin.is_finite() && margin >= 0.0 { Ok(margin) } else { Err("must be 0 or more".into()) }
}

/// A confidence, inside (0, 1).
pub(crate) fn parse_confidence(text: &str) -> Result<f64, String> {
    let confidence: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    if confidence > 0.0 && confidence < 1.0 { Ok(confidence) } else { Err("must be between 0 and 1".into()) }
}
