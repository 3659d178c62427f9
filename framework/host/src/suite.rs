//! Suite files: which cells run.

use std::{path::Path, time::Duration};

use molarena_data::Protocol;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::{Error, Result};

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
    pub limits: Limits,
    /// The cells: each group is datasets x methods x seeds.
    pub cells: Vec<CellGroup>,
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
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall-clock time, such as `"10m"` or `"3h"`.
    #[serde(deserialize_with = "duration")]
    pub wall: Duration,
    /// Memory in bytes, such as `"8GiB"`.
    #[serde(deserialize_with = "size")]
    pub memory: u64,
    /// Thread budget; the worker is pinned to as many processors.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wall: Duration::from_hours(2), memory: 8 << 30, threads: 1 }
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

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    parse_size(&String::deserialize(deserializer)?).map_err(D::Error::custom)
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
        if suite.limits.threads == 0 || suite.limits.wall.is_zero() || suite.limits.memory == 0 {
            return Err(document("limits must be above 0".into()));
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
            limits = { wall = "10m", memory = "2GiB" }
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
        assert_eq!(suite.limits.wall, Duration::from_mins(10));
        assert_eq!(suite.limits.memory, 2 << 30);
        assert_eq!(suite.limits.threads, 1);
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
