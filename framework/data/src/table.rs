//! Reading a CSV table, plain or gzipped, into text columns.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use flate2::read::MultiGzDecoder;

use crate::error::{Cell, Error, Result};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A table of text: a header and at least one row, every row as wide as the header.
pub(crate) struct Table {
    path: PathBuf,
    header: Vec<String>,
    records: Vec<StringRecord>,
    /// Line, from 1, on which each record starts.
    lines: Vec<u64>,
}

impl Table {
    /// Reads a table from a file's bytes. Gzip is known by its first two bytes, not by the file's name; a byte order
    /// mark, CRLF line ends and quoted cells are understood.
    ///
    /// # Errors
    /// [`Error::BadGzip`], [`Error::BadCsv`], [`Error::DuplicateColumn`], [`Error::Empty`]; each names `path`.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let text = unpack(path, bytes)?;
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text);
        let bad_csv = |error: csv::Error| Error::BadCsv { path: path.to_owned(), reason: error.to_string() };
        let mut reader = csv::ReaderBuilder::new().from_reader(text);
        let header: Vec<String> =
            reader.headers().map_err(bad_csv)?.iter().map(|name| name.trim().to_owned()).collect();
        let mut seen = HashSet::new();
        if let Some(column) = header.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(Error::DuplicateColumn { path: path.to_owned(), column: column.clone() });
        }
        let records = reader.records().collect::<Result<Vec<_>, _>>().map_err(bad_csv)?;
        if records.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        let lines = records.iter().map(|record| first_line(text, record)).collect();
        Ok(Self { path: path.to_owned(), header, records, lines })
    }

    /// Names of the columns, trimmed.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Number of data rows.
    pub(crate) fn rows(&self) -> usize {
        self.records.len()
    }

    /// Index of the column called `name`.
    pub(crate) fn column(&self, name: &str) -> Result<usize> {
        self.header.iter().position(|column| column == name).ok_or_else(|| Error::AbsentColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            present: summary(&self.header),
        })
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

/// The line on which a record starts. The reader places it after the previous record, before the second half of a CRLF
/// and before blank lines.
fn first_line(text: &[u8], record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let before = text[position.byte() as usize..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + before.filter(|&&byte| byte == b'\n').count() as u64
}

/// The first few names, for an error that must stay on one line.
fn summary(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let shown = names.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

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
    fn names_an_absent_column_and_those_present() {
        let error = parse(b"a,b\n1,2\n").unwrap().column("c").unwrap_err().to_string();
        assert!(error.contains("no column \"c\"") && error.contains("\"a\", \"b\""), "{error}");
    }
}
