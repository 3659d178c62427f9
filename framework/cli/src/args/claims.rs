//! Arguments of `claims`.

use std::path::PathBuf;

use clap::Args;

use super::{ScoredData, compare::DocumentFormat};

const CLAIMS_EXAMPLES: &str = "\
Examples:
  molarena claims leaderboards/claims/infoalign.toml --store molarena-store
  molarena claims claims.toml --store fingerprints --store encoders > REPORT.md
  molarena claims claims.toml --store molarena-store --format json > claims.json

A claims file (molarena.claims/1) says what a paper claims:

  schema = \"molarena.claims/1\"
  paper = { title = \"A paper\", url = \"https://arxiv.org/abs/2406.12056\" }

  [[claim]]
  name = \"forest-beats-neighbours\"
  text = \"A forest predicts better than the nearest neighbours.\"
  source = \"Table 2\"
  method = \"morgan-rf\"
  against = [\"morgan-knn\", \"constant\"]
  datasets = [\"chembl2k\"]
  expect = \"better\"

Rows are named as on the boards. Of a method with several compositions in a store, the one that was finished last counts.";

#[derive(Debug, Args)]
#[command(after_help = CLAIMS_EXAMPLES)]
pub(crate) struct ClaimsArgs {
    /// File of the claims
    #[arg(value_name = "CLAIMS.toml")]
    pub(crate) file: PathBuf,
    /// Store with rows of the claims (again for more)
    #[arg(long = "store", value_name = "DIR", default_value = "molarena-store")]
    pub(crate) stores: Vec<PathBuf>,
    /// md, html or json
    #[arg(long, value_name = "FORMAT", default_value = "md")]
    pub(crate) format: DocumentFormat,
    #[command(flatten)]
    pub(crate) data: ScoredData,
}
