//! Limits of workers.

use std::{num::NonZeroUsize, time::Duration};

use serde::{Deserialize, Deserializer, de::Error as _};

/// Most threads of a worker, and most workers at a time.
pub(crate) const MAX_THREADS: usize = 1024;

/// Limits of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Wall-clock time, such as `"10m"` or `"3h"`.
    pub wall: Duration,
    /// Memory in bytes, such as `"8GiB"`.
    pub memory: u64,
    /// Bytes that it may write to its folders, such as `"10GiB"`.
    pub disk: u64,
    /// Thread budget; the worker is pinned to as many processors.
    pub threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { wall: Duration::from_hours(2), memory: 8 << 30, disk: 16 << 30, threads: 1 }
    }
}

/// Limits of a suite's cells, and of its pretraining where they differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteLimits {
    #[serde(default, deserialize_with = "some_duration")]
    wall: Option<Duration>,
    #[serde(default, deserialize_with = "some_size")]
    memory: Option<u64>,
    #[serde(default, deserialize_with = "some_size")]
    disk: Option<u64>,
    threads: Option<usize>,
    #[serde(default)]
    pretrain: LimitChanges,
}

/// Limits that override others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitChanges {
    #[serde(default, deserialize_with = "some_duration")]
    wall: Option<Duration>,
    #[serde(default, deserialize_with = "some_size")]
    memory: Option<u64>,
    #[serde(default, deserialize_with = "some_size")]
    disk: Option<u64>,
    threads: Option<usize>,
}

impl LimitChanges {
    fn of(self, limits: Limits) -> Limits {
        Limits {
            wall: self.wall.unwrap_or(limits.wall),
            memory: self.memory.unwrap_or(limits.memory),
            disk: self.disk.unwrap_or(limits.disk),
            threads: self.threads.unwrap_or(limits.threads),
        }
    }
}

impl SuiteLimits {
    /// Limits of the workers that encode, fit, predict and rank.
    pub fn cells(&self) -> Limits {
        let Self { wall, memory, disk, threads, .. } = *self;
        LimitChanges { wall, memory, disk, threads }.of(Limits::default())
    }

    /// Limits of the workers that pretrain: those of `cells`, unless `[limits.pretrain]` overrides them.
    pub fn pretraining(&self, cells: Limits) -> Limits {
        self.pretrain.of(cells)
    }
}

/// Parses a number of threads or workers, 1 to `MAX_THREADS`.
pub fn parse_threads(text: &str) -> Result<NonZeroUsize, String> {
    let number = text.parse().ok().filter(|number: &NonZeroUsize| number.get() <= MAX_THREADS);
    number.ok_or_else(|| format!("`{text}` is no number from 1 to {MAX_THREADS}"))
}

/// Parses a duration, such as `10m`, `3h` or `90s`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|error| format!("`{text}` is no duration ({error}); write 90s, 10m or 3h"))
}

/// Parses a size in bytes, such as `500MB` or `8GiB`.
pub fn parse_size(text: &str) -> Result<u64, String> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|error| format!("`{text}` is no size ({error}); write 500MiB or 8GiB"))
}

/// Reads a duration, such as `"10m"`.
pub(crate) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

fn some_duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    duration(deserializer).map(Some)
}

fn some_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    parse_size(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}
