//! Reads SMILES from an input of any length, a chunk at a time.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read, stdin};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use crate::error::{Error, Result};
use crate::own;
use crate::parquet_text::{self, ParquetTable, Texts};
use crate::table::layout::{self, LayoutFault, QuoteFault, QuotesChecked, Shape};
use crate::table::{BYTE_ORDER_MARK, GZIP_MAGIC, check_header, find_column, sniff};

/// Bytes at the start of an input that show its format.
const LOOKED_AT: usize = 1 << 16;

/// An input of SMILES: CSV, lines of SMILES (`.smi`), or Parquet; text may be gzipped and may come from standard input.
///
/// Memory does not grow with the input: text is read line by line, Parquet page by page.
pub struct SmilesInput {
    path: PathBuf,
    source: Source,
    what: String,
}

enum Source {
    Table { reader: Box<csv::Reader<Box<dyn Read + Send>>>, column: usize, separator: u8 },
    Lines { reader: Box<dyn BufRead + Send>, end: u8 },
    Parquet { table: Box<ParquetTable<File>>, column: usize, next_group: usize, texts: Option<Box<Texts>> },
}

impl SmilesInput {
    /// Opens `path`, or standard input if it is `-`. Parquet and gzip are recognised by their first bytes.
    /// Text is a table if `column` is given, if its name ends in `.csv` or `.tsv`, or if its first line has
    /// one of [`SMILES_COLUMNS`](crate::own::SMILES_COLUMNS) and its name does not end in `.smi` or `.ism`; otherwise each line is a
    /// SMILES, which a blank or tab and a name may follow.
    ///
    /// # Errors
    /// The file cannot be opened; [`Error::BadParquet`], [`Error::BadGzip`], [`Error::BadCsv`],
    /// [`Error::AbsentColumn`], [`Error::NoSmilesColumn`], [`Error::DuplicateColumn`], [`Error::Empty`].
    pub fn open(path: &Path, column: Option<&str>) -> Result<Self> {
        let standard_input = path == Path::new("-");
        let path = if standard_input { PathBuf::from("standard input") } else { path.to_owned() };
        let raw: Box<dyn Read + Send> =
            if standard_input { Box::new(stdin()) } else { Box::new(fs_err::File::open(&path)?) };
        let reader = BufReader::with_capacity(LOOKED_AT, raw);
        let longest = GZIP_MAGIC.len().max(parquet_text::MAGIC.len());
        let (start, reader) = beginning(Box::new(reader), |start| start.len() >= longest)?;
        if start.starts_with(parquet_text::MAGIC) {
            if standard_input {
                let reason = "Parquet is read from a file, not from standard input".to_owned();
                return Err(Error::BadParquet { path, reason });
            }
            return Self::parquet(&path, column);
        }
        let reader: Box<dyn BufRead + Send> = if start.starts_with(&GZIP_MAGIC) {
            Box::new(BufReader::with_capacity(LOOKED_AT, MultiGzDecoder::new(reader)))
        } else {
            reader
        };
        Self::text(path, reader, column)
    }

    fn parquet(path: &Path, column: Option<&str>) -> Result<Self> {
        let table = ParquetTable::open(path, fs_err::File::open(path)?.into_parts().0)?;
        let index = smiles_column(path, table.columns(), table.unreadable(), column)?;
        let what = format!("Parquet, column \"{}\"", table.columns()[index]);
        let source = Source::Parquet { table: Box::new(table), column: index, next_group: 0, texts: None };
        Ok(Self { path: path.to_owned(), source, what })
    }

    fn text(path: PathBuf, reader: Box<dyn BufRead + Send>, column: Option<&str>) -> Result<Self> {
        let (mut start, mut reader) =
            beginning(reader, |_| false).map_err(|error| bad_text(&path, &error))?;
        let complete = start.len() < LOOKED_AT;
        if let Some(reason) = sniff::no_table(&start) {
            return Err(Error::BadCsv { path, reason });
        }
        if start.starts_with(BYTE_ORDER_MARK) {
            reader.consume(BYTE_ORDER_MARK.len());
            start.drain(..BYTE_ORDER_MARK.len());
        }
        if start.is_empty() {
            return Err(Error::Empty { path });
        }
        let first =
            start.split(|&byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default().trim_ascii();
        let is_table = column.is_some()
            || suffix(&path, &[".csv", ".tsv"])
            || (!suffix(&path, &[".smi", ".ism"]) && layout::is_header(first));
        if !is_table {
            let end = if start.contains(&b'\r') && !start.contains(&b'\n') { b'\r' } else { b'\n' };
            // Some programs write a header into such files.
            let word = first.split(u8::is_ascii_whitespace).next().unwrap_or_default();
            if word.eq_ignore_ascii_case(b"smiles") {
                reader.read_until(end, &mut Vec::new()).map_err(|error| bad_text(&path, &error))?;
            }
            let source = Source::Lines { reader, end };
            return Ok(Self { path, source, what: "one SMILES a line".to_owned() });
        }
        let separator = layout::delimiter(&start, complete, column.as_slice());
        let source: Box<dyn Read + Send> = Box::new(QuotesChecked::new(reader, separator));
        let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(source);
        let header = reader.headers().map_err(|error| match sniff::not_utf8(&start) {
            Some(reason) => Error::BadCsv { path: path.clone(), reason },
            None => bad_table(&path, separator, error),
        })?;
        let header: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        check_header(&path, header.iter())?;
        let index = smiles_column(&path, &header, &[], column)?;
        let what = format!("a table, column \"{}\"", header[index]);
        Ok(Self { path, source: Source::Table { reader: Box::new(reader), column: index, separator }, what })
    }

    /// A description of the detected format.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The next SMILES, trimmed: at least one and at most `count`, or none at the end. They follow the data
    /// rows or lines of the input in order; a missing SMILES is empty.
    ///
    /// # Errors
    /// [`Error::BadCsv`], [`Error::BadGzip`], [`Error::BadParquet`], each with the place, where known.
    pub fn next_chunk(&mut self, count: usize) -> Result<Vec<String>> {
        let mut chunk = Vec::with_capacity(count);
        match &mut self.source {
            Source::Table { reader, column, separator } => {
                let mut record = csv::ByteRecord::new();
                while chunk.len() < count {
                    let more = reader.read_byte_record(&mut record);
                    if !more.map_err(|error| bad_table(&self.path, *separator, error))? {
                        break;
                    }
                    let cell = String::from_utf8_lossy(record.get(*column).unwrap_or_default());
                    chunk.push(cell.trim().to_owned());
                }
            }
            Source::Lines { reader, end } => {
                let mut line = Vec::new();
                while chunk.len() < count {
                    line.clear();
                    let length = reader.read_until(*end, &mut line);
                    if length.map_err(|error| bad_text(&self.path, &error))? == 0 {
                        break;
                    }
                    let text = String::from_utf8_lossy(&line);
                    if text.trim_end().contains(['\r', '\n']) {
                        let reason = "some lines end with CR and others with LF; write one kind of line end";
                        return Err(Error::BadCsv { path: self.path.clone(), reason: reason.to_owned() });
                    }
                    chunk.push(text.split_whitespace().next().unwrap_or_default().to_owned());
                }
            }
            Source::Parquet { table, column, next_group, texts } => {
                while chunk.len() < count {
                    if texts.is_none() {
                        if *next_group == table.groups() {
                            break;
                        }
                        *texts = Some(Box::new(table.texts(*next_group, *column)?));
                        *next_group += 1;
                    }
                    let wanted = count - chunk.len();
                    match texts.as_mut().map(|texts| texts.next_batch(wanted)).transpose()?.flatten() {
                        Some(batch) => chunk.extend(batch.iter().map(|text| text.trim().to_owned())),
                        None => *texts = None,
                    }
                }
            }
        }
        Ok(chunk)
    }
}

/// The first bytes of a reader, and a reader that gives them again. A pipe gives a few at a time, so they are read until
/// they are `enough`, [`LOOKED_AT`], or all.
fn beginning(
    mut reader: Box<dyn BufRead + Send>,
    enough: impl Fn(&[u8]) -> bool,
) -> std::io::Result<(Vec<u8>, Box<dyn BufRead + Send>)> {
    let mut start = Vec::new();
    while start.len() < LOOKED_AT && !enough(&start) {
        let more = match reader.fill_buf() {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            more => more?,
        };
        if more.is_empty() {
            break;
        }
        start.extend_from_slice(more);
        let length = more.len();
        reader.consume(length);
    }
    let again = Cursor::new(start.clone()).chain(reader);
    Ok((start, Box::new(again)))
}

fn suffix(path: &Path, suffixes: &[&str]) -> bool {
    let name = path.to_string_lossy().to_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    suffixes.iter().any(|suffix| name.ends_with(suffix))
}

fn smiles_column(
    path: &Path,
    header: &[String],
    unreadable: &[(String, &'static str)],
    wanted: Option<&str>,
) -> Result<usize> {
    match wanted {
        Some(name) => find_column(path, header, unreadable, name),
        None => own::smiles_column(path, header, unreadable),
    }
}

/// Errors of these kinds come from damaged gzip data; all others come from the system.
fn bad_text(path: &Path, error: &std::io::Error) -> Error {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            Error::BadGzip { path: path.to_owned(), reason: error.to_string() }
        }
        kind => Error::Io(std::io::Error::new(kind, format!("{}: {error}", path.display()))),
    }
}

fn bad_table(path: &Path, delimiter: u8, error: csv::Error) -> Error {
    let bad = |reason: String| Error::BadCsv { path: path.to_owned(), reason };
    let reason = error.to_string();
    match error.into_kind() {
        csv::ErrorKind::Io(error) => {
            match error.get_ref().and_then(|inner| inner.downcast_ref::<QuoteFault>()) {
                Some(fault) => bad(fault.to_string()),
                None => bad_text(path, &error),
            }
        }
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let row = pos.map_or(0, |position| position.record() as usize);
            let found = Shape { line: 0, cells: len as usize };
            let header = expected_len as usize;
            bad(LayoutFault::Ragged { row, found, header, delimiter, all_rows: false }.to_string())
        }
        _ => bad(reason),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn chunks(name: &str, bytes: &[u8], column: Option<&str>, count: usize) -> Result<Vec<Vec<String>>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs_err::write(&path, bytes).unwrap();
        let mut input = SmilesInput::open(&path, column)?;
        let mut chunks = Vec::new();
        loop {
            let chunk = input.next_chunk(count)?;
            if chunk.is_empty() {
                return Ok(chunks);
            }
            chunks.push(chunk);
        }
    }

    fn all(name: &str, bytes: &[u8], column: Option<&str>) -> Vec<String> {
        chunks(name, bytes, column, 2).unwrap().concat()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn tables_lines_and_parquet_are_told_apart() {
        let table = b"\xef\xbb\xbfid,\"SMILES\"\r\n1,CC\r\n2,\" CCO \"\r\n3,";
        for name in ["x.csv", "x.unknown", "x.txt"] {
            assert_eq!(all(name, table, None), ["CC", "CCO", ""], "{name}");
        }
        assert_eq!(all("x.csv.gz", &gzip(table), None), ["CC", "CCO", ""]);
        assert_eq!(all("x.csv", b"a;b\n1;C\n", Some("b")), ["C"]);
        for name in ["x.smi", "x.txt", "x"] {
            assert_eq!(
                all(name, b"CC ethane\r\nCCO\tethanol, drink\n\nC", None),
                ["CC", "CCO", "", "C"],
                "{name}"
            );
        }
        assert_eq!(all("x.smi", b"SMILES Name\nCC ethane\n", None), ["CC"]);
        assert_eq!(all("x.smi", b"SMILES\rCC ethane\rCCO\r", None), ["CC", "CCO"]);
        let parquet = parquet_text::tests::example();
        assert_eq!(all("x.parquet", &parquet, None), ["CC", "", "CCO", "CC", "", "CCO"]);
        assert_eq!(all("x", &parquet, Some("untyped")), ["x", "", "z", "x", "", "z"]);
    }

    #[test]
    fn a_pipe_may_give_a_byte_at_a_time() {
        use std::os::fd::AsRawFd;
        let table = b"\xef\xbb\xbfid,SMILES\n1,CC\n2,CCO\n";
        for bytes in [table.to_vec(), gzip(table)] {
            let (from, mut to) = std::io::pipe().unwrap();
            let writer = std::thread::spawn(move || {
                for byte in bytes {
                    to.write_all(&[byte]).unwrap();
                    std::thread::sleep(std::time::Duration::from_micros(200));
                }
            });
            let path = PathBuf::from(format!("/proc/self/fd/{}", from.as_raw_fd()));
            let mut input = SmilesInput::open(&path, None).unwrap();
            assert_eq!(input.next_chunk(9).unwrap(), ["CC", "CCO"]);
            writer.join().unwrap();
        }
    }

    #[test]
    fn chunks_are_as_long_as_asked_for() {
        let lengths = |bytes: &[u8], name| {
            let chunks = chunks(name, bytes, None, 2).unwrap();
            chunks.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(lengths(b"smiles\nC\nC\nC\nC\nC\n", "x.csv"), [2, 2, 1]);
        // Across row groups as well.
        assert_eq!(lengths(&parquet_text::tests::example(), "x.parquet"), [2, 2, 2]);
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        let code = |name, bytes: &[u8], column| chunks(name, bytes, column, 2).unwrap_err().code();
        assert_eq!(code("x.csv", b"", None), "E-DATA-012");
        assert_eq!(code("x.csv", b"a,b\n1,2\n", None), "E-DATA-024");
        assert_eq!(code("x.csv", b"smiles,b\n1,2\n", Some("c")), "E-DATA-007");
        assert_eq!(code("x.csv", b"smiles,smiles\n1,2\n", None), "E-DATA-008");
        assert_eq!(code("x.csv", b"smiles,b\nC,2\nC\n", None), "E-DATA-014");
        assert_eq!(code("x.csv", b"smiles,b\nC,2\n\"C,2\n", None), "E-DATA-014");
        assert_eq!(code("x.smi", b"CC\nCCO\rC\n", None), "E-DATA-014");
        let cut = gzip(
            &b"smiles\n".iter().copied().chain((0..200_000).map(|i| b"CNO\n"[i % 4])).collect::<Vec<_>>(),
        );
        assert_eq!(code("x.csv.gz", &cut[..cut.len() - 9], None), "E-DATA-013");
        let parquet = parquet_text::tests::example();
        assert_eq!(code("x.parquet", &parquet[..parquet.len() / 2], None), "E-DATA-023");
    }
}
