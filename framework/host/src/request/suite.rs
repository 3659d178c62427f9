//! Suite files: which cells run.

use std::{collections::BTreeSet, path::Path};

use molarena_data::Protocol;
use molarena_record::matching::Candidates;
use serde::Deserialize;

use crate::{
    error::{Error, Result},
    request::document,
    request::executor::ExecutorTable,
    request::limits::{MAX_THREADS, SuiteLimits},
    request::sweep,
    request::sweep::Vary,
};

/// Schema name of a suite file.
pub const SUITE_SCHEMA: &str = "molarena.suite/1";

/// A file that names cells.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suite {
    /// [`SUITE_SCHEMA`].
    pub schema: String,
    /// Name of the suite.
    pub name: String,
    /// Purpose of the suite.
    #[serde(default)]
    pub description: String,
    /// Limits of each cell.
    #[serde(default)]
    pub limits: SuiteLimits,
    /// Device of methods that name none: `cpu`, `libtorch`, `cuda:N` or `libtorch-cuda:N`.
    #[serde(default)]
    pub device: Option<String>,
    /// Where the steps run; without it, on this machine.
    #[serde(default)]
    pub executor: Option<ExecutorTable>,
    /// The cells: each group is datasets x methods x seeds.
    #[serde(default)]
    pub cells: Vec<CellGroup>,
    /// Cells that match molecules and profiles: each group is methods x seeds.
    #[serde(default, rename = "match")]
    pub matches: Vec<MatchGroup>,
}

/// All combinations of datasets, methods and seeds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellGroup {
    /// Ids of datasets.
    pub datasets: Vec<String>,
    /// Names of methods, or paths of method files relative to the suite's folder.
    pub methods: Vec<String>,
    /// Seeds 0 to n - 1, or a list.
    pub seeds: Seeds,
    /// The split; without it, the dataset's own.
    #[serde(default)]
    pub split: Option<Protocol>,
    /// Seed of the split, where it takes one.
    #[serde(default)]
    pub split_seed: u64,
    /// Values to try by key of the method files: each combination makes a method `name[key=value]`.
    #[serde(default)]
    pub vary: Vary,
}

/// All combinations of methods and seeds, on the profiles of a context graph.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchGroup {
    /// Id of the context graph.
    pub context: String,
    /// Its feature spaces whose molecules are split, one board each.
    pub spaces: Vec<String>,
    /// Those of the spaces whose profiles the methods rank, for methods that know some spaces only; without it, all.
    #[serde(default)]
    pub ranked: Vec<String>,
    /// Names of methods with a decoder, or paths of method files relative to the suite's folder.
    pub methods: Vec<String>,
    /// Seeds 0 to n - 1, or a list.
    pub seeds: Seeds,
    /// Split of the molecules that have a profile in any of the spaces; the test part is the queries.
    #[serde(default = "default_match_split")]
    pub split: Protocol,
    /// Seed of the split, where it takes one.
    #[serde(default)]
    pub split_seed: u64,
    /// Which profiles are ranked.
    #[serde(default)]
    pub candidates: Candidates,
    /// As for [`CellGroup::vary`].
    #[serde(default)]
    pub vary: Vary,
}

const fn default_match_split() -> Protocol {
    Protocol::Scaffold
}

/// Seeds of a group.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Seeds {
    /// Seeds 0 to n - 1.
    Count(u64),
    /// These seeds.
    List(Vec<u64>),
}

impl Seeds {
    /// The seeds, in order.
    pub fn each(&self) -> Box<dyn Iterator<Item = u64> + '_> {
        match self {
            Self::Count(count) => Box::new(0..*count),
            Self::List(seeds) => Box::new(seeds.iter().copied()),
        }
    }

    /// Number of seeds.
    pub fn count(&self) -> u64 {
        match self {
            Self::Count(count) => *count,
            Self::List(seeds) => seeds.len() as u64,
        }
    }
}

impl Suite {
    /// Reads a suite file.
    pub fn load(path: &Path) -> Result<Self> {
        Self::parse(&document::read(path)?, path)
    }

    /// Reads a suite from TOML; `origin` is named in errors.
    pub fn parse(text: &str, origin: &Path) -> Result<Self> {
        let failed = |message: String| Error::Document { path: origin.to_owned(), message };
        let suite: Self = document::parse(text).map_err(failed)?;
        document::check_values(text).map_err(failed)?;
        if suite.schema != SUITE_SCHEMA {
            return Err(failed(format!("schema is `{}`, expected `{SUITE_SCHEMA}`", suite.schema)));
        }
        let cells = suite.limits.cells();
        for limits in [cells, suite.limits.pretraining(cells)] {
            if limits.threads == 0 || limits.wall.is_zero() || limits.memory == 0 || limits.disk == 0 {
                return Err(failed("limits must be above 0".into()));
            }
            if limits.threads > MAX_THREADS {
                return Err(failed(format!("limits.threads may be at most {MAX_THREADS}")));
            }
        }
        suite.executor.iter().try_for_each(ExecutorTable::check).map_err(failed)?;
        let varied = suite.cells.iter().map(|group| &group.vary);
        for vary in varied.chain(suite.matches.iter().map(|group| &group.vary)) {
            sweep::check(vary).map_err(failed)?;
        }
        for group in &suite.matches {
            let distinct: BTreeSet<_> = group.spaces.iter().collect();
            if group.spaces.is_empty() || distinct.len() < group.spaces.len() {
                return Err(failed("match.spaces must name at least one feature space, each once".into()));
            }
            let ranked: BTreeSet<_> = group.ranked.iter().collect();
            if ranked.len() < group.ranked.len() || !ranked.is_subset(&distinct) {
                return Err(failed("match.ranked must name some of match.spaces, each once".into()));
            }
        }
        Ok(suite)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::request::limits::Limits;

    #[test]
    fn limits_have_units() {
        let suite = Suite::parse(
            r#"
            schema = "molarena.suite/1"
            name = "small"
            limits = { wall = "10m", memory = "2GiB", disk = "3GiB", pretrain = { wall = "9h", threads = 2 } }
            [[cells]]
            datasets = ["chembl2k"]
            methods = ["constant"]
            seeds = 3
            [[cells]]
            datasets = ["chembl2k"]
            methods = ["morgan-rf"]
            seeds = [7, 9]
            split = "scaffold"
            "#,
            Path::new("small.toml"),
        )
        .unwrap();
        let cells = suite.limits.cells();
        assert_eq!(
            cells,
            Limits { wall: Duration::from_mins(10), memory: 2 << 30, disk: 3 << 30, threads: 1 }
        );
        assert_eq!(
            suite.limits.pretraining(cells),
            Limits { wall: Duration::from_hours(9), threads: 2, ..cells }
        );
        assert_eq!(suite.cells[0].seeds.each().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(suite.cells[1].seeds.each().collect::<Vec<_>>(), [7, 9]);
        assert_eq!(suite.cells[1].split, Some(Protocol::Scaffold));
    }

    #[test]
    fn errors_name_file_and_key() {
        let parse = |text| Suite::parse(text, Path::new("bad.toml")).unwrap_err().to_string();
        let unknown = parse("schema = 'molarena.suite/1'\nname = 'x'\ncells = []\nsedes = 3");
        assert!(unknown.starts_with("bad.toml: ") && unknown.contains("sedes"), "{unknown}");
        let duration =
            parse("schema = 'molarena.suite/1'\nname = 'x'\ncells = []\nlimits = { wall = 'soon' }");
        assert!(duration.contains("write 90s, 10m or 3h"), "{duration}");
        assert!(parse("schema = 'other/1'\nname = 'x'\ncells = []").contains("expected `molarena.suite/1`"));
    }
}
