//! A record made again from its own description, `reproductions/<ab>/<key>.json`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Schema name of [`Reproduction`].
pub const REPRODUCTION_SCHEMA: &str = "molarena.reproduction/1";

/// What came of making a record again, the last time that somebody did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reproduction {
    /// [`REPRODUCTION_SCHEMA`].
    #[schemars(extend("const" = REPRODUCTION_SCHEMA))]
    pub schema: String,
    /// Key of the record; also the file's name.
    pub key: String,
    /// How well the two agree.
    pub agreement: Agreement,
    /// Largest difference between two predictions; null where predictions cannot be compared.
    pub largest_difference: Option<f64>,
    /// Score of the second run less that of the first; null where one of them has none.
    pub score_difference: Option<f64>,
    /// What the second run was made from that the first was not, such as `composition.baseline.version: "0.1.0", was
    /// "0.0.9"`.
    pub changed: Vec<String>,
    /// Why predictions were not compared, and what else a reader must know.
    pub notes: Vec<String>,
    /// Architecture and operating system of the second run, such as `x86_64-linux`.
    pub platform: String,
    /// When the second run finished, in seconds since 1970 (UTC).
    pub finished: Option<u64>,
}

/// How well a record and the same made again agree.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    JsonSchema,
    strum::Display,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Agreement {
    /// The same predictions, bit by bit; or the same failure.
    Identical,
    /// Predictions that differ by rounding, from plugins that do not promise equal bits.
    Equal,
    /// Other predictions, or another outcome.
    Different,
}

impl Agreement {
    /// Whether the record counts as verified.
    pub const fn verifies(self) -> bool {
        matches!(self, Self::Identical | Self::Equal)
    }
}
