//! Which character separates the cells of a text, and where its records start.

use std::fmt;
use std::io::Read;

use crate::own::SMILES_COLUMNS;

/// Characters that separate cells, in order of preference, and their names.
const DELIMITERS: [(u8, &str); 4] =
    [(b',', "commas"), (b'\t', "tabs"), (b';', "semicolons"), (b'|', "pipes")];

/// A record: the line it starts on, from 1, and its number of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) line: u64,
    pub(crate) cells: usize,
}

/// A quote in the wrong place; lines count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QuoteFault {
    #[error("the quote that opens on line {line} is not closed")]
    Open { line: u64 },
    #[error("line {line}: text follows a closing quote; a quote inside of a quoted cell is written twice")]
    Stray { line: u64 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before a record; blank lines are in none.
    Outside,
    /// Before a cell.
    Start,
    Plain,
    Quoted,
    /// After a quote inside of a quoted cell, which closes it unless another follows.
    Closing,
    /// After a closed cell and blanks.
    Closed,
}

/// Finds the records of a text as the `csv` crate does, but refuses quotes in the wrong place, which the crate takes for
/// text or for the start of a cell that swallows rows.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    delimiter: u8,
    state: State,
    line: u64,
    after_return: bool,
    shape: Shape,
    quote_line: u64,
}

impl Scanner {
    pub(crate) fn new(delimiter: u8) -> Self {
        let shape = Shape { line: 1, cells: 1 };
        Self { delimiter, state: State::Outside, line: 1, after_return: false, shape, quote_line: 1 }
    }

    /// Takes the next byte; returns the record that it ends, if any.
    pub(crate) fn push(&mut self, byte: u8) -> Result<Option<Shape>, QuoteFault> {
        let line = self.line;
        let after_return = std::mem::replace(&mut self.after_return, byte == b'\r');
        let ends_line = byte == b'\r' || byte == b'\n';
        self.line += u64::from(ends_line && !(byte == b'\n' && after_return));
        if self.state == State::Outside {
            if ends_line {
                return Ok(None);
            }
            self.shape = Shape { line, cells: 1 };
            self.state = State::Start;
        }
        self.state = match (self.state, byte) {
            (State::Quoted, b'"') => State::Closing,
            (State::Quoted, _) | (State::Closing, b'"') => State::Quoted,
            _ if byte == self.delimiter => {
                self.shape.cells += 1;
                State::Start
            }
            _ if ends_line => {
                self.state = State::Outside;
                return Ok(Some(self.shape));
            }
            (State::Closing | State::Closed, b' ' | b'\t') => State::Closed,
            (State::Closing | State::Closed, _) => return Err(QuoteFault::Stray { line }),
            (State::Start, b'"') => {
                self.quote_line = line;
                State::Quoted
            }
            _ => State::Plain,
        };
        Ok(None)
    }

    /// The last record, if no line end follows it.
    pub(crate) fn finish(&self) -> Result<Option<Shape>, QuoteFault> {
        match self.state {
            State::Outside => Ok(None),
            State::Quoted => Err(QuoteFault::Open { line: self.quote_line }),
            _ => Ok(Some(self.shape)),
        }
    }
}

/// Why a text is no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LayoutFault {
    Quote(QuoteFault),
    Ragged { row: usize, found: Shape, header: usize, delimiter: u8, all_rows: bool },
}

impl fmt::Display for LayoutFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Quote(fault) => fault.fmt(f),
            Self::Ragged { row, found: Shape { line, cells }, header, delimiter, all_rows } => {
                let line = if *line > 0 { format!(" (line {line})") } else { String::new() };
                let (name, plural) = (name_of(*delimiter), if *cells == 1 { "" } else { "s" });
                write!(
                    f,
                    "row {row}{line} has {cells} cell{plural}, the header has {header} (with {name} between them); "
                )?;
                if *all_rows && *cells == header + 1 {
                    f.write_str("so has every row: give the column of row names a name in the header")
                } else {
                    f.write_str("correct the row, or quote cells that contain the separator")
                }
            }
        }
    }
}

fn name_of(delimiter: u8) -> &'static str {
    DELIMITERS.iter().find(|(known, _)| *known == delimiter).map_or("separators", |(_, name)| name)
}

/// The separator and the records of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) delimiter: u8,
    /// The line on which each record starts, from 1; the header's is the first.
    pub(crate) lines: Vec<u64>,
}

/// A text under one separator.
struct Candidate {
    delimiter: u8,
    header: usize,
    /// Names of the header that a table of molecules is expected to have.
    known: usize,
    lines: Vec<u64>,
    /// Rows that are as wide as the header.
    fitting: usize,
    misfit: Option<(usize, Shape)>,
    fault: Option<QuoteFault>,
}

impl Candidate {
    /// `complete` says that the text is all there is, so that its last record ends with it.
    fn new(text: &[u8], complete: bool, delimiter: u8, wanted: &[&str]) -> Self {
        let mut candidate = Self {
            delimiter,
            header: 0,
            known: known_names(text, delimiter, wanted),
            lines: Vec::new(),
            fitting: 0,
            misfit: None,
            fault: None,
        };
        let mut scanner = Scanner::new(delimiter);
        for &byte in text {
            match scanner.push(byte) {
                Ok(None) => {}
                Ok(Some(shape)) => candidate.add(shape),
                Err(fault) => {
                    candidate.fault = Some(fault);
                    return candidate;
                }
            }
        }
        match scanner.finish() {
            _ if !complete => {}
            Ok(shape) => shape.into_iter().for_each(|shape| candidate.add(shape)),
            Err(fault) => candidate.fault = Some(fault),
        }
        candidate
    }

    fn add(&mut self, shape: Shape) {
        if self.lines.is_empty() {
            self.header = shape.cells;
        } else if shape.cells == self.header {
            self.fitting += 1;
        } else if self.misfit.is_none() {
            self.misfit = Some((self.lines.len(), shape));
        }
        self.lines.push(shape.line);
    }

    fn rows(&self) -> usize {
        self.lines.len().saturating_sub(1)
    }

    fn fits(&self) -> bool {
        self.misfit.is_none() && self.fault.is_none()
    }

    fn layout(self) -> Result<Layout, LayoutFault> {
        let all_rows = self.fitting == 0 && self.rows() > 1;
        match (self.misfit, self.fault) {
            (Some((row, found)), None) => {
                let Self { header, delimiter, .. } = self;
                Err(LayoutFault::Ragged { row, found, header, delimiter, all_rows })
            }
            (_, Some(fault)) => Err(LayoutFault::Quote(fault)),
            (None, None) => Ok(Layout { delimiter: self.delimiter, lines: self.lines }),
        }
    }
}

/// The number of names in the header that are wanted, or are usual for SMILES.
fn known_names(text: &[u8], delimiter: u8, wanted: &[&str]) -> usize {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text);
    let Ok(header) = reader.byte_headers() else { return 0 };
    let is_known = |cell: &[u8]| {
        let name = String::from_utf8_lossy(cell);
        let name = name.trim();
        wanted.contains(&name) || SMILES_COLUMNS.iter().any(|known| name.eq_ignore_ascii_case(known))
    };
    header.iter().filter(|cell| is_known(cell)).count()
}

/// The separator and the records of a text. The separator is chosen by what fits the rows: the one of comma, tab,
/// semicolon and pipe under which all rows have as many cells as the header, and at least two. Of several, the one whose
/// header has most of the `wanted` names and usual names for SMILES, then the one with most cells. A text under which
/// none makes two cells is one column.
///
/// # Errors
/// Says, for the separator that fits best, where a row or a quote does not fit.
pub(crate) fn layout(text: &[u8], wanted: &[&str]) -> Result<Layout, LayoutFault> {
    best(text, true, wanted).layout()
}

/// The separator that [`layout`] chooses for the beginning of a text; a last record that is cut is not looked at.
pub(crate) fn delimiter(beginning: &[u8], complete: bool, wanted: &[&str]) -> u8 {
    best(beginning, complete, wanted).delimiter
}

/// Whether a line has a usual name for SMILES between some separators.
pub(crate) fn is_header(line: &[u8]) -> bool {
    DELIMITERS.iter().any(|&(delimiter, _)| known_names(line, delimiter, &[]) > 0)
}

fn best(text: &[u8], complete: bool, wanted: &[&str]) -> Candidate {
    let candidate = |&(delimiter, _): &(u8, &str)| Candidate::new(text, complete, delimiter, wanted);
    let (several, mut single): (Vec<_>, Vec<_>) =
        DELIMITERS.iter().map(candidate).partition(|candidate| candidate.header > 1);
    // The first of equals, which `max_by_key` is not.
    let best = several.into_iter().rev().max_by_key(|candidate| {
        // A separator under which hardly a row fits is a character of the text.
        let share = candidate.fitting * 8 / candidate.rows().max(1);
        (candidate.fits(), candidate.known, share, candidate.header)
    });
    best.unwrap_or_else(|| {
        // A header of one cell over rows of several is told as such.
        let wider = single.iter().position(|one| one.rows() > 0 && one.fitting == 0);
        single.swap_remove(wider.unwrap_or(0))
    })
}

/// A reader that passes bytes on, and fails where a quote is in the wrong place.
pub(crate) struct QuotesChecked<R> {
    inner: R,
    scanner: Scanner,
}

impl<R: Read> QuotesChecked<R> {
    pub(crate) fn new(inner: R, delimiter: u8) -> Self {
        Self { inner, scanner: Scanner::new(delimiter) }
    }
}

impl<R: Read> Read for QuotesChecked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.inner.read(buffer)?;
        for &byte in &buffer[..length] {
            self.scanner.push(byte).map_err(std::io::Error::other)?;
        }
        if length == 0 && !buffer.is_empty() {
            self.scanner.finish().map_err(std::io::Error::other)?;
        }
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> (u8, usize) {
        let layout = layout(text.as_bytes(), &[]).unwrap();
        (layout.delimiter, layout.lines.len() - 1)
    }

    fn fault(text: &str) -> String {
        layout(text.as_bytes(), &[]).unwrap_err().to_string()
    }

    #[test]
    fn the_separator_is_the_one_that_fits_the_rows() {
        for (delimiter, _) in DELIMITERS {
            let separator = char::from(delimiter).to_string();
            let header = if delimiter == b',' { "smiles,\"a, b\",y" } else { "smiles,a; b, c,y" };
            let text = if delimiter == b',' {
                format!("{header}\nC,1,0\nCC,0,1\n")
            } else {
                "smiles,Neoplasms# benign,y\nC,1,0\nCC,0,1\n"
                    .to_owned()
                    .replace(',', &separator)
                    .replace('#', ",")
            };
            assert_eq!(found(&text), (delimiter, 2), "{text}");
        }
        // Each row has a comma, too.
        assert_eq!(found("smiles;log S, mol/l\nC;0,5\nCC;-1,5\n"), (b';', 2));
        assert_eq!(found("smiles,name;alias\nC,a;b\nCC,c;d\n"), (b',', 2));
        assert_eq!(found("smiles\nC\nCC\n"), (b',', 2));
    }

    #[test]
    fn lines_are_counted_with_every_kind_of_end() {
        for end in ["\n", "\r\n", "\r"] {
            let text = "smiles,a\n\nC,1\n\"C\nC\",1\nC,2".replace('\n', end);
            assert_eq!(layout(text.as_bytes(), &[]).unwrap().lines, [1, 3, 4, 6], "{text:?}");
        }
        assert_eq!(layout(b"smiles,a\r\nC,1\nC,1\rC,1", &[]).unwrap().lines, [1, 2, 3, 4]);
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_row() {
        let text = fault("smiles,a\nC,1\nCC\nCCC,1\n");
        assert!(
            text.starts_with("row 2 (line 3) has 1 cell, the header has 2 (with commas between"),
            "{text}"
        );
        assert!(fault("smiles;a\nC;1\nCC;1;2\nCCC;1\n").contains("row 2 (line 3) has 3 cells"), "semicolons");
        assert!(fault("smiles\ta\n1\tC\t1\n2\tCC\t1\n").contains("give the column of row names a name"));
        assert!(fault("smiles\nC,1\nCC,0\n").contains("row 1 (line 2) has 2 cells, the header has 1"));
        assert!(fault("smiles,a\nC,1\n\"CC,1\nC,0\n").contains("quote that opens on line 3 is not closed"));
        assert!(fault("smiles,a\n\"C,1\n\"CC\",1\nC,0\n").contains("line 3: text follows a closing quote"));
    }

    #[test]
    fn records_are_those_of_the_csv_crate() {
        use proptest::prelude::*;
        proptest!(|(text in "[a,\"\r\n \t]{0,24}")| {
            let Ok(layout) = layout(text.as_bytes(), &[]) else { return Ok(()) };
            let mut builder = csv::ReaderBuilder::new();
            let mut reader =
                builder.delimiter(layout.delimiter).has_headers(false).from_reader(text.as_bytes());
            let records = reader.byte_records().collect::<Result<Vec<_>, _>>().unwrap();
            prop_assert_eq!(records.len(), layout.lines.len());
        });
    }
}
