//! The formats by name.

use std::fmt;
use std::str::FromStr;

use crate::{Boards, csv, json, md, text};

/// How boards are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Markdown tables in the paper's form: scores x100, one decimal.
    Md,
    /// One line per board and method, in full precision.
    Csv,
    /// Narrow tables for a terminal.
    Text,
    /// Everything, in full precision, under [`BOARD_SCHEMA`](crate::BOARD_SCHEMA).
    Json,
}

/// No format has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown format `{0}`: expected md, csv, text or json")]
pub struct UnknownFormat(pub String);

impl Format {
    /// Every format, in the order of declaration.
    pub const ALL: [Self; 4] = [Self::Md, Self::Csv, Self::Text, Self::Json];

    /// The name on the command line, and the extension of its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md => "md",
            Self::Csv => "csv",
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// The boards as text, which ends with a line break.
pub fn render(boards: &Boards, format: Format) -> String {
    match format {
        Format::Md => md::render(boards),
        Format::Csv => csv::render(boards),
        Format::Text => text::render(boards),
        Format::Json => json::render(boards),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_in_display_and_from_str() {
        for format in Format::ALL {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let message = "xls".parse::<Format>().unwrap_err().to_string();
        assert_eq!(message, "unknown format `xls`: expected md, csv, text or json");
    }
}
