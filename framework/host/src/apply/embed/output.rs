//! Output files of embeddings: CSV, `.npy` and Parquet, written block by block.

use std::{
    io::{BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    block::{Block, Values},
    parquet::ParquetOutput,
};
use crate::{
    error::{Error, Result},
    files::{folder::warn, text::repeated},
};

/// Format of an output file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputFormat {
    /// Columns `row`, `smiles` and the values as text; unreadable rows have empty cells.
    Csv,
    /// The values alone, `[rows, columns]`: `u8` for bits, `f32` for numbers.
    Npy,
    /// Columns `row`, `smiles` and the values, as bytes (packed bits) or a list of numbers; null in
    /// unreadable rows.
    Parquet,
}

impl FromStr for OutputFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "csv" => Ok(Self::Csv),
            "npy" => Ok(Self::Npy),
            "parquet" => Ok(Self::Parquet),
            _ => Err(format!("`{text}` is no format; write csv, npy or parquet")),
        }
    }
}

impl OutputFormat {
    /// The format that a file's extension names.
    ///
    /// # Errors
    /// [`Error::Request`] for other extensions.
    pub fn of(path: &Path) -> Result<Self> {
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        extension.parse().map_err(|_| {
            let message = "end its name in .csv, .npy or .parquet, or state --format";
            Error::Request(format!("{}: the format is not known by the name; {message}", path.display()))
        })
    }
}

fn beside(output: &Path, suffix: &str) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Path of an output until it is complete.
pub fn partial_path(output: &Path) -> PathBuf {
    beside(output, ".partial")
}

/// Path of the list of unreadable rows.
pub fn failures_path(output: &Path) -> PathBuf {
    beside(output, ".failures.csv")
}

/// Removes the partial output and the list of unreadable rows.
pub(super) fn discard(output: &Path) {
    for path in [partial_path(output), failures_path(output)] {
        if let Err(error) = fs_err::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            warn(&error.to_string());
        }
    }
}

/// An open output file.
pub(super) enum Output {
    Csv(Box<csv::Writer<fs_err::File>>),
    Npy(NpyFile),
    Parquet(Box<ParquetOutput>),
}

impl Output {
    /// Creates the file; `block` gives the layout of its rows.
    pub(super) fn create(path: &Path, format: OutputFormat, block: &Block) -> Result<Self> {
        Ok(match format {
            OutputFormat::Csv => {
                let mut writer = csv::Writer::from_writer(fs_err::File::create(path)?);
                let layout = block.layout();
                let mut header = vec!["row".to_owned(), "smiles".to_owned()];
                if layout.packed {
                    header.push("fingerprint".to_owned());
                } else {
                    header.extend((0..layout.columns).map(|column| layout.name(column)));
                }
                writer.write_record(&header).map_err(written)?;
                Self::Csv(Box::new(writer))
            }
            OutputFormat::Npy => Self::Npy(NpyFile::create(path, block)?),
            OutputFormat::Parquet => Self::Parquet(Box::new(ParquetOutput::create(path, block)?)),
        })
    }

    /// Appends a block whose first row has the number `first_row`.
    pub(super) fn write(&mut self, first_row: u64, smiles: &[String], block: &Block) -> Result<()> {
        match self {
            Self::Csv(writer) => write_csv(writer, first_row, smiles, block),
            Self::Npy(file) => file.write(block),
            Self::Parquet(file) => file.write(first_row, smiles, block),
        }
    }

    /// Completes the file.
    pub(super) fn finish(self, rows: u64) -> Result<()> {
        match self {
            Self::Csv(mut writer) => Ok(writer.flush()?),
            Self::Npy(file) => file.finish(rows),
            Self::Parquet(file) => file.finish(),
        }
    }
}

fn written(error: csv::Error) -> Error {
    Error::Io(error.into())
}

fn write_csv(
    writer: &mut csv::Writer<fs_err::File>,
    first_row: u64,
    smiles: &[String],
    block: &Block,
) -> Result<()> {
    use std::fmt::Write as _;
    let (layout, width) = (block.layout(), block.width());
    let mut text = String::new();
    for (index, smiles) in smiles.iter().enumerate() {
        writer.write_field((first_row + index as u64).to_string()).map_err(written)?;
        writer.write_field(&*repeated(smiles)).map_err(written)?;
        let cells = if layout.packed { 1 } else { width };
        if !block.there[index] {
            (0..cells).try_for_each(|_| writer.write_field("")).map_err(written)?;
        } else if let Values::Bytes(bytes) = &block.values {
            let bytes = &bytes[index * width..(index + 1) * width];
            text.clear();
            if layout.packed {
                for byte in bytes {
                    write!(text, "{byte:02x}").expect("writing to a string does not fail");
                }
                writer.write_field(&text).map_err(written)?;
            } else {
                let digit = |byte: &u8| if *byte == 0 { "0" } else { "1" };
                bytes.iter().try_for_each(|byte| writer.write_field(digit(byte))).map_err(written)?;
            }
        } else if let Values::Numbers(numbers) = &block.values {
            for number in &numbers[index * width..(index + 1) * width] {
                writer.write_field(number.to_string()).map_err(written)?;
            }
        }
        writer.write_record(None::<&[u8]>).map_err(written)?;
    }
    Ok(())
}

/// A `.npy` file (format 1.0) whose header gets the number of rows at the end.
pub(super) struct NpyFile {
    file: BufWriter<fs_err::File>,
    kind: &'static str,
    width: usize,
}

/// Length of the header in bytes, padded so that any number of rows fits.
const NPY_HEADER: usize = 128;

impl NpyFile {
    fn create(path: &Path, block: &Block) -> Result<Self> {
        let kind = match block.values {
            Values::Bytes(_) => "|u1",
            Values::Numbers(_) => "<f4",
        };
        let mut this = Self { file: BufWriter::new(fs_err::File::create(path)?), kind, width: block.width() };
        this.header(0)?;
        Ok(this)
    }

    fn header(&mut self, rows: u64) -> Result<()> {
        let (kind, width) = (self.kind, self.width);
        let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({rows}, {width}), }}");
        let mut header = b"\x93NUMPY\x01\x00".to_vec();
        header.extend((NPY_HEADER as u16 - 10).to_le_bytes());
        header.extend(text.as_bytes());
        header.resize(NPY_HEADER - 1, b' ');
        header.push(b'\n');
        Ok(self.file.write_all(&header)?)
    }

    fn write(&mut self, block: &Block) -> Result<()> {
        match &block.values {
            Values::Bytes(bytes) => self.file.write_all(bytes)?,
            Values::Numbers(numbers) => {
                for number in numbers {
                    self.file.write_all(&number.to_le_bytes())?;
                }
            }
        }
        Ok(())
    }

    fn finish(mut self, rows: u64) -> Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.header(rows)?;
        Ok(self.file.flush()?)
    }
}

/// Writes the list of unreadable rows (number, SMILES, reason) beside `output`; if there are none, removes
/// the list of an earlier output.
pub fn write_failures(output: &Path, rows: &[(u64, &str, &str)]) -> Result<()> {
    let mut failures = Failures::new(output)?;
    for (row, smiles, reason) in rows {
        failures.push(*row, smiles, reason)?;
    }
    failures.finish()
}

/// The list of unreadable rows; its file is created with the first of them.
pub(super) struct Failures {
    path: PathBuf,
    writer: Option<csv::Writer<fs_err::File>>,
}

impl Failures {
    /// Starts an empty list and removes that of an earlier output.
    pub(super) fn new(output: &Path) -> Result<Self> {
        let path = failures_path(output);
        match fs_err::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(Self { path, writer: None }),
        }
    }

    pub(super) fn push(&mut self, row: u64, smiles: &str, reason: &str) -> Result<()> {
        if self.writer.is_none() {
            let mut writer = csv::Writer::from_writer(fs_err::File::create(&self.path)?);
            writer.write_record(["row", "smiles", "reason"]).map_err(written)?;
            self.writer = Some(writer);
        }
        match &mut self.writer {
            Some(writer) => {
                writer.write_record([&row.to_string(), &*repeated(smiles), reason]).map_err(written)
            }
            None => Ok(()),
        }
    }

    pub(super) fn finish(self) -> Result<()> {
        match self.writer {
            Some(mut writer) => Ok(writer.flush()?),
            None => Ok(()),
        }
    }
}
