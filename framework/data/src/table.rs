//! Reads a table, CSV or Parquet, plain or gzipped, into text columns.

pub(crate) mod layout;
pub(crate) mod sniff;

use std::collections::{BTreeSet, HashSet};
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use flate2::read::MultiGzDecoder;

use crate::error::{Cell, Error, Result};
use crate::parquet_text::{self, ParquetTable};

pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A table of text: a header and at least one row, every row as wide as the header.
pub(crate) struct Table {
    path: PathBuf,
    header: Vec<String>,
    records: Vec<StringRecord>,
    /// Line, from 1, on which each record starts; 0 in a file without lines.
    lines: Vec<u64>,
    /// Columns that cannot be written as text, and what they are.
    unreadable: Vec<(String, &'static str)>,
    /// Columns that are the index of the data frame that was written.
    index: BTreeSet<String>,
}

impl Table {
    /// Reads a table from a file's bytes, as [`parse_with`](Self::parse_with) does without wanted columns.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        Self::parse_with(path, bytes, &[])
    }

    /// Reads a table from a file's bytes. Parquet and gzip are recognised by their first bytes, not by the
    /// file's name; in CSV, a byte order mark, line ends of every kind, quoted cells, and commas, tabs, semicolons and
    /// pipes as separators are understood. Where several separators fit the rows, one whose header has the `wanted`
    /// columns is taken. Parquet numbers become their shortest text, nulls and NaN empty text.
    ///
    /// # Errors
    /// [`Error::BadGzip`], [`Error::BadCsv`], [`Error::BadParquet`], [`Error::DuplicateColumn`], [`Error::Empty`]; each
    /// names `path`.
    pub(crate) fn parse_with(path: &Path, bytes: &[u8], wanted: &[&str]) -> Result<Self> {
        let plain = unpack(path, bytes)?;
        let table = if plain.starts_with(parquet_text::MAGIC) {
            Self::from_parquet(path, plain)?
        } else {
            Self::from_csv(path, &plain, wanted)?
        };
        let unreadable = table.unreadable.iter().map(|(name, _)| name);
        check_header(path, table.header.iter().chain(unreadable))?;
        if table.records.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        Ok(table)
    }

    fn from_csv(path: &Path, text: &[u8], wanted: &[&str]) -> Result<Self> {
        let bad = |reason: String| Error::BadCsv { path: path.to_owned(), reason };
        if let Some(what) = sniff::no_table(text) {
            return Err(bad(what));
        }
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        if let Some(what) = sniff::not_utf8(text) {
            return Err(bad(what));
        }
        let mut layout = layout::layout(text, wanted).map_err(|fault| bad(fault.to_string()))?;
        let mut reader = csv::ReaderBuilder::new().delimiter(layout.delimiter).from_reader(text);
        let header: Vec<String> = reader
            .headers()
            .map_err(|error| bad(error.to_string()))?
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        let records =
            reader.records().collect::<Result<Vec<_>, _>>().map_err(|error| bad(error.to_string()))?;
        let mut table = Self {
            path: path.to_owned(),
            header,
            records,
            lines: layout.lines.split_off(layout.lines.len().min(1)),
            unreadable: Vec::new(),
            index: BTreeSet::new(),
        };
        table.drop_nameless();
        Ok(table)
    }

    /// Removes columns without a name and without a cell, which spreadsheets add to the right of a table.
    fn drop_nameless(&mut self) {
        let is_empty = |column: usize| (0..self.rows()).all(|row| self.text(row, column).is_empty());
        let kept: Vec<usize> = (0..self.header.len())
            .filter(|&column| !self.header[column].is_empty() || !is_empty(column))
            .collect();
        if kept.len() == self.header.len() {
            return;
        }
        self.header = kept.iter().map(|&column| self.header[column].clone()).collect();
        for record in &mut self.records {
            *record = kept.iter().map(|&column| &record[column]).collect();
        }
    }

    fn from_parquet(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let table = ParquetTable::open(path, bytes::Bytes::from(bytes))?;
        let mut unreadable = table.unreadable().to_vec();
        let (mut header, mut columns) = (Vec::new(), Vec::new());
        for (column, name) in table.columns().iter().enumerate() {
            match table.whole_column(column)? {
                Ok(texts) => {
                    header.push(name.trim().to_owned());
                    columns.push(texts);
                }
                Err(what) => unreadable.push((name.clone(), what)),
            }
        }
        let mut records = vec![StringRecord::new(); columns.first().map_or(0, Vec::len)];
        for column in columns {
            if column.len() != table.rows() {
                let reason = format!("its footer says {} rows, a column has {}", table.rows(), column.len());
                return Err(Error::BadParquet { path: path.to_owned(), reason });
            }
            for (record, text) in records.iter_mut().zip(column) {
                record.push_field(&text);
            }
        }
        let lines = vec![0; records.len()];
        let index = table.index().iter().map(|name| name.trim().to_owned()).collect();
        Ok(Self { path: path.to_owned(), header, lines, records, unreadable, index })
    }

    /// Names of the columns, trimmed.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Number of data rows.
    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    /// Whether a column is the index of the data frame that was written.
    pub(crate) fn is_index(&self, column: usize) -> bool {
        self.index.contains(&self.header[column])
    }

    /// Index of the column called `name`.
    ///
    /// # Errors
    /// [`Error::AbsentColumn`], [`Error::UnreadableColumn`].
    pub(crate) fn column(&self, name: &str) -> Result<usize> {
        find_column(&self.path, &self.header, &self.unreadable, name)
    }

    /// Index of the column called `name`, if there is one that can be read.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.header.iter().position(|column| column == name)
    }

    /// Columns that cannot be written as text, and what they are.
    pub(crate) fn unreadable(&self) -> &[(String, &'static str)] {
        &self.unreadable
    }

    /// The trimmed text at data row `row` (from 0) and column `column` (from 0).
    pub(crate) fn text(&self, row: usize, column: usize) -> &str {
        self.records[row].get(column).unwrap_or_default().trim()
    }

    /// The place of a cell, for an error.
    pub(crate) fn cell(&self, row: usize, column: usize) -> Cell {
        let column = self.header[column].clone();
        Cell { path: self.path.clone(), row: row + 1, line: self.lines[row], column }
    }
}

fn unpack(path: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    if !bytes.starts_with(&GZIP_MAGIC) {
        return Ok(bytes.to_vec());
    }
    let mut text = Vec::new();
    MultiGzDecoder::new(bytes)
        .read_to_end(&mut text)
        .map_err(|error| Error::BadGzip { path: path.to_owned(), reason: error.to_string() })?;
    Ok(text)
}

/// Index of the column called `name` among those that can be read.
///
/// # Errors
/// [`Error::AbsentColumn`] with the most similar name, [`Error::UnreadableColumn`].
pub(crate) fn find_column(
    path: &Path,
    header: &[String],
    unreadable: &[(String, &'static str)],
    name: &str,
) -> Result<usize> {
    if let Some(index) = header.iter().position(|column| column == name) {
        return Ok(index);
    }
    if let Some((_, what)) = unreadable.iter().find(|(column, _)| column == name) {
        return Err(Error::UnreadableColumn { path: path.to_owned(), column: name.to_owned(), what });
    }
    Err(Error::AbsentColumn {
        path: path.to_owned(),
        column: name.to_owned(),
        guess: nearest(header, name).map(|near| format!(" (is \"{near}\" meant?)")).unwrap_or_default(),
        present: present(header, unreadable),
    })
}

/// The name that is most similar to `name`, if one is similar enough.
fn nearest<'a>(header: &'a [String], name: &str) -> Option<&'a str> {
    /// Names of less similarity are not meant.
    const SIMILAR: f64 = 0.85;
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(name);
    let scored = header.iter().map(|column| (strsim::jaro_winkler(&wanted, &plain(column)), column.as_str()));
    let best = scored.rev().max_by(|(one, _), (other, _)| one.total_cmp(other));
    best.filter(|(similarity, _)| *similarity >= SIMILAR).map(|(_, column)| column)
}

/// Returns an error if two columns have the same name.
pub(crate) fn check_header<'a>(path: &Path, mut header: impl Iterator<Item = &'a String>) -> Result<()> {
    let mut seen = HashSet::new();
    match header.find(|name| !seen.insert(name.as_str())) {
        Some(column) => Err(Error::DuplicateColumn { path: path.to_owned(), column: column.clone() }),
        None => Ok(()),
    }
}

/// The first few names, for an error that must stay on one line, and those that cannot be read.
pub(crate) fn present(names: &[String], unreadable: &[(String, &'static str)]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    let mut text = match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    };
    for (name, what) in unreadable.iter().take(SHOWN) {
        write!(text, "; \"{name}\" cannot be read: {what}").expect("writing to a string does not fail");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn parse(bytes: &[u8]) -> Result<Table> {
        Table::parse(Path::new("made-up.csv"), bytes)
    }

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_marks_line_ends_and_quotes() {
        let table = parse(b"\xef\xbb\xbfsmiles,\"a, b\"\r\n\"CC\",1\r\nC, 0 \r\n").unwrap();
        assert_eq!(table.header(), ["smiles", "a, b"]);
        assert_eq!(table.rows(), 2);
        assert_eq!((table.text(0, 0), table.text(1, 1)), ("CC", "0"));
        assert_eq!(table.cell(1, 1).to_string(), "made-up.csv: row 2 (line 3), column \"a, b\"");
        let table = parse(b"a\n\n1\n\"2\n2\"\n3\n").unwrap();
        assert_eq!([0, 1, 2].map(|row| table.cell(row, 0).line), [3, 4, 6]);
    }

    #[test]
    fn knows_gzip_by_its_bytes() {
        let mut bytes = gzip(b"a,b\n1,2\n");
        bytes.extend(gzip(b"3,4\n"));
        assert_eq!(parse(&bytes).unwrap().rows(), 2, "members of a gzip file follow each other");
    }

    #[test]
    fn refuses_cut_gzip() {
        let bytes = gzip(b"a,b\n1,2\n");
        for length in [2, 12, bytes.len() - 1] {
            let error = parse(&bytes[..length]).err().unwrap();
            assert_eq!(error.code(), "E-DATA-013", "{error}");
        }
    }

    #[test]
    fn refuses_what_is_no_table() {
        let code = |bytes: &[u8]| parse(bytes).err().unwrap().code();
        assert_eq!(code(b""), "E-DATA-012");
        assert_eq!(code(b"a,b\n"), "E-DATA-012");
        assert_eq!(code(b"a,a\n1,2\n"), "E-DATA-008");
        assert_eq!(code(b"a,b\n1\n"), "E-DATA-014");
        assert_eq!(code(b"a,b\n1,\xff\n"), "E-DATA-014");
    }

    #[test]
    fn parquet_is_known_by_its_bytes() {
        for bytes in [parquet_text::tests::example(), gzip(&parquet_text::tests::example())] {
            let table = parse(&bytes).unwrap();
            assert_eq!((table.rows(), table.header().len()), (6, 8));
            assert_eq!((table.text(2, 0), table.text(4, 0), table.text(5, 7)), ("CCO", "", "z"));
            assert_eq!(table.cell(3, 1).to_string(), "made-up.csv: row 4, column \"active\"");
            let error = table.column("day").unwrap_err().to_string();
            assert!(error.contains("column \"day\" is a date or time"), "{error}");
        }
        assert_eq!(parse(b"PAR1, or not").err().unwrap().code(), "E-DATA-023");
    }

    #[test]
    fn names_an_absent_column_and_those_present() {
        let error = parse(b"a,b\n1,2\n").unwrap().column("c").unwrap_err().to_string();
        assert!(error.contains("no column \"c\"") && error.contains("\"a\", \"b\""), "{error}");
    }
}
