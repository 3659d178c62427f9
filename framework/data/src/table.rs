//! Reads a table, CSV or Parquet, plain or gzipped, into text columns.

use std::collections::HashSet;
use std::fmt::Write;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use flate2::read::MultiGzDecoder;

use crate::error::{Cell, Error, Result};
use crate::parquet_text::{self, ParquetTable};

pub(crate) const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// The first bytes of a zip archive, such as an Excel workbook.
const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// A table of text: a header and at least one row, every row as wide as the header.
pub(crate) struct Table {
    path: PathBuf,
    header: Vec<String>,
    records: Vec<StringRecord>,
    /// Line, from 1, on which each record starts; 0 in a file without lines.
    lines: Vec<u64>,
    /// Columns that cannot be written as text, and what they are.
    unreadable: Vec<(String, &'static str)>,
}

impl Table {
    /// Reads a table from a file's bytes. Parquet and gzip are recognised by their first bytes, not by the
    /// file's name; in CSV, a byte order mark, CRLF line ends, quoted cells, tabs and semicolons as
    /// separators are understood. Parquet numbers become their shortest text, nulls and NaN empty text.
    ///
    /// # Errors
    /// [`Error::BadGzip`], [`Error::BadCsv`], [`Error::BadParquet`], [`Error::DuplicateColumn`], [`Error::Empty`]; each
    /// names `path`.
    pub(crate) fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let plain = unpack(path, bytes)?;
        let table = if plain.starts_with(parquet_text::MAGIC) {
            Self::from_parquet(path, plain)?
        } else {
            Self::from_csv(path, &plain)?
        };
        check_header(path, &table.header)?;
        if table.records.is_empty() {
            return Err(Error::Empty { path: path.to_owned() });
        }
        Ok(table)
    }

    fn from_csv(path: &Path, text: &[u8]) -> Result<Self> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let bad_csv = |error: csv::Error| Error::BadCsv { path: path.to_owned(), reason: error.to_string() };
        if text.starts_with(ZIP_MAGIC) {
            let reason = "it is a zip archive or an Excel workbook; export it as CSV".to_owned();
            return Err(Error::BadCsv { path: path.to_owned(), reason });
        }
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter(text)).from_reader(text);
        let header: Vec<String> =
            reader.headers().map_err(bad_csv)?.iter().map(|name| name.trim().to_owned()).collect();
        let records = reader.records().collect::<Result<Vec<_>, _>>().map_err(bad_csv)?;
        let lines = records.iter().map(|record| first_line(text, record)).collect();
        Ok(Self { path: path.to_owned(), header, records, lines, unreadable: Vec::new() })
    }

    fn from_parquet(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let table = ParquetTable::open(path, bytes::Bytes::from(bytes))?;
        let mut records = vec![StringRecord::new(); table.rows()];
        for column in 0..table.columns().len() {
            let mut row = 0;
            for group in 0..table.groups() {
                let mut texts = table.texts(group, column)?;
                while let Some(batch) = texts.next_batch(1 << 14)? {
                    for text in batch {
                        // The footer's number of rows may differ from the columns'.
                        if let Some(record) = records.get_mut(row) {
                            record.push_field(&text);
                        }
                        row += 1;
                    }
                }
            }
            if row != records.len() {
                let reason = format!("its footer says {} rows, a column has {row}", records.len());
                return Err(Error::BadParquet { path: path.to_owned(), reason });
            }
        }
        Ok(Self {
            path: path.to_owned(),
            header: table.columns().iter().map(|name| name.trim().to_owned()).collect(),
            lines: vec![0; records.len()],
            records,
            unreadable: table.unreadable().to_vec(),
        })
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
            present: self.present(),
        })
    }

    /// The columns present, for an error that must stay on one line.
    pub(crate) fn present(&self) -> String {
        present(&self.header, &self.unreadable)
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

/// The line on which a record starts. The reader places it after the previous record, before the second half of a CRLF
/// and before blank lines.
fn first_line(text: &[u8], record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let before = text[position.byte() as usize..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + before.filter(|&&byte| byte == b'\n').count() as u64
}

/// The separator of a CSV's cells, by its first line: a comma, or a tab or semicolon if the line has no
/// comma.
pub(crate) fn delimiter(text: &[u8]) -> u8 {
    let header = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if header.contains(&b',') {
        return b',';
    }
    [b'\t', b';'].into_iter().find(|separator| header.contains(separator)).unwrap_or(b',')
}

/// Returns an error if two columns have the same name.
pub(crate) fn check_header(path: &Path, header: &[String]) -> Result<()> {
    let mut seen = HashSet::new();
    match header.iter().find(|name| !seen.insert(name.as_str())) {
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
            assert!(error.contains("\"day\" cannot be read: a date or time"), "{error}");
        }
        assert_eq!(parse(b"PAR1, or not").err().unwrap().code(), "E-DATA-023");
    }

    #[test]
    fn names_an_absent_column_and_those_present() {
        let error = parse(b"a,b\n1,2\n").unwrap().column("c").unwrap_err().to_string();
        assert!(error.contains("no column \"c\"") && error.contains("\"a\", \"b\""), "{error}");
    }
}
