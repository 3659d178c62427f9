//! A split stated in a column of the table.

use crate::error::{Error, Result};
use crate::split::{Part, Protocol, Split};
use crate::table::Table;

/// The part of each row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parts {
    /// The column that states them.
    pub column: String,
    /// `[rows of the file]`: the part of each row.
    pub of_row: Vec<Part>,
}

impl Parts {
    /// Reads the parts from a column.
    pub(super) fn read(table: &Table, column: &str) -> Result<Self> {
        let index = table.column(column)?;
        let part = |row: usize| {
            let value = table.text(row, index);
            value.parse().map_err(|_| Error::WrongPart {
                cell: Box::new(table.cell(row, index)),
                value: value.to_owned(),
            })
        };
        let of_row = (0..table.rows()).map(part).collect::<Result<_>>()?;
        Ok(Self { column: column.to_owned(), of_row })
    }

    /// Whether the column states rows for validation.
    pub fn has_valid(&self) -> bool {
        self.of_row.contains(&Part::Valid)
    }

    /// The split of molecules that come from `rows` (data rows of the file, from 1) and have these scaffolds.
    ///
    /// If the column states no rows for validation, a tenth of the training molecules is used, chosen as
    /// [`Protocol::Scaffold`] with `seed` chooses its validation part.
    pub fn split(&self, rows: &[usize], scaffolds: &[String], seed: u64) -> Split {
        let of = |part: Part| {
            (0..rows.len()).filter(|&index| self.of_row[rows[index] - 1] == part).collect::<Vec<usize>>()
        };
        let (mut train, mut valid) = (of(Part::Train), of(Part::Valid));
        let stated = self.has_valid();
        if !stated {
            let of_train: Vec<String> = train.iter().map(|&index| scaffolds[index].clone()).collect();
            let chosen = Protocol::Scaffold.split(&of_train, seed);
            valid = chosen.valid.iter().map(|&index| train[index]).collect();
            train.retain(|index| valid.binary_search(index).is_err());
        }
        let protocol = format!("column:{}", self.column);
        Split { protocol, seed: if stated { 0 } else { seed }, train, valid, test: of(Part::Test) }
    }
}
