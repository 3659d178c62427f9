//! Suite files: which cells run.

use std::{collections::BTreeSet, path::Path, time::Duration};

use molarena_data::Protocol;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::{
    Error, Result,
    vary::{self, Vary},
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
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Limits of each cell.
    #[serde(default)]
    pub limits: SuiteLimits,
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
    /// Names of methods, or paths of method files from the suite's folder.
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
    /// Its feature spaces whose profiles are matched, one board each.
    pub spaces: Vec<String>,
    /// Names of methods with a decoder, or paths of method files from the suite's folder.
    pub methods: Vec<String>,
    /// Seeds 0 to n - 1, or a list.
    pub seeds: Seeds,
    /// How the molecules that have a profile in any of the spaces are split; the test part are the queries.
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

/// The profiles that are ranked for each query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Candidates {
    /// All profiles of the space.
    #[default]
    All,
    /// The profiles of the queries only.
    Test,
}

impl Candidates {
    /// The name in suites and records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Test => "test",
        }
    }
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
    /// The seeds.
    pub fn to_vec(&self) -> Vec<u64> {
        match self {
            Self::Count(count) => (0..*count).collect(),
            Self::List(seeds) => seeds.clone(),
        }
    }
}

/// Limits of a cell's worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time, such as `"10m"` or `"3h"`.
    pub wall: Duration,
    /// Memory in bytes, such as `"8GiB"`.
    pub memory: u64,
    /// Thread budget; the worker is pinned to as many processors.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wall: Duration::from_hours(2), memory: 8 << 30, threads: 1 }
    }
}

/// Limits of the cells of a suite, and those of its pretraining where they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteLimits {
    #[serde(default, deserialize_with = "some_duration")]
    wall: Option<Duration>,
    #[serde(default, deserialize_with = "some_size")]
    memory: Option<u64>,
    threads: Option<usize>,
    #[serde(default)]
    pretrain: LimitChanges,
}

/// Limits that differ from others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitChanges {
    #[serde(default, deserialize_with = "some_duration")]
    wall: Option<Duration>,
    #[serde(default, deserialize_with = "some_size")]
    memory: Option<u64>,
    threads: Option<usize>,
}

impl LimitChanges {
    fn of(self, limits: Limits) -> Limits {
        Limits {
            wall: self.wall.unwrap_or(limits.wall),
            memory: self.memory.unwrap_or(limits.memory),
            threads: self.threads.unwrap_or(limits.threads),
        }
    }
}

impl SuiteLimits {
    /// Limits of the workers that fit, predict and match.
    pub fn cells(&self) -> Limits {
        LimitChanges { wall: self.wall, memory: self.memory, threads: self.threads }.of(Limits::default())
    }

    /// Limits of the workers that pretrain: those of `cells`, where `[limits.pretrain]` does not say otherwise.
    pub fn pretraining(&self, cells: Limits) -> Limits {
        self.pretrain.of(cells)
    }
}

/// Parses `10m`, `3h`, `90s`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no duration ({error}); write 90s, 10m or 3h"))
}

/// Parses `500MB`, `8GiB`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|error| format!("`{text}` is no size ({error}); write 500MiB or 8GiB"))
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn some_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    parse_size(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

impl Suite {
    /// Reads a suite file.
    pub fn load(path: &Path) -> Result<Self> {
        // The message names the file.
        let text = fs_err::read_to_string(path).map_err(|error| Error::Request(error.to_string()))?;
        Self::parse(&text, path)
    }

    /// Reads a suite from TOML; `origin` is named in errors.
    pub fn parse(text: &str, origin: &Path) -> Result<Self> {
        let document = |message: String| Error::Document { path: origin.to_owned(), message };
        let suite: Self = toml::from_str(text).map_err(|error| document(error.to_string()))?;
        if suite.schema != SUITE_SCHEMA {
            return Err(document(format!("schema is `{}`, expected `{SUITE_SCHEMA}`", suite.schema)));
        }
        let cells = suite.limits.cells();
        for limits in [cells, suite.limits.pretraining(cells)] {
            if limits.threads == 0 || limits.wall.is_zero() || limits.memory == 0 {
                return Err(document("limits must be above 0".into()));
            }
        }
        let varied = suite.cells.iter().map(|group| &group.vary);
        for vary in varied.chain(suite.matches.iter().map(|group| &group.vary)) {
            vary::check(vary).map_err(document)?;
        }
        for group in &suite.matches {
            let distinct: BTreeSet<_> = group.spaces.iter().collect();
            if group.spaces.is_empty() || distinct.len() < group.spaces.len() {
                return Err(document("match.spaces must name at least one feature space, each once".into()));
            }
        }
        Ok(suite)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_units() {
        let suite = Suite::parse(
            r#"
            schema = "molarena.suite/1"
            name = "small"
            limits = { wall = "10m", memory = "2GiB", pretrain = { wall = "9h", threads = 2 } }
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
        assert_eq!(cells, Limits { wall: Duration::from_mins(10), memory: 2 << 30, threads: 1 });
        assert_eq!(
            suite.limits.pretraining(cells),
            Limits { wall: Duration::from_hours(9), threads: 2, ..cells }
        );
        assert_eq!(suite.cells[0].seeds.to_vec(), [0, 1, 2]);
        assert_eq!(suite.cells[1].seeds.to_vec(), [7, 9]);
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
