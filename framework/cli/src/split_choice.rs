//! The requested split.

use std::str::FromStr;

use molarena_data::Protocol;

const COLUMN: &str = "column:";

/// A protocol, or a column of the user's own table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SplitChoice {
    /// A built-in protocol.
    Protocol(Protocol),
    /// Name of the column that says which part a row is in.
    Column(String),
}

impl SplitChoice {
    /// The protocol, if it is one.
    pub(crate) fn protocol(&self) -> Option<Protocol> {
        match self {
            Self::Protocol(protocol) => Some(*protocol),
            Self::Column(_) => None,
        }
    }

    /// The column, if it is one.
    pub(crate) fn column(&self) -> Option<&str> {
        match self {
            Self::Column(column) => Some(column),
            Self::Protocol(_) => None,
        }
    }
}

impl FromStr for SplitChoice {
    type Err = molarena_data::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(COLUMN) {
            Some(column) => Ok(Self::Column(column.to_owned())),
            None => text.parse().map(Self::Protocol),
        }
    }
}
